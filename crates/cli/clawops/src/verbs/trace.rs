//! What one request led to.

use crate::api::Api;
use crate::output::{self, state};
use crate::problem::{Problem, Result};
use gf_tools::{TraceReply, trace::TraceLine};

pub async fn show(api: &Api, trace: &str, as_json: bool) -> Result<()> {
    let path = format!("/v1/traces/{trace}");
    let reply = api.get(&path).await?;
    if as_json {
        output::json(&reply);
        return Ok(());
    }
    let reply: TraceReply =
        serde_json::from_value(reply).map_err(|e| Problem::Unexpected { path, problem: e.to_string() })?;
    let head = ["TIME", "KIND", "WHAT", "ABOUT", "STATE", "WHERE", "TOOK", "NOTE"];
    let rows = reply.items.iter().map(row).collect();
    output::page(&format!("{}\n\n{}", reply.summary, output::list(&head, rows, "It led to nothing.")));
    Ok(())
}

fn row(line: &TraceLine) -> Vec<String> {
    let place: Vec<&str> = line.provider.iter().chain(&line.node).map(String::as_str).collect();
    let often = line.attempts.map_or_else(String::new, |times| format!(" (tried {times} times)"));
    vec![
        output::time(&line.at),
        line.kind.clone(),
        line.what.clone(),
        line.about.clone(),
        state(&line.state),
        place.join(" "),
        line.seconds.map_or_else(String::new, |seconds| format!("{seconds:.1} s")),
        format!("{}{often}", line.note.as_deref().unwrap_or_default()),
    ]
}
