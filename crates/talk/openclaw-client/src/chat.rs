//! Turns and what is heard of them: how a chat client talks to an agent, and how others watch the same session.
//!
//! The gateway broadcasts `chat` events of every session to every operator connection, without a subscription, also
//! for turns that somebody else started. So one [`ChatStream`] per session shows a person both their own turns and the
//! ones by which the control plane wakes the agent.

use crate::error::Error;
use crate::{Client, Event, Result};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::sync::broadcast::{self, error::RecvError};

const ACCEPT_WITHIN: Duration = Duration::from_secs(30);
const BUSY_POLL: Duration = Duration::from_millis(250);
/// On top of the wait itself, for the answer to travel.
const ANSWER_SLACK: Duration = Duration::from_secs(10);

/// One message to an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentTurn {
    pub target: Target,
    pub message: String,
    /// Becomes the run id. The gateway runs a key once; asked again it answers for the same run.
    pub idempotency_key: String,
    /// Where the reply goes besides to us.
    pub deliver: Option<Delivery>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The agent's main session.
    Agent(String),
    /// `agent:<id>:<name>`; made by the first turn.
    Session(String),
}

/// A conversation of a channel: `telegram`, account `default`, chat `777`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub channel: String,
    pub account: Option<String>,
    pub to: String,
}

impl AgentTurn {
    pub fn in_session(key: impl Into<String>, message: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            target: Target::Session(key.into()),
            message: message.into(),
            idempotency_key: id.into(),
            deliver: None,
        }
    }

    #[must_use]
    pub fn delivered_to(mut self, delivery: Delivery) -> Self {
        self.deliver = Some(delivery);
        self
    }

    fn params(&self) -> Value {
        let mut params = json!({ "message": self.message, "idempotencyKey": self.idempotency_key });
        match &self.target {
            Target::Agent(id) => params["agentId"] = json!(id),
            Target::Session(key) => params["sessionKey"] = json!(key),
        }
        if let Some(delivery) = &self.deliver {
            params["deliver"] = json!(true);
            params["channel"] = json!(delivery.channel);
            params["to"] = json!(delivery.to);
            if let Some(account) = &delivery.account {
                params["accountId"] = json!(account);
            }
        }
        params
    }
}

/// How a turn ended, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TurnEnd {
    /// `None`: the agent chose to say nothing.
    Replied(Option<String>),
    Failed(String),
    /// Not over within the time asked for, or the gateway does not know the run.
    Unknown,
}

impl Client {
    /// Starts a turn; the run id comes back as soon as the gateway has taken it.
    pub async fn agent(&self, turn: &AgentTurn) -> Result<String> {
        let answer = self.call("agent", turn.params(), ACCEPT_WITHIN).await?;
        answer["runId"].as_str().map(str::to_owned).ok_or_else(|| Error::unexpected("agent", "no runId"))
    }

    pub async fn agent_wait(&self, run: &str, within: Duration) -> Result<TurnEnd> {
        let params =
            json!({ "runId": run, "timeoutMs": u64::try_from(within.as_millis()).unwrap_or(u64::MAX) });
        Ok(turn_end(&self.call("agent.wait", params, within + ANSWER_SLACK).await?))
    }

    /// Runs a turn to its end, showing what happens on the way.
    pub async fn converse(
        &self,
        turn: &AgentTurn,
        within: Duration,
        mut on_event: impl FnMut(ChatEvent),
    ) -> Result<TurnEnd> {
        let mut all = self.events();
        let run = self.agent(turn).await?;
        let end = self.agent_wait(&run, within);
        tokio::pin!(end);
        loop {
            tokio::select! {
                // Events first, so that everything said is shown before the end is.
                biased;
                event = all.recv() => if let Ok(event) = event
                    && let Some(heard) = Heard::of(&event)
                    && heard.run == run
                {
                    on_event(heard.event);
                },
                end = &mut end => return end,
            }
        }
    }

    /// Starts a turn that can wait: once no other turn runs in its session, at the latest after `patience`.
    ///
    /// OpenClaw does not queue `agent` behind a channel's turn. It merges the two, and the person's own turn is
    /// then answered as a part of ours.
    pub async fn wake(&self, turn: &AgentTurn, patience: Duration) -> Result<String> {
        if let Target::Session(key) = &turn.target {
            let since = Instant::now();
            while since.elapsed() < patience && self.is_busy(key).await? {
                tokio::time::sleep(BUSY_POLL).await;
            }
        }
        self.agent(turn).await
    }

    /// Whether a turn runs in this session right now.
    pub async fn is_busy(&self, session_key: &str) -> Result<bool> {
        let sessions = self.sessions_list().await?;
        Ok(sessions.iter().any(|row| row.key == session_key && row.has_active_run == Some(true)))
    }

    /// Everything that is said in one session from now on, whoever started the turn.
    pub fn watch(&self, session_key: impl Into<String>) -> ChatStream {
        ChatStream { events: self.events(), session: session_key.into() }
    }
}

fn turn_end(answer: &Value) -> TurnEnd {
    match answer["status"].as_str() {
        Some("ok") => {
            let text = answer.pointer("/terminalReply/text").and_then(Value::as_str);
            TurnEnd::Replied(text.map(str::to_owned))
        }
        Some("error") => {
            TurnEnd::Failed(answer["error"].as_str().unwrap_or("the gateway gave no reason").to_owned())
        }
        _ => TurnEnd::Unknown,
    }
}

/// One thing that happened in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatEvent {
    Started,
    /// More of the reply. `so_far` is the whole of it up to here, for whoever joined late.
    Delta {
        text: String,
        so_far: String,
    },
    ToolStarted {
        name: String,
    },
    ToolEnded {
        name: String,
        failed: bool,
    },
    Final {
        text: String,
    },
    Failed {
        reason: String,
    },
}

/// A [`ChatEvent`] and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub run: String,
    pub session: String,
    pub event: ChatEvent,
}

impl Heard {
    /// `None` for the many events that are not part of a conversation.
    pub fn of(event: &Event) -> Option<Self> {
        let payload = &event.payload;
        let heard = match event.event.as_str() {
            "chat" => chat_event(payload)?,
            "agent" => agent_event(payload)?,
            _ => return None,
        };
        let text = |key: &str| payload[key].as_str().map(str::to_owned);
        Some(Self { run: text("runId")?, session: text("sessionKey")?, event: heard })
    }
}

fn chat_event(payload: &Value) -> Option<ChatEvent> {
    let whole = || message_text(&payload["message"]);
    Some(match payload["state"].as_str()? {
        "delta" => ChatEvent::Delta {
            text: payload["deltaText"].as_str().unwrap_or_default().to_owned(),
            so_far: whole(),
        },
        "final" => ChatEvent::Final { text: whole() },
        "error" | "aborted" => {
            let reason = payload["errorMessage"].as_str().or_else(|| payload["stopReason"].as_str());
            ChatEvent::Failed { reason: reason.unwrap_or("aborted").to_owned() }
        }
        _ => return None,
    })
}

fn agent_event(payload: &Value) -> Option<ChatEvent> {
    let data = &payload["data"];
    let name = || data["name"].as_str().unwrap_or("a tool").to_owned();
    match (payload["stream"].as_str()?, data["phase"].as_str()?) {
        ("lifecycle", "start") => Some(ChatEvent::Started),
        ("tool", "start") => Some(ChatEvent::ToolStarted { name: name() }),
        ("tool", "result") => {
            Some(ChatEvent::ToolEnded { name: name(), failed: data["isError"].as_bool().unwrap_or(false) })
        }
        _ => None,
    }
}

fn message_text(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

/// The conversation of one session, as it happens.
#[derive(Debug)]
pub struct ChatStream {
    events: broadcast::Receiver<Event>,
    session: String,
}

impl ChatStream {
    /// `None` when the connection is gone. A reader far behind misses deltas; every delta repeats what came before.
    pub async fn next(&mut self) -> Option<Heard> {
        loop {
            match self.events.recv().await {
                Ok(event) => {
                    if let Some(heard) = Heard::of(&event)
                        && heard.session == self.session
                    {
                        return Some(heard);
                    }
                }
                Err(RecvError::Lagged(missed)) => tracing::debug!(missed, "chat events missed"),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, payload: Value) -> Event {
        Event { event: name.into(), payload, seq: None }
    }

    #[test]
    fn a_turn_names_its_session_and_where_the_reply_goes() {
        let turn = AgentTurn::in_session("agent:commander:cli-ana", "hello", "n-1").delivered_to(Delivery {
            channel: "telegram".into(),
            account: Some("default".into()),
            to: "777".into(),
        });
        assert_eq!(
            turn.params(),
            json!({ "message": "hello", "idempotencyKey": "n-1", "sessionKey": "agent:commander:cli-ana",
                    "deliver": true, "channel": "telegram", "to": "777", "accountId": "default" })
        );
    }

    #[test]
    fn recorded_chat_events_are_heard_with_their_text() {
        let delta = event(
            "chat",
            json!({ "runId": "r", "sessionKey": "s", "state": "delta", "deltaText": " there",
                    "message": { "role": "assistant", "content": [{ "type": "text", "text": "hello there" }] } }),
        );
        let heard = Heard::of(&delta).unwrap();
        assert_eq!(heard.event, ChatEvent::Delta { text: " there".into(), so_far: "hello there".into() });
        assert_eq!((heard.run.as_str(), heard.session.as_str()), ("r", "s"));

        let tool = json!({ "runId": "r", "sessionKey": "s", "stream": "tool",
                           "data": { "phase": "start", "name": "gf_fleet_status" } });
        assert_eq!(
            Heard::of(&event("agent", tool)).unwrap().event,
            ChatEvent::ToolStarted { name: "gf_fleet_status".into() }
        );
        assert_eq!(Heard::of(&event("tick", json!({ "ts": 1 }))), None);
    }

    #[test]
    fn an_unknown_run_is_not_a_failure() {
        assert_eq!(turn_end(&json!({ "runId": "nope", "status": "timeout" })), TurnEnd::Unknown);
        assert_eq!(
            turn_end(&json!({ "status": "ok", "terminalReply": { "text": "done" } })),
            TurnEnd::Replied(Some("done".into()))
        );
    }
}
