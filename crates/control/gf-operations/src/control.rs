//! What a person may do to an operation that runs: pause, resume, cancel, roll back, retry.

use crate::{engine::Engine, holding::besides_lanes, steps};
use gf_model::{
    InstanceId, OperationId,
    audit::{AuditEntry, AuditPhase},
    fleet::Fleet,
    instance::{InstanceState, Role},
    operation::{Lane, LaneRecord, LaneState, Operation, OperationState, Step, StepRecord, StepState},
    person::Principal,
};
use gf_store::{StoreError, TransactError};
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Pause,
    Resume,
    Cancel,
    /// Everything that it did is put back.
    Rollback,
    /// What failed and what was skipped is tried again.
    Retry,
}

impl Act {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
            Self::Rollback => "rollback",
            Self::Retry => "retry",
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("there is no operation {0}")]
    Unknown(OperationId),
    #[error("{operation} is {state}; {fix}")]
    WrongState { operation: OperationId, state: &'static str, fix: &'static str },
    #[error("{target} is being changed by {operation}; wait for it or cancel it")]
    Busy { target: String, operation: OperationId },
    #[error("{operation} cannot go on: {by} has changed {target} since")]
    MovedOn { operation: OperationId, target: String, by: OperationId },
    #[error("{operation} cannot be taken back: {why}")]
    NoWayBack { operation: OperationId, why: String, fix: &'static str },
    #[error("it could not be written down, so nothing was changed")]
    Store(#[source] Arc<StoreError>),
}

impl Engine {
    pub async fn control(
        &self,
        id: &OperationId,
        act: Act,
        by: &Principal,
    ) -> Result<Operation, ControlError> {
        let now = self.hands.clock.now();
        let write = self.hands.store.transact(|fleet, tx| {
            let operation = fleet.operations.get(id).ok_or_else(|| ControlError::Unknown(id.clone()))?;
            let mut changed = operation.clone();
            changed.state = after(operation, act)?;
            if operation.state.is_over() {
                // It gave up what it held when it ended: somebody else may have that by now.
                is_free(fleet, id)?;
            }
            if act == Act::Rollback {
                may_go_back(fleet, operation)?;
                changed.finished_at = None;
            }
            if act == Act::Retry {
                changed.finished_at = None;
                changed.error = None;
                let (mut goes_on, mut outdated) = (false, None);
                for record in fleet.lanes_of(id) {
                    if !matches!(
                        record.lane.state,
                        LaneState::Failed | LaneState::Undone | LaneState::Skipped | LaneState::Stuck
                    ) {
                        continue;
                    }
                    if let Some(by) = moved_on(fleet, operation, record) {
                        outdated = Some((record.lane.target.clone(), by));
                        continue;
                    }
                    goes_on = true;
                    // What is written again is looked at again.
                    if let Some(head) = changed.stages.get_mut(record.id.stage as usize) {
                        head.passed_at = None;
                    }
                    let mut record = record.clone();
                    record.lane.state = LaneState::Waiting;
                    record.lane.error = None;
                    record.lane.flagged = false;
                    record.lane.held_back = false;
                    for step in record.lane.steps.iter_mut().filter(|step| is_done_again(step)) {
                        if step.state == StepState::Undone {
                            step.output = Value::Null;
                        }
                        step.state = StepState::Waiting;
                        step.error = None;
                    }
                    fresh_ids(fleet, &mut record.lane, || self.hands.entropy.next_u64());
                    tx.put(record);
                }
                if let Some((target, by)) = outdated.filter(|_| !goes_on) {
                    return Err(ControlError::MovedOn { operation: id.clone(), target, by });
                }
            }
            tx.audit(AuditEntry {
                at: now,
                principal: by.clone(),
                action: format!("operation.{}", act.name()),
                phase: AuditPhase::Noted,
                targets: vec![id.to_string()],
                operation: Some(id.clone()),
                approval: None,
                plan_hash: Some(operation.plan_hash.clone()),
                trace: operation.trace.clone(),
                detail: json!({ "from": operation.state, "to": changed.state }),
            });
            tx.put(changed.clone());
            Ok(changed)
        });
        let changed = write.await.map_err(|error| match error {
            TransactError::Refused(error) => error,
            TransactError::Store(error) => ControlError::Store(error),
        })?;
        self.spawn(id.clone());
        Ok(changed)
    }
}

/// What is done stays done. Only who was fenced may have been started since, so that is looked at again before
/// anybody takes its place; and a node may have gone back to what it ran before, where nobody heard so and its way back
/// got stuck.
const fn is_done_again(step: &StepRecord) -> bool {
    !matches!(step.state, StepState::Done)
        || matches!(step.step, Step::Fence { .. } | Step::UpdateNode { .. })
}

/// Who has built, deleted or moved the same pair after this operation began. What was planned for the pair as it was
/// then would now take from it what serves.
fn moved_on(fleet: &Fleet, operation: &Operation, record: &LaneRecord) -> Option<OperationId> {
    if !shapes_a_pair(&record.lane) {
        return None;
    }
    // In the order of the trail: a clock that was wrong would put what came later before it. What it built tells as
    // well.
    let builders = built_since(fleet, &record.lane);
    let later = fleet
        .operations
        .values()
        .filter(|other| other.audit_seq > operation.audit_seq || builders.contains(&&other.id));
    let on_the_same = |other: &&Operation| {
        fleet
            .lanes_of(&other.id)
            .any(|also| also.lane.target == record.lane.target && shapes_a_pair(&also.lane))
    };
    later.filter(|other| other.id != operation.id).find(on_the_same).map(|other| other.id.clone())
}

/// The operations that built what now stands where the lane would build and would not clear away first.
fn built_since<'a>(fleet: &'a Fleet, lane: &Lane) -> Vec<&'a OperationId> {
    let builds = |step: &Step, wanted: &InstanceId| matches!(step, Step::CreateInstance { instance, .. } if instance == wanted);
    let mut builders = Vec::new();
    for step in lane.steps.iter().filter(|step| step.state != StepState::Done) {
        let Step::CreateInstance { account, role, .. } = &step.step else { continue };
        let stands = match role {
            Role::Primary => fleet.primary_of(account),
            Role::Standby => fleet.standby_of(account),
        };
        let clears_away = |id: &InstanceId| {
            lane.steps
                .iter()
                .any(|step| matches!(&step.step, Step::DeleteInstance { instance } if instance == id))
        };
        let Some(stands) = stands.filter(|stands| !clears_away(&stands.id)) else { continue };
        builders.extend(fleet.operations.keys().filter(|id| {
            fleet
                .lanes_of(id)
                .any(|record| record.lane.steps.iter().any(|step| builds(&step.step, &stands.id)))
        }));
    }
    builders
}

fn shapes_a_pair(lane: &Lane) -> bool {
    lane.steps.iter().any(|step| {
        matches!(
            step.step,
            Step::CreateInstance { .. } | Step::DeleteInstance { .. } | Step::RaiseGeneration { .. }
        )
    })
}

/// Nothing that the operation is about may be held by another one.
fn is_free(fleet: &Fleet, id: &OperationId) -> Result<(), ControlError> {
    let held = crate::held(fleet);
    let busy = |target: &str| {
        let by = held.get(target).filter(|by| by.id != *id)?;
        Some(ControlError::Busy { target: target.to_owned(), operation: by.id.clone() })
    };
    let verb = fleet.operations.get(id).map(|operation| &operation.verb);
    if let Some(busy) = verb.and_then(besides_lanes).and_then(busy) {
        return Err(busy);
    }
    for record in fleet.lanes_of(id) {
        let named = record.lane.steps.iter().flat_map(|step| steps::targets(&step.step));
        for target in named.chain([record.lane.target.clone()]) {
            let owner = target.parse::<InstanceId>().ok().and_then(|id| fleet.instances.get(&id));
            let owner = owner.map(|instance| instance.account.as_str());
            if let Some(busy) = owner.into_iter().chain([target.as_str()]).find_map(busy) {
                return Err(busy);
            }
        }
    }
    Ok(())
}

/// Some things that were done cannot be undone, and some must not be: users live in them by now.
fn may_go_back(fleet: &Fleet, operation: &Operation) -> Result<(), ControlError> {
    let no = |why: String, fix| Err(ControlError::NoWayBack { operation: operation.id.clone(), why, fix });
    for record in fleet.lanes_of(&operation.id) {
        // What is under way may have been done by the time it is taken back.
        let under_way = record.lane.state == LaneState::Running;
        let is_done = |step: &&StepRecord| {
            step.state == StepState::Done
                || under_way && matches!(step.state, StepState::Running | StepState::Failed)
        };
        for done in record.lane.steps.iter().filter(is_done) {
            match &done.step {
                Step::DeleteInstance { instance } => {
                    return no(format!("{instance} is deleted"), "restore the account from its archive");
                }
                Step::RaiseGeneration { account, .. } => {
                    return no(format!("{account} has moved on"), "move it again with a failover");
                }
                Step::CreateInstance { instance, .. } if record.lane.state == LaneState::Done => {
                    return no(format!("{instance} serves"), "cancel the rest, and tear down what is there");
                }
                Step::ApplyRevision { instance, revision } => {
                    let now = fleet.instances.get(instance).and_then(|instance| instance.revision);
                    if let Some(later) = now.filter(|now| now > revision) {
                        return no(
                            format!("{instance} went on to {later}"),
                            "roll the newer revision back first",
                        );
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// An instance that was deleted by the undo is made anew under another name: late words of the old one's node and
/// provider must not be taken for the new one's.
fn fresh_ids(fleet: &Fleet, lane: &mut Lane, mut bits: impl FnMut() -> u64) {
    let made: Vec<InstanceId> = lane
        .steps
        .iter()
        .filter(|step| step.state != StepState::Done)
        .filter_map(|step| match &step.step {
            Step::CreateInstance { instance, .. } => Some(instance.clone()),
            _ => None,
        })
        .filter(|id| fleet.instances.get(id).is_some_and(|known| known.state == InstanceState::Deleted))
        .collect();
    for old in made {
        let mut new = InstanceId::from_bits(bits(), 6);
        while fleet.instances.contains_key(&new) {
            new = InstanceId::from_bits(bits(), 8);
        }
        for step in &mut lane.steps {
            rename(&mut step.step, &old, &new);
        }
    }
}

fn rename(step: &mut Step, old: &InstanceId, new: &InstanceId) {
    match step {
        Step::CreateInstance { instance, .. }
        | Step::AwaitActive { instance }
        | Step::ConnectChannels { instance, .. }
        | Step::Fence { instance }
        | Step::LoadMemory { instance, .. }
        | Step::Promote { instance, .. }
        | Step::Restart { instance }
        | Step::ApplyRevision { instance, .. }
        | Step::RevertRevision { instance, .. }
        | Step::Resize { instance, .. }
        | Step::DeleteInstance { instance } => {
            if instance == old {
                *instance = new.clone();
            }
        }
        Step::RaiseGeneration { .. }
        | Step::TakeArchive { .. }
        | Step::MarkArchived { .. }
        | Step::MarkServed { .. }
        | Step::TellCompanion { .. }
        | Step::SetProviderPool { .. }
        | Step::UpdateNode { .. } => {}
    }
}

/// The state that an act leads to, where it makes sense.
fn after(operation: &Operation, act: Act) -> Result<OperationState, ControlError> {
    use OperationState::{
        Cancelled, Cancelling, Done, Failed, Partial, Paused, Running, Stuck, Undoing, Undone,
    };
    let wrong = |state, fix| ControlError::WrongState { operation: operation.id.clone(), state, fix };
    match (act, operation.state) {
        (Act::Pause, Running) => Ok(Paused),
        (Act::Resume, Paused) => Ok(Running),
        (Act::Cancel, Running | Paused) => Ok(Cancelling),
        (Act::Rollback, Running | Paused | Done | Partial | Failed) => Ok(Undoing),
        (Act::Retry, Partial | Failed | Undone | Cancelled | Stuck) => Ok(Running),
        (_, Running) => Err(wrong("running", "it can be paused, cancelled or rolled back")),
        (_, Paused) => Err(wrong("paused", "it can be resumed, cancelled or rolled back")),
        (_, Cancelling) => Err(wrong("being cancelled", "wait until that has ended")),
        (_, Undoing) => Err(wrong("being undone", "wait until that has ended")),
        (_, Done) => Err(wrong("done", "it can only be rolled back")),
        (_, Partial | Failed) => Err(wrong("over", "it can be retried or rolled back")),
        (_, Undone | Cancelled | Stuck) => Err(wrong("over", "it can be retried")),
    }
}

#[cfg(test)]
#[path = "control_tests.rs"]
mod tests;
