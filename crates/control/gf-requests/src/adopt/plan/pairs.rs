//! Which of an account's instances are its pair: decided by the highest generation, and left open where two claim it.
//!
//! It never makes one of two claimants the primary, and never calls an instance that no one needs one to be deleted.

use super::Work;
use gf_model::{
    AccountId, Tier, Timestamp,
    gateway::{Desired, Fencing, Gateway, Generation},
    instance::{Instance, Role},
};

impl Work<'_> {
    /// Who is whose, by the highest generation.
    pub(super) fn pair(&mut self, account: &AccountId) {
        let members: Vec<Instance> =
            self.then.live_instances().filter(|instance| instance.account == *account).cloned().collect();
        let newest = |role: Role| {
            let of_role = members.iter().filter(|instance| instance.role == role);
            let top = of_role.clone().map(|instance| instance.generation).max();
            of_role.filter(|instance| Some(instance.generation) == top).collect::<Vec<_>>()
        };
        let primaries = newest(Role::Primary);
        if let [one, other, ..] = primaries.as_slice() {
            self.unknown.push(format!(
                "who serves {account}: {} and {} both say PRIMARY under {}; neither is believed: stop one of them and \
                 look again",
                one.id, other.id, one.generation
            ));
            return;
        }
        let primary = primaries.first().copied();
        let before = self.then.gateways.get(account).cloned();
        let standbys = newest(Role::Standby);
        let kept = before.as_ref().and_then(|gateway| gateway.standby.as_ref());
        let standby = standbys.iter().find(|it| Some(&it.id) == kept).or_else(|| standbys.first()).copied();
        for extra in members.iter().filter(|it| Some(*it) != primary && Some(*it) != standby) {
            self.unknown.push(format!(
                "what {} is for: it is of {account} and beyond its pair; take it down when nobody needs it",
                extra.id
            ));
        }
        let tier = primary.or(standby).map(|instance| instance.tier);
        let mut gateway = before.clone().unwrap_or_else(|| fresh(account, tier, self.now));
        let seen = members.iter().map(|instance| (instance.generation, instance.lease_terms));
        for (generation, terms) in seen {
            gateway.generation = gateway.generation.max(generation);
            gateway.lease.number = gateway.lease.number.max(terms);
        }
        if members.is_empty() {
            if gateway.desired == Desired::Pair {
                self.lines.push(format!("{account} has nothing left: it is taken as torn down"));
                self.unknown.push(format!("where the archive of {account} is, if it was archived"));
            }
            gateway.desired = Desired::Archived;
            (gateway.primary, gateway.endpoint) = (None, None);
        } else if before.is_some() && gateway.desired == Desired::Archived {
            gateway.desired = Desired::Pair;
        }
        match primary {
            Some(primary) => {
                gateway.primary = Some(primary.id.clone());
                gateway.endpoint = primary.endpoint.clone().or(gateway.endpoint);
                gateway.tier = primary.tier;
                self.owns(&mut gateway, primary);
            }
            None if !members.is_empty() => self.unknown.push(format!(
                "who serves {account}: it has no PRIMARY; `clawops failover {account}` makes its standby one"
            )),
            None => {}
        }
        gateway.standby = standby.map(|standby| standby.id.clone());
        if before.as_ref() != Some(&gateway) {
            self.put(gateway);
        }
    }

    fn owns(&mut self, gateway: &mut Gateway, primary: &Instance) {
        let running = self.seen.instances.get(&primary.id);
        match running.and_then(|running| running.owned.clone()) {
            Some(owned) => {
                gateway.owned = owned;
                gateway.revision = primary.revision;
            }
            None if gateway.revision != primary.revision => self.unknown.push(format!(
                "which keys {} owns: its node does not say it; what the store says of {} will be pushed to it",
                primary.id, gateway.account
            )),
            None => {}
        }
    }
}

fn fresh(account: &AccountId, tier: Option<Tier>, now: Timestamp) -> Gateway {
    // Until its channels are known nobody is promoted without a confirmed stop.
    let fencing = Fencing::Available;
    let generation = Generation::default();
    Gateway { generation, ..Gateway::new(account.clone(), tier.unwrap_or(Tier::Standard), fencing, now) }
}
