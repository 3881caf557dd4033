//! What is judged of nodes that become another release of gf-clawnode: pure questions about what is durable and what
//! they really run.

use crate::oracle::Books;
use gf_model::{
    AccountId, NodeId,
    fleet::Fleet,
    operation::{LaneRecord, LaneState, Step, StepRecord},
};
use std::collections::BTreeSet;

/// Why this lane must not be written so, before it is.
pub(crate) fn breach(books: &Books, record: &LaneRecord) -> Option<String> {
    let step = record.lane.steps.iter().find(|step| matches!(step.step, Step::UpdateNode { .. }))?;
    both_of_a_pair(&books.fleet, record, step).or_else(|| not_what_it_says(books, record, step))
}

fn node_of(step: &StepRecord) -> Option<&NodeId> {
    match &step.step {
        Step::UpdateNode { node, .. } => Some(node),
        _ => None,
    }
}

/// Nodes that are going to a release or back from it.
fn under_way(record: &LaneRecord) -> impl Iterator<Item = &NodeId> {
    let is = matches!(record.lane.state, LaneState::Running | LaneState::Undoing);
    record.lane.steps.iter().filter_map(node_of).filter(move |_| is)
}

fn pairs_on<'a>(fleet: &'a Fleet, node: &NodeId) -> BTreeSet<&'a AccountId> {
    let there = fleet.live_instances().filter(|instance| instance.node.as_ref() == Some(node));
    there.map(|instance| &instance.account).collect()
}

/// The two machines of a pair are never under way at the same time, whoever had that done.
fn both_of_a_pair(fleet: &Fleet, record: &LaneRecord, step: &StepRecord) -> Option<String> {
    under_way(record).next()?;
    let node = node_of(step)?;
    let pairs = pairs_on(fleet, node);
    let others = fleet.lanes.values().filter(|other| other.id != record.id).flat_map(under_way);
    let other = others.into_iter().find(|other| !pairs_on(fleet, other).is_disjoint(&pairs))?;
    Some(format!("{node} and {other} become another release at once, and share one of {pairs:?}"))
}

/// A node of which it is written that it runs the release, or went back to what it ran before, runs that.
fn not_what_it_says(books: &Books, record: &LaneRecord, step: &StepRecord) -> Option<String> {
    let Step::UpdateNode { node, version, .. } = &step.step else { return None };
    let known = books.fleet.lanes.get(&record.id);
    if known.is_some_and(|known| known.lane.state == record.lane.state) {
        return None;
    }
    let said = match record.lane.state {
        LaneState::Done => version.as_str(),
        // Where it had not begun there is nothing to go back to.
        LaneState::Undone => step.output["before"].as_str()?,
        _ => return None,
    };
    let runs = books.software.get(node).map_or(env!("CARGO_PKG_VERSION"), String::as_str);
    (runs != said).then(|| {
        format!(
            "{} is {:?} with {node} on {said}, and it runs {runs}",
            record.id.operation, record.lane.state
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_model::{
        Tier, Timestamp,
        instance::{Instance, Role},
        operation::{Lane, LaneId},
    };
    use serde_json::json;

    fn lane(index: u32, state: LaneState) -> LaneRecord {
        let id = LaneId { operation: "op-1".parse().unwrap(), stage: index, index: 0 };
        let node: NodeId = format!("node-{index}").parse().unwrap();
        let step = Step::UpdateNode { node, version: "2.0.0".into(), instances: Vec::new() };
        let mut lane = Lane::new(format!("node-{index}"), vec![step]);
        lane.state = state;
        lane.steps[0].output = json!({ "before": "1.0.0" });
        LaneRecord { id, lane }
    }

    fn books() -> Books {
        let mut books = Books::default();
        for (index, role) in [Role::Primary, Role::Standby].into_iter().enumerate() {
            let (id, account) = (format!("i-{index}").parse().unwrap(), "acct-0001".parse().unwrap());
            let (at, region) = (Timestamp::UNIX_EPOCH, "eu".into());
            let mut half = Instance::new(id, account, role, Tier::Standard, "a".into(), region, at);
            half.node = format!("node-{index}").parse().ok();
            books.fleet.apply(half.into());
        }
        books
    }

    #[test]
    fn both_machines_of_a_pair_under_way_at_once_are_seen_and_one_after_the_other_is_fine() {
        let mut books = books();
        books.fleet.apply(lane(0, LaneState::Done).into());
        assert_eq!(breach(&books, &lane(1, LaneState::Running)), None);
        books.fleet.apply(lane(0, LaneState::Undoing).into());
        assert!(breach(&books, &lane(1, LaneState::Running)).unwrap().contains("at once"));
    }

    #[test]
    fn a_node_that_runs_something_else_than_is_written_of_it_is_seen() {
        let mut books = books();
        books.fleet.apply(lane(0, LaneState::Running).into());
        assert!(breach(&books, &lane(0, LaneState::Done)).is_some());
        assert!(breach(&books, &lane(0, LaneState::Undone)).is_some());
        books.software.insert("node-0".parse().unwrap(), "2.0.0".into());
        assert_eq!(breach(&books, &lane(0, LaneState::Done)), None);
        books.software.insert("node-0".parse().unwrap(), "1.0.0".into());
        assert_eq!(breach(&books, &lane(0, LaneState::Undone)), None);
    }
}
