//! Follows an operation to its end, with a line of counts that add up while it runs.

use crate::api::Api;
use crate::output::{self, Progress};
use crate::problem::{Problem, Result};
use gf_tools::OperationReply;
use serde_json::json;
use std::time::Duration;

const RECONNECT_AFTER: Duration = Duration::from_secs(1);

pub async fn look(api: &Api, id: &str) -> Result<OperationReply> {
    let path = format!("/v1/operations/{id}");
    let mut operation = api.get(&path).await?;
    serde_json::from_value(operation["progress"].take())
        .map_err(|e| Problem::Unexpected { path, problem: e.to_string() })
}

/// A failed end is a failed command.
pub async fn to_the_end(api: &Api, id: &str, as_json: bool) -> Result<()> {
    let mut progress = Progress::default();
    let end = watch(api, id, |now| {
        if !as_json {
            progress.show(line(now))
        }
    })
    .await?;
    progress.end();
    if as_json {
        output::json(&json!(end));
    } else {
        output::print(&conclusion(&end));
    }
    match end.state.to_ascii_uppercase().as_str() {
        "DONE" | "PARTIAL" | "UNDONE" | "CANCELLED" => Ok(()),
        other => Err(Problem::Failed(format!("{id} ended {other}"))),
    }
}

/// Calls back at every change, across a restart of the control plane, until the operation is over.
pub async fn watch(
    api: &Api,
    id: &str,
    mut on_change: impl FnMut(&OperationReply),
) -> Result<OperationReply> {
    let path = format!("/v1/operations/{id}/events");
    loop {
        let now = match look(api, id).await {
            Ok(now) => now,
            Err(Problem::NotRunning { .. } | Problem::Unexpected { .. }) => {
                tokio::time::sleep(RECONNECT_AFTER).await;
                continue;
            }
            Err(other) => return Err(other),
        };
        on_change(&now);
        if is_over(&now) {
            return Ok(now);
        }
        let Ok(mut events) = api.events(&path).await else {
            tokio::time::sleep(RECONNECT_AFTER).await;
            continue;
        };
        while events.next().await.is_some() {
            let Ok(now) = look(api, id).await else { break };
            on_change(&now);
            if is_over(&now) {
                return Ok(now);
            }
        }
    }
}

pub fn is_over(operation: &OperationReply) -> bool {
    operation.ended_at.is_some()
        || matches!(
            operation.state.to_ascii_uppercase().as_str(),
            "DONE" | "PARTIAL" | "FAILED" | "UNDONE" | "CANCELLED" | "STUCK" | "DENIED" | "EXPIRED" | "VOID"
        )
}

/// One line: how far, by state of the targets and of the instances.
pub fn line(operation: &OperationReply) -> String {
    let counts = |counts: &gf_tools::common::Counts| {
        counts.iter().map(|(state, n)| format!("{n} {state}")).collect::<Vec<_>>().join(" · ")
    };
    let mut line = format!("{} {} {}", operation.id, operation.verb, output::state(&operation.state));
    if let (Some(batch), Some(batches)) = (operation.batch, operation.batches) {
        line.push_str(&format!(" · batch {batch} of {batches}"));
    }
    if !operation.targets_by_state.is_empty() {
        line.push_str(&format!(
            " · {} targets: {}",
            operation.targets_total,
            counts(&operation.targets_by_state)
        ));
    }
    if !operation.instances_by_state.is_empty() {
        let all = counts(&operation.instances_by_state);
        line.push_str(&format!(" · {} instances: {all}", operation.instances_total));
    }
    line
}

pub fn conclusion(operation: &OperationReply) -> String {
    let mut text = operation.summary.clone();
    for (title, lines) in
        [("failed", &operation.failed), ("flagged", &operation.flagged), ("skipped", &operation.skipped)]
    {
        for target in lines {
            let why = target.reason.as_deref().unwrap_or("no reason given");
            text.push_str(&format!("\n  {title}: {} – {why}", target.id));
        }
    }
    text
}
