//! Starts operations, takes them up again after a crash, and hands people's wishes to them.

use crate::{hands::Hands, holding::besides_lanes, runner};
use gf_model::{
    ApprovalCode, OperationId,
    audit::{AuditEntry, AuditPhase},
    fleet::Fleet,
    operation::{LaneId, LaneRecord, Operation, OperationState},
    person::Principal,
    plan::Plan,
};
use gf_store::{StoreError, TransactError};
use parking_lot::Mutex;
use serde_json::json;
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};
use tokio::task::AbortHandle;

/// Cheap to clone; all clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) hands: Arc<Hands>,
    running: Arc<Mutex<Running>>,
}

/// What runs here.
#[derive(Default)]
struct Running {
    /// Whether somebody wants it looked at again, and the task that does it.
    operations: BTreeMap<OperationId, (bool, Option<AbortHandle>)>,
    /// This engine takes up nothing any more.
    halted: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{target} is already being changed by {operation}; wait for it or cancel it")]
    Busy { target: String, operation: OperationId },
    #[error("automation is frozen and no person ordered this")]
    Frozen,
    #[error("the operation could not be written down, so it was not started")]
    Store(#[source] Arc<StoreError>),
}

/// Who asked for an operation, and on whose word.
#[derive(Debug, Clone)]
pub struct Mandate {
    pub principal: Principal,
    pub approval: Option<ApprovalCode>,
    pub conversation: Option<String>,
    pub trace: Option<String>,
}

impl Mandate {
    /// Nobody ordered it: the control plane began it by itself, or an agent on nobody's word.
    fn is_automatic(&self) -> bool {
        match &self.principal {
            Principal::Person(_) => false,
            Principal::Agent(_) => self.approval.is_none(),
            Principal::Service(_) => true,
        }
    }
}

impl Engine {
    pub fn new(hands: Hands) -> Self {
        Self { hands: Arc::new(hands), running: Arc::default() }
    }

    pub fn hands(&self) -> &Hands {
        &self.hands
    }

    /// Writes the operation and its audit row down, durably, and starts it.
    pub async fn start(&self, plan: Plan, mandate: Mandate) -> Result<Operation, StartError> {
        let now = self.hands.clock.now();
        let bits = self.hands.entropy.next_u64();
        let written = self.hands.store.transact(|fleet, tx| {
            if let Some(busy) = who_holds(fleet, &plan) {
                return Err(busy);
            }
            // Looked at in the same decision: what was judged before a freeze must not begin after it.
            if fleet.frozen().is_some() && mandate.is_automatic() {
                return Err(StartError::Frozen);
            }
            let mut digits = 4;
            let mut id = OperationId::from_bits(bits, digits);
            while fleet.operations.contains_key(&id) {
                digits += 1;
                id = OperationId::from_bits(bits, digits);
            }
            let plan_hash = plan.hash();
            for (stage_index, stage) in plan.stages.iter().enumerate() {
                for (index, lane) in stage.lanes.iter().enumerate() {
                    let id = LaneId { operation: id.clone(), stage: stage_index as u32, index: index as u32 };
                    tx.put(LaneRecord { id, lane: lane.clone() });
                }
            }
            let audit_seq = tx.audit(AuditEntry {
                at: now,
                principal: mandate.principal.clone(),
                action: plan.verb.name().to_owned(),
                phase: AuditPhase::Started,
                targets: plan.accounts.iter().map(ToString::to_string).collect(),
                operation: Some(id.clone()),
                approval: mandate.approval.clone(),
                plan_hash: Some(plan_hash.clone()),
                trace: mandate.trace.clone(),
                detail: json!({ "verb": plan.verb, "costDeltaCents": plan.cost_delta.0 }),
            });
            let operation = Operation {
                id,
                verb: plan.verb.clone(),
                state: OperationState::Running,
                principal: mandate.principal.clone(),
                approval: mandate.approval.clone(),
                plan_hash,
                stages: plan.stages.iter().map(|stage| stage.head()).collect(),
                conversation: mandate.conversation.clone(),
                audit_seq: Some(audit_seq),
                trace: mandate.trace.clone(),
                created_at: now,
                finished_at: None,
                error: None,
            };
            tx.put(operation.clone());
            Ok(operation)
        });
        let operation = written.await.map_err(|error| match error {
            TransactError::Refused(busy) => busy,
            TransactError::Store(error) => StartError::Store(error),
        })?;
        let (id, trace) = (&operation.id, operation.trace.as_deref());
        tracing::info!(operation = %id, verb = operation.verb.name(), trace, "begun");
        self.spawn(operation.id.clone());
        Ok(operation)
    }

    /// Whether a plan could be started now, or what is in its way.
    pub fn is_free(&self, plan: &Plan) -> Result<(), StartError> {
        self.hands.store.read(|fleet| who_holds(fleet, plan)).map_or(Ok(()), Err)
    }

    /// Takes up whatever should be under way and is not: because the last control plane ended, or because the start
    /// of an operation was written down and reported as failed.
    pub fn resume_all(&self) {
        let unfinished: Vec<_> = self.hands.store.read(|fleet| {
            let open = fleet.operations.values().filter(|operation| !operation.state.is_over());
            open.map(|operation| operation.id.clone()).collect()
        });
        for id in unfinished.into_iter().filter(|id| !self.runs(id)) {
            tracing::info!(operation = %id, "taken up again");
            self.spawn(id);
        }
    }

    fn runs(&self, id: &OperationId) -> bool {
        let running = self.running.lock();
        let task = running.operations.get(id);
        task.is_some_and(|(_, task)| task.as_ref().is_none_or(|task| !task.is_finished()))
    }

    pub(crate) fn spawn(&self, id: OperationId) {
        {
            let mut running = self.running.lock();
            if running.halted {
                return;
            }
            if let Some((again, task)) = running.operations.get_mut(&id)
                && task.as_ref().is_none_or(|task| !task.is_finished())
            {
                *again = true;
                return;
            }
            running.operations.insert(id.clone(), (false, None));
        }
        let engine = self.clone();
        let name = id.clone();
        let task = tokio::spawn(async move {
            loop {
                runner::run(&engine, &id).await;
                let mut running = engine.running.lock();
                // Whoever retried it just as it ended found it running still.
                match running.operations.get_mut(&id) {
                    Some((again, _)) if *again => *again = false,
                    _ => {
                        running.operations.remove(&id);
                        return;
                    }
                }
            }
        });
        if let Some((_, handle)) = self.running.lock().operations.get_mut(&name) {
            *handle = Some(task.abort_handle());
        }
    }

    /// Stops where it is and takes up nothing any more, as the end of its process would: what is under way stands in
    /// the step log, and the next control plane takes it up.
    pub fn halt(&self) {
        let mut running = self.running.lock();
        running.halted = true;
        for (_, task) in std::mem::take(&mut running.operations).into_values() {
            if let Some(task) = task {
                task.abort();
            }
        }
    }
}

/// An operation that is changing one of the plan's accounts, instances or other targets right now.
fn who_holds(fleet: &Fleet, plan: &Plan) -> Option<StartError> {
    let accounts = plan.accounts.iter().map(|id| id.as_str());
    let lanes = plan.stages.iter().flat_map(|stage| &stage.lanes).map(|lane| lane.target.as_str());
    let instances = plan.instances.iter().map(|id| id.as_str());
    let targets: HashSet<&str> =
        accounts.chain(instances).chain(lanes).chain(besides_lanes(&plan.verb)).collect();
    let held = crate::held(fleet);
    let (target, operation) = held.into_iter().find(|(target, _)| targets.contains(target))?;
    Some(StartError::Busy { target: target.to_owned(), operation: operation.id.clone() })
}
