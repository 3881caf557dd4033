//! How providers have done over the last seven days, counted from the operations that asked them for something.

use gf_model::{
    InstanceId, Timestamp,
    fleet::Fleet,
    operation::{LaneRecord, Step, StepRecord, StepState},
    provider::{ProviderId, TrackRecord},
};
use std::collections::{BTreeMap, HashMap};

const WINDOW_SECONDS: i64 = 7 * 86_400;

/// What was recorded of a provider before, and what the fleet's own operations add to it.
pub fn combined(kept: &TrackRecord, counted: Option<&TrackRecord>) -> TrackRecord {
    let Some(counted) = counted else { return kept.clone() };
    TrackRecord {
        provisions_tried: kept.provisions_tried + counted.provisions_tried,
        provisions_failed: kept.provisions_failed + counted.provisions_failed,
        provision_millis_total: kept.provision_millis_total + counted.provision_millis_total,
        api_calls: kept.api_calls + counted.api_calls,
        api_errors: kept.api_errors + counted.api_errors,
        uptime_ppm: kept.uptime_ppm.or(counted.uptime_ppm),
    }
}

/// Counts of every provider that anything was asked of. Uptime is not measured here and stays unknown.
pub fn records(fleet: &Fleet, now: Timestamp) -> BTreeMap<ProviderId, TrackRecord> {
    let mut records = BTreeMap::new();
    for operation in fleet.operations.keys() {
        let lanes: Vec<&LaneRecord> = fleet.lanes_of(operation).collect();
        let answered = answered(&lanes);
        for step in lanes.iter().flat_map(|lane| &lane.lane.steps).filter(|step| is_recent(step, now)) {
            count(&mut records, fleet, step, &answered);
        }
    }
    records
}

fn is_recent(step: &StepRecord, now: Timestamp) -> bool {
    step.started_at.is_some_and(|at| now.duration_since(at).as_secs() < WINDOW_SECONDS)
}

/// When each new instance first answered.
fn answered<'a>(lanes: &[&'a LaneRecord]) -> HashMap<&'a InstanceId, Timestamp> {
    let steps = lanes.iter().flat_map(|lane| &lane.lane.steps);
    steps
        .filter(|step| step.state == StepState::Done)
        .filter_map(|step| match &step.step {
            Step::AwaitActive { instance } => Some((instance, step.finished_at?)),
            _ => None,
        })
        .collect()
}

fn count(
    records: &mut BTreeMap<ProviderId, TrackRecord>,
    fleet: &Fleet,
    step: &StepRecord,
    answered: &HashMap<&InstanceId, Timestamp>,
) {
    let of = |instance: &InstanceId| fleet.instances.get(instance).map(|instance| instance.provider.clone());
    let provider = match &step.step {
        Step::CreateInstance { provider, .. } => Some(provider.clone()),
        Step::DeleteInstance { instance } | Step::Resize { instance, .. } => of(instance),
        _ => None,
    };
    let Some(provider) = provider else { return };
    let record = records.entry(provider).or_default();
    let worked = matches!(step.state, StepState::Done | StepState::Undone) && step.error.is_none();
    let is_over = step.state != StepState::Running && step.state != StepState::Waiting;
    record.api_calls += u64::from(step.attempts);
    record.api_errors += u64::from(step.attempts.saturating_sub(u32::from(worked || !is_over)));
    if let (Step::CreateInstance { instance, .. }, true, Some(began)) = (&step.step, is_over, step.started_at)
    {
        match answered.get(instance) {
            Some(at) => {
                record.provisions_tried += 1;
                record.provision_millis_total += at.duration_since(began).as_millis().max(0) as u64;
            }
            // One that was made and is still starting is neither yet.
            None if step.state == StepState::Done => {}
            None => {
                record.provisions_tried += 1;
                record.provisions_failed += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_model::{
        Tier,
        instance::Role,
        operation::{Lane, LaneId, Operation, OperationState},
        person::Principal,
        verb::Verb,
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// An order of one instance that began at `began`, and how it ended.
    fn order(
        fleet: &mut Fleet,
        number: u64,
        began: i64,
        state: StepState,
        answered: Option<i64>,
        attempts: u32,
    ) {
        let instance = InstanceId::from_bits(number, 4);
        let id: gf_model::OperationId = format!("op-{number}").parse().unwrap();
        let create = Step::CreateInstance {
            instance: instance.clone(),
            account: "0001".parse().unwrap(),
            role: Role::Primary,
            tier: Tier::Nano,
            provider: "hetzner".into(),
            region: "nbg1".into(),
            memory: None,
        };
        let mut lane = Lane::new("acct-0001", vec![create, Step::AwaitActive { instance }]);
        lane.steps[0].state = state;
        lane.steps[0].started_at = Some(at(began));
        lane.steps[0].attempts = attempts;
        if let Some(second) = answered {
            lane.steps[1].state = StepState::Done;
            lane.steps[1].finished_at = Some(at(second));
        }
        let lane_id = LaneId { operation: id.clone(), stage: 0, index: 0 };
        fleet.apply(gf_model::operation::LaneRecord { id: lane_id, lane }.into());
        fleet.apply(
            Operation {
                id,
                verb: Verb::RebuildStandby { account: "0001".parse().unwrap() },
                state: OperationState::Done,
                principal: Principal::Service("test".into()),
                approval: None,
                plan_hash: String::new(),
                stages: vec![],
                conversation: None,
                audit_seq: None,
                trace: None,
                created_at: at(began),
                finished_at: None,
                error: None,
            }
            .into(),
        );
    }

    #[test]
    fn a_week_of_orders_is_counted_and_what_still_starts_is_neither() {
        let mut fleet = Fleet::default();
        let now = WINDOW_SECONDS + 100;
        order(&mut fleet, 1, 100, StepState::Done, Some(130), 1);
        assert_eq!(records(&fleet, at(now)), BTreeMap::new(), "a week ago to the second is too old");
        order(&mut fleet, 2, 101, StepState::Done, Some(131), 2);
        order(&mut fleet, 3, 200, StepState::Failed, None, 3);
        order(&mut fleet, 4, 300, StepState::Done, None, 1);
        order(&mut fleet, 5, 400, StepState::Running, None, 1);
        let record = &records(&fleet, at(now))[&ProviderId::from("hetzner")];
        assert_eq!((record.provisions_tried, record.provisions_failed), (2, 1));
        assert_eq!(record.provision_millis_total, 30_000);
        assert_eq!((record.api_calls, record.api_errors, record.uptime_ppm), (7, 4, None));
    }
}
