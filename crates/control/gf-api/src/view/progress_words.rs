//! An operation's progress in sentences, as operators read it through the model: every number is counted.

use super::words;
use gf_model::{
    operation::{Operation, OperationState},
    verb::Verb,
};
use gf_tools::{OperationReply, common::TargetLine};

pub fn summary(reply: &OperationReply, operation: &Operation) -> String {
    let mut parts = vec![head(reply, operation)];
    let makes =
        matches!(operation.verb, Verb::Provision { .. } | Verb::Restore { .. } | Verb::RebuildStandby { .. });
    if makes && operation.state.is_over() {
        parts.extend(pace(reply));
    } else if let (Some(fastest), Some(slowest), true) =
        (&reply.fastest, &reply.slowest, operation.state.is_over())
    {
        parts.push(pace_of(fastest, slowest));
    }
    parts.extend(trouble("flagged", &reply.flagged));
    parts.extend(trouble("failed", &reply.failed));
    parts.extend(trouble("skipped", &reply.skipped));
    if let (Some(n), true) = (reply.webhooks_delivered, operation.state.is_over()) {
        let waiting = match (reply.webhooks_waiting, &reply.webhooks_wait_for) {
            (None | Some(0), _) => String::new(),
            (Some(n), None) => format!(", {n} not yet taken"),
            (Some(n), Some(why)) => format!(", {n} not taken: {}", why.trim_end_matches('.')),
        };
        let taken = words::count(n, "webhook", "webhooks");
        parts.push(format!("COMPANION took {taken}{waiting}."));
    }
    // An error that only repeats what became of a target is said once.
    let told = |error: &str| {
        let all = reply.failed.iter().chain(&reply.flagged).chain(&reply.skipped);
        all.filter_map(|line| line.reason.as_deref()).any(|reason| error.contains(reason))
    };
    if let Some(error) = reply.error.as_ref().filter(|error| !told(error)) {
        parts.push(format!("{}.", words::capital(error.trim_end_matches('.'))));
    }
    parts.join(" ")
}

fn head(reply: &OperationReply, operation: &Operation) -> String {
    let accounts = words::pairs(reply.account_ids.len() as u64);
    let states = words::counts(&reply.instances_by_state);
    let instances = words::instances(reply.instances_total);
    let id = &reply.id;
    let over = operation.state.is_over();
    let doing = match operation.state {
        OperationState::Paused => " It is paused.",
        OperationState::Cancelling => " It is being cancelled.",
        OperationState::Undoing => " What was done is being undone.",
        _ => "",
    };
    match &operation.verb {
        Verb::Provision { .. } if operation.state == OperationState::Done => {
            let cost = reply.monthly_cost.as_ref().map(|cost| format!(", {cost}")).unwrap_or_default();
            format!("All {accounts} ACTIVE ({id}{cost}): {}.", words::list(&reply.account_ids, 10))
        }
        Verb::Provision { .. } if !over => {
            format!("{accounts}, {instances}: {states} ({id}).{doing}{}", ready(reply))
        }
        Verb::Teardown { .. } if operation.state == OperationState::Done => {
            let archives = match reply.archives.as_slice() {
                [] => "no archive was kept".to_owned(),
                kept => format!("kept {}", words::list(kept, 5)),
            };
            format!("{} gone ({id}); {archives}.", words::capital(&words::list(&reply.account_ids, 10)))
        }
        Verb::Restore { account, .. } if operation.state == OperationState::Done => {
            format!("{account} is back ({id}): {instances}, {states}.")
        }
        Verb::ConfigPush { revision, .. } => {
            let batch = match (reply.batch, reply.batches) {
                (Some(batch), Some(batches)) if !over => format!(" Batch {batch} of {batches}."),
                (_, Some(batches)) => format!(" {}.", words::count(batches, "batch", "batches")),
                _ => String::new(),
            };
            format!("Push of {revision} {}: {} ({id}).{batch}{doing}", phase(operation.state), targets(reply))
        }
        Verb::Rollback { rollout, .. } => {
            format!("Rollback of {rollout} {}: {} ({id}).{doing}", phase(operation.state), targets(reply))
        }
        Verb::Failover { outage: Some(outage), .. } => {
            let wave = match (reply.batch, reply.batches) {
                (Some(wave), Some(waves)) if !over => format!(" Wave {wave} of {waves}."),
                (_, Some(waves)) => format!(" {}.", words::count(waves, "wave", "waves")),
                _ => String::new(),
            };
            format!(
                "Failover out of {} {}: {} ({id}).{wave}{doing}",
                outage.place(),
                phase(operation.state),
                targets(reply)
            )
        }
        Verb::Failover { account, .. } => {
            let outcome = match (reply.generation, reply.rpo_seconds) {
                (Some(generation), Some(rpo)) => {
                    format!(
                        " It serves under generation {generation}; its memory was {} old.",
                        words::seconds(rpo)
                    )
                }
                (Some(generation), None) => {
                    format!(" It serves under generation {generation}; how old its memory was is unknown.")
                }
                _ => String::new(),
            };
            format!("Failover of {account} {} ({id}).{outcome}{doing}", phase(operation.state))
        }
        Verb::Restart { .. } => {
            format!("Restart {}: {} ({id}).{doing}", phase(operation.state), targets(reply))
        }
        _ => format!(
            "{} {}: {} ({id}).{doing}",
            words::capital(&reply.verb.replace('_', " ")),
            phase(operation.state),
            targets(reply)
        ),
    }
}

fn phase(state: OperationState) -> &'static str {
    match state {
        OperationState::Running => "is running",
        OperationState::Paused => "is paused",
        OperationState::Cancelling => "is being cancelled",
        OperationState::Undoing => "is being undone",
        OperationState::Done => "is done",
        OperationState::Partial => "ended, and not everything worked",
        OperationState::Failed => "failed",
        OperationState::Undone => "was undone",
        OperationState::Cancelled => "was cancelled",
        OperationState::Stuck => "is stuck",
    }
}

fn targets(reply: &OperationReply) -> String {
    match reply.targets_total {
        0 => "no targets".to_owned(),
        n => format!("{}, {}", words::count(n, "target", "targets"), words::counts(&reply.targets_by_state)),
    }
}

/// How many pairs are there already, and when the rest will be.
fn ready(reply: &OperationReply) -> String {
    let eta =
        reply.eta_seconds.map(|eta| format!(" About {} to go.", words::seconds(eta))).unwrap_or_default();
    let first = reply.fastest.as_ref().and_then(|line| line.seconds.map(|seconds| (line, seconds)));
    let first =
        first.map(|(line, seconds)| format!(" First up: {} after {}.", line.id, words::seconds(seconds)));
    format!("{}{eta}", first.unwrap_or_default())
}

fn pace(reply: &OperationReply) -> Option<String> {
    match (&reply.fastest, &reply.slowest) {
        (Some(fastest), Some(slowest)) => Some(pace_of(fastest, slowest)),
        (Some(only), None) => Some(format!("{} took {}.", only.id, words::seconds(only.seconds?))),
        _ => None,
    }
}

fn pace_of(fastest: &TargetLine, slowest: &TargetLine) -> String {
    let took = |line: &TargetLine| line.seconds.map_or("unknown".to_owned(), words::seconds);
    format!("Fastest {} {}, slowest {} {}.", fastest.id, took(fastest), slowest.id, took(slowest))
}

fn trouble(kind: &str, lines: &[TargetLine]) -> Option<String> {
    if lines.is_empty() {
        return None;
    }
    let shown: Vec<String> = lines
        .iter()
        .map(|line| match &line.reason {
            Some(reason) => format!("{} ({reason})", line.id),
            None => line.id.clone(),
        })
        .collect();
    Some(format!("{} {kind}: {}.", lines.len(), words::list(&shown, 5)))
}
