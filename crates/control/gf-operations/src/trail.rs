//! The audit rows of steps: which have one of their own, and what stands in it.

use crate::{engine::Engine, steps};
use gf_model::{
    audit::{AuditEntry, AuditPhase},
    operation::{Operation, Step},
};
use serde_json::Value;

/// What a provider is told to delete stands in the audit trail before it is told, also where it is a way back.
pub(crate) fn undo_deletes(step: &Step) -> bool {
    matches!(step, Step::CreateInstance { .. })
}

/// Steps that cannot be taken back, or that move the right to act, have audit rows of their own.
pub(crate) fn has_own_audit_row(step: &Step) -> bool {
    matches!(
        step,
        Step::DeleteInstance { .. }
            | Step::RaiseGeneration { .. }
            | Step::Fence { .. }
            | Step::Promote { .. }
    )
}

pub(crate) fn row(
    engine: &Engine,
    operation: &Operation,
    direction: &str,
    step: &Step,
    phase: AuditPhase,
    detail: Value,
) -> AuditEntry {
    AuditEntry {
        at: engine.hands.clock.now(),
        principal: operation.principal.clone(),
        action: format!("{direction}.{}", step.name()),
        phase,
        targets: steps::targets(step),
        operation: Some(operation.id.clone()),
        approval: operation.approval.clone(),
        plan_hash: Some(operation.plan_hash.clone()),
        trace: operation.trace.clone(),
        detail,
    }
}
