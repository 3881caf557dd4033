//! The heal tree, branch by branch.

use super::*;
use gf_model::{
    Cents, Tier,
    gateway::{Fencing, Generation},
    health::{Health, Observation},
    instance::Role,
    node::Node,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn instance(id: &str, role: Role, state: InstanceState) -> Instance {
    Instance {
        state,
        monthly_cost: Cents(600),
        place: Some("p".into()),
        node: Some("node-local-a".parse().unwrap()),
        generation: Generation(1),
        last_boot_ms: Some(10_000),
        ..Instance::new(
            id.parse().unwrap(),
            "acct-0001".parse().unwrap(),
            role,
            Tier::Standard,
            "local-a".into(),
            "here".into(),
            at(0),
        )
    }
}

pub(crate) fn pair(primary: InstanceState, standby: Option<InstanceState>) -> Fleet {
    let mut fleet = Fleet::default();
    fleet.apply(instance("i-0001", Role::Primary, primary).into());
    if let Some(state) = standby {
        fleet.apply(instance("i-0002", Role::Standby, state).into());
    }
    fleet.apply(
        Gateway {
            primary: Some("i-0001".parse().unwrap()),
            standby: standby.map(|_| "i-0002".parse().unwrap()),
            ..Gateway::new("acct-0001".parse().unwrap(), Tier::Standard, Fencing::Strict, at(0))
        }
        .into(),
    );
    fleet
}

pub(crate) fn change(fleet: &mut Fleet, id: &str, change: impl FnOnce(&mut Instance)) {
    let mut instance = fleet.instances[&id.parse().unwrap()].clone();
    change(&mut instance);
    fleet.apply(instance.into());
}

use InstanceState::{Active, Bootstrapping, Degraded, Failed, Parked, Stopped};

#[test]
fn a_failed_primary_moves_to_its_standby_only_if_that_is_active() {
    let moved = due(&pair(Failed, Some(Active)), at(1));
    assert!(matches!(&moved[..], [Protect::Failover { .. }]), "{moved:?}");
    for standby in [None, Some(Failed), Some(Stopped)] {
        let called = due(&pair(Failed, standby), at(1));
        assert!(matches!(&called[..], [Protect::Critical { .. }]), "{standby:?}: {called:?}");
    }
}

#[test]
fn a_standby_that_is_starting_is_waited_for_before_a_person_is_called() {
    for (standby, patience) in [(Bootstrapping, 420), (Degraded, 90)] {
        let fleet = pair(Failed, Some(standby));
        assert_eq!(due(&fleet, at(patience - 1)), vec![], "{standby}");
        let called = due(&fleet, at(patience));
        assert!(matches!(&called[..], [Protect::Critical { .. }]), "{standby}: {called:?}");
    }
}

#[test]
fn a_start_that_nobody_waits_for_any_more_is_a_loss() {
    assert_eq!(due(&pair(Bootstrapping, Some(Active)), at(419)), vec![]);
    assert!(matches!(&due(&pair(Bootstrapping, Some(Active)), at(420))[..], [Protect::Failover { .. }]));
    assert!(matches!(
        &due(&pair(Active, Some(Bootstrapping)), at(420))[..],
        [Protect::RebuildStandby { .. }]
    ));
}

#[test]
fn a_standby_whose_deletion_failed_is_rebuilt() {
    let due = due(&pair(Active, Some(InstanceState::TearingDown)), at(1));
    assert!(matches!(&due[..], [Protect::RebuildStandby { .. }]), "{due:?}");
}

#[test]
fn a_restart_by_the_node_is_waited_for_as_long_as_the_heal_tree_says() {
    let mut fleet = pair(Degraded, Some(Active));
    change(&mut fleet, "i-0001", |instance| instance.restarts = vec![at(0)]);
    assert_eq!(due(&fleet, at(89)), vec![]);
    assert!(matches!(&due(&fleet, at(90))[..], [Protect::Failover { .. }]));
    // Three times a slow boot is longer than 90 s.
    change(&mut fleet, "i-0001", |instance| instance.last_boot_ms = Some(40_000));
    assert_eq!(due(&fleet, at(119)), vec![]);
    assert!(matches!(&due(&fleet, at(120))[..], [Protect::Failover { .. }]));
}

#[test]
fn one_that_hangs_is_restarted_after_a_second_look() {
    let mut fleet = pair(Degraded, Some(Active));
    change(&mut fleet, "i-0001", |instance| {
        instance.health = Some(Health::of(Observation::default(), at(0)));
    });
    assert_eq!(due(&fleet, at(14)), vec![]);
    assert!(matches!(&due(&fleet, at(15))[..], [Protect::Restart { .. }]));
}

#[test]
fn a_fourth_restart_in_ten_minutes_escalates() {
    let mut fleet = pair(Degraded, Some(Active));
    change(&mut fleet, "i-0001", |instance| instance.restarts = vec![at(0), at(1), at(2)]);
    assert_eq!(due(&fleet, at(3)), vec![]);
    change(&mut fleet, "i-0001", |instance| instance.restarts.push(at(3)));
    assert!(matches!(&due(&fleet, at(4))[..], [Protect::Failover { .. }]));
}

#[test]
fn a_standby_is_replaced_only_while_its_primary_serves() {
    assert!(matches!(&due(&pair(Active, Some(Stopped)), at(1))[..], [Protect::RebuildStandby { .. }]));
    assert!(matches!(&due(&pair(Active, None), at(1))[..], [Protect::RebuildStandby { .. }]));
    assert_eq!(due(&pair(Bootstrapping, Some(Stopped)), at(1)), vec![]);
}

#[test]
fn sleepers_and_whole_pairs_are_left_alone() {
    assert_eq!(due(&pair(Parked, Some(Active)), at(1_000)), vec![]);
    assert_eq!(due(&pair(Active, Some(Active)), at(1_000)), vec![]);
}

#[test]
fn three_minutes_of_silence_are_a_loss_and_less_are_not() {
    let mut fleet = pair(Active, Some(Active));
    change(&mut fleet, "i-0002", |instance| instance.node = None);
    let node = |connected| Node {
        id: "node-local-a".parse().unwrap(),
        provider: "local-a".into(),
        region: "here".into(),
        public_key: String::new(),
        enrol_token_sha256: None,
        enrolled_at: None,
        connected,
        last_change: at(0),
        software: None,
    };
    fleet.apply(node(false).into());
    assert_eq!(due(&fleet, at(179)), vec![]);
    assert!(matches!(&due(&fleet, at(180))[..], [Protect::Failover { .. }]));
    fleet.apply(node(true).into());
    assert_eq!(due(&fleet, at(1_000)), vec![]);
}

/// The `nth` repair of a standby, which ended then.
fn rebuild(nth: u64, ended: i64, state: OperationState) -> Operation {
    Operation {
        id: format!("op-{nth}").parse().unwrap(),
        verb: Verb::RebuildStandby { account: "acct-0001".parse().unwrap() },
        state,
        principal: gf_model::person::Principal::Service("guardian".into()),
        approval: None,
        plan_hash: String::new(),
        stages: vec![],
        conversation: None,
        audit_seq: Some(nth),
        trace: None,
        created_at: at(0),
        finished_at: Some(at(ended)),
        error: None,
    }
}

#[test]
fn a_repair_that_failed_is_not_tried_again_at_once() {
    let mut fleet = pair(Active, Some(Stopped));
    fleet.apply(rebuild(1, 100, OperationState::Failed).into());
    assert_eq!(due(&fleet, at(129)), vec![]);
    assert_eq!(due(&fleet, at(130)).len(), 1);
    fleet.apply(rebuild(2, 200, OperationState::Failed).into());
    assert_eq!(due(&fleet, at(259)), vec![]);
    assert_eq!(due(&fleet, at(260)).len(), 1);
    // One that went well starts the count anew.
    fleet.apply(rebuild(3, 300, OperationState::Done).into());
    assert_eq!(due(&fleet, at(301)).len(), 1);
}

#[test]
fn a_clock_that_was_ahead_neither_hides_failures_nor_holds_repairs_back() {
    let mut fleet = pair(Active, Some(Stopped));
    // Done under a clock that was an hour ahead, and set right since.
    fleet.apply(rebuild(1, 3_700, OperationState::Done).into());
    fleet.apply(rebuild(2, 110, OperationState::Failed).into());
    fleet.apply(rebuild(3, 150, OperationState::Failed).into());
    assert_eq!(due(&fleet, at(209)), vec![]);
    assert_eq!(due(&fleet, at(210)).len(), 1);
    // One that failed under such a clock is not waited for until that hour is over, and counts.
    fleet.apply(rebuild(4, 3_800, OperationState::Failed).into());
    assert_eq!(due(&fleet, at(211)).len(), 1);
    fleet.apply(rebuild(5, 220, OperationState::Failed).into());
    assert_eq!(due(&fleet, at(220 + 239)), vec![]);
    assert_eq!(due(&fleet, at(220 + 240)).len(), 1);
}
