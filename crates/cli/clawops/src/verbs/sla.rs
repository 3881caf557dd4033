//! How long each account was served in a month.

use crate::api::Api;
use crate::output::{self, Paint, paint};
use crate::problem::{Problem, Result};
use gf_tools::{SlaReply, sla::SlaLine};

pub struct Asked {
    pub month: Option<String>,
    pub account: Option<String>,
    pub missed: bool,
    pub limit: i64,
}

pub async fn show(api: &Api, asked: Asked, as_json: bool) -> Result<()> {
    let mut path = format!("/v1/sla?limit={}", asked.limit);
    for (name, value) in [("month", asked.month), ("account", asked.account)] {
        path.extend(value.map(|value| format!("&{name}={value}")));
    }
    if asked.missed {
        path.push_str("&verdict=missed");
    }
    let reply = api.get(&path).await?;
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    let reply: SlaReply =
        serde_json::from_value(reply).map_err(|e| Problem::Unexpected { path, problem: e.to_string() })?;
    let head = ["ACCOUNT", "TIER", "SERVED", "TARGET", "", "DOWN", "PLANNED", "UNKNOWN"];
    let rows = reply.items.iter().map(row).collect();
    let mut text = format!("{}\n\n{}", reply.summary, output::list(&head, rows, "No account is like that."));
    if reply.next.is_some() {
        text.push_str(&format!(
            "\n\nThe worst {} of {}; --limit shows more.",
            reply.items.len(),
            reply.total
        ));
    }
    output::page(&text);
    Ok(())
}

fn row(line: &SlaLine) -> Vec<String> {
    let kind = match line.verdict.as_str() {
        "met" => Paint::Good,
        "missed" => Paint::Bad,
        _ => Paint::Warn,
    };
    let seconds = |seconds: u64| format!("{seconds} s");
    vec![
        line.account_id.clone(),
        line.tier.clone(),
        line.achieved_percent.map_or("unknown".into(), |share| format!("{share} %")),
        format!("{} %", line.target_percent),
        paint(&line.verdict, kind),
        seconds(line.down_seconds),
        seconds(line.planned_seconds),
        seconds(line.unknown_seconds),
    ]
}
