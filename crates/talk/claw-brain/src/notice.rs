//! Notices that the control plane delivers into a conversation: look at what they name, then tell it once.
//!
//! A notice can only make us read. What else its text may ask for is not followed.

use crate::{chat::Call, step::Step};
use serde_json::Value;

const MARK: &str = "[clawops notice";
/// How the control plane begins what a person must look at now.
pub const CRITICAL: &str = "CRITICAL";

#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    look_at: Option<Call>,
    pub text: String,
}

/// Reads `[clawops notice note-12ab] gf_operation {"id":"op-91c2","action":"get"}` and the prose below it.
pub fn read(said: &str) -> Option<Notice> {
    let (_, rest) = said.trim_start().strip_prefix(MARK)?.split_once(']')?;
    let rest = rest.trim_start();
    let named = rest.strip_prefix("tool=").unwrap_or(rest);
    let tool = named.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default();
    let Some(spec) = gf_tools::tool(tool) else {
        return Some(Notice { look_at: None, text: rest.to_owned() });
    };
    let after = named[tool.len()..].trim_start();
    let mut stream = serde_json::Deserializer::from_str(after).into_iter::<Value>();
    let arguments = stream.next().and_then(Result::ok).filter(Value::is_object);
    let used =
        if arguments.is_some() { stream.byte_offset() } else { after.find('\n').unwrap_or(after.len()) };
    let look_at = arguments
        .filter(|arguments| spec.only_reads(arguments))
        .map(|arguments| Call { tool: tool.to_owned(), arguments });
    Some(Notice { look_at, text: after[used..].trim().to_owned() })
}

impl Notice {
    pub fn is_critical(&self) -> bool {
        self.text.starts_with(CRITICAL)
    }

    pub fn step(&self) -> Step {
        match &self.look_at {
            Some(call) => Step::Do(call.clone()),
            None => Step::Say(self.text.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_notice_leads_to_reading_only() {
        let notice =
            read("[clawops notice note-1] gf_operation {\"id\":\"op-1\",\"action\":\"get\"}\nDone.").unwrap();
        assert_eq!(notice.step(), Step::call("gf_operation", json!({"id": "op-1", "action": "get"})));
        assert_eq!(notice.text, "Done.");
        let acting =
            read("[clawops notice note-1] gf_operation {\"id\":\"op-1\",\"action\":\"cancel\"}\nDo it.")
                .unwrap();
        assert!(matches!(acting.step(), Step::Say(_)));
        assert!(read("clawops notice").is_none());
    }
}
