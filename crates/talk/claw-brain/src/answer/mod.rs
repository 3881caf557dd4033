//! From tool results to words. Every number in an answer is copied from a result of this turn.
//!
//! It must never put the control plane's question into its own words, nor claim that anything was done that a
//! result does not say was done.

mod fleet;
mod health;
mod plan;
mod report;
mod words;
mod work;

use crate::{envelope::ToolUse, honesty, notice, step::Step};
use serde_json::Value;

const WAITING: &str =
    "This is only a plan, nothing has been changed yet: the control plane's own question follows.";

/// The answer of a turn whose calls were all made.
pub fn compose(said: &str, steps: &[Step], uses: &[ToolUse]) -> String {
    let mut parts: Vec<String> = Vec::new();
    if let Some(notice) = notice::read(said) {
        parts.extend(supported_prose(&notice.text, uses));
    }
    for used in uses.iter().filter(|used| is_asked_for(used, steps)) {
        parts.push(of_result(used, steps));
    }
    for step in steps {
        match step {
            Step::Ask(text) | Step::Say(text) | Step::Decline(text) => parts.push(text.clone()),
            Step::Recall(text) => parts.insert(0, recalled(text, uses)),
            Step::Do(_) | Step::LookUp(_) | Step::Extreme { .. } | Step::Nothing => {}
        }
    }
    if uses.iter().any(|used| !used.reply["approval"].is_null()) {
        parts.push(WAITING.to_owned());
    }
    parts.retain(|part| !part.trim().is_empty());
    parts.dedup();
    let answer = if parts.is_empty() { "Understood.".to_owned() } else { parts.join("\n\n") };
    match notice::read(said) {
        // Its sentence may have been left out for a number; that somebody must come may not.
        Some(notice) if notice.is_critical() && !answer.contains(notice::CRITICAL) => {
            format!("{}: {answer}", notice::CRITICAL)
        }
        _ => answer,
    }
}

/// What was only looked up to find out what was meant is not told.
fn is_asked_for(used: &ToolUse, steps: &[Step]) -> bool {
    let same = |step: &&Step| matches!(step, Step::Do(call) if call.tool == used.tool && call.arguments == used.arguments);
    let only_looked_up =
        steps.iter().any(|step| !matches!(step, Step::Nothing)) && steps.iter().all(|step| !same(&step));
    !only_looked_up
}

/// Why something was refused before, as it was said then.
fn recalled(text: &str, uses: &[ToolUse]) -> String {
    let told = supported_prose(text, uses).map(|told| format!("It was refused: {}", words::sentence(&told)));
    told.unwrap_or_else(|| {
        "It was refused; the reason stands in my answer above, and the audit says:".to_owned()
    })
}

/// Sentences of a notice whose numbers this turn's results bear out.
fn supported_prose(prose: &str, uses: &[ToolUse]) -> Option<String> {
    let results: Vec<&str> = uses.iter().map(|used| used.text.as_str()).collect();
    if results.is_empty() {
        return None;
    }
    let lines = prose.lines().map(str::trim).filter(|line| !line.is_empty());
    let kept: Vec<&str> =
        lines.filter(|line| honesty::unsupported_numbers(line, &results).is_empty()).collect();
    (!kept.is_empty()).then(|| kept.join(" "))
}

fn of_result(used: &ToolUse, steps: &[Step]) -> String {
    if let Some(problem) = problem(used) {
        return problem;
    }
    let reply = &used.reply;
    if !reply["approval"].is_null() {
        return plan::brief(used);
    }
    if used.tool == "gf_operation" && work::waits(reply) {
        return work::waiting(reply);
    }
    let extreme = steps.iter().find_map(|step| match step {
        Step::Extreme { lowest } if used.tool == "gf_fleet_status" => Some(*lowest),
        _ => None,
    });
    if let Some(lowest) = extreme {
        return fleet::extreme(reply, lowest);
    }
    let summary = reply["summary"].as_str().unwrap_or_default().trim().to_owned();
    let mut lines = vec![summary];
    let details = match used.tool.as_str() {
        "gf_fleet_status" => fleet::status(reply),
        "gf_instance_health" => health::instance(reply),
        "gf_pair_status" => health::pair(reply),
        "gf_provision" => work::provision(reply),
        "gf_teardown" => work::teardown(reply),
        "gf_tier_resize" => work::resize(reply),
        "gf_config_push" => work::push(reply),
        "gf_restore" => work::restore(reply),
        "gf_bulk_restart" => work::restart(reply),
        "gf_failover" => work::failover(reply),
        "gf_operation" => work::operation(reply),
        "gf_cost_report" => report::cost(reply),
        "gf_provider_health" => report::providers(reply),
        "gf_audit_log" => report::audit(reply),
        "gf_incident_report" => report::incidents(reply),
        "gf_alerts_silence" => report::silence(reply),
        "gf_schedule" => report::schedule(reply),
        _ => Vec::new(),
    };
    // The summary may say already what a bullet would repeat.
    let told = lines[0].clone();
    lines.extend(
        details.into_iter().filter(|line| !told.contains(line.as_str())).map(|line| format!("- {line}")),
    );
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// A refusal or failure in the control plane's own words.
fn problem(used: &ToolUse) -> Option<String> {
    let error = &used.reply["error"];
    if used.reply.is_null() {
        return Some(format!(
            "{} did not answer as expected: {}",
            used.tool,
            used.text.trim().chars().take(400).collect::<String>()
        ));
    }
    let message = match error {
        Value::Null => return None,
        // The host tells a tool's failure as plain text, whether it was a refusal or nobody answered.
        Value::String(message) => return Some(told_as_text(message)),
        error => error["message"].as_str().unwrap_or("no reason was given"),
    };
    let fix = error["fix"]
        .as_str()
        .filter(|fix| !message.contains(fix))
        .map(|fix| format!(" {}", words::sentence(fix)));
    Some(format!("That was refused: {}{}", words::sentence(message), fix.unwrap_or_default()))
}

/// "nothing_matches: nothing matches status DEGRADED (targets = …). To do: …", without what is for programs.
fn told_as_text(text: &str) -> String {
    let is_code = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let (code, message) = text.split_once(": ").filter(|(code, _)| is_code(code)).unwrap_or(("", text));
    if code == "nothing_matches" {
        let reason = message.split_once(" (").map_or(message, |(reason, _)| reason);
        return format!("Nothing to do: {}.", reason.trim_end_matches('.'));
    }
    format!("That did not work: {}", words::sentence(message))
}
