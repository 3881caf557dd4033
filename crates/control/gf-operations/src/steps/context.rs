//! What a step is given, and the few ways in which it reads, writes and commands.

use crate::hands::Hands;
use gf_driver::{Driver, DriverError};
use gf_model::{
    InstanceId, NodeId, Timestamp,
    fleet::{Change, Fleet},
    gateway::Generation,
    instance::{Instance, InstanceState},
    operation::{Operation, Step},
    provider::ProviderId,
};
use gf_node_hub::{CommandError, CommandMeta};
use gf_node_proto::{FailureCode, Reply, command};
use gf_store::{StoreError, TransactError};
use parking_lot::Mutex;
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// What a step is given: its hands, its place in the operation, and what it left behind when it was cut off.
pub struct StepContext<'a> {
    pub hands: &'a Hands,
    pub operation: &'a Operation,
    pub step: Step,
    /// The output of an earlier, finished run of this step; what its undo works from.
    pub output: Value,
    pub started_at: Timestamp,
    /// When the first step of this lane began.
    pub lane_started_at: Option<Timestamp>,
    /// The same order may have gone out before: then its answer tells what was so then, and what the instance has
    /// reported since is newer.
    pub asked_before: bool,
    /// The idempotency key of this attempt.
    pub key: String,
    /// What the step leaves in the fleet, to be written with its end.
    pub at_end: Mutex<Option<AtEnd>>,
}

pub type AtEnd = Box<dyn FnOnce(&Fleet, &mut Vec<Change>) + Send>;

#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// Trying again may help.
    #[error("{why}")]
    Transient { why: String, after: Option<Duration> },
    /// It was ordered and no answer came: only the same order again, under the same key, can tell.
    #[error("{0}")]
    Uncertain(String),
    /// The target itself is at fault and was left as it is.
    #[error("{0}")]
    Flagged(String),
    #[error("{0}")]
    Failed(String),
}

impl StepError {
    pub(crate) fn transient(why: impl Into<String>) -> Self {
        Self::Transient { why: why.into(), after: None }
    }
}

impl From<DriverError> for StepError {
    fn from(error: DriverError) -> Self {
        let after = match &error {
            DriverError::RateLimited { retry_after, .. } => Some(*retry_after),
            _ => None,
        };
        match error.is_transient() {
            true => Self::Transient { why: error.to_string(), after },
            false => Self::Failed(error.to_string()),
        }
    }
}

impl From<CommandError> for StepError {
    fn from(error: CommandError) -> Self {
        let Some(failure) = error.failure() else {
            let why = error.to_string();
            return if error.is_uncertain() { Self::Uncertain(why) } else { Self::transient(why) };
        };
        let mut why = failure.message.clone();
        for issue in &failure.issues {
            why.push_str("; ");
            why.push_str(issue);
        }
        if !failure.fix.is_empty() {
            why = format!("{why} ({})", failure.fix);
        }
        match FailureCode::try_from(failure.code).unwrap_or_default() {
            FailureCode::ConfigFlagged => Self::Flagged(why),
            FailureCode::TimedOut | FailureCode::Overloaded | FailureCode::StillRunning => {
                Self::transient(why)
            }
            _ => Self::Failed(why),
        }
    }
}

impl From<Arc<StoreError>> for StepError {
    fn from(error: Arc<StoreError>) -> Self {
        Self::transient(format!("the store could not be written: {error}"))
    }
}

impl From<TransactError<StepError>> for StepError {
    fn from(error: TransactError<StepError>) -> Self {
        match error {
            TransactError::Refused(error) => error,
            TransactError::Store(error) => error.into(),
        }
    }
}

impl StepContext<'_> {
    pub(crate) fn now(&self) -> Timestamp {
        self.hands.clock.now()
    }

    pub(crate) fn instance(&self, id: &InstanceId) -> Result<Instance, StepError> {
        self.hands
            .store
            .read(|fleet| fleet.instances.get(id).cloned())
            .ok_or_else(|| StepError::Failed(format!("there is no instance {id}")))
    }

    /// The instance, where it is not gone or on its way there: what is deleted comes back under no order.
    pub(crate) fn living(&self, id: &InstanceId) -> Result<Instance, StepError> {
        let instance = self.instance(id)?;
        match instance.state {
            InstanceState::TearingDown | InstanceState::Deleted => {
                Err(StepError::Failed(format!("{id} was torn down meanwhile")))
            }
            _ => Ok(instance),
        }
    }

    pub(crate) fn driver(&self, provider: &ProviderId) -> Result<Arc<dyn Driver>, StepError> {
        self.hands
            .drivers
            .for_provider(provider)
            .cloned()
            .map_err(|error| StepError::Failed(error.to_string()))
    }

    /// Sends a command to the node that has this instance, once that is connected.
    pub(crate) async fn command(
        &self,
        instance: &Instance,
        what: &str,
        body: impl Into<command::Body>,
        timeout: Duration,
    ) -> Result<Reply, StepError> {
        if let Some(node) = &instance.node {
            // After a start of the control plane its nodes are on their way back.
            self.reconnected(node).await;
        }
        self.command_now(instance, what, body, timeout).await
    }

    /// Waits for a node that is on its way back, as long as that makes sense.
    pub(crate) async fn reconnected(&self, node: &NodeId) {
        let _ = tokio::time::timeout(self.hands.limits.reconnect, self.connected(node)).await;
    }

    async fn connected(&self, node: &NodeId) {
        let mut changed = self.hands.store.changed();
        while !self.hands.hub.is_connected(node) {
            // A connection is a change of the store; the timer covers a node that the store does not know.
            let _ = tokio::time::timeout(Duration::from_secs(1), changed.changed()).await;
        }
    }

    /// The pair's generation as it is now: an instance that was moved in between has seen a higher one than its
    /// record says.
    fn generation_of(&self, instance: &Instance) -> Generation {
        let of_pair = |fleet: &Fleet| fleet.gateways.get(&instance.account).map(|gateway| gateway.generation);
        self.hands.store.read(of_pair).unwrap_or_default().max(instance.generation)
    }

    /// The same without waiting for a node that is away.
    pub(crate) async fn command_now(
        &self,
        instance: &Instance,
        what: &str,
        body: impl Into<command::Body>,
        timeout: Duration,
    ) -> Result<Reply, StepError> {
        let Some(node) = &instance.node else {
            return Err(StepError::transient(format!("{} has no node yet", instance.id)));
        };
        let meta = CommandMeta {
            operation: self.operation.id.to_string(),
            generation: self.generation_of(instance).0,
            plan_hash: self.operation.plan_hash.clone(),
            ..CommandMeta::new(format!("{}/{what}", self.key), timeout)
        };
        Ok(self.hands.hub.command(node, body, meta).await?)
    }

    /// Changes one instance's record, if it still exists.
    pub(crate) async fn change(
        &self,
        id: &InstanceId,
        change: impl Fn(&mut Instance) + Send + Sync,
    ) -> Result<(), StepError> {
        self.write(|fleet, changes| {
            if let Some(instance) = fleet.instances.get(id).filter(|known| known.state.exists()) {
                let mut instance = instance.clone();
                change(&mut instance);
                changes.push(instance.into());
            }
        })
        .await
    }

    /// Whatever `decide` adds to the changes is written together with the end of this step, or not at all.
    pub(crate) fn write_at_end(&self, decide: impl FnOnce(&Fleet, &mut Vec<Change>) + Send + 'static) {
        *self.at_end.lock() = Some(Box::new(decide));
    }

    /// One durable write of whatever `decide` adds to the changes.
    pub(crate) async fn write(
        &self,
        decide: impl Fn(&Fleet, &mut Vec<Change>) + Send + Sync,
    ) -> Result<(), StepError> {
        let write = self.hands.store.update(|fleet, tx| {
            let mut changes = Vec::new();
            decide(fleet, &mut changes);
            for change in changes {
                tx.put(change);
            }
        });
        Ok(write.await?)
    }
}

/// Sets a state and when it began, unless it is that already.
pub(crate) fn enter(instance: &mut Instance, state: InstanceState, now: Timestamp) {
    if instance.state != state {
        instance.state = state;
        instance.state_since = now;
    }
}
