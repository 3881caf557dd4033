//! What the network knows: messages both ways, undelivered updates, and failures that were ordered.

use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

/// A message to the bot.
#[derive(Debug, Clone)]
pub struct Incoming {
    pub from: i64,
    /// The same as `from` in a private chat, negative in a group.
    pub chat: i64,
    pub text: String,
    pub reply_to: Option<i64>,
}

impl Incoming {
    pub fn direct(from: i64, text: &str) -> Self {
        Self { from, chat: from, text: text.into(), reply_to: None }
    }
}

/// A message of the bot's.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    pub chat: i64,
    pub message_id: i64,
    /// With the markup that the bot asked for.
    pub text: String,
    pub reply_to: Option<i64>,
    /// Whether this is a later version of an earlier message.
    pub edited: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Chats {
    pub sent: Vec<Sent>,
    pub calls: Vec<(String, Value)>,
    pub conflicts: usize,
    /// Raised by each poller; an older one sees that it was taken over.
    pub poller: u64,
    messages: HashMap<i64, Value>,
    updates: VecDeque<Value>,
    failures: HashMap<String, VecDeque<u16>>,
    last_message: i64,
    last_update: i64,
}

pub(crate) fn bot() -> Value {
    json!({ "id": 4242, "is_bot": true, "first_name": "ClawOps", "username": "clawops_bot",
            "can_join_groups": true, "can_read_all_group_messages": false, "supports_inline_queries": false })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

impl Chats {
    pub fn receive(&mut self, incoming: &Incoming) -> i64 {
        let Incoming { from, chat, text, reply_to } = incoming;
        let kind = if *chat < 0 { "supergroup" } else { "private" };
        let mut message = json!({
            "message_id": self.next_message(), "date": now(), "text": text,
            "chat": { "id": chat, "type": kind, "first_name": format!("Person{from}") },
            "from": { "id": from, "is_bot": false, "first_name": format!("Person{from}"),
                      "username": format!("person{from}"), "language_code": "en" },
        });
        if let Some(quoted) = reply_to.and_then(|id| self.messages.get(&id)) {
            message["reply_to_message"] = quoted.clone();
        }
        let id = self.keep(&message);
        self.last_update += 1;
        self.updates.push_back(json!({ "update_id": self.last_update, "message": message }));
        id
    }

    /// Forgets what is confirmed by `offset` and gives what is left.
    pub fn updates(&mut self, offset: i64, limit: usize) -> Vec<Value> {
        self.updates.retain(|update| update["update_id"].as_i64() >= Some(offset));
        self.updates.iter().take(limit).cloned().collect()
    }

    pub fn send(&mut self, chat: i64, text: &str, reply_to: Option<i64>) -> Value {
        let message = json!({
            "message_id": self.next_message(), "date": now(), "text": text, "from": bot(),
            "chat": { "id": chat, "type": if chat < 0 { "supergroup" } else { "private" } },
        });
        let message_id = self.keep(&message);
        self.sent.push(Sent { chat, message_id, text: text.into(), reply_to, edited: false });
        message
    }

    /// The message as it is after the edit, if there is such a message.
    pub fn edit(&mut self, chat: i64, message_id: i64, text: &str) -> Option<Value> {
        let message = self.messages.get_mut(&message_id)?;
        message["text"] = json!(text);
        let message = message.clone();
        self.sent.push(Sent { chat, message_id, text: text.into(), reply_to: None, edited: true });
        Some(message)
    }

    pub fn fail_next(&mut self, method: &str, status: u16, times: usize) {
        let failures = self.failures.entry(method.to_ascii_lowercase()).or_default();
        failures.extend(std::iter::repeat_n(status, times));
    }

    pub fn ordered_failure(&mut self, method: &str) -> Option<u16> {
        self.failures.get_mut(&method.to_ascii_lowercase())?.pop_front()
    }

    fn next_message(&mut self) -> i64 {
        self.last_message += 1;
        self.last_message
    }

    fn keep(&mut self, message: &Value) -> i64 {
        self.messages.insert(self.last_message, message.clone());
        self.last_message
    }
}
