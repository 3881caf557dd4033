//! Automation that a person stopped: nothing begins by itself, what runs waits at its next step, and a thaw makes up for it.

use crate::rig::{Rig, account, agent, calm, fresh, person, provision, with_pairs};
use crate::world::World;
use gf_model::{
    ambient::Clock,
    fleet::Fleet,
    gateway::Generation,
    instance::{Instance, InstanceState},
    operation::OperationState,
    person::Principal,
    schedule::Report,
    verb::Verb,
};
use gf_node_proto::FailureReason;
use gf_operations::{Mandate, StartError};
use gf_reconcile::{HeldBack, decide::Protect};
use gf_requests::{Act, Options, Outcome};
use gf_store::MemoryBackend;
use std::sync::Arc;

const DAY: u64 = 24 * 3600;

async fn freeze(rig: &Rig) {
    rig.requests.freeze(&person("ada"), "a drill").await.unwrap();
}

fn held(rig: &Rig) -> HeldBack {
    let now = rig.time.now();
    rig.read(|fleet| HeldBack::by(fleet.frozen().unwrap(), fleet, now))
}

fn restart(rig: &Rig) -> Verb {
    Verb::Restart { instances: vec![rig.standby(1).id], reason: "drill".into(), concurrency: 1 }
}

async fn lose_the_primary(rig: &Rig) {
    let old = rig.primary(1).id;
    rig.sim.break_start(&old, Some(FailureReason::StateUnreadable)).unwrap();
    rig.sim.kill(&old).unwrap();
    rig.until("it is given up", |fleet| fleet.instances[&old].state == InstanceState::Failed).await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_primary_waits_for_the_thaw_and_people_are_told_what_is_held_back() {
    let (_world, rig) = with_pairs(1).await;
    freeze(&rig).await;
    assert_eq!(held(&rig).acts, []);
    let standby = rig.standby(1).id;
    lose_the_primary(&rig).await;
    rig.pass(1800).await;
    assert!(rig.operations("failover").is_empty(), "{}", rig.picture());
    assert_eq!(rig.gateway(1).generation, Generation(1));
    let due = held(&rig).acts;
    assert!(matches!(&due[..], [Protect::Failover { account: lost, .. }] if *lost == account(1)), "{due:?}");
    assert!((1..=2).contains(&rig.said.count("HELD BACK")), "once an hour: {:?}", rig.said.texts());

    rig.requests.thaw(&person("ada")).await.unwrap().unwrap();
    rig.until("the pair was moved", |fleet| {
        fleet.primary_of(&account(1)).is_some_and(|primary| primary.id == standby && primary.channels_on)
    })
    .await;
    let rows = [rig.audit("automation.freeze").await, rig.audit("automation.thaw").await];
    assert!(rows.iter().all(|rows| rows.len() == 1), "{rows:?}");
}

fn begun(fleet: &Fleet) -> usize {
    fleet.lanes.values().flat_map(|lane| &lane.lane.steps).filter(|step| step.attempts > 0).count()
}

#[tokio::test(start_paused = true)]
async fn what_runs_waits_at_its_next_step_over_a_restart_and_goes_on_after_the_thaw() {
    let world = World::new(1);
    let disk = Arc::new(MemoryBackend::default());
    let rig = world.start(Arc::clone(&disk) as _, calm()).await;
    let operation = rig.confirmed(provision(1)).await;
    freeze(&rig).await;
    rig.pass(3600).await;
    assert!(rig.read(begun) <= 1, "{}", rig.picture());
    rig.engine.halt();
    rig.store.close().await;
    world.time.end();
    drop(rig);

    let rig = world.start(disk as _, calm()).await;
    rig.pass(3600).await;
    let freeze = rig.read(|fleet| fleet.frozen().cloned()).expect("it is frozen still");
    assert_eq!((&freeze.paused, freeze.reason.as_str()), (&vec![operation.id.clone()], "a drill"));
    assert!(rig.read(begun) <= 1, "{}", rig.picture());
    let (_, going_on) = rig.requests.thaw(&person("ada")).await.unwrap().unwrap();
    assert_eq!(going_on, std::slice::from_ref(&operation.id));
    assert_eq!(rig.ended(&operation).await.state, OperationState::Done, "{}", rig.picture());
    assert!(rig.requests.thaw(&person("ada")).await.unwrap().is_none(), "a second thaw finds nothing");
}

#[tokio::test(start_paused = true)]
async fn a_person_still_orders_and_nobody_else_begins_or_lets_go_on() {
    let (_world, rig) = with_pairs(1).await;
    for (who, status) in [(person("vic"), 403), (agent("commander"), 403)] {
        assert_eq!(rig.requests.freeze(&who, "why not").await.unwrap_err().status, status);
    }
    assert_eq!(rig.requests.freeze(&person("bob"), " ").await.unwrap_err().code, "bad_reason");
    let first = rig.requests.freeze(&person("bob"), "an alarm").await.unwrap();
    assert_eq!(rig.requests.freeze(&person("ada"), "another").await.unwrap(), first, "it stays as it is");

    let asked = rig.requests.request(&agent("commander"), restart(&rig), Options::default()).await.unwrap();
    let Outcome::AwaitingApproval(question) = asked else { panic!("an agent began it: {asked:?}") };
    assert!(question.question.contains("frozen"), "{}", question.question);
    let only_plan = Options { dry_run: true, ..Options::default() };
    let planned = rig.requests.request(&person("ada"), restart(&rig), only_plan).await.unwrap();
    let Outcome::Planned(plan) = planned else { panic!("it has no plan: {planned:?}") };
    let by_itself = Mandate {
        principal: Principal::Service("guardian".into()),
        approval: None,
        conversation: None,
        trace: None,
    };
    assert!(matches!(rig.engine.start(plan, by_itself).await, Err(StartError::Frozen)));

    let agreed = rig.requests.grant(&person("ada"), &question.code).await.unwrap().started().unwrap();
    assert_eq!(rig.ended(&agreed).await.state, OperationState::Done);
    let ordered = rig.confirmed(restart(&rig)).await;
    assert_eq!(rig.ended(&ordered).await.state, OperationState::Done, "{}", rig.picture());

    let paused = rig.confirmed(provision_second()).await;
    rig.requests.control(&agent("commander"), &paused.id, Act::Pause).await.unwrap();
    let refused = rig.requests.control(&agent("commander"), &paused.id, Act::Resume).await.unwrap_err();
    assert_eq!(refused.code, "frozen");
    rig.requests.control(&person("ada"), &paused.id, Act::Resume).await.unwrap();
    assert_eq!(rig.ended(&paused).await.state, OperationState::Done);
}

fn provision_second() -> Verb {
    let Verb::Provision { tier, regions, primary_provider, standby_provider, purpose, .. } = provision(1)
    else {
        unreachable!("it provisions")
    };
    Verb::Provision { accounts: vec![account(2)], tier, regions, primary_provider, standby_provider, purpose }
}

#[tokio::test(start_paused = true)]
async fn a_pair_in_the_middle_of_its_failover_is_not_left_without_an_answer() {
    let (_world, rig) = with_pairs(1).await;
    let (old, new) = (rig.primary(1).id, rig.standby(1).id);
    lose_the_primary(&rig).await;
    rig.until("the old primary is fenced", |fleet| fleet.instances[&old].state == InstanceState::Stopped)
        .await;
    freeze(&rig).await;
    let serves = |instance: &Instance| instance.id == new && instance.channels_on;
    rig.until("the new one serves", |fleet| fleet.primary_of(&account(1)).is_some_and(serves)).await;
    rig.pass(600).await;
    assert!(rig.operations("rebuild_standby").is_empty(), "what follows it waits: {}", rig.picture());
}

#[tokio::test(start_paused = true)]
async fn reports_that_were_held_back_are_made_up_by_one() {
    let (_world, rig) = fresh().await;
    let when = "daily 07:00".parse().unwrap();
    rig.requests.schedule(&person("ada"), Report::Briefing, when).await.unwrap();
    freeze(&rig).await;
    rig.pass(3 * DAY).await;
    assert_eq!((rig.said.count("This is the scheduled briefing."), held(&rig).schedules.len()), (0, 1));
    rig.requests.thaw(&person("ada")).await.unwrap();
    rig.pass(60).await;
    assert_eq!(rig.said.count("This is the scheduled briefing."), 1);
}
