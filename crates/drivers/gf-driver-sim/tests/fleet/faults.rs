//! What goes wrong, and who notices.

use crate::control::{Control, fresh, id, order};
use gf_driver::{Driver, DriverError};
use gf_model::{
    NodeId, Timestamp,
    fleet::{Change, Record},
    provider::{ProviderId, ProviderStatus, Region},
};
use gf_node_hub::NodeEvent;
use gf_node_proto::{FailureReason, event::Kind};
use std::{collections::BTreeSet, time::Duration};

#[tokio::test(start_paused = true)]
async fn a_region_outage_silences_exactly_the_nodes_there() {
    let mut control = fresh();
    let changes = control.sim.populate(40, Timestamp::UNIX_EPOCH);
    control.know(&changes);
    control.connected(80).await;
    let (provider, region) = (ProviderId::from("hetzner"), Region::from("nbg1"));
    let there: BTreeSet<NodeId> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Put(Record::Node(node)) if node.provider == provider && node.region == region => {
                Some(node.id.clone())
            }
            _ => None,
        })
        .collect();
    assert!(!there.is_empty() && there.len() < 80);

    control.sim.outage(&provider, &region, true);
    let mut lost = BTreeSet::new();
    while lost.len() < there.len() {
        if let NodeEvent::Lost { node, .. } = control.report().await {
            lost.insert(node);
        }
    }
    assert_eq!(lost, there);
    // Well beyond three heartbeats, nobody else has fallen silent.
    let watching = tokio::time::timeout(Duration::from_secs(300), async {
        loop {
            if let NodeEvent::Lost { node, .. } = control.report().await {
                return node;
            }
        }
    });
    assert!(watching.await.is_err());
    let driver = control.sim.driver();
    assert!(
        matches!(driver.status(&provider).await, Ok(ProviderStatus::Incident { regions, .. }) if regions == [region.clone()])
    );
    assert!(matches!(driver.create(&order("i-aaaa")).await, Err(DriverError::Unavailable { .. })));

    control.sim.outage(&provider, &region, false);
    assert_eq!(control.connected(there.len()).await, there);
    assert_eq!(driver.status(&provider).await.unwrap(), ProviderStatus::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_killed_openclaw_is_reported_and_started_again_until_it_dies_too_often() {
    let mut control = fresh();
    control.ready(&order("i-0001")).await;
    for _ in 0..3 {
        control.sim.kill(&id("i-0001")).unwrap();
        assert!(
            matches!(control.kind().await, Kind::Exited(exited) if exited.restarting && exited.signal == Some(9))
        );
        assert!(matches!(control.kind().await, Kind::Started(_)));
        assert!(matches!(control.kind().await, Kind::Ready(_)));
    }
    control.sim.kill(&id("i-0001")).unwrap();
    assert!(matches!(control.kind().await, Kind::Exited(exited) if !exited.restarting));
    assert!(matches!(control.kind().await, Kind::Failed(_)));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_start_is_left_to_the_control_plane_with_its_reason() {
    let mut control = fresh();
    control.ready(&order("i-0001")).await;
    control.sim.break_start(&id("i-0001"), Some(FailureReason::StateUnreadable)).unwrap();
    control.sim.kill(&id("i-0001")).unwrap();
    let failed = loop {
        if let Kind::Failed(failed) = control.kind().await {
            break failed;
        }
    };
    assert_eq!(failed.reason(), FailureReason::StateUnreadable);
}

#[tokio::test(start_paused = true)]
async fn one_that_runs_and_does_not_answer_loses_its_score() {
    let mut control = fresh();
    control.ready(&order("i-0001")).await;
    control.sim.sicken(&id("i-0001"), true).unwrap();
    assert!(
        matches!(control.kind().await, Kind::Health(health) if health.score < 50 && health.previous_score == 100)
    );
    control.sim.sicken(&id("i-0001"), false).unwrap();
    assert!(matches!(control.kind().await, Kind::Health(health) if health.score == 100));
}

#[tokio::test(start_paused = true)]
async fn a_cut_node_keeps_its_events_until_it_is_heard_again() {
    let mut control = fresh();
    let place = control.ready(&order("i-0001")).await;
    control.sim.cut(&place.node, true).unwrap();
    while !matches!(control.report().await, NodeEvent::Lost { .. }) {}
    control.sim.kill(&id("i-0001")).unwrap();
    control.sim.cut(&place.node, false).unwrap();
    assert!(matches!(control.kind().await, Kind::Exited(_)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_provider_takes_longer() {
    let mut took = Vec::new();
    for slowness in [None, Some(10.0)] {
        let mut control = fresh();
        control.sim.slow(&"hetzner".into(), slowness);
        let before = tokio::time::Instant::now();
        control.ready(&order("i-0001")).await;
        took.push(before.elapsed());
    }
    assert!(took[1] > took[0] * 8, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn orders_fail_now_and_then_and_the_same_way_each_time() {
    let story = || async {
        let settings = gf_driver_sim::SimSettings { failures: true, ..crate::control::settings() };
        let office = gf_driver_sim::testing::Office::new(gf_driver_sim::testing::control_key());
        let control = crate::control::start(office, settings);
        let driver = control.sim.driver();
        let mut outcomes = Vec::new();
        for n in 0..120 {
            let order = gf_driver::CreatePlace {
                provider: "contabo".into(),
                region: "eu".into(),
                ..order(&format!("i-{n:04}"))
            };
            outcomes.push(driver.create(&order).await.is_ok());
        }
        outcomes
    };
    let first = story().await;
    let failed = first.iter().filter(|fine| !**fine).count();
    assert!((1..30).contains(&failed), "{failed}");
    assert_eq!(first, story().await);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_write_is_waited_for_and_no_machine_is_ordered() {
    let mut control = fresh();
    control.office.close(true);
    let why = control.sim.driver().create(&order("i-0001")).await.unwrap_err();
    assert!(matches!(why, DriverError::NoToken(_)) && why.is_transient(), "{why}");
    assert_eq!(control.sim.driver().find(&"hetzner".into(), &id("i-0001")).await.unwrap(), None);

    control.office.close(false);
    control.ready(&order("i-0001")).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_link_broke_comes_back_by_its_ticket_and_one_whose_machine_started_again_by_its_key() {
    let mut control = fresh();
    let place = control.ready(&order("i-aaaa")).await;
    let by_ticket = async |control: &mut Control| {
        control.connected(1).await;
        control.hub.node(&place.node).unwrap().by_ticket
    };
    control.sim.break_link(&place.node).unwrap();
    assert!(by_ticket(&mut control).await);
    control.sim.reboot(&place.node).unwrap();
    assert!(!by_ticket(&mut control).await);
}

/// Who waits to shake hands is told twice to come, gone or off meanwhile: nobody else may wait for them.
#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_turn_that_somebody_else_does_not_take() {
    let office = gf_driver_sim::testing::Office::new(gf_driver_sim::testing::control_key());
    let settings = gf_driver_sim::SimSettings { at_the_door: 1, ..crate::control::settings() };
    let mut control = crate::control::start(office, settings);
    let changes = control.sim.populate(40, Timestamp::UNIX_EPOCH);
    control.know(&changes);
    for _ in 0..3 {
        control.connected(5).await;
        control.sim.turn_to(control.hub.clone());
    }
    let all = tokio::time::timeout(Duration::from_secs(3600), control.connected(80)).await;
    assert_eq!(all.map(|nodes| nodes.len()), Ok(80));
}
