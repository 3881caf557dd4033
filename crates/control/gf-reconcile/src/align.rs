//! Makes instances that went astray own what their gateway owns again, a few at a time, and says what was done.
//!
//! Level-triggered and with one path for every cause. The audit row is durable first; nothing that an operation holds
//! is touched, and a configuration that is malformed is flagged, told once and left as it is.

use crate::{
    Reconcilers,
    drift::{Astray, Standings, astray, due},
};
use gf_model::{
    NoticeId, Timestamp,
    audit::{AuditEntry, AuditPhase},
    instance::{Instance, Role},
    notice::{Notice, Recipient, Severity},
    person::Principal,
    table::Table,
};
use gf_node_hub::{CommandError, CommandMeta};
use gf_node_proto::{ConfigApplied, FailureCode, reply};
use gf_operations::{config_to_own, revision_name};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::task::JoinSet;

/// Instances that are aligned at the same time.
const ABREAST: usize = 8;

pub(crate) async fn run(all: Reconcilers, standings: Standings) {
    let mut watched = BTreeMap::new();
    loop {
        tokio::time::sleep(all.cadence.sweep).await;
        let hands = all.engine.hands();
        if hands.store.read(|fleet| fleet.frozen().is_some()) {
            continue;
        }
        let now = hands.clock.now();
        let astray = standings.look(|known| hands.store.read(|fleet| astray(fleet, known)));
        let due = due(&mut watched, astray, now);
        for some in due.chunks(ABREAST) {
            let mut tasks = JoinSet::new();
            for one in some.iter().cloned() {
                let all = all.clone();
                tasks.spawn(async move { align(&all, one).await });
            }
            tasks.join_all().await;
        }
    }
}

async fn align(all: &Reconcilers, one: Astray) {
    let hands = all.engine.hands();
    let Some(node) = one.instance.node.clone() else { return };
    let now = hands.clock.now();
    let begun = hands.store.update(|fleet, tx| {
        // It may have been taken up by an operation since it was looked at.
        let still = astray(fleet, &Table::from_iter([(one.instance.id.clone(), one.standing.clone())]));
        let still = fleet.frozen().is_none()
            && still.first().is_some_and(|now| now.revision == one.revision && now.owned == one.owned);
        if still {
            tx.audit(row(&one, AuditPhase::Started, now, json!({ "heldBefore": one.standing.revision })));
        }
        still
    });
    match begun.await {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => {
            // No audit, no action.
            return tracing::error!(instance = %one.instance.id, %error, "its alignment could not be written down");
        }
    }
    let order = config_to_own(&one.instance.id, one.revision, &one.owned);
    let key = format!("align/{}/{}", one.instance.id, now.as_millisecond());
    let mut meta = CommandMeta::new(key, hands.limits.long_command);
    // An instance of a pair that was moved has seen a higher one than its record says.
    let of_pair = hands.store.read(|fleet| fleet.gateways.get(&one.instance.account).map(|it| it.generation));
    meta.generation = of_pair.unwrap_or_default().max(one.instance.generation).0;
    let answer = hands.hub.command(&node, order, meta).await.map(|reply| reply.body);
    let outcome = match answer {
        Ok(Some(reply::Body::Applied(applied))) => Ok(applied),
        Ok(_) => Err("its node answered something else than what it applied".to_owned()),
        Err(error) if is_its_own_fault(&error) => return flag(all, one, why(&error)).await,
        Err(error) => Err(why(&error)),
    };
    match outcome {
        Ok(applied) => aligned(all, one, applied).await,
        Err(why) => {
            tracing::warn!(instance = %one.instance.id, why, "not aligned yet");
            ended(all, &one, AuditPhase::Failed, json!({ "error": why }), None).await;
        }
    }
}

fn is_its_own_fault(error: &CommandError) -> bool {
    error.failure().is_some_and(|failure| failure.code() == FailureCode::ConfigFlagged)
}

fn why(error: &CommandError) -> String {
    let Some(failure) = error.failure() else { return error.to_string() };
    std::iter::once(&failure.message)
        .chain(&failure.issues)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("; ")
}

async fn aligned(all: &Reconcilers, one: Astray, applied: ConfigApplied) {
    let paths: Vec<_> = applied.changes.iter().map(|change| change.path.as_str()).collect();
    tracing::info!(instance = %one.instance.id, ?paths, revision = applied.revision, "aligned with its gateway");
    // Somebody's edit was put back: whoever made it should know. That a rollout was made good is nobody's news.
    let by_hand = one.standing.revision == revision_name(one.revision) && !paths.is_empty();
    let told = by_hand.then(|| {
        let (id, name) = (&one.instance.id, title(&one.instance));
        let text = format!("DRIFT: somebody changed {} of {id} ({name}). It was put back.", paths.join(", "));
        (Severity::Info, text)
    });
    ended(all, &one, AuditPhase::Done, json!({ "changed": paths }), told).await;
}

/// Its own configuration is at fault: it is left as it is and a person told, once.
async fn flag(all: &Reconcilers, one: Astray, why: String) {
    let told = one.instance.flagged.is_none().then(|| {
        let (id, name) = (&one.instance.id, title(&one.instance));
        let text = format!("FLAGGED: {id} ({name}) could not be aligned and was left as it is: {why}");
        (Severity::Warning, text)
    });
    ended(all, &one, AuditPhase::Failed, json!({ "flagged": why }), told).await;
}

fn title(instance: &Instance) -> String {
    let role = match instance.role {
        Role::Primary => "PRIMARY",
        Role::Standby => "STANDBY",
    };
    format!("{role} of {}", instance.account)
}

/// Writes down how it ended, on the instance's record and in the audit, and tells it where it must be told.
async fn ended(
    all: &Reconcilers,
    one: &Astray,
    phase: AuditPhase,
    detail: Value,
    told: Option<(Severity, String)>,
) {
    let hands = all.engine.hands();
    let (now, bits) = (hands.clock.now(), hands.entropy.next_u64());
    let flagged = detail["flagged"].as_str().map(str::to_owned);
    let write = hands.store.update(|fleet, tx| {
        // A rollout that came in between knows better.
        let current = fleet.instances.get(&one.instance.id);
        if let Some(current) = current.filter(|current| current.revision == one.instance.revision) {
            let mut current = current.clone();
            if phase == AuditPhase::Done {
                current.revision = one.revision;
                current.flagged = None;
            } else if flagged.is_some() {
                current.flagged = flagged;
            }
            tx.put(current);
        }
        tx.audit(row(one, phase, now, detail));
        if let Some((severity, text)) = told {
            tx.put(Notice {
                id: NoticeId::from_bits(bits, 8),
                key: format!("aligned:{}:{now}", one.instance.id),
                recipient: Recipient::Operators,
                severity,
                text,
                look_at: Some(format!("gf_instance_health {}", json!({ "instanceId": one.instance.id }))),
                created_at: now,
                delivered_at: None,
                attempts: 0,
                last_error: None,
            });
        }
    });
    if let Err(error) = write.await {
        tracing::error!(instance = %one.instance.id, %error, "how its alignment ended could not be written down");
    }
}

fn row(one: &Astray, phase: AuditPhase, at: Timestamp, detail: Value) -> AuditEntry {
    AuditEntry {
        at,
        principal: Principal::Service("drift".into()),
        action: "config_align".to_owned(),
        phase,
        targets: vec![one.instance.account.to_string(), one.instance.id.to_string()],
        operation: None,
        approval: None,
        plan_hash: None,
        trace: None,
        detail,
    }
}
