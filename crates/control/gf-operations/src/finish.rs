//! Ends an operation: its state, its audit row and the notice of its end, in one durable write.

use crate::{engine::Engine, lane::WriteError};
use gf_model::{
    NoticeId, Timestamp,
    audit::{AuditEntry, AuditPhase},
    fleet::Fleet,
    notice::{NOT_CONFIGURED, Notice, Recipient, Severity},
    operation::{LaneState, Operation, OperationState},
    person::Principal,
    verb::Verb,
};
use serde_json::json;

/// `false` when somebody decided otherwise meanwhile, so that it must be looked at again.
pub(crate) async fn end(
    engine: &Engine,
    operation: &Operation,
    state: OperationState,
    why: Option<String>,
) -> Result<bool, WriteError> {
    let now = engine.hands.clock.now();
    let bits = engine.hands.entropy.next_u64();
    let write = engine.hands.store.update(|fleet, tx| {
        let Some(current) = fleet.operations.get(&operation.id) else { return true };
        if current.state.is_over() && current.finished_at.is_some() {
            return true;
        }
        if current.state != operation.state {
            return false;
        }
        let mut ended = current.clone();
        ended.state = state;
        ended.finished_at = Some(now);
        ended.error = why.clone();
        let lanes: Vec<_> = fleet.lanes_of(&operation.id).collect();
        let count = |wanted: LaneState| lanes.iter().filter(|lane| lane.lane.state == wanted).count();
        let well = state == OperationState::Done;
        tx.audit(AuditEntry {
            at: now,
            principal: ended.principal.clone(),
            action: ended.verb.name().to_owned(),
            phase: if well { AuditPhase::Done } else { AuditPhase::Failed },
            targets: lanes.iter().map(|lane| lane.lane.target.clone()).collect(),
            operation: Some(ended.id.clone()),
            approval: ended.approval.clone(),
            plan_hash: Some(ended.plan_hash.clone()),
            trace: ended.trace.clone(),
            detail: json!({
                "state": state,
                "done": count(LaneState::Done),
                "failed": count(LaneState::Failed),
                "undone": count(LaneState::Undone),
                "skipped": count(LaneState::Skipped),
                "error": why,
            }),
        });
        let untold = untold(fleet, &ended);
        if let Some(notice) = notice(&ended, well, untold, bits, now) {
            tx.put(notice);
        }
        tx.put(ended);
        true
    });
    write.await
}

/// Said of an operation whose webhooks nobody can take.
const UNTOLD: &str = "\nCOMPANION was not told: its address is not configured. The webhooks wait until it is (--companion-url).";

/// Whether a webhook of it waits for somebody to say where COMPANION listens.
fn untold(fleet: &Fleet, ended: &Operation) -> bool {
    let prefix = Notice::webhook_key(&ended.id);
    fleet.notices.values().any(|notice| {
        notice.delivered_at.is_none()
            && notice.last_error.as_deref() == Some(NOT_CONFIGURED)
            && notice.key.starts_with(&prefix)
    })
}

/// Who asked is told of the end. What the control plane ordered by itself is told by whoever ordered it.
fn notice(ended: &Operation, well: bool, untold: bool, bits: u64, now: Timestamp) -> Option<Notice> {
    if matches!(ended.principal, Principal::Service(_)) && well {
        return None;
    }
    let recipient = match &ended.conversation {
        Some(conversation) => Recipient::Conversation { conversation: conversation.clone() },
        None => Recipient::Operators,
    };
    // Places were tried three times: nobody gets what they wait for until a person looks.
    let builds = matches!(ended.verb, Verb::Provision { .. } | Verb::Restore { .. });
    let updates = matches!(ended.verb, Verb::UpdateNodes { .. });
    let why = match (&ended.error, ended.state) {
        (Some(why), OperationState::Partial | OperationState::Failed | OperationState::Stuck) => {
            format!(" {why}.")
        }
        _ => String::new(),
    };
    let (severity, outcome) = match ended.state {
        OperationState::Done => (Severity::Info, "is done"),
        OperationState::Undone => (Severity::Info, "was undone"),
        OperationState::Cancelled => (Severity::Info, "was cancelled"),
        OperationState::Failed | OperationState::Partial if builds => {
            (Severity::Critical, "could not make all places, after two retries each")
        }
        OperationState::Failed | OperationState::Partial if updates => {
            (Severity::Critical, "did not bring every node to the new gf-clawnode")
        }
        OperationState::Partial => (Severity::Warning, "ended; some targets did not make it"),
        OperationState::Failed => (Severity::Warning, "failed"),
        OperationState::Stuck => (Severity::Critical, "is stuck and needs a person"),
        _ => return None,
    };
    Some(Notice {
        id: NoticeId::from_bits(bits, 8),
        // A retried operation ends again, and that is news again.
        key: format!("ended:{}:{now}", ended.id),
        recipient,
        severity,
        text: format!(
            "Operation {} ({}) {outcome}.{why}{}",
            ended.id,
            ended.verb.name().replace('_', " "),
            if untold { UNTOLD } else { "" }
        ),
        look_at: Some(format!("gf_operation {}", json!({ "id": ended.id, "action": "get" }))),
        created_at: now,
        delivered_at: None,
        attempts: 0,
        last_error: None,
    })
}
