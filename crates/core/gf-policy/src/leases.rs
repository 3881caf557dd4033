//! Who may hold a serving lease, and when an old primary's lease counts as its fence: pure, over the fleet as it is.
//!
//! What is decided here must be conservative: that a lease lapses is believed only where the holder's node has said that
//! it goes by these very terms.

use gf_model::{
    InstanceId, NodeId, Timestamp,
    fleet::Fleet,
    gateway::{Desired, Fencing, Gateway},
    instance::{Instance, InstanceState},
    lease::Terms,
};

/// So long a witness may be away before the lease of its pair is made one that does not lapse.
const WITNESS_AWAY_SECONDS: i64 = 60;

/// What a node is answered about one of its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// It may serve. The terms are told where they may be used by now.
    Holds { generation: u64, terms: Option<(u64, Option<NodeId>)> },
    /// Its node is the witness of the other half's lease.
    Witnesses { generation: u64, terms: u64, holder: NodeId },
}

/// What the node of this instance is answered, `said` being the terms that it says it goes by.
pub fn ruling(fleet: &Fleet, id: &InstanceId, said: u64) -> Option<Ruling> {
    let instance = fleet.instances.get(id)?;
    let gateway = fleet.gateways.get(&instance.account)?;
    if gateway.lease.witness.as_ref() == Some(id) {
        let primary = fleet.primary(gateway)?;
        return Some(Ruling::Witnesses {
            generation: primary.generation.0,
            terms: gateway.lease.number,
            holder: primary.node.clone()?,
        });
    }
    if !may_serve(gateway, instance) || gateway.lease.number == 0 {
        return None;
    }
    let generation = gateway.generation.0;
    let Terms { number, witness } = &gateway.lease;
    let Some(witness) = witness else {
        // What does not lapse needs no renewal.
        return (said != *number).then_some(Ruling::Holds { generation, terms: Some((*number, None)) });
    };
    // A witness that has not written its duty down yet could not renew.
    let witness = fleet.instances.get(witness).filter(|witness| witness.lease_terms == *number);
    let terms = witness.and_then(|witness| Some((*number, Some(witness.node.clone()?))));
    Some(Ruling::Holds { generation, terms })
}

/// Only the primary of the newest generation serves: from the moment in which the generation is raised nothing is renewed.
fn may_serve(gateway: &Gateway, instance: &Instance) -> bool {
    let gone = matches!(
        instance.state,
        InstanceState::Stopped | InstanceState::TearingDown | InstanceState::Deleted
    );
    gateway.primary.as_ref() == Some(&instance.id) && instance.generation == gateway.generation && !gone
}

/// Why the end of a lease cannot be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DoesNotLapse {
    #[error("its pair is fenced `available`: it serves on while nobody can be heard")]
    Available,
    #[error("it has no witness, so that its lease does not lapse")]
    NoWitness,
    #[error("its node has not said that it goes by the terms that are in force")]
    NotConfirmed,
    #[error("its generation was not raised")]
    SameGeneration,
}

/// The witness of a primary's lease that ends when nobody is heard; or why its pair is moved after a confirmed stop only.
pub fn ends_in_silence<'a>(fleet: &'a Fleet, primary: &Instance) -> Result<&'a Instance, DoesNotLapse> {
    let gateway = fleet.gateways.get(&primary.account).ok_or(DoesNotLapse::NoWitness)?;
    if gateway.fencing != Fencing::Strict {
        return Err(DoesNotLapse::Available);
    }
    let witness = gateway.lease.witness.as_ref().and_then(|id| fleet.instances.get(id));
    let witness = witness.filter(|witness| witness.state.exists()).ok_or(DoesNotLapse::NoWitness)?;
    if gateway.primary.as_ref() != Some(&primary.id) || primary.lease_terms != gateway.lease.number {
        return Err(DoesNotLapse::NotConfirmed);
    }
    Ok(witness)
}

/// The witness that must refuse the old generation before the end of this lease may be waited for.
pub fn lapses<'a>(fleet: &'a Fleet, primary: &Instance) -> Result<&'a Instance, DoesNotLapse> {
    let witness = ends_in_silence(fleet, primary)?;
    let raised =
        fleet.gateways.get(&primary.account).is_some_and(|gateway| primary.generation < gateway.generation);
    if raised { Ok(witness) } else { Err(DoesNotLapse::SameGeneration) }
}

/// The terms that a pair should have from now on, where they differ. `able` says whether a node can be somebody's
/// witness, or hold a lease at all.
pub fn terms_due(
    fleet: &Fleet,
    gateway: &Gateway,
    now: Timestamp,
    able: impl Fn(&NodeId) -> bool,
) -> Option<Terms> {
    let primary = fleet.primary(gateway)?;
    let standby = fleet.standby(gateway);
    if gateway.generation != primary.generation {
        // It is being moved: what its node was told must stay true until it is fenced.
        return None;
    }
    let is_near = |node: &NodeId| {
        let away = fleet.nodes.get(node).filter(|node| !node.connected);
        away.is_none_or(|node| now.duration_since(node.last_change).as_secs() < WITNESS_AWAY_SECONDS)
    };
    let could = |standby: &Instance| {
        gateway.desired == Desired::Pair
            && gateway.fencing == Fencing::Strict
            && standby.node.is_some()
            && standby.node != primary.node
            && standby.node.as_ref().is_some_and(is_near)
    };
    let stays = |standby: &Instance| {
        let gone = matches!(
            standby.state,
            InstanceState::Stopped
                | InstanceState::Failed
                | InstanceState::TearingDown
                | InstanceState::Deleted
        );
        could(standby) && !gone
    };
    let begins = |standby: &Instance| {
        could(standby)
            && standby.is_active()
            && primary.channels_on
            && [&standby.node, &primary.node].into_iter().flatten().all(&able)
    };
    let known = gateway.lease.witness.as_ref();
    let wanted = standby.filter(|standby| match known {
        Some(known) if *known == standby.id => stays(standby),
        _ => begins(standby),
    });
    let wanted = wanted.map(|standby| standby.id.clone());
    (wanted.as_ref() != known).then(|| gateway.lease.next(wanted))
}

/// Whether nobody could take over from a primary that nobody hears of: its lease does not lapse, and its pair can be moved
/// only once somebody confirms that it is off.
pub fn is_unprotected(fleet: &Fleet, gateway: &Gateway) -> bool {
    let Some(primary) = fleet.primary(gateway) else { return false };
    let silent = primary.node.as_ref().and_then(|node| fleet.nodes.get(node)).is_some_and(|n| !n.connected);
    silent && ends_in_silence(fleet, primary).is_err()
}

/// How a pair is fenced unless somebody says otherwise: by its channels. Those that a router or a provider's own delivery
/// keeps to one side may serve on; whoever polls or holds a socket may not.
pub fn default_fencing<'a>(
    channels: impl IntoIterator<Item = &'a gf_model::channel::AccountChannel>,
) -> Fencing {
    let mut any = false;
    for channel in channels {
        any = true;
        let webhook = channel.kind == "web"
            || channel.settings.get("webhookUrl").is_some()
            || channel.settings.get("mode").and_then(|mode| mode.as_str()) == Some("http");
        if !webhook {
            return Fencing::Strict;
        }
    }
    if any { Fencing::Available } else { Fencing::Strict }
}

#[cfg(test)]
#[path = "leases_tests.rs"]
mod tests;
