//! What the tools returned in a turn, read from the ops gateway's own record of the session.

use crate::Universe;
use openclaw_client::{Client, Endpoint, Token};
use serde_json::{Value, json};
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(30);

impl Universe {
    /// Asks the ops gateway directly, as a person beside it could.
    pub fn ask_ops_gateway(&self, method: &str, params: Value) -> Value {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.unwrap_or_else(|e| panic!("no runtime: {e}"));
        let answer = runtime.block_on(async {
            let addr = self.ops_gateway().parse().unwrap_or_else(|e| panic!("{e}"));
            let endpoint = Endpoint { addr, token: Token::new(self.key("ops-gateway.token")) };
            Client::connect(&endpoint, WITHIN).await?.call(method, params, WITHIN).await
        });
        answer.unwrap_or_else(|e| panic!("{method}: {e}"))
    }

    /// What one turn was given: the message that began it and what its tools returned.
    pub fn given(&self, session: &str, run: &str) -> Vec<String> {
        let history = self.ask_ops_gateway("chat.history", json!({ "sessionKey": session, "limit": 200 }));
        let began = format!("{run}:user");
        let messages = history["messages"].as_array().into_iter().flatten();
        let given = messages.filter(|message| {
            let of_run = message["__openclaw"]["runId"] == run;
            (message["role"] == "toolResult" && of_run) || message["idempotencyKey"] == began.as_str()
        });
        given.flat_map(texts).collect()
    }

    /// Everything that the control plane told the agent in a session without having been asked, oldest first.
    pub fn noticed(&self, session: &str) -> Vec<String> {
        let history = self.ask_ops_gateway("chat.history", json!({ "sessionKey": session, "limit": 200 }));
        let messages = history["messages"].as_array().into_iter().flatten();
        let told = messages.filter(|message| message["role"] == "user").flat_map(texts);
        told.filter(|text| text.contains("[clawops notice ")).collect()
    }

    /// Everything that the agent said in a session, oldest first: replies and notices.
    pub fn said(&self, session: &str) -> Vec<String> {
        let history = self.ask_ops_gateway("chat.history", json!({ "sessionKey": session, "limit": 200 }));
        let messages = history["messages"].as_array().into_iter().flatten();
        messages.filter(|message| message["role"] == "assistant").flat_map(texts).collect()
    }
}

fn texts(message: &Value) -> Vec<String> {
    match &message["content"] {
        Value::String(text) => vec![text.clone()],
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part["text"].as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}
