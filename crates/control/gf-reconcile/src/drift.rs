//! Which instances do not hold what their gateway owns: those that a rollout could not reach while they were being
//! made or took in memory, those whose file somebody edited, and those that were made before a change.
//!
//! An instance is judged by what its node says it holds now, never by what happened to it, and on owned paths only.
//! Nothing is done here ([`crate::align`] does).

use gf_model::{
    InstanceId, RevisionId, Timestamp,
    fleet::Fleet,
    gateway::{Desired, Gateway},
    instance::Instance,
    patch,
    table::Table,
};
use gf_node_hub::NodeEvent;
use gf_node_proto::InstanceSummary;
use gf_operations::revision_name;
use jiff::SignedDuration;
use parking_lot::Mutex;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// A difference must last this long: what a node says of itself is a heartbeat old.
const SETTLED: SignedDuration = SignedDuration::from_secs(15);
/// Between a try that failed and the next one; it doubles up to an hour while nothing changes.
const FIRST_PAUSE_SECONDS: i64 = 30;
const LONGEST_PAUSE_SECONDS: i64 = 3600;
/// What each node last said of its instances' owned keys. Not a row: a node says it again after every connect.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standings(Arc<Mutex<Table<InstanceId, Standing>>>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub revision: String,
    /// Of what the owned paths hold; empty while the file is malformed.
    pub fingerprint: String,
}

impl Standings {
    pub fn look<T>(&self, look: impl FnOnce(&Table<InstanceId, Standing>) -> T) -> T {
        look(&self.0.lock())
    }

    pub fn take_in(&self, event: &NodeEvent) {
        let NodeEvent::Changed { changed, gone, .. } = event else { return };
        let mut all = self.0.lock();
        for summary in changed {
            if let Ok(id) = summary.instance_id.parse() {
                all.insert(id, Standing::of(summary));
            }
        }
        for id in gone.iter().filter_map(|id| id.parse::<InstanceId>().ok()) {
            all.remove(&id);
        }
    }
}

impl Standing {
    fn of(summary: &InstanceSummary) -> Self {
        Self { revision: summary.revision.clone(), fingerprint: summary.owned_hash.clone() }
    }
}

/// An instance that does not hold what its gateway owns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Astray {
    pub instance: Instance,
    pub revision: Option<RevisionId>,
    pub owned: Value,
    pub standing: Standing,
}

/// How long a difference has been there, and how often it was tried to end it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Watch {
    what: (String, String, Standing),
    tries: u32,
    next: Timestamp,
}

/// Instances that serve or stand by, that nobody is changing, and that hold something else than they should. One that
/// was flagged is looked at too: only a new try tells whether it was put right.
pub(crate) fn astray(fleet: &Fleet, standings: &Table<InstanceId, Standing>) -> Vec<Astray> {
    let held = gf_operations::held(fleet);
    let mut found = Vec::new();
    let mut wanted = Wanted::default();
    for gateway in fleet.gateways.values() {
        if gateway.desired != Desired::Pair || held.contains_key(gateway.account.as_str()) {
            continue;
        }
        let wanted = wanted.of(gateway);
        let members = gateway.primary.iter().chain(&gateway.standby).filter_map(|id| fleet.instances.get(id));
        for instance in members.filter(|instance| instance.is_active() && !instance.uncertain) {
            let Some(standing) = standings.get(&instance.id) else { continue };
            let stands =
                *standing == *wanted && instance.revision == gateway.revision && instance.flagged.is_none();
            if !stands && !held.contains_key(instance.id.as_str()) {
                found.push(Astray {
                    instance: instance.clone(),
                    revision: gateway.revision,
                    owned: gateway.owned.clone(),
                    standing: standing.clone(),
                });
            }
        }
    }
    found
}

/// What instances should hold. Most gateways own the same as the one before, and then nothing is hashed again.
#[derive(Default)]
struct Wanted<'a>(Option<(&'a Gateway, Standing)>);

impl<'a> Wanted<'a> {
    fn of(&mut self, gateway: &'a Gateway) -> &Standing {
        let same = |known: &Gateway| known.revision == gateway.revision && known.owned == gateway.owned;
        let known = self.0.take().filter(|(known, _)| same(known));
        &self
            .0
            .insert(known.unwrap_or_else(|| {
                let (revision, fingerprint) =
                    (revision_name(gateway.revision), patch::fingerprint_of(&gateway.owned));
                (gateway, Standing { revision, fingerprint })
            }))
            .1
    }
}

/// Those whose time has come. What does not change is tried less and less often; what changed is new.
pub(crate) fn due(
    watched: &mut BTreeMap<InstanceId, Watch>,
    astray: Vec<Astray>,
    now: Timestamp,
) -> Vec<Astray> {
    watched.retain(|id, _| astray.iter().any(|one| one.instance.id == *id));
    let is_due = |one: &Astray| {
        let wanted = (revision_name(one.revision), patch::fingerprint_of(&one.owned));
        let what = (wanted.0, wanted.1, one.standing.clone());
        let fresh = || Watch { what: what.clone(), tries: 0, next: now + SETTLED };
        let watch = watched.entry(one.instance.id.clone()).or_insert_with(fresh);
        if watch.what != what {
            *watch = fresh();
        }
        if now < watch.next {
            return false;
        }
        let pause = FIRST_PAUSE_SECONDS.saturating_mul(1 << watch.tries.min(20));
        watch.next = now + SignedDuration::from_secs(pause.min(LONGEST_PAUSE_SECONDS));
        watch.tries += 1;
        true
    };
    astray.into_iter().filter(is_due).collect()
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
