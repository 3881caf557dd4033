//! Durable work: stages of lanes of steps, each step safe to repeat after a crash at any instruction.

use crate::{
    AccountId, ApprovalCode, ArchiveId, BadId, InstanceId, NodeId, OperationId, RevisionId, SnapshotId, Tier,
    gateway::Generation,
    instance::Role,
    person::Principal,
    provider::{ProviderId, Region},
    verb::Verb,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OperationState {
    Running,
    Paused,
    /// Running steps end, then what was done is undone.
    Cancelling,
    Undoing,
    Done,
    /// Ended, and some targets failed, were flagged or skipped.
    Partial,
    Failed,
    Undone,
    Cancelled,
    /// An undo failed: a person must look.
    Stuck,
}

impl OperationState {
    pub const fn is_over(self) -> bool {
        matches!(
            self,
            Self::Done | Self::Partial | Self::Failed | Self::Undone | Self::Cancelled | Self::Stuck
        )
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    pub id: OperationId,
    pub verb: Verb,
    pub state: OperationState,
    pub principal: Principal,
    pub approval: Option<ApprovalCode>,
    pub plan_hash: String,
    /// Its stages without their lanes: each lane is a record of its own, so that a step writes only its lane.
    pub stages: Vec<StageHead>,
    /// Where its end is told, such as `cli:person-ada`.
    pub conversation: Option<String>,
    pub audit_seq: Option<u64>,
    /// The trace id of the request that began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub error: Option<String>,
}

/// A stage as the operation keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StageHead {
    pub title: String,
    pub parallel: u32,
    pub fail_above_percent: u8,
    pub lanes: u32,
    /// When its gate was found to hold; the next stage may begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_at: Option<Timestamp>,
}

/// Which lane: `op-91c2/0/3` is the fourth lane of the first stage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct LaneId {
    pub operation: OperationId,
    pub stage: u32,
    pub index: u32,
}

impl From<LaneId> for String {
    fn from(id: LaneId) -> String {
        format!("{}/{}/{}", id.operation, id.stage, id.index)
    }
}

impl TryFrom<String> for LaneId {
    type Error = BadId;
    fn try_from(given: String) -> Result<Self, BadId> {
        let parse = || {
            let mut parts = given.split('/');
            let id = Self {
                operation: parts.next()?.parse().ok()?,
                stage: parts.next()?.parse().ok()?,
                index: parts.next()?.parse().ok()?,
            };
            parts.next().is_none().then_some(id)
        };
        parse().ok_or(BadId { given: given.clone(), expected: "a lane such as op-91c2/0/3" })
    }
}

/// A lane of an operation that was started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LaneRecord {
    pub id: LaneId,
    #[serde(flatten)]
    pub lane: Lane,
}

/// Lanes that run side by side; the next stage starts when all of them ended and the gate holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    pub title: String,
    pub lanes: Vec<Lane>,
    /// How many lanes run at once.
    pub parallel: u32,
    /// The stage fails, and its lanes are undone, when more than this share of them failed; in percent.
    pub fail_above_percent: u8,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lane {
    /// What it is about: an account or an instance.
    pub target: String,
    pub state: LaneState,
    pub steps: Vec<StepRecord>,
    pub error: Option<String>,
    /// Set where the target itself is at fault and was left as it is, such as a malformed configuration.
    pub flagged: bool,
    /// Its gateway was pinned, or its maintenance window had closed, when its turn came: what it did is put back, and
    /// it counts as left out and not as failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held_back: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LaneState {
    Waiting,
    Running,
    Done,
    Failed,
    Undoing,
    Undone,
    Skipped,
    Stuck,
}

impl LaneState {
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running | Self::Undoing)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepRecord {
    pub step: Step,
    pub state: StepState,
    pub attempts: u32,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub error: Option<String>,
    /// What the step found out and a later one, its undo, or a reader needs.
    pub output: serde_json::Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    Waiting,
    Running,
    Done,
    Failed,
    Undone,
}

/// One act. Each is idempotent: doing it twice leaves what doing it once leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "step")]
pub enum Step {
    /// Makes the place and starts OpenClaw in it. Undone by deleting it.
    #[serde(rename_all = "camelCase")]
    CreateInstance {
        instance: InstanceId,
        account: AccountId,
        role: Role,
        tier: Tier,
        provider: ProviderId,
        region: Region,
        memory: Option<MemorySource>,
    },
    /// Waits until it answers a real HTTP request.
    AwaitActive {
        instance: InstanceId,
    },
    /// Gives the instance its account's channels under the pair's generation, and moves the endpoint to it.
    ConnectChannels {
        account: AccountId,
        instance: InstanceId,
    },
    /// Writes the next generation; from here on the old one's right to act is over.
    #[serde(rename_all = "camelCase")]
    RaiseGeneration {
        account: AccountId,
        expected: Generation,
    },
    /// Makes sure that an instance can neither receive nor send.
    Fence {
        instance: InstanceId,
    },
    /// Gives a standby the newest snapshot's memory, unless it has it.
    LoadMemory {
        account: AccountId,
        instance: InstanceId,
    },
    /// Swaps the roles of the pair.
    Promote {
        account: AccountId,
        instance: InstanceId,
    },
    Restart {
        instance: InstanceId,
    },
    #[serde(rename_all = "camelCase")]
    ApplyRevision {
        instance: InstanceId,
        revision: RevisionId,
    },
    /// Puts the owned keys of a revision back to what this instance had before it.
    #[serde(rename_all = "camelCase")]
    RevertRevision {
        instance: InstanceId,
        revision: RevisionId,
    },
    /// Changes the tier of the place.
    Resize {
        instance: InstanceId,
        tier: Tier,
    },
    #[serde(rename_all = "camelCase")]
    TakeArchive {
        account: AccountId,
        archive: ArchiveId,
    },
    /// Deletes the instance and its place. Needs a durable audit row.
    DeleteInstance {
        instance: InstanceId,
    },
    /// The account has an archive and nothing else.
    MarkArchived {
        account: AccountId,
    },
    /// The account has a pair again.
    MarkServed {
        account: AccountId,
    },
    /// A signed webhook to COMPANION.
    TellCompanion {
        account: AccountId,
        event: String,
    },
    #[serde(rename_all = "camelCase")]
    SetProviderPool {
        provider: ProviderId,
        pool: crate::provider::Pool,
        revision: RevisionId,
    },
    /// The node becomes the release that its operation names. Undone by going back to what ran before.
    #[serde(rename_all = "camelCase")]
    UpdateNode {
        node: NodeId,
        version: String,
        /// What was on it when that was planned, and must be well afterwards.
        instances: Vec<InstanceId>,
    },
}

impl Step {
    /// The one instance that it is about, if it is about one.
    pub fn instance(&self) -> Option<&InstanceId> {
        match self {
            Self::CreateInstance { instance, .. }
            | Self::AwaitActive { instance }
            | Self::ConnectChannels { instance, .. }
            | Self::Fence { instance }
            | Self::LoadMemory { instance, .. }
            | Self::Promote { instance, .. }
            | Self::Restart { instance }
            | Self::ApplyRevision { instance, .. }
            | Self::RevertRevision { instance, .. }
            | Self::Resize { instance, .. }
            | Self::DeleteInstance { instance } => Some(instance),
            _ => None,
        }
    }

    pub const fn name(&self) -> &'static str {
        match self {
            Self::CreateInstance { .. } => "create_instance",
            Self::AwaitActive { .. } => "await_active",
            Self::ConnectChannels { .. } => "connect_channels",
            Self::RaiseGeneration { .. } => "raise_generation",
            Self::Fence { .. } => "fence",
            Self::LoadMemory { .. } => "load_memory",
            Self::Promote { .. } => "promote",
            Self::Restart { .. } => "restart",
            Self::ApplyRevision { .. } => "apply_revision",
            Self::RevertRevision { .. } => "revert_revision",
            Self::Resize { .. } => "resize",
            Self::TakeArchive { .. } => "take_archive",
            Self::DeleteInstance { .. } => "delete_instance",
            Self::MarkArchived { .. } => "mark_archived",
            Self::MarkServed { .. } => "mark_served",
            Self::TellCompanion { .. } => "tell_companion",
            Self::SetProviderPool { .. } => "set_provider_pool",
            Self::UpdateNode { .. } => "update_node",
        }
    }
}

/// Where a new instance's memory comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "from", content = "id")]
pub enum MemorySource {
    Snapshot(SnapshotId),
    Archive(ArchiveId),
}

impl Stage {
    pub fn new(title: impl Into<String>, parallel: u32, lanes: Vec<Lane>) -> Self {
        Self { title: title.into(), lanes, parallel, fail_above_percent: 100 }
    }

    pub fn head(&self) -> StageHead {
        StageHead {
            title: self.title.clone(),
            parallel: self.parallel,
            fail_above_percent: self.fail_above_percent,
            lanes: self.lanes.len() as u32,
            passed_at: None,
        }
    }
}

impl Lane {
    pub fn new(target: impl Into<String>, steps: impl IntoIterator<Item = Step>) -> Self {
        let record = |step| StepRecord {
            step,
            state: StepState::Waiting,
            attempts: 0,
            started_at: None,
            finished_at: None,
            error: None,
            output: serde_json::Value::Null,
        };
        Self {
            target: target.into(),
            state: LaneState::Waiting,
            steps: steps.into_iter().map(record).collect(),
            error: None,
            flagged: false,
            held_back: false,
        }
    }
}
