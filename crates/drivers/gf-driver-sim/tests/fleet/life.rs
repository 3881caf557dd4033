//! What an instance goes through, from its order to its end.

use crate::control::{fresh, id, order, remembering};
use gf_driver::Driver;
use gf_node_hub::NodeEvent;
use gf_node_proto::{
    ArchiveCreate, ChannelsSet, ConfigGet, ConfigPush, ConfigRollback, ConfigValidate, FailureCode,
    InstanceDelete, InstanceList, InstanceRestart, InstanceRole, InstanceState, OpenclawDrain,
    OpenclawHealth, OpenclawLogs, OpenclawResume, Reply, SnapshotCreate, SshExec, VpsInfo, VpsMetrics,
    event::Kind, reply::Body,
};

fn body(reply: Reply) -> Body {
    reply.body.unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_ordered_place_enrols_starts_and_serves() {
    let mut control = fresh();
    let place = control.sim.driver().create(&order("i-0001")).await.unwrap();
    let report = control.report().await;
    assert!(
        matches!(&report, NodeEvent::Connected { node, provider, .. } if *node == place.node && provider == "hetzner")
    );
    assert!(matches!(control.kind().await, Kind::Started(_)));
    assert!(matches!(control.kind().await, Kind::Ready(ready) if ready.boot_ms >= 8_000));
    let Body::Listing(listing) = body(control.tell(&place, "list", InstanceList {}).await.unwrap()) else {
        panic!("a list was expected");
    };
    assert_eq!(listing.instances.len(), 1);
    assert_eq!(listing.instances[0].state(), InstanceState::Active);
    assert_eq!(listing.instances[0].health_score, Some(100));
}

#[tokio::test(start_paused = true)]
async fn a_command_sent_again_with_its_key_has_its_effect_once() {
    let mut control = fresh();
    let place = control.ready(&order("i-0001")).await;
    let restart = InstanceRestart { instance_id: "i-0001".into(), drain: false, wait_ready: true };
    let first = control.tell(&place, "op-1/restart", restart.clone()).await.unwrap();
    assert_eq!(control.tell(&place, "op-1/restart", restart).await.unwrap(), first);
    let mut starts = 0;
    control.tell(&place, "stop", InstanceDelete { instance_id: "i-0001".into() }).await.unwrap();
    loop {
        match control.kind().await {
            Kind::Started(_) => starts += 1,
            Kind::Deleted(_) => break,
            _ => {}
        }
    }
    assert_eq!(starts, 1);
}

#[tokio::test(start_paused = true)]
async fn configuration_is_pushed_read_back_and_rolled_back() {
    let mut control = fresh();
    let place = control.ready(&order("i-0001")).await;
    let push = |revision: &str, patch: &str| ConfigPush {
        instance_id: "i-0001".into(),
        revision: revision.into(),
        patch: Some(patch.into()),
        ..ConfigPush::default()
    };
    control.tell(&place, "push-1", push("v2", r#"{"session":{"dmScope":"per-peer"}}"#)).await.unwrap();
    let read = |reply| match body(reply) {
        Body::Config(document) => document,
        other => panic!("a configuration was expected, not {other:?}"),
    };
    let get = ConfigGet { instance_id: "i-0001".into(), owned: false };
    let document = read(control.tell(&place, "get-1", get.clone()).await.unwrap());
    assert_eq!(
        (document.revision.as_str(), document.owned_paths),
        ("v2", vec!["session.dmScope".to_owned()])
    );
    assert!(document.json.contains("per-peer"));

    let bad = control.tell(&place, "push-2", push("v3", r#"{"nonsense":true}"#)).await.unwrap_err();
    assert_eq!(bad.failure().unwrap().code(), FailureCode::ConfigFlagged);
    let validate =
        ConfigValidate { instance_id: "i-0001".into(), patch: Some(r#"{"nonsense":true}"#.into()) };
    let Body::Changes(judged) = body(control.tell(&place, "validate", validate).await.unwrap()) else {
        panic!("a judgement was expected");
    };
    assert!(!judged.valid && judged.issues[0].contains("nonsense"));

    let rollback = ConfigRollback { instance_id: "i-0001".into(), revision: "v2".into() };
    control.tell(&place, "back", rollback).await.unwrap();
    let document = read(control.tell(&place, "get-2", get).await.unwrap());
    assert!(document.json.contains(r#""dmScope":"main""#) && document.owned_paths.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_malformed_configuration_is_flagged_and_left_as_it_is() {
    let mut control = fresh();
    let place = control.ready(&order("i-0001")).await;
    control.sim.malform(&id("i-0001")).unwrap();
    let push = ConfigPush {
        instance_id: "i-0001".into(),
        patch: Some(r#"{"tts":{}}"#.into()),
        ..Default::default()
    };
    let flagged = control.tell(&place, "push", push).await.unwrap_err();
    assert_eq!(flagged.failure().unwrap().code(), FailureCode::ConfigFlagged);
    assert!(
        control.tell(&place, "get", ConfigGet { instance_id: "i-0001".into(), owned: false }).await.is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_made_from_a_snapshot_remembers() {
    let mut control = fresh();
    let place = control.ready(&order("i-0001")).await;
    control.sim.chat(&id("i-0001")).unwrap();
    control.sim.chat(&id("i-0001")).unwrap();
    let snapshot = SnapshotCreate {
        instance_id: "i-0001".into(),
        snapshot_id: "snap-1".into(),
        destination: "/snapshots/acct-0042/snap-1".into(),
        only_if_changed: true,
    };
    let Body::Snapshot(made) = body(control.tell(&place, "snap-1", snapshot.clone()).await.unwrap()) else {
        panic!("a snapshot was expected");
    };
    assert!(made.changed);
    let again = SnapshotCreate { snapshot_id: "snap-2".into(), ..snapshot };
    let Body::Snapshot(same) = body(control.tell(&place, "snap-2", again).await.unwrap()) else {
        panic!("a snapshot was expected");
    };
    assert_eq!((same.changed, same.snapshot_id.as_str(), &same.sha256), (false, "snap-1", &made.sha256));
    control.sim.chat(&id("i-0001")).unwrap();

    control.ready(&remembering("i-0002", &made.path)).await;
    assert_eq!(control.sim.memory(&id("i-0002")).unwrap(), 2);
    let archive =
        ArchiveCreate { instance_id: "i-0001".into(), archive_id: "arch-1".into(), destination: "/a".into() };
    let Body::Archive(archive) = body(control.tell(&place, "arch-1", archive).await.unwrap()) else {
        panic!("an archive was expected");
    };
    assert_ne!(archive.sha256, made.sha256, "it was told more since");
}

#[tokio::test(start_paused = true)]
async fn an_older_generation_is_refused_the_channels() {
    let mut control = fresh();
    let place = control.ready(&order("i-0001")).await;
    let set = |generation, open| ChannelsSet {
        instance_id: "i-0001".into(),
        generation,
        open,
        channels: None,
        role: InstanceRole::Primary.into(),
    };
    control.tell(&place, "on", set(3, true)).await.unwrap();
    assert!(matches!(control.kind().await, Kind::Channels(changed) if changed.open));
    let stale = control.tell(&place, "late", set(2, false)).await.unwrap_err();
    assert_eq!(stale.failure().unwrap().code(), FailureCode::StaleGeneration);
}

#[tokio::test(start_paused = true)]
async fn every_question_has_an_answer() {
    let mut control = fresh();
    let place = control.ready(&order("i-0001")).await;
    let instance_id = || "i-0001".to_owned();
    let health = control.tell(&place, "h", OpenclawHealth { instance_id: instance_id() }).await.unwrap();
    assert!(matches!(body(health), Body::Health(health) if health.http_status == 200));
    let logs =
        control.tell(&place, "l", OpenclawLogs { instance_id: instance_id(), max_lines: 1 }).await.unwrap();
    assert!(matches!(body(logs), Body::Logs(logs) if logs.lines.len() == 1 && logs.truncated));
    let drain =
        control.tell(&place, "d", OpenclawDrain { instance_id: instance_id(), wait_ms: 1 }).await.unwrap();
    assert!(matches!(body(drain), Body::Drain(drain) if drain.ready));
    control.tell(&place, "r", OpenclawResume { instance_id: instance_id() }).await.unwrap();
    assert!(matches!(body(control.tell(&place, "m", VpsMetrics {}).await.unwrap()), Body::Metrics(_)));
    assert!(matches!(body(control.tell(&place, "i", VpsInfo {}).await.unwrap()), Body::Info(_)));
    let refused = control.tell(&place, "x", SshExec { argv: vec!["rm".into()] }).await.unwrap_err();
    assert_eq!(refused.failure().unwrap().code(), FailureCode::Refused);
    let nobody = control
        .tell(&place, "n", ConfigGet { instance_id: "i-ffff".into(), owned: false })
        .await
        .unwrap_err();
    assert_eq!(nobody.failure().unwrap().code(), FailureCode::UnknownInstance);
}
