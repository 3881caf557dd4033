//! The whole fleet in memory, as typed values, and the changes that it is made of.
//!
//! A store keeps changes durable and replays them; this module only says what each does.

mod loads;

pub use loads::Loads;

use crate::{
    AccountId, ApprovalCode, ArchiveId, IncidentId, InstanceId, NodeId, NoticeId, OperationId, PersonId,
    RevisionId, ScheduleId, SnapshotId,
    approval::Approval,
    channel::AccountChannel,
    freeze::Freeze,
    gateway::Gateway,
    incident::Incident,
    instance::Instance,
    node::Node,
    notice::Notice,
    operation::{LaneId, LaneRecord, Operation},
    person::Person,
    provider::{Provider, ProviderId},
    revision::Revision,
    rules::RuleSet,
    schedule::Schedule,
    snapshot::{Archive, Snapshot},
    table::Table,
    usage::Usage,
    verb::Silence,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An end user of COMPANION.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub id: AccountId,
    pub channels: Vec<AccountChannel>,
    pub created_at: Timestamp,
}

/// Something that was done once and must not be done again: a used evidence, an answered idempotency key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Once {
    pub key: String,
    pub at: Timestamp,
    /// What was answered, to be answered again.
    pub answer: serde_json::Value,
}

macro_rules! fleet {
    ($($variant:ident, $field:ident, $key:ty, $value:ty, $id:expr;)*) => {
        /// One object, whole.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", tag = "kind", content = "value")]
        #[allow(clippy::large_enum_variant, reason = "records live in vectors of changes for microseconds")]
        pub enum Record { $($variant($value),)* }

        /// The name of one object.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", tag = "kind", content = "id")]
        pub enum Key { $($variant($key),)* }

        /// Everything that the control plane knows.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Fleet {
            $(pub $field: Table<$key, $value>,)*
            loads: Loads,
        }

        /// Objects on their way to become a fleet all at once: that takes less than one change after the other.
        #[derive(Debug, Default)]
        pub struct Gathered {
            $($field: Vec<$value>,)*
        }

        impl Record {
            pub fn key(&self) -> Key {
                match self { $(Self::$variant(value) => { let id: fn(&$value) -> $key = $id; Key::$variant(id(value)) })* }
            }
        }
        impl Key {
            /// The kind's name, as it stands in a store.
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => stringify!($variant),)* }
            }

            /// The id alone, as its kind is written.
            pub fn id(&self) -> serde_json::Result<serde_json::Value> {
                match self { $(Self::$variant(id) => serde_json::to_value(id),)* }
            }
        }
        impl Fleet {
            pub fn apply(&mut self, change: Change) {
                self.loads.follow(&self.instances, &change);
                match change {
                    $(Change::Put(Record::$variant(value)) => {
                        let id: fn(&$value) -> $key = $id;
                        self.$field.insert(id(&value), value);
                    })*
                    $(Change::Delete(Key::$variant(key)) => { self.$field.remove(&key); })*
                }
            }
        }
        impl Fleet {
            /// All that was gathered; where an object was gathered twice, it is the later one.
            pub fn of(mut parts: Vec<Gathered>) -> Self {
                let mut fleet = Self::default();
                $({
                    let id: fn(&$value) -> $key = $id;
                    let all = parts.iter_mut().flat_map(|part| std::mem::take(&mut part.$field));
                    fleet.$field = all.map(|value| (id(&value), value)).collect();
                })*
                fleet.loads = Loads::of(&fleet.instances);
                fleet
            }
        }
        impl Gathered {
            pub fn add(&mut self, record: Record) {
                match record { $(Record::$variant(value) => self.$field.push(value),)* }
            }
        }
        $(impl From<$value> for Change {
            fn from(value: $value) -> Self { Change::Put(Record::$variant(value)) }
        })*
    };
}

/// What a store commits and the memory applies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::large_enum_variant, reason = "a deletion is rare; boxing every record is not worth it")]
pub enum Change {
    Put(Record),
    Delete(Key),
}

fleet! {
    Account, accounts, AccountId, Account, |v| v.id.clone();
    Gateway, gateways, AccountId, Gateway, |v| v.account.clone();
    Instance, instances, InstanceId, Instance, |v| v.id.clone();
    Node, nodes, NodeId, Node, |v| v.id.clone();
    Provider, providers, ProviderId, Provider, |v| v.id.clone();
    Operation, operations, OperationId, Operation, |v| v.id.clone();
    Lane, lanes, LaneId, LaneRecord, |v| v.id.clone();
    Approval, approvals, ApprovalCode, Approval, |v| v.code.clone();
    Person, people, PersonId, Person, |v| v.id.clone();
    Revision, revisions, RevisionId, Revision, |v| v.id;
    Snapshot, snapshots, SnapshotId, Snapshot, |v| v.id.clone();
    Archive, archives, ArchiveId, Archive, |v| v.id.clone();
    Incident, incidents, IncidentId, Incident, |v| v.id.clone();
    Notice, notices, NoticeId, Notice, |v| v.id.clone();
    Silence, silences, String, Silence, |v| format!("{:?}", v.scope);
    Schedule, schedules, ScheduleId, Schedule, |v| v.id.clone();
    Usage, usage, AccountId, Usage, |v| v.account.clone();
    Once, once, String, Once, |v| v.key.clone();
    Rules, rules, String, RuleSet, |_| RuleSet::IN_FORCE.to_owned();
    Freeze, freezes, String, Freeze, |_| Freeze::IN_FORCE.to_owned();
}

impl Fleet {
    /// Instances that exist somewhere.
    pub fn live_instances(&self) -> impl Iterator<Item = &Instance> {
        self.instances.values().filter(|instance| instance.state.exists())
    }

    /// What the instances add up to.
    pub fn loads(&self) -> &Loads {
        &self.loads
    }

    pub fn primary_of(&self, account: &AccountId) -> Option<&Instance> {
        self.primary(self.gateways.get(account)?)
    }

    pub fn standby_of(&self, account: &AccountId) -> Option<&Instance> {
        self.standby(self.gateways.get(account)?)
    }

    /// Of a gateway that is at hand and need not be looked up.
    pub fn primary(&self, gateway: &Gateway) -> Option<&Instance> {
        self.instances.get(gateway.primary.as_ref()?)
    }

    pub fn standby(&self, gateway: &Gateway) -> Option<&Instance> {
        self.instances.get(gateway.standby.as_ref()?)
    }

    /// The lanes of an operation, stage by stage.
    pub fn lanes_of(&self, operation: &OperationId) -> impl Iterator<Item = &LaneRecord> {
        let id = |stage, index| LaneId { operation: operation.clone(), stage, index };
        self.lanes.range(id(0, 0)..=id(u32::MAX, u32::MAX)).map(|(_, lane)| lane)
    }

    pub fn newest_snapshot(&self, account: &AccountId) -> Option<&Snapshot> {
        self.snapshots.get(self.gateways.get(account)?.last_snapshot.as_ref()?)
    }

    /// The rules that an admin put in force; `None` while those that are shipped are.
    pub fn rules_in_force(&self) -> Option<&RuleSet> {
        self.rules.get(RuleSet::IN_FORCE)
    }

    /// The stop of all automation, where a person ordered one.
    pub fn frozen(&self) -> Option<&Freeze> {
        self.freezes.get(Freeze::IN_FORCE)
    }

    /// The newest revision of all; `v0` before there is one.
    pub fn newest_revision(&self) -> RevisionId {
        self.revisions.keys().next_back().copied().unwrap_or_default()
    }
}
