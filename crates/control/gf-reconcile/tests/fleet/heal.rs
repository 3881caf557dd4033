//! What the control plane does by itself when something dies, and what it tells.

use crate::rig::{Rig, account, person, with_pairs, with_pairs_at};
use gf_driver_sim::CallFault;
use gf_model::{
    gateway::Generation,
    incident::IncidentState,
    instance::{InstanceState, Role},
    notice::Severity,
    operation::{OperationState, Step, StepState},
    person::Principal,
    verb::Verb,
};
use gf_node_proto::FailureReason;
use gf_reconcile::Cadence;
use gf_requests::Outcome;
use std::time::Duration;

/// Waits until the pair is whole and nothing is under way.
async fn whole(rig: &Rig, number: u32) {
    let account = account(number);
    rig.until("the pair is whole", |fleet| {
        let active = |i: Option<&gf_model::instance::Instance>| i.is_some_and(|i| i.is_active());
        active(fleet.primary_of(&account))
            && active(fleet.standby_of(&account))
            && fleet.operations.values().all(|operation| operation.finished_at.is_some())
            && fleet.incidents.values().all(|incident| incident.state == IncidentState::Resolved)
    })
    .await;
    rig.delivered().await;
}

/// How many times each instance was made at the providers: never more than once.
fn nothing_twice(rig: &Rig) {
    let all: Vec<_> = rig.read(|fleet| fleet.instances.values().cloned().collect());
    for instance in all {
        let expected = usize::from(instance.state.exists());
        assert_eq!(rig.sim.count(&instance.id), expected, "{} {}", instance.id, instance.state);
    }
}

#[tokio::test(start_paused = true)]
async fn a_killed_openclaw_is_restarted_by_its_node_and_told_as_healed_once() {
    let (_world, rig) = with_pairs(1).await;
    let primary = rig.primary(1).id;
    rig.sim.kill(&primary).unwrap();
    rig.until("it is down", |fleet| fleet.instances[&primary].state == InstanceState::Degraded).await;
    whole(&rig, 1).await;
    rig.pass(600).await;
    assert_eq!(rig.said.count("HEALED"), 1, "{:?}", rig.said.texts());
    assert_eq!(rig.said.texts().len(), 1);
    assert_eq!(rig.primary(1).id, primary);
    assert_eq!(rig.instance(&primary).restarts.len(), 1);
    assert!(rig.operations("failover").is_empty() && rig.operations("restart").is_empty());
    let down = rig.gateway(1).down_seconds_month;
    assert!((8..=20).contains(&down), "one boot and no more was counted: {down}");
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_its_node_gave_up_on_is_moved_at_once_and_its_standby_is_replaced() {
    let (_world, rig) =
        with_pairs_at(1, Cadence { snapshot: Duration::from_secs(60), ..Cadence::default() }).await;
    let (old, new) = (rig.primary(1).id, rig.standby(1).id);
    for _ in 0..3 {
        rig.sim.chat(&old).unwrap();
    }
    rig.until("the standby remembers it", |fleet| {
        let newest = fleet.newest_snapshot(&account(1)).map(|newest| newest.id.clone());
        newest.is_some() && fleet.instances[&new].remembers == newest && fleet.instances[&new].is_active()
    })
    .await;
    let remembered = rig.sim.memory(&old).unwrap();
    let endpoint = rig.gateway(1).endpoint;

    rig.sim.break_start(&old, Some(FailureReason::StateUnreadable)).unwrap();
    rig.sim.kill(&old).unwrap();
    rig.until("it is given up", |fleet| fleet.instances[&old].state == InstanceState::Failed).await;
    let failed_at = rig.instance(&old).state_since;
    rig.until("it is being moved", |fleet| fleet.operations.values().any(|op| op.verb.name() == "failover"))
        .await;
    let failover = rig.operations("failover").remove(0);
    assert_eq!(failover.created_at, failed_at, "at once, not when a timer comes by");
    assert_eq!(failover.principal, Principal::Service("guardian".into()));
    whole(&rig, 1).await;

    let gateway = rig.gateway(1);
    assert_eq!(gateway.generation, Generation(2));
    assert_eq!(gateway.primary.as_ref(), Some(&new));
    assert!(gateway.endpoint.is_some() && gateway.endpoint != endpoint);
    assert_eq!(rig.sim.memory(&new).unwrap(), remembered);
    let moved = gateway.last_failover.unwrap();
    assert_eq!((&moved.from, &moved.to), (&old, &new));
    assert!(moved.rpo_seconds.is_some_and(|seconds| seconds <= 120), "{moved:?}");
    // Fenced before promoted, by the step log's own times.
    let times = rig.read(|fleet| {
        let steps: Vec<_> = fleet.lanes_of(&failover.id).flat_map(|lane| lane.lane.steps.clone()).collect();
        let of = |wanted: fn(&Step) -> bool| {
            steps.iter().position(|step| wanted(&step.step) && step.state == StepState::Done)
        };
        (
            of(|s| matches!(s, Step::RaiseGeneration { .. })),
            of(|s| matches!(s, Step::Fence { .. })),
            of(|s| matches!(s, Step::Promote { .. })),
        )
    });
    assert_eq!(times, (Some(0), Some(1), Some(3)));
    let audited: Vec<_> = ["step.raise_generation", "step.fence", "step.promote"].into_iter().collect();
    for action in audited {
        assert_eq!(rig.audit(action).await.len(), 2, "{action} was begun and done once");
    }
    assert_eq!(rig.instance(&old).state, InstanceState::Deleted);
    let standby = rig.standby(1);
    assert!(standby.id != old && standby.id != new && standby.role == Role::Standby);
    assert_ne!(standby.provider, rig.primary(1).provider);
    assert_eq!(rig.operations("rebuild_standby").len(), 1);
    nothing_twice(&rig);
    assert_eq!(rig.said.count("FAILOVER"), 1);
    assert_eq!(rig.said.count("CRITICAL"), 0);
    let incidents: Vec<_> = rig.read(|fleet| fleet.incidents.values().cloned().collect());
    assert_eq!(incidents.len(), 1);
    let story: Vec<_> = incidents[0].timeline.iter().map(|entry| entry.text.clone()).collect();
    assert_eq!(incidents[0].state, IncidentState::Resolved);
    assert!(
        story.len() == 4 && story[2].starts_with("moved from") && story[3].contains("whole again"),
        "{story:?}"
    );
    rig.audit_is_whole().await;
}

#[tokio::test(start_paused = true)]
async fn without_an_active_standby_a_person_is_called_once_and_nothing_else_is_done() {
    let (_world, rig) = with_pairs(1).await;
    let (primary, standby) = (rig.primary(1), rig.standby(1));
    // The standby goes and cannot be rebuilt, since its provider answers nobody.
    rig.sim.outage(&standby.provider, &standby.region, true);
    rig.sim.break_start(&primary.id, Some(FailureReason::StateUnreadable)).unwrap();
    rig.until("the standby's node is silent", |fleet| !fleet.nodes[standby.node.as_ref().unwrap()].connected)
        .await;
    rig.pass(200).await;
    rig.sim.kill(&primary.id).unwrap();
    rig.until("the primary is given up", |fleet| fleet.instances[&primary.id].state == InstanceState::Failed)
        .await;
    rig.pass(3600).await;
    rig.delivered().await;
    assert_eq!(rig.said.count("CRITICAL"), 1, "{:?}", rig.said.texts());
    assert!(rig.operations("restart").is_empty());
    // A standby that is only ACTIVE by the books was tried and not promoted without certainty.
    assert_eq!(rig.primary(1).id, primary.id, "{}", rig.picture());
    assert_eq!(rig.gateway(1).generation, Generation(1));
    let incidents: Vec<_> = rig.read(|fleet| fleet.incidents.values().cloned().collect());
    assert_eq!((incidents.len(), incidents[0].severity), (1, Severity::Critical));
    assert_eq!(incidents[0].state, IncidentState::Open);
    nothing_twice(&rig);
    assert!(rig.gateway(1).down_seconds_month > 3000, "{}", rig.gateway(1).down_seconds_month);
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_fails_is_rebuilt_elsewhere_than_its_primary() {
    let (_world, rig) = with_pairs(1).await;
    let (primary, old) = (rig.primary(1), rig.standby(1).id);
    rig.sim.break_start(&old, Some(FailureReason::StateUnreadable)).unwrap();
    rig.sim.kill(&old).unwrap();
    rig.until("it is replaced", |fleet| fleet.instances[&old].state == InstanceState::Deleted).await;
    whole(&rig, 1).await;
    assert_eq!(rig.primary(1).id, primary.id);
    assert_ne!(rig.standby(1).provider, primary.provider);
    assert_eq!(rig.gateway(1).generation, Generation(1));
    assert_eq!(rig.gateway(1).down_seconds_month, 0);
    nothing_twice(&rig);
}

#[tokio::test(start_paused = true)]
async fn a_repair_that_fails_again_and_again_is_tried_less_and_less() {
    let (_world, rig) = with_pairs(1).await;
    let old = rig.standby(1).id;
    rig.sim.break_start(&old, Some(FailureReason::StateUnreadable)).unwrap();
    // Each rebuild begins with one call that deletes the old place; it is declined.
    let provider = rig.standby(1).provider;
    for _ in 0..6 {
        rig.sim.next_call(&provider, CallFault::Refuse);
    }
    rig.sim.kill(&old).unwrap();
    rig.until("six repairs failed", |fleet| {
        let failed = |op: &&gf_model::operation::Operation| op.state == OperationState::Failed;
        fleet.operations.values().filter(failed).count() == 6
    })
    .await;
    let mut began: Vec<_> = rig.operations("rebuild_standby").iter().map(|op| op.created_at).collect();
    began.sort();
    let pauses: Vec<_> = began.windows(2).map(|two| two[1].duration_since(two[0]).as_secs()).collect();
    assert!(
        pauses.windows(2).all(|two| two[1] > two[0]) && pauses[0] >= 30 && pauses[4] >= 480,
        "{pauses:?}"
    );
    whole(&rig, 1).await;
    nothing_twice(&rig);
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_hangs_is_restarted_and_one_that_goes_on_hanging_is_moved() {
    let (_world, rig) = with_pairs(1).await;
    let (primary, standby) = (rig.primary(1).id, rig.standby(1).id);
    for restarts in 1..=3 {
        rig.sim.sicken(&primary, true).unwrap();
        rig.until("it was restarted", |fleet| {
            let done = |op: &&gf_model::operation::Operation| {
                op.state == OperationState::Done && op.verb.name() == "restart"
            };
            fleet.operations.values().filter(done).count() == restarts
                && fleet.instances[&primary].is_active()
        })
        .await;
        assert_eq!(rig.instance(&primary).restarts.len(), restarts);
    }
    rig.sim.sicken(&primary, true).unwrap();
    rig.until("it was restarted once more", |fleet| fleet.instances[&primary].restarts.len() == 4).await;
    rig.until("it answers", |fleet| fleet.instances[&primary].is_active()).await;
    rig.sim.sicken(&primary, true).unwrap();
    rig.until("it was moved", |fleet| fleet.gateways[&account(1)].primary.as_ref() == Some(&standby)).await;
    whole(&rig, 1).await;
    assert_eq!(rig.said.count("HEALING"), 4);
    assert_eq!(rig.said.count("FAILOVER"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_silent_node_is_switched_off_before_its_pair_is_moved() {
    let (_world, rig) = with_pairs(1).await;
    let (primary, standby) = (rig.primary(1), rig.standby(1));
    rig.sim.cut(primary.node.as_ref().unwrap(), true).unwrap();
    rig.until("the pair has moved", |fleet| {
        fleet.gateways[&account(1)].primary.as_ref() == Some(&standby.id)
    })
    .await;
    assert!(!rig.sim.runs(&primary.id), "it was switched off and does not run on behind the cut");
    whole(&rig, 1).await;
    nothing_twice(&rig);
}

#[tokio::test(start_paused = true)]
async fn while_nobody_can_confirm_that_the_old_one_is_off_nobody_takes_its_place() {
    let (_world, rig) = with_pairs(1).await;
    let (primary, standby) = (rig.primary(1), rig.standby(1));
    rig.sim.outage(&primary.provider, &primary.region, true);
    rig.until("a failover failed", |fleet| {
        fleet.operations.values().any(|op| op.verb.name() == "failover" && op.state == OperationState::Failed)
    })
    .await;
    assert_eq!(rig.gateway(1).primary.as_ref(), Some(&primary.id));
    assert!(!rig.instance(&standby.id).channels_on);
    rig.sim.outage(&primary.provider, &primary.region, false);
    whole(&rig, 1).await;
    nothing_twice(&rig);
    let open: Vec<_> =
        rig.read(|fleet| fleet.live_instances().filter(|i| i.channels_on).map(|i| i.id.clone()).collect());
    assert_eq!(open.len(), 1, "exactly one has the channels: {open:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_fenced_stays_fenced_whatever_its_node_says_late() {
    let (_world, rig) = with_pairs(1).await;
    let primary = rig.primary(1);
    let Outcome::Started(failover) = rig
        .ask_confirmed(Verb::Failover { account: account(1), reason: "test".into(), outage: None })
        .await
        .unwrap()
    else {
        panic!("it was not started")
    };
    rig.until("it is fenced", |fleet| fleet.instances[&primary.id].state == InstanceState::Stopped).await;
    // Somebody starts the machine's OpenClaw by hand; its node reports it as ready.
    let node = primary.node.clone().unwrap();
    let start = gf_node_proto::InstanceStart { instance_id: primary.id.to_string(), wait_ready: true };
    let meta = gf_node_hub::CommandMeta::new("by hand", Duration::from_secs(60));
    let _ = rig.engine.hands().hub.command(&node, start, meta).await;
    assert_eq!(rig.ended(&failover).await.state, OperationState::Done, "{}", rig.picture());
    whole(&rig, 1).await;
    assert_eq!(rig.instance(&primary.id).state, InstanceState::Deleted, "it was replaced and not kept");
    nothing_twice(&rig);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_took_is_told_again_until_somebody_does() {
    let (_world, rig) = with_pairs(1).await;
    rig.said.failing.store(3, std::sync::atomic::Ordering::Relaxed);
    rig.sim.kill(&rig.primary(1).id).unwrap();
    rig.until("it is told", |fleet| {
        fleet.notices.values().any(|n| n.attempts >= 4 && n.delivered_at.is_some())
    })
    .await;
    rig.pass(7200).await;
    assert_eq!(rig.said.count("HEALED"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_people_order_is_maintenance_and_no_downtime() {
    let (_world, rig) = with_pairs(1).await;
    let primary = rig.primary(1).id;
    let restart = Verb::Restart { instances: vec![primary], reason: "test".into(), concurrency: 1 };
    let Ok(Outcome::Started(operation)) =
        rig.requests.request(&person("bob"), restart, gf_requests::Options::default()).await
    else {
        panic!("a few restarts need nobody's yes")
    };
    assert_eq!(rig.ended(&operation).await.state, OperationState::Done);
    rig.pass(120).await;
    assert_eq!(rig.gateway(1).down_seconds_month, 0);
}
