//! `gf_config_push`: a merge patch of owned keys, its diff against what gateways should have now, and its rollout.

use super::{
    Call,
    act::{few_words, whole},
    change,
};
use crate::{Problem, view::words};
use gf_model::{
    AccountId,
    fleet::Fleet,
    patch,
    verb::{Pace, Strategy},
};
use gf_planner::{BATCH, expand};
use gf_requests::Push;
use gf_tools::{ConfigPushParams, ConfigPushReply, Targets, config::DiffLine};
use serde_json::Value;

pub(super) async fn push(call: &Call, params: ConfigPushParams) -> Result<ConfigPushReply, Problem> {
    let push = call.api.store.read(|fleet| checked(fleet, &params))?;
    let dry_run = params.dry_run.unwrap_or_default() || call.options.dry_run;
    let (diff, instances) = call.api.store.read(|fleet| {
        let reached = fleet.live_instances().filter(|instance| push.accounts.contains(&instance.account));
        (diff(fleet, &push.accounts, &push.patch), reached.count() as u64)
    });
    let what = format!(
        "push {:?} to {}",
        push.description,
        words::count(push.accounts.len() as u64, "gateway", "gateways")
    );
    let (gateways, batch_size) = (push.accounts.len() as u64, push.batch_size);
    let strategy = match push.strategy {
        Strategy::Immediate => "immediate",
        Strategy::Rolling if push.pace.canary.is_empty() => "rolling",
        Strategy::Rolling => "canary",
    };
    let outcome = call.api.requests.push(&call.caller(), push, call.options(dry_run)).await?;
    let done = call.done(outcome, what);
    let revision = done.steps.iter().find_map(|step| match step {
        gf_model::operation::Step::ApplyRevision { revision, .. } => Some(revision.to_string()),
        _ => None,
    });
    let sentence = diff_words(&diff, gateways);
    let size = u64::from(batch_size);
    Ok(ConfigPushReply {
        summary: format!("{} {sentence}", done.summary),
        operation_id: done.operation_id(),
        approval: done.approval,
        revision,
        dry_run,
        strategy: strategy.to_owned(),
        diff,
        gateways,
        instances,
        batch_size: size,
        batches: done.batches.len() as u64,
        last_batch: done.batches.last().copied().unwrap_or_default(),
        flagged: Vec::new(),
    })
}

pub(super) fn checked(fleet: &Fleet, params: &ConfigPushParams) -> Result<Push, Problem> {
    let targets = match &params.targets {
        Targets::Word(word) if word.eq_ignore_ascii_case("all") => expand::Targets::All,
        Targets::Word(word) => expand::Targets::Ids(vec![word.clone()]),
        Targets::Ids(ids) => expand::Targets::Ids(ids.clone()),
        Targets::Filter(filter) => change::targets(filter)?,
    };
    let (strategy, pace) = pace(params)?;
    let size = params.batch_size.map(|size| whole("batchSize", size, 1, 500)).transpose()?;
    Ok(Push {
        accounts: expand::accounts(fleet, &targets)?,
        patch: Value::Object(params.patch.clone()),
        description: few_words("description", &params.description, "say in a few words what it is for")?,
        strategy,
        batch_size: size.unwrap_or(if pace.canary.is_empty() { BATCH } else { 0 }),
        pace,
    })
}

/// How it goes from batch to batch. Naming sizes asks for a canary.
fn pace(params: &ConfigPushParams) -> Result<(Strategy, Pace), Problem> {
    let sizes = match &params.canary_sizes {
        Some(sizes) => Some(
            sizes.iter().map(|size| whole("canarySizes", *size, 1, 10_000)).collect::<Result<Vec<_>, _>>()?,
        ),
        None => None,
    };
    let settle = params.settle_seconds.map(|settle| whole("settleSeconds", settle, 1, 3600)).transpose()?;
    let gated = |sizes: Vec<u32>| {
        let pace = Pace::gated(sizes);
        Pace { settle_seconds: settle.unwrap_or(pace.settle_seconds), ..pace }
    };
    match (params.strategy.as_deref(), sizes) {
        (None | Some("rolling"), None) => Ok((Strategy::Rolling, gated(Vec::new()))),
        (None | Some("canary"), Some(sizes)) if !sizes.is_empty() => Ok((Strategy::Rolling, gated(sizes))),
        (Some("canary"), _) => Ok((Strategy::Rolling, gated(Pace::CANARY.to_vec()))),
        (Some("immediate"), None) if settle.is_none() => Ok((Strategy::Immediate, Pace::default())),
        (Some(given @ ("rolling" | "immediate")), _) => {
            let said = format!("{given} goes without canarySizes, and immediate without settleSeconds");
            Err(Problem::bad_request("contradiction", said).at("strategy", given).fix("use canary"))
        }
        (Some(other), _) => {
            Err(Problem::bad_request("unknown_strategy", format!("{other:?} is not a strategy"))
                .at("strategy", other)
                .fix("use rolling, canary or immediate"))
        }
        (None, Some(_)) => Ok((Strategy::Rolling, gated(Vec::new()))),
    }
}

/// Key by key: what the gateways should have now, and after.
fn diff(fleet: &Fleet, accounts: &[AccountId], wanted: &Value) -> Vec<DiffLine> {
    let owned: Vec<&Value> =
        accounts.iter().filter_map(|id| fleet.gateways.get(id)).map(|g| &g.owned).collect();
    let line = |path: gf_model::patch::KeyPath| {
        let new = patch::at(wanted, &path).filter(|value| !value.is_null()).cloned();
        let now: Vec<Option<&Value>> = owned.iter().map(|owned| patch::at(owned, &path)).collect();
        let agree = now.windows(2).all(|two| two[0] == two[1]);
        let old = if agree { now.first().copied().flatten().cloned() } else { None };
        let gateways = now.iter().filter(|value| value.cloned() != new).count() as u64;
        DiffLine { path: path.join("."), old, new, gateways, restart: false }
    };
    patch::owned_paths(wanted).into_iter().map(line).collect()
}

fn diff_words(diff: &[DiffLine], gateways: u64) -> String {
    let value = |value: &Option<Value>| value.as_ref().map_or("unset".to_owned(), Value::to_string);
    let line = |line: &DiffLine| {
        format!(
            "{}: {} → {} on {} of {gateways}",
            line.path,
            value(&line.old),
            value(&line.new),
            line.gateways
        )
    };
    let lines: Vec<String> = diff.iter().map(line).collect();
    format!("Diff: {}.", words::list(&lines, 5))
}
