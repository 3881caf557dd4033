//! Ends approvals that nobody answered in time, and starts those whose grant was cut off by a crash.

use crate::{Reconcilers, looks::Looks};
use gf_model::{
    approval::ApprovalState,
    audit::{AuditEntry, AuditPhase},
    person::Principal,
};
use serde_json::json;

pub(crate) async fn run(all: Reconcilers) {
    let hands = all.engine.hands();
    let mut looks = Looks::new(&hands.store, all.cadence.sweep);
    while looks.next().await {
        let now = hands.clock.now();
        all.requests.start_granted(now).await;
        let lapsed = |approval: &gf_model::approval::Approval| {
            approval.state == ApprovalState::Open && now >= approval.expires_at
        };
        if !looks.look(|fleet| fleet.approvals.values().any(lapsed)) {
            continue;
        }
        let write = hands.store.update(|fleet, tx| {
            for approval in fleet.approvals.values().filter(|approval| lapsed(approval)) {
                let mut approval = approval.clone();
                approval.state = ApprovalState::Expired;
                tx.audit(AuditEntry {
                    at: now,
                    principal: Principal::Service("approvals".into()),
                    action: "approval.expire".into(),
                    phase: AuditPhase::Noted,
                    targets: approval.envelope.accounts.iter().map(ToString::to_string).collect(),
                    operation: None,
                    approval: Some(approval.code.clone()),
                    plan_hash: Some(approval.envelope.plan_hash.clone()),
                    trace: approval.trace.clone(),
                    detail: json!({}),
                });
                tx.put(approval);
            }
        });
        if let Err(error) = write.await {
            tracing::error!(%error, "lapsed approvals could not be ended");
        }
    }
}
