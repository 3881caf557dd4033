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
    // An operation that nobody knows, or nobody who could be asked, is told at once and not waited for.
    look(api, id).await?;
    let mut progress = Progress::default();
    let watched = watch(api, id, |now| {
        if !as_json {
            progress.show(line(now))
        }
    });
    let end = tokio::select! {
        end = watched => end,
        _ = tokio::signal::ctrl_c() => Err(Problem::LeftRunning(id.to_owned())),
    };
    progress.end();
    let end = end?;
    if as_json {
        output::json(&json!(end));
    } else {
        output::print(&conclusion(&end));
    }
    match end.state.to_ascii_uppercase().as_str() {
        "DONE" | "PARTIAL" | "UNDONE" | "CANCELLED" => Ok(()),
        "STUCK" => Err(Problem::Failed(format!(
            "{id} is stuck; remove the cause, then `clawops op retry {id}`, or `clawops op cancel {id}` to give up"
        ))),
        other => Err(Problem::Failed(format!("{id} ended {other}; `clawops op show {id}` says how"))),
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
            " · {}: {}",
            output::count(operation.targets_total, "target"),
            counts(&operation.targets_by_state)
        ));
    }
    if !operation.instances_by_state.is_empty() {
        let all = counts(&operation.instances_by_state);
        line.push_str(&format!(" · {}: {all}", output::count(operation.instances_total, "instance")));
    }
    line
}

/// The summary names what failed; only what it has no room for is added.
pub fn conclusion(operation: &OperationReply) -> String {
    let mut text = operation.summary.clone();
    for (title, lines) in
        [("failed", &operation.failed), ("flagged", &operation.flagged), ("skipped", &operation.skipped)]
    {
        for target in lines {
            let why = target.reason.as_deref().unwrap_or("no reason given");
            if operation.summary.contains(&format!("{} ({why})", target.id)) {
                continue;
            }
            text.push_str(&format!("\n  {title}: {} – {why}", target.id));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_tools::common::TargetLine;

    fn failed(id: &str) -> TargetLine {
        TargetLine { id: id.into(), reason: Some("no room".into()), ..TargetLine::default() }
    }

    #[test]
    fn a_failed_target_is_told_once() {
        let operation = OperationReply {
            summary: "1 of 2 failed: acct-0001 (no room).".into(),
            failed: vec![failed("acct-0001"), failed("acct-0002")],
            ..OperationReply::default()
        };
        let told = conclusion(&operation);
        assert_eq!(told.matches("acct-0001").count(), 1, "{told}");
        assert_eq!(told.matches("acct-0002").count(), 1, "{told}");
    }

    #[test]
    fn one_target_is_no_targets() {
        let operation = OperationReply {
            id: "op-91c2".into(),
            verb: "push".into(),
            state: "RUNNING".into(),
            targets_total: 1,
            targets_by_state: [("running".to_owned(), 1)].into(),
            ..OperationReply::default()
        };
        assert_eq!(line(&operation), "op-91c2 push RUNNING · 1 target: 1 running");
    }
}
