//! A second look at a finished plan, by rules that know nothing of how it was made.

use crate::abreast;
use gf_model::{
    AccountId, InstanceId,
    fleet::Fleet,
    instance::{Instance, Role},
    operation::{Lane, Step},
    plan::Plan,
    provider::ProviderId,
    verb::Verb,
};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Something that speaks against a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The plan must not be carried out; otherwise it is a warning.
    pub forbids: bool,
    pub text: String,
}

pub fn lint(fleet: &Fleet, plan: &Plan) -> Vec<Objection> {
    let lanes: Vec<&Lane> = plan.stages.iter().flat_map(|stage| &stage.lanes).collect();
    let found = abreast::map(&lanes, |lanes, found| {
        let named = lanes.iter().flat_map(|lane| steps(lane).map(|step| subject(step).1));
        let instances = fleet.instances.get_each(named);
        let mut known = instances.as_slice();
        for lane in lanes {
            let (its, others) = known.split_at(lane.steps.len());
            known = others;
            found.push(Look { fleet, plan, lane, known: its, new: new_instances(lane) }.objections());
        }
    });
    let twice = repeated(&lanes).into_iter().map(|target| format!("{target} stands in more than one lane"));
    let forbidding = found.into_iter().flatten().chain(twice);
    let mut objections: Vec<_> = forbidding.map(|text| Objection { forbids: true, text }).collect();
    objections.extend(plan.warnings.iter().map(|text| Objection { forbids: false, text: text.clone() }));
    objections
}

/// Targets that stand in more than one lane.
fn repeated<'a>(lanes: &[&'a Lane]) -> Vec<&'a str> {
    // Mostly lanes come in the order of their targets, and then none can.
    if lanes.is_sorted_by(|one, next| one.target < next.target) {
        return Vec::new();
    }
    let mut seen = HashSet::with_capacity(lanes.len());
    lanes.iter().map(|lane| lane.target.as_str()).filter(|target| !seen.insert(*target)).collect()
}

struct Look<'a> {
    fleet: &'a Fleet,
    plan: &'a Plan,
    lane: &'a Lane,
    /// Of each step the instance that it is about, where there is one already.
    known: &'a [Option<&'a Instance>],
    new: BTreeMap<&'a InstanceId, (&'a AccountId, &'a ProviderId, Role)>,
}

fn new_instances(lane: &Lane) -> BTreeMap<&InstanceId, (&AccountId, &ProviderId, Role)> {
    steps(lane)
        .filter_map(|step| match step {
            Step::CreateInstance { instance, account, provider, role, .. } => {
                Some((instance, (account, provider, *role)))
            }
            _ => None,
        })
        .collect()
}

fn steps(lane: &Lane) -> impl Iterator<Item = &Step> + Clone {
    lane.steps.iter().map(|record| &record.step)
}

impl Look<'_> {
    /// Why this lane must not be carried out.
    fn objections(&self) -> Vec<String> {
        let rules = [
            self.one_account(),
            self.two_providers(),
            self.archive_first(),
            self.no_orphan(),
            self.generation_first(),
            self.awaits_what_it_makes(),
        ];
        rules.into_iter().flatten().collect()
    }

    fn steps(&self) -> impl Iterator<Item = &Step> + Clone {
        steps(self.lane)
    }

    fn place_of(&self, wanted: impl Fn(&Step) -> bool) -> Option<usize> {
        self.steps().position(wanted)
    }

    /// Whose this step is.
    fn owner<'s>(&'s self, step: &'s Step, known: Option<&'s Instance>) -> Option<&'s AccountId> {
        let (account, instance) = subject(step);
        let new = || self.new.get(instance?).map(|(account, ..)| *account);
        account.or_else(new).or_else(|| known.map(|instance| &instance.account))
    }

    /// A lane never touches another user's instance.
    fn one_account(&self) -> Option<String> {
        let touched = self.steps().zip(self.known).filter_map(|(step, known)| self.owner(step, *known));
        let mut accounts = touched.clone();
        let first = accounts.next()?;
        accounts.any(|other| other != first).then(|| {
            let names: BTreeSet<_> = touched.map(AccountId::as_str).collect();
            let names: Vec<_> = names.into_iter().collect();
            format!("the lane of {} touches {}", self.lane.target, names.join(" and "))
        })
    }

    /// Both instances of a pair are never at one provider.
    fn two_providers(&self) -> Option<String> {
        let deleted: BTreeSet<_> = self.deleted().collect();
        self.new.iter().find_map(|(id, (account, provider, role))| {
            let new =
                self.new.iter().filter(|(other, _)| other != &id).map(|(_, (_, provider, _))| *provider);
            let old = match role {
                Role::Primary => self.fleet.standby_of(account),
                Role::Standby => self.fleet.primary_of(account),
            };
            let old =
                old.filter(|old| old.state.exists() && !deleted.contains(&old.id)).map(|old| &old.provider);
            let same = new.chain(old).any(|other| other == *provider);
            same.then(|| format!("both instances of {account} would be at {provider}"))
        })
    }

    fn deleted(&self) -> impl Iterator<Item = &InstanceId> {
        self.steps().filter_map(|step| match step {
            Step::DeleteInstance { instance } => Some(instance),
            _ => None,
        })
    }

    /// What is kept is taken before anything is deleted.
    fn archive_first(&self) -> Option<String> {
        let archive = self.place_of(|step| matches!(step, Step::TakeArchive { .. }))?;
        let delete = self.place_of(|step| matches!(step, Step::DeleteInstance { .. }))?;
        (delete < archive)
            .then(|| format!("{} would be deleted before its archive is taken", self.lane.target))
    }

    /// An ACTIVE primary is only deleted with an ACTIVE standby beside it, or as a whole pair after its archive.
    fn no_orphan(&self) -> Option<String> {
        let deleted: BTreeSet<_> = self.deleted().collect();
        let whole_pair = matches!(self.plan.verb, Verb::Teardown { standby_only: false, .. })
            && self.place_of(|step| matches!(step, Step::TakeArchive { .. })).is_some();
        deleted.iter().find_map(|id| {
            let primary = self.fleet.instances.get(*id)?;
            let is_primary = self.fleet.gateways.get(&primary.account)?.primary.as_ref() == Some(*id);
            let stays = self.fleet.standby_of(&primary.account);
            let covered = stays.is_some_and(|standby| standby.is_active() && !deleted.contains(&standby.id));
            (is_primary && primary.is_active() && !covered && !whole_pair).then(|| {
                format!(
                    "{id} is the ACTIVE primary of {} and no ACTIVE standby stays; tear the whole pair down with its \
                     archive instead",
                    primary.account
                )
            })
        })
    }

    /// The old primary's right ends before anybody else may act, and it is fenced before anybody is promoted.
    fn generation_first(&self) -> Option<String> {
        let promote = self.place_of(|step| matches!(step, Step::Promote { .. }))?;
        let raise = self.place_of(|step| matches!(step, Step::RaiseGeneration { .. }));
        let fence = self.place_of(|step| matches!(step, Step::Fence { .. }));
        let memory = self.place_of(|step| matches!(step, Step::LoadMemory { .. }));
        let connect = self.place_of(|step| matches!(step, Step::ConnectChannels { .. }));
        let right = matches!((raise, fence, memory, connect), (Some(raise), Some(fence), Some(memory), Some(connect))
            if raise < fence && fence < memory && memory < promote && promote < connect);
        (!right).then(|| {
            format!(
                "{} would be promoted out of order: raise generation, fence, load memory, promote, connect",
                self.lane.target
            )
        })
    }

    /// Nothing is connected or called served before it answered.
    fn awaits_what_it_makes(&self) -> Option<String> {
        self.new.keys().find_map(|id| {
            let awaited =
                self.place_of(|step| matches!(step, Step::AwaitActive { instance } if instance == *id));
            let used = self.place_of(|step| {
                matches!(step, Step::ConnectChannels { instance, .. } if instance == *id)
                    || matches!(step, Step::MarkServed { .. })
            });
            let early = match (awaited, used) {
                (None, _) => true,
                (Some(awaited), Some(used)) => used < awaited,
                (Some(_), None) => false,
            };
            early.then(|| format!("{id} of {} would be used before it answers", self.lane.target))
        })
    }
}

/// The account or the instance that a step is about.
fn subject(step: &Step) -> (Option<&AccountId>, Option<&InstanceId>) {
    match step {
        Step::CreateInstance { account, .. }
        | Step::RaiseGeneration { account, .. }
        | Step::TakeArchive { account, .. }
        | Step::MarkArchived { account }
        | Step::MarkServed { account }
        | Step::TellCompanion { account, .. } => (Some(account), None),
        // Both are named; the instance's own account is what counts.
        Step::ConnectChannels { instance, .. }
        | Step::LoadMemory { instance, .. }
        | Step::Promote { instance, .. }
        | Step::AwaitActive { instance }
        | Step::Fence { instance }
        | Step::Restart { instance }
        | Step::ApplyRevision { instance, .. }
        | Step::RevertRevision { instance, .. }
        | Step::Resize { instance, .. }
        | Step::DeleteInstance { instance } => (None, Some(instance)),
        Step::SetProviderPool { .. } | Step::UpdateNode { .. } => (None, None),
    }
}
