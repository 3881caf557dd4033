//! The control plane's own words for a question: what will be done, to whom, for how much, and how to answer.

use crate::Needs;
use gf_model::{
    ApprovalCode, Cents, Timestamp,
    fleet::Fleet,
    patch,
    plan::Plan,
    verb::{Strategy, Verb},
    words::on_one_line,
};
use serde_json::Value;

/// Names that a question spells out before it counts the rest.
const NAMES: usize = 10;
/// Lines of the plan that a question shows.
const LINES: usize = 6;
/// How much of a value that is written a question shows.
const VALUE: usize = 120;
/// Keys whose values a question shows. The others are named: nothing is agreed to that was not read.
const KEYS: usize = 12;

pub fn question(
    fleet: &Fleet,
    plan: &Plan,
    code: &ApprovalCode,
    needs: &Needs,
    expires_at: Timestamp,
) -> String {
    let mut lines = vec![headline(plan)];
    lines.extend(written(fleet, plan));
    lines.extend(plan.lines.iter().take(LINES).map(|line| format!("• {line}")));
    if plan.lines.len() > LINES {
        lines.push(format!("• and {} more", plan.lines.len() - LINES));
    }
    if plan.cost_delta != Cents(0) {
        let (sign, amount) = if plan.cost_delta < Cents(0) {
            ("saves", Cents(-plan.cost_delta.0))
        } else {
            ("adds", plan.cost_delta)
        };
        lines.push(format!(
            "Cost: {sign} {amount} a month ({} → {}).",
            plan.monthly_before,
            plan.monthly_before + plan.cost_delta
        ));
    }
    lines.extend(needs.notes.iter().map(|note| format!("Note: {note}.")));
    lines.extend(plan.irreversible.iter().map(|what| format!("Cannot be undone: {what}.")));
    lines.extend(whose_yes(needs).map(str::to_owned));
    let minute = expires_at.strftime("%H:%M UTC");
    lines.push(format!(
        "Answer \"go\" or \"approve {code}\" to start it, \"no\" or \"deny {code}\" to drop it, \"change {code}: …\" to have \
         it otherwise. Open until {minute}."
    ));
    lines.join("\n")
}

/// What a yes must be beyond one person's word.
fn whose_yes(needs: &Needs) -> Option<&'static str> {
    match (needs.second_person, needs.signed) {
        (false, false) => None,
        (true, false) => {
            Some("Another person than the one who asked must agree: an approver, with their own key.")
        }
        (false, true) => Some("A yes must be signed with your own signing key: clawops approvals approve."),
        (true, true) => Some(
            "Another person than the one who asked must agree, and sign it with their own signing key: clawops \
             approvals approve.",
        ),
    }
}

/// What a push writes, key by key: a person agrees to the text that they read, not to a revision's number.
fn written(fleet: &Fleet, plan: &Plan) -> Vec<String> {
    let Verb::ConfigPush { revision, .. } = &plan.verb else { return Vec::new() };
    let Some(revision) = fleet.revisions.get(revision) else { return Vec::new() };
    let paths = patch::owned_paths(&revision.patch);
    let mut lines: Vec<String> = paths
        .iter()
        .take(KEYS)
        .map(|path| match patch::at(&revision.patch, path) {
            Some(Value::Null) | None => format!("• removes {}", path.join(".")),
            Some(value) => format!("• sets {} to {}", path.join("."), shortened(&value.to_string())),
        })
        .collect();
    if paths.len() > KEYS {
        let named: Vec<_> = paths[KEYS..].iter().map(|path| path.join(".")).collect();
        lines.push(format!("• and {}: {}", counted(named.len(), "more key"), named.join(", ")));
    }
    lines.iter().map(|line| on_one_line(line)).collect()
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= VALUE {
        text.to_owned()
    } else {
        let begins: String = text.chars().take(VALUE).collect();
        format!("{begins}… ({} characters; the rest is in the dry run)", text.chars().count())
    }
}

fn headline(plan: &Plan) -> String {
    let accounts = names(plan.accounts.iter().map(ToString::to_string).collect());
    let count = plan.accounts.len();
    let pairs = counted(count, "pair");
    match &plan.verb {
        Verb::Provision { tier, purpose, .. } => {
            let purpose = purpose.as_deref().map(on_one_line);
            let purpose = purpose.map(|purpose| format!(" for {purpose}")).unwrap_or_default();
            format!("Provision {pairs} × {tier}{purpose}: {accounts}?")
        }
        Verb::Teardown { standby_only: true, .. } => format!("Tear down the standby of {accounts}?"),
        Verb::Teardown { archive: true, .. } => format!("Tear down {pairs} after archiving: {accounts}?"),
        Verb::Teardown { .. } => format!("Tear down {pairs} WITHOUT an archive: {accounts}?"),
        Verb::Restore { .. } => format!("Restore {accounts}?"),
        Verb::Resize { tier, .. } => format!("Resize {pairs} to {tier}: {accounts}?"),
        Verb::ConfigPush { revision, strategy, pace, .. } => {
            let how = match strategy {
                Strategy::Rolling if !pace.canary.is_empty() => {
                    format!("as a canary, in {}", batches(plan.stages.len()))
                }
                Strategy::Rolling => format!("in {}", batches(plan.stages.len())),
                Strategy::Immediate => "all at once".to_owned(),
            };
            format!(
                "Push {revision} to {} ({}) {how}: {accounts}?",
                counted(count, "gateway"),
                counted(plan.instances.len(), "instance")
            )
        }
        Verb::Rollback { rollout, .. } => {
            format!("Roll {rollout} back on {}: {accounts}?", counted(count, "gateway"))
        }
        // What was named and cannot be restarted is not in the plan.
        Verb::Restart { .. } => {
            let ids = names(plan.instances.iter().map(ToString::to_string).collect());
            format!("Restart {}: {ids}?", counted(plan.instances.len(), "instance"))
        }
        Verb::Failover { outage: Some(outage), .. } => {
            format!("Move {pairs} out of {} to their standbys: {accounts}?", outage.place())
        }
        Verb::Failover { account, .. } => format!("Move {account} to its standby?"),
        Verb::RebuildStandby { account } => format!("Build a new standby for {account}?"),
        Verb::ProviderPolicy { provider, pool, .. } => {
            format!("Move {provider} to the {} pool?", format!("{pool:?}").to_lowercase())
        }
        Verb::UpdateNodes { release, .. } => {
            let nodes: usize = plan.stages.iter().map(|stage| stage.lanes.len()).sum();
            format!("Update {} to gf-clawnode {}?", counted(nodes, "node"), release.version)
        }
        Verb::Silence { minutes, .. } => {
            format!("Silence alerts for {}?", counted(*minutes as usize, "minute"))
        }
    }
}

/// `1 pair`, `2 pairs`.
fn counted(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

fn batches(n: usize) -> String {
    if n == 1 { "1 batch".to_owned() } else { format!("{n} batches") }
}

fn names(all: Vec<String>) -> String {
    let shown = all.iter().take(NAMES).cloned().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
