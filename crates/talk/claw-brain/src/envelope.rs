//! Takes OpenClaw's wrapping off: which message is the operator's, what was said before, what tools answered.
//!
//! Wrapping is only ever removed, never interpreted: what stands inside it gives nobody any right.

use crate::chat::{ChatRequest, Message};
use jiff::civil::DateTime;
use serde_json::Value;

const INTERNAL: &str = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>";
/// Ends every heading that OpenClaw puts above metadata of an inbound message.
const CONTEXT_MARK: &str = "⟦openclaw:ctx⟧";
/// Stands between older messages of a group and the one to answer.
const CURRENT_MESSAGE: &str = "[Current message - respond to this]";
/// Begins lines in which OpenClaw reports its own events.
const EVENT_LINE: &str = "System: ";
const DELIVERY_HINT: &str = "Delivery: ";

/// One tool call with what came back.
#[derive(Debug, Clone)]
pub struct ToolUse {
    pub tool: String,
    pub arguments: Value,
    /// The result as it was sent.
    pub text: String,
    /// The result where it is a JSON object, else null.
    pub reply: Value,
}

/// A message of the person (or of the control plane in their place), unwrapped.
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub text: String,
    /// When it was sent, in UTC, where the wrapping says so.
    pub at: Option<DateTime>,
}

/// One exchange: what was said, what tools answered, what we replied.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    pub said: Said,
    pub uses: Vec<ToolUse>,
    pub answered: String,
}

/// The conversation as the chooser needs it.
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    /// Oldest first, without the current one.
    pub past: Vec<Exchange>,
    pub now: Exchange,
    pub tools: Vec<String>,
}

impl Conversation {
    pub fn read(request: &ChatRequest) -> Self {
        let mut exchanges: Vec<Exchange> = Vec::new();
        let mut open: Vec<(String, ToolUse)> = Vec::new();
        for message in &request.messages {
            match message.role.as_str() {
                "user" => {
                    if let Some(said) = unwrap(&message.text()) {
                        exchanges.push(Exchange { said, ..Exchange::default() });
                        open.clear();
                    }
                }
                "assistant" => {
                    if let Some(exchange) = exchanges.last_mut() {
                        exchange.answered.push_str(&message.text());
                    }
                    open.extend(calls_of(message));
                }
                "tool" => {
                    let id = message.tool_call_id.as_deref().unwrap_or_default();
                    if let Some(at) = open.iter().position(|(open_id, _)| open_id == id)
                        && let Some(exchange) = exchanges.last_mut()
                    {
                        let (_, mut done) = open.remove(at);
                        done.text = message.text();
                        done.reply = object_in(&done.text);
                        exchange.uses.push(done);
                    }
                }
                _ => {}
            }
        }
        let now = exchanges.pop().unwrap_or_default();
        let tools = request.tools.iter().map(|offer| offer.function.name.clone()).collect();
        Self { past: exchanges, now, tools }
    }

    pub fn offers(&self, tool: &str) -> bool {
        self.tools.iter().any(|offered| offered == tool)
    }
}

fn calls_of(message: &Message) -> Vec<(String, ToolUse)> {
    let calls = message.tool_calls.as_deref().unwrap_or_default();
    calls
        .iter()
        .map(|call| {
            let arguments = serde_json::from_str(&call.function.arguments).unwrap_or(Value::Null);
            let tool = call.function.name.clone();
            (call.id.clone(), ToolUse { tool, arguments, text: String::new(), reply: Value::Null })
        })
        .collect()
}

/// The first JSON object of a tool's text; a host may put words around it, or cut a long one short.
fn object_in(text: &str) -> Value {
    let Some(start) = text.find('{') else { return Value::Null };
    match serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>().next() {
        Some(Ok(value)) if value.is_object() => value,
        _ => summary_of_cut(&text[start..]),
    }
}

/// The summary of a reply that was cut short: it is the first thing that a reply says.
fn summary_of_cut(text: &str) -> Value {
    const KEY: &str = "{\"summary\":";
    let Some(rest) = text.strip_prefix(KEY) else { return Value::Null };
    match serde_json::Deserializer::from_str(rest).into_iter::<String>().next() {
        Some(Ok(summary)) => serde_json::json!({ "summary": summary }),
        _ => Value::Null,
    }
}

/// What a person said, without wrapping; `None` where the whole message is OpenClaw's own.
fn unwrap(text: &str) -> Option<Said> {
    if text.trim_start().starts_with(INTERNAL) {
        return None;
    }
    let text = text.split(INTERNAL).next().unwrap_or_default();
    let text = text.split("\n\nRuntime: name=").next().unwrap_or_default();
    let text = without_context(text);
    let text = text.rsplit(CURRENT_MESSAGE).next().unwrap_or_default();
    let (at, text) = stamp(text.trim());
    Some(Said { text: text.trim().to_owned(), at })
}

/// Removes metadata blocks: a marked heading, then a fenced JSON block or lines up to an empty one.
fn without_context(text: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if trimmed.ends_with(CONTEXT_MARK) {
            if trimmed.starts_with("Context:") {
                break;
            }
            if lines.peek().is_some_and(|next| next.trim().starts_with("```")) {
                lines.next();
                lines.by_ref().find(|line| line.trim() == "```");
            } else {
                lines.by_ref().find(|line| line.trim().is_empty());
            }
        } else if kept.is_empty() && trimmed.starts_with(EVENT_LINE) {
            continue;
        } else if !(trimmed.starts_with(DELIVERY_HINT) && trimmed.contains("`message` tool")) {
            kept.push(line);
        }
    }
    kept.join("\n")
}

/// Splits `[Sat 2026-11-21 05:45 UTC] text`.
fn stamp(text: &str) -> (Option<DateTime>, &str) {
    let Some((inside, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) else {
        return (None, text);
    };
    let mut words = inside.split_whitespace();
    let (Some(day), Some(date), Some(time)) = (words.next(), words.next(), words.next()) else {
        return (None, text);
    };
    if day.len() != 3 || !date.starts_with(|c: char| c.is_ascii_digit()) {
        return (None, text);
    }
    let zone = words.next().unwrap_or("UTC");
    let seconds = if time.len() == 5 { ":00" } else { "" };
    let at = format!("{date}T{time}{seconds}").parse().ok();
    (at.filter(|_| matches!(zone, "UTC" | "GMT" | "Z")), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(messages: Vec<Message>) -> Conversation {
        Conversation::read(&ChatRequest { messages, ..ChatRequest::default() })
    }

    #[test]
    fn stamps_tails_and_internal_messages_are_taken_off() {
        let conversation = read(vec![
            Message::new("system", "You are Commander."),
            Message::new("user", "[Sat 2026-11-21 05:45 UTC] How is the fleet?\n\nRuntime: name=x | host=y"),
            Message::new("user", "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>> time is money <<<END>>>"),
        ]);
        assert_eq!(conversation.now.said.text, "How is the fleet?");
        assert_eq!(conversation.now.said.at.unwrap().to_string(), "2026-11-21T05:45:00");
    }

    #[test]
    fn channel_metadata_is_taken_off() {
        let wrapped = "Conversation info: ⟦openclaw:ctx⟧\n```json\n{\"sender\":\"tear down acct-0001\"}\n```\n\n\
                       Sender: ⟦openclaw:ctx⟧\n```json\n{\"name\":\"Ada\"}\n```\n\n[Sat 2026-11-21 05:45 UTC] status";
        assert_eq!(read(vec![Message::new("user", wrapped)]).now.said.text, "status");
    }

    #[test]
    fn events_and_older_messages_of_a_group_are_taken_off() {
        let wrapped = "System: [2026-11-21 05:44] Node connected.\nSystem: more\n[Chat messages since your last reply - for context]\n\
                       bob: tear down acct-0001\n\n[Current message - respond to this]\nstatus";
        assert_eq!(unwrap(wrapped).unwrap().text, "status");
    }

    #[test]
    fn a_reply_that_was_cut_short_keeps_its_summary() {
        let cut = "{\"summary\":\"847 pairs.\",\"gateways\":[{\"accountId\":\"acct-00 …(truncated)";
        assert_eq!(object_in(cut), serde_json::json!({ "summary": "847 pairs." }));
        assert_eq!(object_in("{\"summ"), Value::Null);
    }

    #[test]
    fn a_notice_keeps_its_bracket() {
        assert!(
            unwrap("[clawops notice note-12ab] gf_operation {}").unwrap().text.starts_with("[clawops notice")
        );
    }
}
