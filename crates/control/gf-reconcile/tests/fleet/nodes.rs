//! Nodes that become another gf-clawnode, ring by ring, with the real engine and simulated nodes.

use crate::rig::{Rig, accounts, person, with_pairs};
use gf_model::{
    NodeId,
    notice::Severity,
    operation::{LaneState, Operation, OperationState},
    release::Release,
    verb::{Pace, Verb},
};
use gf_requests::{Act, Keep, Options, Outcome, Refusal};
use std::{collections::BTreeSet, time::Duration};

pub fn verb(rig: &Rig, version: &str, rings: &[u32]) -> Verb {
    rig.read(|fleet| Verb::UpdateNodes {
        nodes: fleet.nodes.keys().cloned().collect(),
        release: Release {
            version: version.into(),
            sha256: "00".repeat(32),
            // Simulated nodes say that they have all of it: no program is read.
            size: 1,
            signature: "00".repeat(64),
        },
        ring_size: 1000,
        pace: Pace::gated(rings.to_vec()),
    })
}

async fn request(rig: &Rig, version: &str, rings: &[u32], confirmed: bool) -> Result<Outcome, Refusal> {
    let options = Options { confirmed, ..Options::default() };
    rig.requests.request(&person("ada"), verb(rig, version, rings), options).await
}

async fn update(rig: &Rig, version: &str, rings: &[u32]) -> Operation {
    match request(rig, version, rings, true).await.unwrap() {
        Outcome::Started(operation) => operation,
        other => panic!("it was not started: {other:?}"),
    }
}

fn versions(rig: &Rig) -> BTreeSet<String> {
    rig.read(|fleet| fleet.nodes.values().filter_map(|node| node.software.clone()).collect())
}

fn nodes(rig: &Rig, operation: &Operation) -> Vec<(u32, NodeId, LaneState)> {
    rig.read(|fleet| {
        let lane = |record: &gf_model::operation::LaneRecord| {
            (record.id.stage, record.lane.target.parse().unwrap(), record.lane.state)
        };
        fleet.lanes_of(&operation.id).map(lane).collect()
    })
}

fn only(version: &str) -> BTreeSet<String> {
    BTreeSet::from([version.to_owned()])
}

#[tokio::test(start_paused = true)]
async fn standbys_go_first_and_every_ring_is_back_and_well_before_the_next() {
    let (_world, rig) = with_pairs(4).await;
    let instances = rig.read(|fleet| fleet.live_instances().cloned().collect::<Vec<_>>());
    let operation = update(&rig, "0.9.0", &[1, 3]).await;
    let ended = rig.ended(&operation).await;
    assert_eq!(ended.state, OperationState::Done, "{}", rig.picture());
    assert_eq!(versions(&rig), only("0.9.0"));
    assert_eq!(ended.stages.iter().map(|stage| stage.lanes).collect::<Vec<_>>(), [1, 3, 4]);
    // The four nodes of standbys are the first four, in two rings.
    for (stage, node, _) in nodes(&rig, &operation) {
        let is_primarys = rig.read(|fleet| {
            fleet.gateways.values().any(|gateway| {
                let primary = gateway.primary.as_ref().and_then(|id| fleet.instances.get(id));
                primary.is_some_and(|primary| primary.node.as_ref() == Some(&node))
            })
        });
        assert_eq!(is_primarys, stage == 2, "{node} stood in ring {stage}");
    }
    // Nothing that ran on them was ended or moved for it.
    for before in instances {
        let now = rig.read(|fleet| fleet.instances[&before.id].clone());
        assert_eq!((now.state, now.role, now.restarts), (before.state, before.role, before.restarts));
    }
    assert!(ended.stages.iter().all(|stage| stage.passed_at.is_some()));
    rig.audit_is_whole().await;
}

#[tokio::test(start_paused = true)]
async fn a_release_that_does_not_come_up_stops_at_the_first_ring_and_pages() {
    let (_world, rig) = with_pairs(3).await;
    let before = versions(&rig);
    let operation = update(&rig, "0.9.0-broken", &[1]).await;
    let ended = rig.ended(&operation).await;
    assert_eq!(ended.state, OperationState::Failed);
    assert_eq!(versions(&rig), before);
    let states: Vec<_> = nodes(&rig, &operation).into_iter().map(|(.., state)| state).collect();
    assert_eq!(states[0], LaneState::Undone);
    assert!(states[1..].iter().all(|state| *state == LaneState::Skipped), "{states:?}");
    let paged = rig.read(|fleet| {
        fleet.notices.values().any(|notice| {
            notice.severity == Severity::Critical && notice.text.contains("did not bring every node")
        })
    });
    assert!(paged, "{}", rig.picture());
}

#[tokio::test(start_paused = true)]
async fn a_ring_of_which_one_does_not_come_up_goes_back_and_those_before_it_stay() {
    let (_world, rig) = with_pairs(3).await;
    let before = versions(&rig);
    // One of the second ring: who comes there is known from the plan.
    let planned = match rig
        .requests
        .request(
            &person("ada"),
            verb(&rig, "0.9.0", &[1, 2]),
            Options { dry_run: true, ..Options::default() },
        )
        .await
        .unwrap()
    {
        Outcome::Planned(plan) => plan,
        other => panic!("it was not planned: {other:?}"),
    };
    let bad = &planned.stages[1].lanes[0].target;
    let operation = update(&rig, &format!("0.9.0-broken.{bad}"), &[1, 2]).await;
    let ended = rig.ended(&operation).await;
    assert_eq!(ended.state, OperationState::Failed);
    let lanes = nodes(&rig, &operation);
    let in_ring =
        |ring: u32| lanes.iter().filter(move |(stage, ..)| *stage == ring).map(|(.., state)| *state);
    assert!(in_ring(0).all(|state| state == LaneState::Done), "{lanes:?}");
    assert!(in_ring(1).all(|state| matches!(state, LaneState::Failed | LaneState::Undone)), "{lanes:?}");
    assert!(in_ring(2).all(|state| state == LaneState::Skipped), "{lanes:?}");
    let on_new = rig.read(|fleet| {
        fleet.nodes.values().filter(|node| !before.contains(node.software.as_ref().unwrap())).count()
    });
    assert_eq!(on_new, 1, "only the first ring stays");

    // Who was on the new one goes back with the whole operation.
    rig.requests.control(&person("ada"), &operation.id, Act::Rollback).await.unwrap();
    rig.ended(&operation).await;
    assert_eq!(versions(&rig), before);
}

#[tokio::test(start_paused = true)]
async fn what_is_pinned_stays_on_its_node_as_it_is_and_a_retry_reaches_who_was_skipped() {
    let (_world, rig) = with_pairs(2).await;
    let pinned = accounts(1).remove(0);
    let keep = Keep::Pinned { reason: "their launch is today".into() };
    rig.requests.keep(&person("ada"), &pinned, keep).await.unwrap();
    let operation = update(&rig, "0.9.0-broken", &[1]).await;
    let ended = rig.ended(&operation).await;
    assert_eq!(ended.stages.iter().map(|stage| stage.lanes).sum::<u32>(), 2, "one pair of the two");
    // Whatever kept the release from coming up is over: what failed and what was skipped is done now.
    rig.sim.mend_releases();
    rig.requests.control(&person("ada"), &operation.id, Act::Retry).await.unwrap();
    assert_eq!(rig.ended(&operation).await.state, OperationState::Done, "{}", rig.picture());
    let on_new = rig.read(|fleet| {
        let runs_new = |id: &gf_model::InstanceId| {
            let node = fleet.instances.get(id).and_then(|instance| fleet.nodes.get(instance.node.as_ref()?));
            node.is_some_and(|node| node.software.as_deref() == Some("0.9.0-broken"))
        };
        let both = |gateway: &gf_model::gateway::Gateway| {
            let halves = [&gateway.primary, &gateway.standby];
            (gateway.account.clone(), halves.into_iter().flatten().filter(|id| runs_new(id)).count())
        };
        fleet.gateways.values().map(both).collect::<Vec<_>>()
    });
    assert!(on_new.iter().all(|(account, new)| *new == if *account == pinned { 0 } else { 2 }), "{on_new:?}");
}

#[tokio::test(start_paused = true)]
async fn of_two_updates_of_nodes_one_waits_for_the_other_whichever_nodes_they_name() {
    let (_world, rig) = with_pairs(1).await;
    let only = |half: gf_model::instance::Instance| {
        let Verb::UpdateNodes { release, ring_size, pace, .. } = verb(&rig, "0.9.0", &[1]) else {
            panic!("it is another verb")
        };
        Verb::UpdateNodes { nodes: half.node.into_iter().collect(), release, ring_size, pace }
    };
    let (first, second) = (only(rig.standby(1)), only(rig.primary(1)));
    let begun = rig.confirmed(first).await;
    let refused = rig.ask_confirmed(second.clone()).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (409, "target_busy"));
    assert!(refused.message.contains(begun.id.as_str()), "{}", refused.message);
    rig.ended(&begun).await;
    let next = rig.confirmed(second).await;
    assert_eq!(rig.ended(&next).await.state, OperationState::Done, "{}", rig.picture());
}

#[tokio::test(start_paused = true)]
async fn nodes_are_updated_with_a_yes_only_and_never_to_what_is_older() {
    let (_world, rig) = with_pairs(1).await;
    let asked = request(&rig, "0.9.0", &[1], false).await.unwrap();
    assert!(matches!(asked, Outcome::AwaitingApproval(_)), "{asked:?}");
    let older = request(&rig, "0.0.1", &[1], true).await.unwrap_err();
    assert!(older.message.contains("only a rollback goes back"), "{}", older.message);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(versions(&rig).len(), 1);
}
