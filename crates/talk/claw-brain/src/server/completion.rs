//! One turn as a whole completion or as its stream of chunks.

use crate::chat::{Call, ChatRequest, ChatTurn};
use serde_json::{Value, json};
use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
};

/// Characters that count as one token; the numbers are for display only.
const CHARS_PER_TOKEN: usize = 4;

pub struct Completion {
    id: String,
    model: String,
    created: u64,
    turn: ChatTurn,
    usage: Value,
    usage_chunk: bool,
}

impl Completion {
    pub fn new(request: &ChatRequest, turn: ChatTurn, created: u64) -> Self {
        let prompt: usize = request.messages.iter().map(|message| message.text().len()).sum();
        let said = turn.text.len()
            + turn.calls.iter().map(|call| call.tool.len() + call.arguments.to_string().len()).sum::<usize>();
        let (prompt, said) = (prompt.div_ceil(CHARS_PER_TOKEN), said.div_ceil(CHARS_PER_TOKEN));
        let usage =
            json!({ "prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said });
        let usage_chunk = request.stream_options.as_ref().is_some_and(|options| options.include_usage);
        let id = format!("chatcmpl-{:016x}", fingerprint(request));
        Self { id, model: request.model.clone(), created, turn, usage, usage_chunk }
    }

    fn finish_reason(&self) -> &'static str {
        if self.turn.calls.is_empty() { "stop" } else { "tool_calls" }
    }

    /// Unique within a conversation, and the same when the same request is sent again.
    fn tool_call(&self, at: usize, call: &Call) -> Value {
        let tail = self.id.trim_start_matches("chatcmpl-");
        json!({ "id": format!("call_{tail}{at:02}"), "type": "function", "function": { "name": call.tool, "arguments": call.arguments.to_string() } })
    }

    pub fn whole(&self) -> Value {
        let mut message = json!({ "role": "assistant", "content": self.turn.text });
        if !self.turn.calls.is_empty() {
            let calls: Vec<Value> =
                self.turn.calls.iter().enumerate().map(|(at, call)| self.tool_call(at, call)).collect();
            message["tool_calls"] = json!(calls);
            if self.turn.text.is_empty() {
                message["content"] = Value::Null;
            }
        }
        json!({
            "id": self.id, "object": "chat.completion", "created": self.created, "model": self.model, "usage": self.usage,
            "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": self.finish_reason() }],
        })
    }

    /// Server-sent events, the closing `[DONE]` included.
    pub fn frames(&self) -> Vec<String> {
        let mut frames = vec![self.chunk(json!({ "role": "assistant", "content": "" }), None)];
        for (at, call) in self.turn.calls.iter().enumerate() {
            let mut delta = self.tool_call(at, call);
            delta["index"] = json!(at);
            frames.push(self.chunk(json!({ "tool_calls": [delta] }), None));
        }
        frames.extend(
            self.turn.text.split_inclusive('\n').map(|line| self.chunk(json!({ "content": line }), None)),
        );
        frames.push(self.chunk(json!({}), Some(self.finish_reason())));
        if self.usage_chunk {
            let mut chunk = self.base();
            chunk["choices"] = json!([]);
            chunk["usage"] = self.usage.clone();
            frames.push(format!("data: {chunk}\n\n"));
        }
        frames.push("data: [DONE]\n\n".to_owned());
        frames
    }

    fn base(&self) -> Value {
        json!({ "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model })
    }

    fn chunk(&self, delta: Value, finish: Option<&str>) -> String {
        let mut chunk = self.base();
        chunk["choices"] = json!([{ "index": 0, "delta": delta, "finish_reason": finish }]);
        format!("data: {chunk}\n\n")
    }
}

fn fingerprint(request: &ChatRequest) -> u64 {
    let mut hasher = DefaultHasher::new();
    for message in &request.messages {
        message.role.hash(&mut hasher);
        message.text().hash(&mut hasher);
    }
    request.messages.len().hash(&mut hasher);
    hasher.finish()
}
