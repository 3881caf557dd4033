//! Every verb's plan, as agreed on in `tests/golden`.

#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod support;

use gf_model::{
    AccountId, InstanceId, RevisionId, Tier, Timestamp,
    fleet::Fleet,
    instance::InstanceState,
    operation::{LaneId, LaneRecord, Operation, OperationState, StepState},
    person::Principal,
    plan::Plan,
    provider::Pool,
    upkeep::{Pin, Upkeep},
    verb::{Pace, SilenceScope, Strategy, TeardownReason, Verb},
};
use gf_planner::{PlanError, lint};
use support::{Counter, add_snapshot, archive, golden, id, local, now, render, set};

fn plan(fleet: &Fleet, verb: &Verb) -> Result<Plan, PlanError> {
    gf_planner::plan(fleet, verb, &mut Counter(0xc000), now())
}

/// Plans it, finds nothing to object to, and compares.
fn agreed(name: &str, fleet: &Fleet, verb: &Verb) -> Plan {
    let plan = plan(fleet, verb).unwrap();
    let forbidden: Vec<_> = lint(fleet, &plan).into_iter().filter(|objection| objection.forbids).collect();
    assert_eq!(forbidden, []);
    golden(name, &render(&plan));
    plan
}

fn provision(accounts: &[&str]) -> Verb {
    Verb::Provision {
        accounts: accounts.iter().map(|name| id(name)).collect(),
        tier: Tier::Standard,
        regions: vec![],
        primary_provider: None,
        standby_provider: None,
        purpose: Some("COMPANION beta users".into()),
    }
}

fn teardown(accounts: &[&str], archive: bool, standby_only: bool) -> Verb {
    let accounts = accounts.iter().map(|name| id(name)).collect();
    Verb::Teardown { accounts, reason: TeardownReason::OperatorRequest, archive, standby_only }
}

fn push(accounts: usize, strategy: Strategy, batch_size: u32) -> Verb {
    let accounts = (1..=accounts).map(|n| id(&format!("{n:04}"))).collect();
    Verb::ConfigPush { accounts, revision: RevisionId(47), strategy, batch_size, pace: Default::default() }
}

#[test]
fn two_new_pairs() {
    agreed("provision", &local(0), &provision(&["0001", "0002"]));
}

#[test]
fn the_end_of_a_pair() {
    agreed("teardown", &local(2), &teardown(&["0002"], true, false));
    agreed("teardown_standby", &local(2), &teardown(&["0002"], true, true));
}

#[test]
fn back_from_an_archive() {
    let mut fleet = local(2);
    archive(&mut fleet, "0002", "2026-12-21T09:00:00Z".parse().unwrap());
    let verb = Verb::Restore { account: id("0002"), archive: None, snapshot: None, reason: "r".into() };
    agreed("restore", &fleet, &verb);
    assert_eq!(plan(&fleet, &provision(&["0002"])), Err(PlanError::HasArchive(id("0002"))));
    assert!(matches!(plan(&fleet, &teardown(&["0002"], true, false)), Err(PlanError::NothingToDo { .. })));

    let mut stale = local(2);
    archive(&mut stale, "0002", now());
    assert!(matches!(plan(&stale, &verb), Err(PlanError::NoLongerKept { .. })));
    assert_eq!(plan(&local(2), &verb), Err(PlanError::AlreadyServed(id("0002"))));
}

#[test]
fn moved_to_the_standby() {
    let mut fleet = local(1);
    add_snapshot(&mut fleet, "0001");
    set(&mut fleet, "aa01", InstanceState::Failed);
    let verb = Verb::Failover { account: id("0001"), reason: "it failed".into(), outage: None };
    agreed("failover", &fleet, &verb);
    set(&mut fleet, "bb01", InstanceState::Degraded);
    let refused = PlanError::StandbyNotActive { account: id("0001"), state: Some(InstanceState::Degraded) };
    assert_eq!(plan(&fleet, &verb), Err(refused));
}

#[test]
fn a_standby_in_the_place_of_a_lost_one() {
    let mut fleet = local(1);
    add_snapshot(&mut fleet, "0001");
    let verb = Verb::RebuildStandby { account: id("0001") };
    assert!(matches!(plan(&fleet, &verb), Err(PlanError::HasStandby { .. })));
    set(&mut fleet, "bb01", InstanceState::Stopped);
    agreed("rebuild_standby", &fleet, &verb);
}

#[test]
fn another_tier() {
    let verb = |tier| Verb::Resize { accounts: vec![id("0001")], tier };
    agreed("resize", &local(1), &verb(Tier::Nano));
    assert!(matches!(plan(&local(1), &verb(Tier::Standard)), Err(PlanError::NothingToDo { .. })));
}

#[test]
fn restarted_standbys_first() {
    let instances = vec![id("aa01"), id("bb01"), id("aa02")];
    agreed("restart", &local(2), &Verb::Restart { instances, reason: "r".into(), concurrency: 20 });
}

#[test]
fn pinned_and_outside_their_window_gateways_are_left_out_and_the_reason_is_named() {
    let mut fleet = local(3);
    let held = |fleet: &mut Fleet, account: &str, upkeep: Upkeep| {
        fleet.gateways.get_mut(&id::<AccountId>(account)).unwrap().upkeep = upkeep;
    };
    let by = Principal::Person(id("ada"));
    let pin = Pin { revision: Some(id("v46")), reason: "their launch".into(), by, at: now() };
    held(&mut fleet, "0001", Upkeep { pin: Some(pin), window: None });
    // It is Saturday, nine in the morning.
    let at_night = Upkeep { pin: None, window: Some("02:00-04:00".parse().unwrap()) };
    held(&mut fleet, "0002", at_night.clone());
    let left_out = |plan: &Plan| plan.warnings.iter().filter(|text| text.contains("is left out")).count();

    let push = |accounts: &[&str]| Verb::ConfigPush {
        accounts: accounts.iter().map(|account| id(account)).collect(),
        revision: id("v47"),
        strategy: Strategy::Rolling,
        batch_size: 50,
        pace: Pace::default(),
    };
    let planned = plan(&fleet, &push(&["0001", "0002", "0003"])).unwrap();
    assert_eq!((planned.accounts.clone(), left_out(&planned)), (vec![id("0003")], 2));
    for part in ["acct-0001 is left out: it is pinned to v46: their launch", "02:00-04:00 UTC"] {
        assert!(planned.warnings.iter().any(|text| text.contains(part)), "{part}: {:?}", planned.warnings);
    }
    let nothing = plan(&fleet, &push(&["0001"])).unwrap_err();
    assert!(nothing.to_string().contains("pinned to v46"), "{nothing}");

    let all: Vec<InstanceId> = fleet.instances.keys().cloned().collect();
    let restart = Verb::Restart { instances: all, reason: "r".into(), concurrency: 20 };
    let planned = plan(&fleet, &restart).unwrap();
    assert_eq!((planned.accounts.len(), left_out(&planned)), (2, 2), "a pin does not keep from a restart");
    set(&mut fleet, "aa02", InstanceState::Degraded);
    let planned = plan(&fleet, &restart).unwrap();
    assert!(planned.instances.contains(&id("aa02")), "what is not well is healed at any hour");
    held(&mut fleet, "0002", Upkeep { pin: None, window: Some("sat 08:00-10:00".parse().unwrap()) });
    assert_eq!(left_out(&plan(&fleet, &restart).unwrap()), 0);
}

/// What a person is asked for, counted by rules and started is what can be restarted.
#[test]
fn a_restart_is_not_of_what_is_being_torn_down() {
    let mut fleet = local(3);
    set(&mut fleet, "aa01", InstanceState::TearingDown);
    set(&mut fleet, "bb02", InstanceState::Creating);
    let all = fleet.instances.keys().cloned().collect();
    let verb = Verb::Restart { instances: all, reason: "r".into(), concurrency: 20 };
    let instances = |plan: &Plan| {
        let Verb::Restart { instances, .. } = &plan.verb else { panic!("{:?}", plan.verb) };
        assert_eq!(instances, &plan.instances, "the request is of what is planned");
        plan.instances.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let planned = agreed("restart_but_what_is_going", &fleet, &verb);
    assert_eq!(instances(&planned), "i-aa02 i-aa03 i-bb01 i-bb03");

    // One that is archived first is ACTIVE still, and gone before it would be back.
    let teardown = |standby_only| Operation {
        id: id("91c3"),
        verb: Verb::Teardown {
            accounts: vec![id("0003")],
            reason: TeardownReason::Idle,
            archive: true,
            standby_only,
        },
        state: OperationState::Running,
        principal: Principal::Agent("commander".into()),
        approval: None,
        plan_hash: String::new(),
        stages: vec![],
        conversation: None,
        audit_seq: None,
        trace: None,
        created_at: now(),
        finished_at: None,
        error: None,
    };
    fleet.apply(teardown(false).into());
    assert_eq!(instances(&plan(&fleet, &verb).unwrap()), "i-aa02 i-bb01");
    fleet.apply(teardown(true).into());
    assert_eq!(instances(&plan(&fleet, &verb).unwrap()), "i-aa02 i-aa03 i-bb01");
    fleet.apply(Operation { state: OperationState::Cancelled, ..teardown(false) }.into());
    assert_eq!(instances(&plan(&fleet, &verb).unwrap()), "i-aa02 i-aa03 i-bb01 i-bb03");

    for name in ["aa01", "bb01"] {
        set(&mut fleet, name, InstanceState::TearingDown);
    }
    let only = Verb::Restart { instances: vec![id("bb01")], reason: "r".into(), concurrency: 1 };
    assert!(matches!(plan(&fleet, &only), Err(PlanError::NothingMatches { .. })));
}

#[test]
fn a_revision_for_everyone_and_the_way_back() {
    let mut fleet = local(3);
    set(&mut fleet, "bb02", InstanceState::Stopped);
    set(&mut fleet, "aa03", InstanceState::Failed);
    let verb = push(3, Strategy::Rolling, 1);
    let pushed = agreed("config_push", &fleet, &verb);

    // Of the first gateway both instances took it, of the second one failed to.
    let operation = Operation {
        id: id("91c2"),
        verb,
        state: OperationState::Partial,
        principal: Principal::Agent("commander".into()),
        approval: None,
        plan_hash: pushed.hash(),
        stages: pushed.stages.iter().map(|stage| stage.head()).collect(),
        conversation: None,
        audit_seq: None,
        trace: None,
        created_at: now(),
        finished_at: None,
        error: None,
    };
    for (stage, planned) in pushed.stages.iter().enumerate() {
        let mut lane = planned.lanes[0].clone();
        let outcome = if stage == 0 { StepState::Done } else { StepState::Failed };
        lane.steps.iter_mut().for_each(|record| record.state = outcome);
        let lane_id = LaneId { operation: operation.id.clone(), stage: stage as u32, index: 0 };
        fleet.apply(LaneRecord { id: lane_id, lane }.into());
    }
    fleet.apply(operation.into());
    agreed("rollback", &fleet, &Verb::Rollback { rollout: id("91c2"), accounts: vec![] });
    let second = Verb::Rollback { rollout: id("91c2"), accounts: vec![id("0002")] };
    assert!(matches!(plan(&fleet, &second), Err(PlanError::NothingToDo { .. })));
}

#[test]
fn a_provider_that_gets_nothing_new() {
    let verb = |pool| Verb::ProviderPolicy { provider: "local-a".into(), pool, reason: "r".into() };
    agreed("provider_policy", &local(0), &verb(Pool::Paused));
    assert!(matches!(plan(&local(0), &verb(Pool::Primary)), Err(PlanError::NothingToDo { .. })));
}

#[test]
fn quiet_for_a_while() {
    let verb =
        |minutes| Verb::Silence { scope: SilenceScope::Region("here".into()), minutes, reason: "r".into() };
    agreed("silence", &local(1), &verb(30));
    assert!(matches!(plan(&local(1), &verb(0)), Err(PlanError::OutOfRange { field: "minutes", .. })));
}

#[test]
fn without_an_archive_a_served_pair_is_not_torn_down() {
    let fleet = local(1);
    let plan = plan(&fleet, &teardown(&["0001"], false, false)).unwrap();
    assert!(
        lint(&fleet, &plan)
            .iter()
            .any(|objection| objection.forbids && objection.text.contains("ACTIVE primary"))
    );
}

#[test]
fn eight_hundred_and_forty_seven_in_batches_of_fifty_are_seventeen() {
    let fleet = gf_planner::fixture::fleet(now());
    let plan = plan(&fleet, &push(847, Strategy::Rolling, 50)).unwrap();
    let sizes: Vec<_> = plan.stages.iter().map(|stage| stage.lanes.len()).collect();
    assert_eq!((sizes.len(), sizes[0], sizes[16]), (17, 50, 47));
    assert_eq!(plan.instances.len(), 1_694);
    assert!(plan.stages.iter().all(|stage| stage.fail_above_percent == 10));
    assert_eq!(plan.stages[16].title, "batch 17 of 17");
}

#[test]
fn a_canary_grows_to_the_rest_and_stops_at_a_tenth_however_small_its_batch() {
    let fleet = gf_planner::fixture::fleet(now());
    let canary = |batch_size: u32, sizes: Vec<u32>| {
        let Verb::ConfigPush { accounts, revision, strategy, .. } = push(847, Strategy::Rolling, 50) else {
            unreachable!()
        };
        Verb::ConfigPush { accounts, revision, strategy, batch_size, pace: Pace::gated(sizes) }
    };
    let sizes = |verb: &Verb| {
        let plan = plan(&fleet, verb).unwrap();
        assert!(plan.stages.iter().all(|stage| stage.fail_above_percent == 10));
        plan.stages.iter().map(|stage| stage.lanes.len()).collect::<Vec<_>>()
    };
    assert_eq!(sizes(&canary(0, vec![1, 10, 100, 1000])), [1, 10, 100, 736]);
    assert_eq!(sizes(&canary(400, vec![1, 10])), [1, 10, 400, 400, 36]);
    let refused = plan(&fleet, &canary(0, vec![1, 0])).unwrap_err();
    let plan = plan(&fleet, &canary(0, vec![1, 10])).unwrap();
    assert!(plan.lines[0].contains("as a canary, in batches of 1, 10, 836"), "{:?}", plan.lines);
    assert_eq!(refused.at().unwrap().0, "canarySizes");
}

#[test]
fn one_bad_target_never_stops_a_batch_and_more_than_a_tenth_does() {
    let stops_at = |gateways: usize| {
        let fleet = local(gateways as u32);
        let plan = plan(&fleet, &push(gateways, Strategy::Rolling, 50)).unwrap();
        let limit = gateways * usize::from(plan.stages[0].fail_above_percent);
        (1..).find(|failed| failed * 100 > limit).unwrap()
    };
    assert_eq!([2, 3, 7, 9, 10, 19, 20, 50].map(stops_at), [2, 2, 2, 2, 2, 2, 3, 6]);
}

#[test]
fn bad_requests_say_what_would_be_right() {
    let fleet = local(12);
    let at = |verb: &Verb| {
        let error = plan(&fleet, verb).unwrap_err();
        (error.code(), error.status(), error.at().unwrap_or_default(), error.fix().unwrap_or_default())
    };
    let (code, status, at_fault, fix) = at(&teardown(&["0021"], true, false));
    assert_eq!((code, status, at_fault.1.as_str()), ("unknown_account", 404, "acct-0021"));
    assert!(fix.contains("acct-0001"), "{fix}");

    let many: Vec<String> = (1..=501).map(|n| format!("{n:05}")).collect();
    let many = provision(&many.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(at(&many).3, "give a count from 1 to 500");
    assert_eq!(at(&provision(&[])).0, "out_of_range");
    assert_eq!(at(&provision(&["0001"])).0, "already_served");

    let mut same = provision(&["0099"]);
    if let Verb::Provision { primary_provider, standby_provider, .. } = &mut same {
        *primary_provider = Some("local-a".into());
        *standby_provider = Some("local-a".into());
    }
    assert_eq!((at(&same).0, at(&same).1), ("same_provider", 400));

    let mut elsewhere = provision(&["0099"]);
    if let Verb::Provision { primary_provider, .. } = &mut elsewhere {
        *primary_provider = Some("hetzner".into());
    }
    assert_eq!(at(&elsewhere).3, "use one of local-a, local-b");

    let mut mars = provision(&["0099"]);
    if let Verb::Provision { regions, .. } = &mut mars {
        *regions = vec!["mars".into()];
    }
    assert_eq!((at(&mars).0, at(&mars).3.as_str()), ("unknown_region", "use one of here"));
    let restart = Verb::Restart { instances: vec![id("ffff")], reason: "r".into(), concurrency: 1 };
    assert_eq!(at(&restart).0, "unknown_instance");
    let rollback = Verb::Rollback { rollout: id("dead"), accounts: vec![] };
    assert_eq!(at(&rollback).0, "unknown_operation");
}

#[test]
fn a_paused_provider_is_not_chosen_and_not_taken_by_name() {
    let mut fleet = local(0);
    fleet.providers.get_mut(&"local-a".into()).unwrap().pool = Pool::Standby;
    let found = plan(&fleet, &provision(&["0001"])).unwrap();
    assert_eq!(found.lines, ["acct-0001: primary local-b/here, standby local-a/here, standard $12 a month"]);
    let mut by_name = provision(&["0001"]);
    if let Verb::Provision { primary_provider, .. } = &mut by_name {
        *primary_provider = Some("local-a".into());
    }
    assert!(matches!(plan(&fleet, &by_name), Err(PlanError::PoolForbids { .. })));
    fleet.providers.get_mut(&"local-a".into()).unwrap().pool = Pool::Paused;
    assert!(matches!(plan(&fleet, &provision(&["0001"])), Err(PlanError::NoPlace { role: "standby", .. })));
}

#[test]
fn the_same_request_is_the_same_plan() {
    let twice = [(); 2].map(|()| plan(&local(1), &provision(&["0007"])).unwrap());
    assert_eq!(twice[0].hash(), twice[1].hash());
    assert_ne!(Timestamp::UNIX_EPOCH, now());
}
