//! Whether a turn is what was expected, by the rules of `tests/evaluation/histories.md`.

use super::cases::{Reading, Wanted};
use claw_brain::{Call, ChatTurn};
use serde_json::{Map, Value, json};

/// Words of the operator's own that no test can foresee.
const FREE: [&str; 7] = ["reason", "description", "title", "entry", "purpose", "rootCause", "actions"];
/// How a look is taken, not what is looked at.
const FREE_OF_LOOKS: [&str; 6] = ["detail", "live", "history", "limit", "from", "to"];
const FREE_OF_RECORDS: [&str; 3] = ["subjects", "severity", "status"];
/// A region's code and city.
const CITIES: [(&str, &str); 5] = [
    ("nbg1", "nuremberg"),
    ("hel1", "helsinki"),
    ("fsn1", "falkenstein"),
    ("ams", "amsterdam"),
    ("ewr", "new jersey"),
];

pub struct Verdict {
    pub tools: bool,
    pub arguments: bool,
    pub asked: bool,
    /// Tools of changes that nobody ordered.
    pub wrong_changes: Vec<String>,
}

impl Verdict {
    pub fn of(readings: &[Reading], turn: &ChatTurn) -> Self {
        let meant = |call: &Call| {
            readings.iter().flat_map(|reading| &reading.calls).any(|wanted| fits_call(call, wanted))
        };
        let wrong = turn.calls.iter().filter(|call| changes(call) && !meant(call));
        Self {
            tools: readings.iter().any(|reading| right_tools(reading, turn)),
            arguments: readings.iter().any(|reading| right_arguments(reading, turn)),
            asked: turn.calls.is_empty() && asks(&turn.text),
            wrong_changes: wrong.map(|call| call.tool.clone()).collect(),
        }
    }
}

fn right_tools(reading: &Reading, turn: &ChatTurn) -> bool {
    if reading.calls.is_empty() {
        return match reading.expect.as_str() {
            "ask" => turn.calls.is_empty() && asks(&turn.text),
            "chat" | "decline" => turn.calls.is_empty(),
            other => panic!("neither calls nor one of ask, chat, decline: {other:?}"),
        };
    }
    let mut called: Vec<&str> = turn.calls.iter().map(|call| call.tool.as_str()).collect();
    let mut wanted: Vec<&str> = reading.calls.iter().map(|call| call.tool.as_str()).collect();
    called.sort_unstable();
    wanted.sort_unstable();
    called == wanted
}

fn right_arguments(reading: &Reading, turn: &ChatTurn) -> bool {
    let mut left: Vec<&Call> = turn.calls.iter().collect();
    right_tools(reading, turn)
        && reading.calls.iter().all(|wanted| {
            let at = left.iter().position(|call| fits_call(call, wanted));
            at.map(|at| left.remove(at)).is_some()
        })
}

fn asks(text: &str) -> bool {
    text.contains('?') || text.to_lowercase().contains("please")
}

/// A price or a preview changes nothing.
fn changes(call: &Call) -> bool {
    call.arguments["dryRun"] != json!(true) && !reads(&call.tool, &call.arguments)
}

fn reads(tool: &str, arguments: &Value) -> bool {
    gf_tools::tool(tool).is_some_and(|tool| tool.only_reads(arguments))
}

/// Whether the call has all wanted arguments and no other but free ones.
pub fn fits_call(call: &Call, wanted: &Wanted) -> bool {
    let (Some(given), Some(listed)) = (call.arguments.as_object(), wanted.args.as_object()) else {
        return false;
    };
    call.tool == wanted.tool
        && listed.iter().all(|(key, value)| has(given, key, value))
        && given.iter().all(|(key, value)| listed.contains_key(key) || is_free(call, listed, key, value))
}

/// Whether the argument is there as wanted; a default may be left out.
pub fn has(given: &Map<String, Value>, key: &str, wanted: &Value) -> bool {
    match given.get(key) {
        Some(given) => fits(given, wanted),
        None => is_default(key, wanted),
    }
}

fn is_free(call: &Call, listed: &Map<String, Value>, key: &str, value: &Value) -> bool {
    let record = call.tool == "gf_incident_report"
        && matches!(call.arguments["action"].as_str(), Some("create" | "update"));
    FREE.contains(&key)
        || is_default(key, value)
        || (FREE_OF_LOOKS.contains(&key) && reads(&call.tool, &call.arguments))
        || (FREE_OF_RECORDS.contains(&key) && record)
        || (key == "provider" && listed.contains_key("region"))
        || (call.tool == "gf_schedule" && key == "what" && listed.contains_key("id"))
        || (call.tool == "gf_schedule" && key == "when" && is_usual(&call.arguments))
}

/// When a report comes if nobody says when.
fn is_usual(entry: &Value) -> bool {
    let usual = match entry["what"].as_str() {
        Some("cost report") => "weekly monday 08:00",
        Some("capacity report") => "monthly 1 07:00",
        _ => "daily 07:00",
    };
    entry["when"] == usual
}

fn is_default(key: &str, value: &Value) -> bool {
    match key {
        "strategy" => *value == "rolling",
        "period" => *value == "week",
        "detail" => *value == "summary",
        "limit" | "batchSize" => *value == 50,
        "concurrency" => *value == 20,
        "settleSeconds" => *value == 10,
        "archive" => *value == true,
        "dryRun" | "standbyOnly" | "live" | "history" => *value == false,
        _ => false,
    }
}

fn fits(given: &Value, wanted: &Value) -> bool {
    match (given, wanted) {
        (Value::Array(given), Value::Array(wanted)) => {
            let within = |these: &[Value], those: &[Value]| {
                these.iter().all(|this| those.iter().any(|that| fits(this, that)))
            };
            given.len() == wanted.len() && within(given, wanted) && within(wanted, given)
        }
        (Value::Array(items), one) | (one, Value::Array(items)) => items.len() == 1 && fits(&items[0], one),
        (Value::Object(given), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| given.get(key).is_some_and(|given| fits(given, value)))
                && given
                    .keys()
                    .all(|key| wanted.contains_key(key) || key == "provider" && wanted.contains_key("region"))
        }
        (Value::Number(given), Value::Number(wanted)) => given.as_f64() == wanted.as_f64(),
        (Value::String(given), Value::String(wanted)) => name(given) == name(wanted),
        _ => given == wanted,
    }
}

/// A name without its case, an id without its prefix, a region by its city.
fn name(text: &str) -> String {
    let lower = text.to_lowercase();
    let city = CITIES.iter().find(|(code, _)| *code == lower).map(|(_, city)| (*city).to_owned());
    let prefixes = ["acct-", "i-", "op-", "inc-", "arch-", "snap-"];
    let bare = prefixes.iter().find_map(|prefix| lower.strip_prefix(prefix)).map(str::to_owned);
    city.or(bare).unwrap_or(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits_args(given: Value, wanted: Value, tool: &str) -> bool {
        let call = Call { tool: tool.to_owned(), arguments: given };
        fits_call(&call, &Wanted { tool: tool.to_owned(), args: wanted })
    }

    #[test]
    fn what_is_not_listed_must_be_free() {
        let restart = |given| fits_args(given, json!({ "instanceIds": ["i-1"] }), "gf_bulk_restart");
        assert!(restart(json!({ "instanceIds": ["i-1"], "reason": "it hangs", "concurrency": 20 })));
        assert!(!restart(json!({ "instanceIds": ["i-1"], "concurrency": 5 })));
        assert!(!restart(json!({ "instanceIds": ["i-1", "i-2"] })));
        let fleet = |given| fits_args(given, json!({ "region": "hel1" }), "gf_fleet_status");
        assert!(fleet(json!({ "region": "Helsinki", "provider": "hetzner", "detail": "full" })));
        assert!(!fleet(json!({ "region": "helsinki", "status": "FAILED" })));
        let teardown =
            |given| fits_args(given, json!({ "accountIds": ["acct-0001", "acct-0002"] }), "gf_teardown");
        assert!(teardown(json!({ "accountIds": ["0002", "acct-0001"], "reason": "idle" })));
        assert!(!teardown(json!({ "accountIds": ["acct-0001"], "reason": "idle" })));
        assert!(!teardown(json!({ "accountIds": ["acct-0002", "acct-0001"], "archive": false })));
    }
}
