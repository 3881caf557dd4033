//! One line of a person, carried to its end: decided by the control plane, or answered by Commander.

use super::unseen::{OWN_RUN, Unseen};
use super::{Conversation, Screen, connect};
use crate::api::{Api, fresh_key};
use crate::consent::operation_id;
use crate::follow;
use crate::home::Home;
use crate::problem::{Problem, Result};
use openclaw_client::Client;
use openclaw_client::chat::{AgentTurn, ChatEvent, ChatStream, Heard, TurnEnd};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

/// Commander is woken as soon as the work has ended, and looks at it before speaking.
const TOLD_WITHIN: Duration = Duration::from_secs(20);
const ANSWER_WITHIN: Duration = Duration::from_secs(300);

pub struct Talk {
    pub api: Api,
    pub client: Client,
    pub screen: Screen,
    conversation: Conversation,
    unseen: Unseen,
    drawn: HashSet<String>,
}

impl Talk {
    pub async fn open(home: &Home, screen: Screen) -> Result<Self> {
        let api = Api::open(home)?;
        let conversation = Conversation::of_me(&api).await?;
        let client = connect(home).await?;
        let unseen = Unseen::open(home.dir.join("chat-seen.json"));
        Ok(Self { api, client, screen, conversation, unseen, drawn: HashSet::new() })
    }

    /// Tells what happened since somebody last listened.
    pub async fn catch_up(&mut self) -> Result<()> {
        for said in self.unseen.look(&self.client, &self.conversation.session).await? {
            self.screen.notice(&said.run, &said.text);
            self.unseen.saw(&said.run)?;
        }
        Ok(())
    }

    pub fn listen(&self) -> ChatStream {
        self.client.watch(&self.conversation.session)
    }

    /// The operation that a yes started, if the line was one.
    pub async fn say(&mut self, line: &str) -> Result<Option<String>> {
        let question = json!({ "conversation": self.conversation.key, "text": line });
        let answer = self.api.post("/v1/conversations/answer", question).await?;
        let decision = answer["decision"].as_str().unwrap_or("none");
        if decision != "none" {
            self.screen.decided(&answer);
        }
        // Who wants it otherwise says so to Commander, who asks anew.
        if !matches!(decision, "none" | "changes") {
            return Ok(operation_id(&answer));
        }
        self.ask_commander(line).await?;
        self.draw_questions().await?;
        Ok(None)
    }

    async fn ask_commander(&mut self, line: &str) -> Result<()> {
        let run = format!("{OWN_RUN}{}", fresh_key());
        let turn = AgentTurn::in_session(&self.conversation.session, line, &run);
        let screen = &mut self.screen;
        let end = self.client.converse(&turn, ANSWER_WITHIN, |event| match event {
            ChatEvent::ToolStarted { name } => screen.tool(&name),
            ChatEvent::Delta { so_far, .. } => screen.delta(&so_far),
            ChatEvent::Started
            | ChatEvent::ToolEnded { .. }
            | ChatEvent::Final { .. }
            | ChatEvent::Failed { .. } => {}
        });
        match end.await? {
            TurnEnd::Replied(Some(text)) => self.screen.reply(&run, &text),
            TurnEnd::Replied(None) => {}
            TurnEnd::Failed(why) => {
                return Err(Problem::Failed(format!("Commander could not answer: {why}")));
            }
            TurnEnd::Unknown => {
                let waited = ANSWER_WITHIN.as_secs();
                return Err(Problem::Failed(format!("Commander has not answered within {waited} s")));
            }
        }
        Ok(())
    }

    /// Draws every open question of this conversation that was not drawn yet, and tells the control plane so: a
    /// question that nobody saw cannot be granted.
    pub async fn draw_questions(&mut self) -> Result<()> {
        let path = format!("/v1/questions?conversation={}", self.conversation.key);
        let questions = self.api.get(&path).await?;
        for approval in questions["items"].as_array().into_iter().flatten() {
            let Some(code) = approval["code"].as_str() else { continue };
            if !self.drawn.insert(code.to_owned()) {
                continue;
            }
            self.screen.question(code, approval["question"].as_str().unwrap_or_default());
            let shown = json!({
                "approval": code,
                "conversation": self.conversation.key,
                "messageId": null,
                "success": true,
            });
            self.api.post("/v1/evidence/shown", shown).await?;
        }
        Ok(())
    }

    /// Prints what Commander says of its own accord. True when something was said.
    pub fn overhear(&mut self, heard: Heard) -> Result<bool> {
        match heard.event {
            ChatEvent::Final { text } if !text.trim().is_empty() && !heard.run.starts_with(OWN_RUN) => {
                self.screen.notice(&heard.run, &text);
                self.unseen.saw(&heard.run)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Follows an operation to its end on the screen, and to Commander's word about it.
    pub async fn follow(&mut self, id: &str) -> Result<()> {
        let mut heard = self.listen();
        let screen = &mut self.screen;
        let mut last = Value::Null;
        let end = follow::watch(&self.api, id, |now| {
            // Times tick; only a changed count or state is news.
            let now_said = json!([now.state, now.targets_by_state, now.instances_by_state, now.batch]);
            if now_said != last {
                last = now_said;
                screen.progress(now);
            }
        });
        let end = end.await?;
        self.screen.ended(&end);
        let told = async {
            while let Some(event) = heard.next().await {
                let about_it = matches!(&event.event, ChatEvent::Final { text } if text.contains(id));
                if self.overhear(event)? && about_it {
                    return Ok(true);
                }
            }
            Ok::<bool, Problem>(false)
        };
        match tokio::time::timeout(TOLD_WITHIN, told).await {
            Ok(told) => {
                if !told? {
                    self.screen.conclusion(&end);
                }
            }
            Err(_) => self.screen.conclusion(&end),
        }
        Ok(())
    }
}
