use super::*;
use gf_model::{
    AccountId,
    instance::InstanceState,
    operation::{Lane, LaneId, LaneRecord, LaneState, Operation, OperationState, StageHead},
    person::Principal,
    verb::Verb,
};
use serde_json::json;

const V2: Option<RevisionId> = Some(RevisionId(2));

fn pair() -> (Fleet, InstanceId) {
    let mut fleet = crate::decide::tests::pair(InstanceState::Active, Some(InstanceState::Active));
    let account: AccountId = "acct-0001".parse().unwrap();
    let mut gateway = fleet.gateways[&account].clone();
    gateway.revision = V2;
    gateway.owned = json!({"tts": {"auto": "tagged"}});
    let standby = gateway.standby.clone().unwrap();
    for id in gateway.primary.iter().chain(&gateway.standby) {
        let mut instance = fleet.instances[id].clone();
        instance.revision = V2;
        fleet.apply(instance.into());
    }
    fleet.apply(gateway.into());
    (fleet, standby)
}

fn standing(revision: &str, owned: &Value) -> Standing {
    Standing { revision: revision.into(), fingerprint: patch::fingerprint_of(owned) }
}

/// What every node says while all is well, and what one says instead.
fn said(fleet: &Fleet, other: Option<(&InstanceId, Standing)>) -> Table<InstanceId, Standing> {
    let gateway = fleet.gateways.values().next().unwrap();
    let well = |id: &InstanceId| (id.clone(), Wanted::default().of(gateway).clone());
    let mut all: Table<_, _> = gateway.primary.iter().chain(&gateway.standby).map(well).collect();
    if let Some((id, standing)) = other {
        all.insert(id.clone(), standing);
    }
    all
}

fn names(astray: &[Astray]) -> Vec<InstanceId> {
    astray.iter().map(|one| one.instance.id.clone()).collect()
}

#[test]
fn who_holds_what_is_owned_is_left_alone_and_everyone_else_is_astray() {
    let (fleet, standby) = pair();
    assert_eq!(astray(&fleet, &said(&fleet, None)), []);
    let owned = json!({"tts": {"auto": "tagged"}});
    for (what, other) in [
        ("it missed a rollout", standing("v1", &json!({}))),
        ("it does not know what it owns", standing("v2", &json!({}))),
        ("somebody edited it", standing("v2", &json!({"tts": {"auto": "off"}}))),
        ("it is malformed", Standing { revision: "v2".into(), fingerprint: String::new() }),
        ("it was not told of a rollback", standing("v3", &owned)),
    ] {
        let found = astray(&fleet, &said(&fleet, Some((&standby, other))));
        assert_eq!(names(&found), std::slice::from_ref(&standby), "{what}");
        assert_eq!((found[0].revision, &found[0].owned), (V2, &owned));
    }
    assert_eq!(astray(&fleet, &Table::new()), [], "nothing is known of them yet");
}

#[test]
fn a_record_that_is_behind_and_a_flag_are_looked_at_too() {
    let (mut fleet, standby) = pair();
    let well = said(&fleet, None);
    let mut instance = fleet.instances[&standby].clone();
    instance.revision = None;
    fleet.apply(instance.clone().into());
    assert_eq!(names(&astray(&fleet, &well)), std::slice::from_ref(&standby));
    instance.revision = V2;
    instance.flagged = Some("malformed".into());
    fleet.apply(instance.into());
    assert_eq!(names(&astray(&fleet, &well)), [standby]);
}

#[test]
fn whoever_is_being_changed_or_does_not_answer_waits() {
    let (mut fleet, standby) = pair();
    let drifted = said(&fleet, Some((&standby, standing("v1", &json!({})))));
    let mut asleep = fleet.instances[&standby].clone();
    let awake = asleep.clone();
    asleep.state = InstanceState::Bootstrapping;
    fleet.apply(asleep.into());
    assert_eq!(astray(&fleet, &drifted), [], "it takes in memory");
    fleet.apply(awake.into());

    let operation = Operation {
        id: "op-1".parse().unwrap(),
        verb: Verb::Restart { instances: vec![], reason: String::new(), concurrency: 1 },
        state: OperationState::Running,
        principal: Principal::Service("test".into()),
        approval: None,
        plan_hash: String::new(),
        stages: vec![StageHead {
            title: "all".into(),
            parallel: 1,
            fail_above_percent: 100,
            lanes: 1,
            passed_at: None,
        }],
        conversation: None,
        audit_seq: None,
        trace: None,
        created_at: Timestamp::UNIX_EPOCH,
        finished_at: None,
        error: None,
    };
    let account = fleet.gateways.keys().next().unwrap().clone();
    for target in [account.as_str(), standby.as_str()] {
        let id = LaneId { operation: operation.id.clone(), stage: 0, index: 0 };
        let lane = Lane { state: LaneState::Running, ..Lane::new(target, vec![]) };
        fleet.apply(LaneRecord { id, lane }.into());
        fleet.apply(operation.clone().into());
        assert_eq!(astray(&fleet, &drifted), [], "an operation holds {target}");
    }
}

#[test]
fn it_waits_for_a_difference_to_last_and_then_less_and_less_often() {
    let (fleet, standby) = pair();
    let look = |standing: Standing| astray(&fleet, &said(&fleet, Some((&standby, standing))));
    let mut watched = BTreeMap::new();
    let mut tried = Vec::new();
    for second in 0..20_000i64 {
        let now = Timestamp::from_second(second).unwrap();
        if !due(&mut watched, look(standing("v1", &json!({}))), now).is_empty() {
            tried.push(second);
        }
    }
    assert_eq!(tried, [15, 45, 105, 225, 465, 945, 1905, 3825, 7425, 11_025, 14_625, 18_225]);
    // What its node says now is another thing than before: it counts anew.
    let now = |second| Timestamp::from_second(second).unwrap();
    let malformed = || look(Standing { revision: "v1".into(), fingerprint: String::new() });
    assert!(due(&mut watched, malformed(), now(20_000)).is_empty());
    assert_eq!(due(&mut watched, malformed(), now(20_015)).len(), 1);
    due(&mut watched, Vec::new(), now(20_020));
    assert!(watched.is_empty(), "what was put right is not watched any more");
}
