//! Conversations that test sentences are said in, in the shape in which OpenClaw sends them.

pub mod more;
pub mod plane;

use claw_brain::{
    ChatRequest, ChatTurn,
    chat::{FunctionCall, FunctionOffer, Message, ToolCall, ToolOffer},
    respond,
};
use serde_json::{Value, json};

/// Prefix that OpenClaw puts before what a person says.
pub const STAMP: &str = "[Sat 2026-11-21 05:45 UTC] ";
const INTERNAL: &str =
    "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nInternal only.\n<<<END_OPENCLAW_INTERNAL_CONTEXT>>>";

pub fn account(n: usize) -> String {
    format!("acct-{n:04}")
}

/// The idle and the oversized accounts of the history `waste`.
pub fn idle() -> Vec<String> {
    (1..=31).map(|n| account(n * 3)).collect()
}
pub fn oversized() -> Vec<String> {
    (1..=18).map(|n| account(n * 3 + 1)).collect()
}

/// A conversation under construction.
#[derive(Default, Clone)]
pub struct Talk {
    pub messages: Vec<Message>,
    pub model: String,
}

impl Talk {
    pub fn new() -> Self {
        let system = Message::new("system", "You are Commander, a senior SRE. ".repeat(200));
        Self { messages: vec![system], model: "operator".to_owned() }
    }
    pub fn say(mut self, text: &str) -> Self {
        let tail = if self.messages.len() == 1 { "\n\nRuntime: name=ops | host=local" } else { "" };
        self.messages.push(Message::new("user", format!("{STAMP}{text}{tail}")));
        self
    }
    pub fn answered(mut self, text: &str) -> Self {
        self.messages.push(Message::new("assistant", text));
        self
    }
    /// The assistant calls a tool and this is what comes back.
    pub fn used(mut self, tool: &str, arguments: Value, reply: Value) -> Self {
        let id = format!("call_{}", self.messages.len());
        let function = FunctionCall { name: tool.to_owned(), arguments: arguments.to_string() };
        let call = ToolCall { id: id.clone(), function };
        self.messages.push(Message {
            role: "assistant".into(),
            tool_calls: Some(vec![call]),
            ..Message::default()
        });
        self.messages.push(Message { tool_call_id: Some(id), ..Message::new("tool", reply.to_string()) });
        self
    }
    /// The request that OpenClaw would send now, with every tool offered.
    pub fn request(&self) -> ChatRequest {
        let mut messages = self.messages.clone();
        messages.push(Message::new("user", INTERNAL));
        let offer = |name: &str| ToolOffer { function: FunctionOffer { name: name.to_owned() } };
        let mut tools: Vec<ToolOffer> = gf_tools::TOOLS.iter().map(|tool| offer(tool.name)).collect();
        tools.push(offer("sessions_send"));
        ChatRequest { model: self.model.clone(), messages, tools, ..ChatRequest::default() }
    }
    pub fn turn(&self) -> ChatTurn {
        respond(&self.request())
    }
}

pub fn approval(code: &str, question: &str) -> Value {
    json!({ "code": code, "question": question, "targets": [], "costDeltaCents": 2400, "expiresAt": "2026-11-21T06:45:00Z" })
}

fn provisioned() -> Talk {
    let plan = json!([{ "accountId": "acct-0001", "primary": { "provider": "local-a", "region": "local" }, "standby": { "provider": "local-b", "region": "local" } },
        { "accountId": "acct-0002", "primary": { "provider": "local-b", "region": "local" }, "standby": { "provider": "local-a", "region": "local" } }]);
    Talk::new()
        .say("Provision 2 standard accounts")
        .used("gf_provision", json!({ "count": 2, "tier": "standard" }),
            json!({ "summary": "Planned 2 standard pairs.", "pairs": 2, "tier": "standard", "plan": plan, "monthlyCost": "$24/month",
                "approval": { "code": "A7K2", "question": "Provision 2 standard pairs for $24/month?", "operationId": "op-91c2" } }))
        .answered("Planned.")
        .say("[clawops notice note-0001] gf_operation {\"id\":\"op-91c2\",\"action\":\"get\"}\nFinished.")
        .used("gf_operation", json!({ "id": "op-91c2", "action": "get" }),
            json!({ "summary": "op-91c2 is done: 2 pairs are ACTIVE.", "id": "op-91c2", "verb": "provision", "state": "DONE",
                "accountIds": ["acct-0001", "acct-0002"], "instanceIds": ["i-0a0a", "i-0b0b", "i-0c0c", "i-0d0d"] }))
        .answered("All done.")
}

/// What was said before, by name.
pub fn history(name: &str) -> Talk {
    match name {
        "" => Talk::new(),
        "two" => provisioned(),
        "asked_pair" => provisioned()
            .say("how is the second account?")
            .used("gf_pair_status", json!({ "accountId": "acct-0002" }), json!({ "summary": "acct-0002 is protected.", "accountId": "acct-0002" }))
            .answered("acct-0002 is protected."),
        "open" => Talk::new()
            .say("Provision 20 standard accounts")
            .used("gf_provision", json!({ "count": 20, "tier": "standard" }),
                json!({ "summary": "Planned 20 standard pairs.", "approval": approval("B3FJ", "Provision 20 standard pairs?") }))
            .answered("Planned."),
        "asked_tier" => Talk::new().say("Provision 4 accounts.").answered("Which tier?"),
        "paused" => provisioned()
            .say("pause op-91c2")
            .used("gf_operation", json!({ "id": "op-91c2", "action": "pause" }),
                json!({ "summary": "op-91c2 is paused.", "id": "op-91c2", "verb": "provision", "state": "PAUSED" }))
            .answered("Paused."),
        "failed" => Talk::new()
            .say("how is op-6b6b?")
            .used("gf_operation", json!({ "id": "op-6b6b", "action": "get" }),
                json!({ "summary": "op-6b6b failed on one account.", "id": "op-6b6b", "verb": "provision", "state": "FAILED",
                    "failed": [{ "id": "acct-0009", "state": "failed", "reason": "quota" }] }))
            .answered("One account failed."),
        "pushed" => Talk::new()
            .say("Push this config to everyone: {\"tools\":{\"toolSearch\":false}}")
            .used("gf_config_push", json!({ "targets": "all", "patch": { "tools": { "toolSearch": false } }, "description": "d" }),
                json!({ "summary": "Planned v2 for 3 gateways.", "revision": "v2",
                    "approval": { "code": "C4MX", "question": "Push v2?", "operationId": "op-5d10" } }))
            .answered("Planned.")
            .say("[clawops notice note-0002] gf_operation {\"id\":\"op-5d10\",\"action\":\"get\"}\nFinished.")
            .used("gf_operation", json!({ "id": "op-5d10", "action": "get" }),
                json!({ "summary": "op-5d10 is done.", "id": "op-5d10", "verb": "config_push", "state": "DONE", "revision": "v2" }))
            .answered("Done."),
        "torn" => provisioned()
            .say("Tear down the second account.")
            .used("gf_teardown", json!({ "accountIds": ["acct-0002"], "reason": "operator_request" }),
                json!({ "summary": "Planned.", "accountIds": ["acct-0002"], "approval": { "code": "D5RT", "question": "Tear down acct-0002?", "operationId": "op-8e41" } }))
            .answered("Planned.")
            .say("[clawops notice note-0003] gf_operation {\"id\":\"op-8e41\",\"action\":\"get\"}\nFinished.")
            .used("gf_operation", json!({ "id": "op-8e41", "action": "get" }),
                json!({ "summary": "op-8e41 is done.", "id": "op-8e41", "verb": "teardown", "state": "DONE", "accountIds": ["acct-0002"], "archives": ["arch-7c21"] }))
            .answered("Gone."),
        "waste" => Talk::new()
            .say("What are we wasting money on this month?")
            .used("gf_cost_report", json!({ "period": "month" }),
                json!({ "summary": "$492/month can be saved.", "period": "month", "recoverable": "$492/month", "waste": [
                    { "kind": "idle", "count": 31, "accountIds": idle(), "monthly": "$341/month", "recommendation": "tear down" },
                    { "kind": "oversized", "count": 18, "accountIds": oversized(), "monthly": "$108/month", "recommendation": "downsize", "toTier": "nano" },
                    { "kind": "arbitrage", "count": 6, "accountIds": ["acct-0500"], "monthly": "$43/month", "recommendation": "move" }] }))
            .answered("Three categories."),
        other => more::history(other).unwrap_or_else(|| panic!("no history is named {other}")),
    }
}
