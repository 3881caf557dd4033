//! What outlives the control plane, as machines elsewhere do.

use crate::control::{id, order, settings, start};
use gf_driver::{CreatePlace, Driver, MemoryLocation};
use gf_driver_sim::{
    SimSettings,
    testing::{Office, control_key},
};
use gf_model::{
    Timestamp,
    fleet::{Change, Record},
};
use gf_node_proto::{ConfigGet, ConfigPush, event::Kind, reply::Body};
use std::{fs::OpenOptions, io::Write, sync::Arc};

#[tokio::test(start_paused = true)]
async fn machines_come_back_with_what_they_were_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sim.jsonl");
    let kept = || SimSettings { state: Some(path.clone()), ..settings() };
    let office = Office::new(control_key());

    let mut before = start(Arc::clone(&office), kept());
    let place = before.ready(&order("i-0001")).await;
    let push = ConfigPush {
        instance_id: "i-0001".into(),
        revision: "v2".into(),
        patch: Some(r#"{"tts":{"auto":"tagged"}}"#.into()),
        ..ConfigPush::default()
    };
    let applied = before.tell(&place, "op-1/push", push.clone()).await.unwrap();
    before.sim.chat(&id("i-0001")).unwrap();
    drop(before);
    // What a kill in the middle of a write leaves.
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"machine\":{\"no").unwrap();

    let mut after = start(office, kept());
    assert_eq!(after.connected(1).await.first(), Some(&place.node));
    assert_eq!(
        after.tell(&place, "op-1/push", push).await.unwrap(),
        applied,
        "the same key has the same answer"
    );
    let read =
        after.tell(&place, "get", ConfigGet { instance_id: "i-0001".into(), owned: false }).await.unwrap();
    assert!(matches!(read.body, Some(Body::Config(document)) if document.revision == "v2"));
    assert_eq!(after.sim.memory(&id("i-0001")).unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_was_still_being_made_is_delivered_after_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let kept = || SimSettings { state: Some(directory.path().join("sim.jsonl")), ..settings() };
    let office = Office::new(control_key());
    let before = start(Arc::clone(&office), kept());
    before.sim.driver().create(&order("i-0001")).await.unwrap();
    drop(before);
    let mut after = start(office, kept());
    while !matches!(after.kind().await, Kind::Ready(_)) {}
    assert_eq!(after.sim.count(&id("i-0001")), 1);
}

#[tokio::test(start_paused = true)]
async fn a_populated_fleet_comes_back_whole() {
    let directory = tempfile::tempdir().unwrap();
    let kept = || SimSettings { state: Some(directory.path().join("sim.jsonl")), ..settings() };
    let office = Office::new(control_key());
    let mut before = start(Arc::clone(&office), kept());
    let changes = before.sim.populate(10, Timestamp::UNIX_EPOCH);
    before.know(&changes);
    let nodes = before.connected(20).await;
    drop(before);
    let mut after = start(office, kept());
    assert_eq!(after.sim.len(), 20);
    assert_eq!(after.connected(20).await, nodes);

    let copy = changes.iter().find_map(|change| match change {
        Change::Put(Record::Snapshot(snapshot)) => Some(snapshot.clone()),
        _ => None,
    });
    let copy = copy.unwrap();
    let memory = Some(MemoryLocation::Snapshot(copy.location));
    let standby = CreatePlace { account: copy.account, memory, ..order("i-0001") };
    after.ready(&standby).await;
    assert_eq!(after.sim.memory(&id("i-0001")).unwrap(), 1, "what was remembered before");
}

#[tokio::test(start_paused = true)]
async fn a_file_does_not_grow_for_ever() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sim.jsonl");
    let office = Office::new(control_key());
    let mut control = start(office, SimSettings { state: Some(path.clone()), ..settings() });
    control.ready(&order("i-0001")).await;
    for _ in 0..6_000 {
        control.sim.chat(&id("i-0001")).unwrap();
    }
    let lines = std::fs::read_to_string(&path).unwrap().lines().count();
    assert!(lines < 5_000, "{lines} lines for one machine");
    assert_eq!(control.sim.memory(&id("i-0001")).unwrap(), 6_000);
}
