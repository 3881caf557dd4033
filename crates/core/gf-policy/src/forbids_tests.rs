//! Each step at the moment before it acts, in a fleet that moved on since the plan.

use super::*;
use gf_model::{
    Cents, Tier, Timestamp,
    gateway::{Fencing, Generation},
    operation::{Lane, LaneId, LaneRecord, OperationState},
    person::Principal,
    verb::TeardownReason,
};

pub(crate) fn id<T: std::str::FromStr>(name: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    name.parse().unwrap()
}

fn instance(name: &str, role: Role, provider: &str) -> Instance {
    Instance {
        state: InstanceState::Active,
        monthly_cost: Cents(300),
        generation: Generation(1),
        channels_on: role == Role::Primary,
        ..Instance::new(
            id(name),
            id("0001"),
            role,
            Tier::Nano,
            provider.into(),
            "here".into(),
            Timestamp::UNIX_EPOCH,
        )
    }
}

pub(crate) fn fleet() -> Fleet {
    let mut fleet = Fleet::default();
    fleet.apply(
        Gateway {
            primary: Some(id("aa01")),
            standby: Some(id("bb01")),
            ..Gateway::new(id("0001"), Tier::Nano, Fencing::Strict, Timestamp::UNIX_EPOCH)
        }
        .into(),
    );
    fleet.apply(instance("aa01", Role::Primary, "local-a").into());
    fleet.apply(instance("bb01", Role::Standby, "local-b").into());
    fleet
}

fn change(fleet: &mut Fleet, name: &str, change: impl FnOnce(&mut Instance)) {
    change(fleet.instances.get_mut(&id(name)).unwrap());
}

fn operation(verb: Verb) -> Operation {
    Operation {
        id: id("0001"),
        verb,
        state: OperationState::Running,
        principal: Principal::Service("test".into()),
        approval: None,
        plan_hash: String::new(),
        stages: vec![],
        conversation: None,
        audit_seq: None,
        trace: None,
        created_at: Timestamp::UNIX_EPOCH,
        finished_at: None,
        error: None,
    }
}

fn teardown() -> Operation {
    operation(Verb::Teardown {
        accounts: vec![id("0001")],
        reason: TeardownReason::Idle,
        archive: true,
        standby_only: false,
    })
}

fn failover() -> Operation {
    operation(Verb::Failover { account: id("0001"), reason: "r".into(), outage: None })
}

/// Writes into the step log that the operation has done this step.
fn done(fleet: &mut Fleet, operation: &Operation, step: Step) {
    let mut lane = Lane::new("acct-0001", vec![step]);
    lane.steps[0].state = StepState::Done;
    fleet.apply(
        LaneRecord { id: LaneId { operation: operation.id.clone(), stage: 0, index: 0 }, lane }.into(),
    );
}

fn delete(name: &str) -> Step {
    Step::DeleteInstance { instance: id(name) }
}

#[test]
fn without_an_audit_row_nothing_moves() {
    let step = Step::Restart { instance: id("aa01") };
    assert_eq!(forbids(&fleet(), &step, &failover(), false), Some(Forbidden::NoAuditRow));
    assert_eq!(forbids(&fleet(), &step, &failover(), true), None);
}

#[test]
fn an_active_primary_alone_is_deleted_only_after_its_archive() {
    let mut fleet = fleet();
    change(&mut fleet, "bb01", |standby| standby.state = InstanceState::Deleted);
    let unprotected = Some(Forbidden::UnprotectedPrimary { instance: id("aa01") });
    assert_eq!(forbids(&fleet, &delete("aa01"), &teardown(), true), unprotected);
    done(&mut fleet, &teardown(), Step::TakeArchive { account: id("0001"), archive: id("1") });
    assert_eq!(forbids(&fleet, &delete("aa01"), &teardown(), true), None);
}

#[test]
fn nobody_elses_instance_is_deleted() {
    let mut fleet = fleet();
    change(&mut fleet, "bb01", |standby| standby.account = id("0002"));
    let not_covered = Some(Forbidden::NotCovered { instance: id("bb01"), owner: id("0002") });
    assert_eq!(forbids(&fleet, &delete("bb01"), &teardown(), true), not_covered);
}

#[test]
fn nobody_is_promoted_before_the_old_primary_is_fenced() {
    let mut fleet = fleet();
    let promote = Step::Promote { account: id("0001"), instance: id("bb01") };
    assert_eq!(
        forbids(&fleet, &promote, &failover(), true),
        Some(Forbidden::NotFenced { instance: id("aa01") })
    );
    done(&mut fleet, &failover(), Step::Fence { instance: id("aa01") });
    assert_eq!(forbids(&fleet, &promote, &failover(), true), None);
}

#[test]
fn the_right_to_act_stays_where_it_is_when_the_standby_died_meanwhile() {
    let mut fleet = fleet();
    let raise = Step::RaiseGeneration { account: id("0001"), expected: Generation(1) };
    assert_eq!(forbids(&fleet, &raise, &failover(), true), None);
    change(&mut fleet, "bb01", |standby| standby.state = InstanceState::Failed);
    let refused = Some(Forbidden::StandbyNotActive { account: id("0001") });
    assert_eq!(forbids(&fleet, &raise, &failover(), true), refused);
    // Once it was raised, repeating the step after a crash changes nothing and must not be stopped.
    fleet.gateways.get_mut(&id("0001")).unwrap().generation = Generation(2);
    assert_eq!(forbids(&fleet, &raise, &failover(), true), None);
}

#[test]
fn two_never_have_the_channels() {
    let mut fleet = fleet();
    let connect = |name: &str| Step::ConnectChannels { account: id("0001"), instance: id(name) };
    assert!(matches!(
        forbids(&fleet, &connect("bb01"), &failover(), true),
        Some(Forbidden::NotPrimary { .. })
    ));
    change(&mut fleet, "bb01", |standby| standby.channels_on = true);
    assert!(matches!(
        forbids(&fleet, &connect("aa01"), &failover(), true),
        Some(Forbidden::StillConnected { .. })
    ));
    change(&mut fleet, "bb01", |standby| standby.state = InstanceState::Stopped);
    assert_eq!(forbids(&fleet, &connect("aa01"), &failover(), true), None);
}

#[test]
fn a_pair_is_never_at_one_provider_and_never_has_two_primaries_or_standbys() {
    let create = |role, provider: &str| Step::CreateInstance {
        instance: id("cc01"),
        account: id("0001"),
        role,
        tier: Tier::Nano,
        provider: provider.into(),
        region: "here".into(),
        memory: None,
    };
    let rebuild = operation(Verb::RebuildStandby { account: id("0001") });
    let check = |step: &Step| forbids(&fleet(), step, &rebuild, true);
    assert!(matches!(check(&create(Role::Standby, "local-a")), Some(Forbidden::SameProvider { .. })));
    assert!(matches!(check(&create(Role::Standby, "local-b")), Some(Forbidden::SecondStandby { .. })));
    let mut replaced = fleet();
    change(&mut replaced, "bb01", |standby| standby.state = InstanceState::Deleted);
    assert_eq!(forbids(&replaced, &create(Role::Standby, "local-b"), &rebuild, true), None);
    assert!(matches!(check(&create(Role::Primary, "local-c")), Some(Forbidden::SecondPrimary { .. })));
}
