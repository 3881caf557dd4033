//! Small pieces of sentences; never a number of our own.

use gf_tools::{common::Counts, common::InstanceLine, common::TargetLine};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Most ids that one line lists; the rest stays in the result.
const LISTED: usize = 12;

/// A reply as its type; an odd one counts as empty, and its summary still stands.
pub fn typed<T: DeserializeOwned + Default>(reply: &Value) -> T {
    serde_json::from_value(reply.clone()).unwrap_or_default()
}

pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut chars = text.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

/// `3 ACTIVE, 1 CREATING`, states without any left out.
pub fn counts(counts: &Counts) -> String {
    let parts: Vec<String> = counts
        .iter()
        .filter(|(_, n)| **n > 0)
        .map(|(state, n)| format!("{n} {}", state.replace('_', " ")))
        .collect();
    parts.join(", ")
}

/// Some ids, and a word where there are more.
pub fn ids<T: AsRef<str>>(ids: &[T]) -> String {
    let mut listed: Vec<&str> = ids.iter().take(LISTED).map(AsRef::as_ref).collect();
    if ids.len() > LISTED {
        listed.push("and more");
    }
    listed.join(", ")
}

pub fn seconds(seconds: f64) -> String {
    if seconds.fract() == 0.0 { format!("{seconds:.0} s") } else { format!("{seconds:.1} s") }
}

/// `i-7f3a ACTIVE at hetzner fsn1, score 100`.
pub fn instance(line: &InstanceLine) -> String {
    let place = format!("{} {}", line.provider, line.region);
    let score = line.score.map(|score| format!(", score {score}")).unwrap_or_default();
    let unsure = if line.uncertain { ", state uncertain" } else { "" };
    format!("{} {} at {}{score}{unsure}", line.instance_id, line.state, place.trim())
}

/// `acct-0009 failed: quota exceeded`.
pub fn target(line: &TargetLine) -> String {
    match &line.reason {
        Some(reason) => format!("{}: {}", line.id, reason),
        None => line.id.clone(),
    }
}

/// `Flagged: a: why; b: why`, nothing where there is none.
pub fn targets(title: &str, lines: &[TargetLine]) -> Option<String> {
    let mut told: Vec<String> = lines.iter().take(LISTED).map(target).collect();
    if lines.len() > LISTED {
        told.push("and more".to_owned());
    }
    (!told.is_empty()).then(|| format!("{title}: {}", told.join("; ")))
}
