//! The real OpenClaw put to sleep and woken: how much it costs meanwhile, and that nothing said to it is lost.

use super::{ID, ready, real_runtime, say};
use crate::{
    model,
    rig::{Rig, create, free_port},
};
use gf_node_proto::{
    ChannelsSet, InstanceCreate, InstanceDelete, InstanceList, InstancePark, InstanceRole, InstanceState,
    InstanceSummary, InstanceWake, OpenclawHealth, OpenclawLogs, ParkReport, SnapshotCreate, command, event,
    reply,
};
use serde_json::json;
use std::fs;

fn park() -> InstancePark {
    InstancePark { instance_id: ID.into() }
}

async fn parked(rig: &Rig, body: impl Into<command::Body>) -> ParkReport {
    match rig.command(body).await.unwrap().body {
        Some(reply::Body::Park(report)) => report,
        other => panic!("a report was expected, not {other:?}"),
    }
}

async fn summary(rig: &Rig) -> InstanceSummary {
    let reply = rig.command(InstanceList {}).await.unwrap();
    let Some(reply::Body::Listing(listing)) = reply.body else { panic!("no listing") };
    listing.instances.into_iter().find(|instance| instance.instance_id == ID).unwrap()
}

fn processor_time(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat[stat.rfind(')').unwrap()..].split(' ').skip(12).take(2).map(|n| n.parse::<u64>().unwrap()).sum()
}

pub(super) async fn parks_and_wakes(rig: &mut Rig, port: u16) {
    let report = parked(rig, park()).await;
    println!("parked within {} ms", report.took_ms);
    let there = report.instance.unwrap();
    assert_eq!((there.state(), there.health_score), (InstanceState::Parked, None));

    // Whoever looks does not wake it; a copy of what stands still is taken as it stands.
    let before = processor_time(there.pid);
    rig.command(OpenclawLogs { instance_id: ID.into(), max_lines: 5 }).await.unwrap();
    let copy = SnapshotCreate {
        instance_id: ID.into(),
        snapshot_id: "snap-parked".into(),
        destination: rig.dir.path().join("snapshots/snap-parked").display().to_string(),
        only_if_changed: false,
    };
    rig.command(copy).await.unwrap();
    assert_eq!(summary(rig).await.state(), InstanceState::Parked);
    assert_eq!(processor_time(there.pid), before, "it ran while it was parked");

    // It is still parked for a gf-clawnode that was killed meanwhile.
    rig.kill_node();
    rig.lost().await;
    rig.launch();
    rig.connected().await;
    assert_eq!(summary(rig).await.state(), InstanceState::Parked);

    // Whatever needs it wakes it, and nothing was forgotten.
    let reply = rig.command(OpenclawHealth { instance_id: ID.into() }).await.unwrap();
    let Some(reply::Body::Health(health)) = reply.body else { panic!("no health") };
    assert_eq!((health.http_status, health.instance.unwrap().state()), (200, InstanceState::Active));
    assert!(say(rig, ID, port, "Did you sleep well?").await.contains("The word is heron."));

    let mut wakes = Vec::new();
    for _ in 0..5 {
        parked(rig, park()).await;
        wakes.push(parked(rig, InstanceWake { instance_id: ID.into() }).await.took_ms);
    }
    wakes.sort_unstable();
    println!("awake again and taking work within {wakes:?} ms, median {}", wakes[2]);
    assert_eq!(summary(rig).await.state(), InstanceState::Active);
}

/// OpenClaw's suspension lapses two minutes after it began, also while it is frozen.
#[tokio::test]
#[ignore = "it sleeps longer than two minutes"]
async fn real_gateway_sleeps_past_its_lease_and_a_missing_channel_is_noticed() {
    let model = model::serve().await;
    let mut rig = Rig::start(&real_runtime()).await;
    let port = free_port();
    let config = Some(model::config(model).to_string().into());
    rig.command(InstanceCreate { config, ..create(ID, port) }).await.unwrap();
    rig.kind(ID, ready).await;
    parked(&rig, park()).await;
    tokio::time::sleep(std::time::Duration::from_secs(150)).await;
    let awake = parked(&rig, InstanceWake { instance_id: ID.into() }).await;
    println!("awake within {} ms after more than two minutes", awake.took_ms);
    assert!(say(&rig, ID, port, "The word is tern.").await.contains("The word is tern."));

    // A Telegram that nobody answers for.
    let telegram = json!({"telegram": {
        "enabled": true, "botToken": "123456789:AAabcdefghijklmnopqrstuv", "apiRoot": "http://127.0.0.1:1",
        "dmPolicy": "allowlist", "allowFrom": ["777"]
    }});
    let open = ChannelsSet {
        instance_id: ID.into(),
        generation: 2,
        open: true,
        channels: Some(telegram.to_string().into()),
        role: InstanceRole::Primary.into(),
    };
    rig.command(open).await.unwrap();
    let observed = rig
        .kind(ID, |kind| match kind {
            event::Kind::Health(health) => health.observation.filter(|seen| seen.channel_down),
            _ => None,
        })
        .await;
    assert!(observed.http_ok, "{observed:?}");
    println!("gf-clawnode: {} kB resident", rig.node_costs().0 / 1024);
    rig.command(InstanceDelete { instance_id: ID.into() }).await.unwrap();
}
