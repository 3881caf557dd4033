//! Whether a world has come to rest after its faults: the fleet is as it should be, or a person was called.

use crate::{oracle::Books, promise::Promise};
use gf_driver_sim::SeenMachine;
use gf_model::{
    AccountId,
    approval::ApprovalState,
    fleet::Fleet,
    gateway::{Desired, Gateway},
    incident::IncidentState,
    instance::{Instance, InstanceState},
    notice::Severity,
    operation::OperationState,
};
use std::collections::{BTreeMap, BTreeSet};

/// The first thing that is not at rest, and which promise it breaks if it stays so.
pub(crate) fn restless(books: &Books, machines: &[SeenMachine]) -> Option<(Promise, String)> {
    let fleet = &books.fleet;
    if let Some(open) = fleet.operations.values().find(|operation| operation.finished_at.is_none()) {
        return Some((Promise::Ends, format!("{} ({}) is {:?}", open.id, open.verb.name(), open.state)));
    }
    let granted =
        |a: &&gf_model::approval::Approval| a.state == ApprovalState::Granted && a.operation.is_none();
    if let Some(waiting) = fleet.approvals.values().find(granted) {
        return Some((Promise::Ends, format!("{} was granted and not started", waiting.code)));
    }
    if let Some(untold) = fleet.notices.values().find(|notice| notice.delivered_at.is_none()) {
        return Some((Promise::Ends, format!("nobody was told {:?}", untold.text)));
    }
    resources(fleet, machines)
        .map(|what| (Promise::NothingForgotten, what))
        .or_else(|| software(fleet, machines).map(|what| (Promise::Ends, what)))
        .or_else(|| pairs(books, machines).map(|what| (Promise::Ends, what)))
}

/// Accounts for which a person was called and has not come.
pub(crate) fn paged(fleet: &Fleet) -> usize {
    fleet.gateways.values().filter(|gateway| is_paged(fleet, &gateway.account)).count()
}

fn is_paged(fleet: &Fleet, account: &AccountId) -> bool {
    fleet.incidents.values().any(|incident| {
        incident.state == IncidentState::Open
            && incident.severity == Severity::Critical
            && incident.accounts.contains(account)
    })
}

/// Whether an operation that nobody could undo, and about which a person was called, had this instance.
fn is_stuck(books_fleet: &Fleet, instance: &Instance) -> bool {
    let stuck = books_fleet.operations.values().filter(|operation| operation.state == OperationState::Stuck);
    stuck
        .flat_map(|operation| books_fleet.lanes_of(&operation.id))
        .any(|record| record.lane.steps.iter().any(|step| step.step.instance() == Some(&instance.id)))
}

/// Whether the account waits for a person because an operation about it could not be undone.
fn is_left_stuck(fleet: &Fleet, account: &AccountId) -> bool {
    fleet.live_instances().any(|instance| instance.account == *account && is_stuck(fleet, instance))
}

/// What the providers have and what the fleet knows must be the same.
fn resources(fleet: &Fleet, machines: &[SeenMachine]) -> Option<String> {
    let mut there: BTreeMap<&str, usize> = BTreeMap::new();
    for machine in machines {
        if let Some(label) = &machine.label {
            *there.entry(label.as_str()).or_default() += 1;
        }
    }
    if let Some((label, count)) = there.iter().find(|(_, count)| **count > 1) {
        return Some(format!("there are {count} machines of {label}"));
    }
    for label in there.keys() {
        let known = fleet.instances.values().find(|instance| instance.id.as_str() == *label);
        match known {
            None => return Some(format!("{label} is at its provider and nobody knows it")),
            Some(known) if !known.state.exists() => {
                return Some(format!("{label} is at its provider and was deleted"));
            }
            Some(_) => {}
        }
    }
    let gone = fleet.live_instances().find(|instance| {
        !there.contains_key(instance.id.as_str())
            && !is_stuck(fleet, instance)
            && !is_paged(fleet, &instance.account)
    });
    gone.map(|gone| format!("{} is {} and at no provider", gone.id, gone.state))
}

/// What is written of the nodes that are there is what they run.
fn software(fleet: &Fleet, machines: &[SeenMachine]) -> Option<String> {
    let is_known = |machine: &&SeenMachine| {
        let node = fleet.nodes.get(&machine.node).filter(|node| node.connected);
        node.is_none_or(|node| node.software.as_ref() == Some(&machine.software))
    };
    let other = machines.iter().filter(|machine| machine.powered && !machine.cut).find(|it| !is_known(it))?;
    Some(format!("{} runs {} and something else is written of it", other.node, other.software))
}

fn pairs(books: &Books, machines: &[SeenMachine]) -> Option<String> {
    let nobody = BTreeSet::new();
    for gateway in books.fleet.gateways.values() {
        let acting = books.acting.get(gateway.account.as_str()).unwrap_or(&nobody);
        let wrong = match gateway.desired {
            Desired::Archived => nothing(&books.fleet, gateway, acting),
            Desired::Pair if is_paged(&books.fleet, &gateway.account) => None,
            Desired::Pair if is_left_stuck(&books.fleet, &gateway.account) => None,
            Desired::Pair => whole(&books.fleet, gateway, acting, machines),
        };
        if let Some(wrong) = wrong {
            return Some(format!("{}: {wrong}", gateway.account));
        }
    }
    None
}

fn nothing(fleet: &Fleet, gateway: &Gateway, acting: &BTreeSet<String>) -> Option<String> {
    if !acting.is_empty() {
        return Some(format!("{acting:?} serve though nothing should"));
    }
    let left = fleet
        .live_instances()
        .find(|instance| instance.account == gateway.account && !is_stuck(fleet, instance));
    left.map(|left| format!("{} is {} though nothing should be there", left.id, left.state))
}

fn whole(
    fleet: &Fleet,
    gateway: &Gateway,
    acting: &BTreeSet<String>,
    machines: &[SeenMachine],
) -> Option<String> {
    let (primary, standby) = (fleet.primary_of(&gateway.account), fleet.standby_of(&gateway.account));
    let (Some(primary), Some(standby)) = (primary, standby) else {
        return Some(format!("primary {:?}, standby {:?}", gateway.primary, gateway.standby));
    };
    for instance in [primary, standby] {
        if instance.state != InstanceState::Active || instance.uncertain {
            return Some(format!("{} is {} (uncertain {})", instance.id, instance.state, instance.uncertain));
        }
    }
    if acting.len() != 1 || !acting.contains(primary.id.as_str()) {
        return Some(format!("{} should serve and {acting:?} does", primary.id));
    }
    if !primary.channels_on || standby.channels_on {
        return Some(format!("the books say channels {} and {}", primary.channels_on, standby.channels_on));
    }
    if primary.provider == standby.provider {
        return Some(format!("both are at {}", primary.provider));
    }
    let live: Vec<_> = fleet.live_instances().filter(|other| other.account == gateway.account).collect();
    if let Some(third) =
        live.iter().find(|other| other.id != primary.id && other.id != standby.id && !is_stuck(fleet, other))
    {
        return Some(format!("{} belongs to it too", third.id));
    }
    let runs =
        |id: &str| machines.iter().flat_map(|machine| &machine.instances).any(|it| it.id == id && it.runs);
    [primary, standby]
        .into_iter()
        .find(|instance| !runs(instance.id.as_str()))
        .map(|instance| format!("{} is ACTIVE in the books and does not run", instance.id))
}
