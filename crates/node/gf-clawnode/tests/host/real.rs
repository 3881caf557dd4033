//! The real OpenClaw under the real binary: one gateway from its making to its deletion, and the copy that
//! remembers what it was told.

mod config;
mod sleep;

use crate::{
    model,
    rig::{PATIENCE, Rig, create, free_port, is_alive, pid_of, spec},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gf_node_proto::{
    ArchiveCreate, ChannelsSet, FailureCode, FailureReason, InstanceCreate, InstanceDelete, InstanceRole,
    InstanceState, InstanceStop, OpenclawDrain, OpenclawHealth, OpenclawLogs, OpenclawResume,
    ProviderCredential, SecretsApply, SnapshotCreate, SnapshotRestore, event, reply,
};
use openclaw_client::{
    Client, Endpoint, Token,
    chat::{AgentTurn, TurnEnd},
};
use serde_json::{Value, json};
use std::{
    env, fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

const ID: &str = "i-7f3a";
const COPY: &str = "i-7f3b";

fn real_runtime() -> PathBuf {
    if let Some(named) = env::var_os("CLAWOPS_RUNTIME") {
        return named.into();
    }
    let all = Path::new(&env::var_os("HOME").unwrap()).join(".cache/clawops/runtime");
    let current = all.join("current");
    assert!(current.exists(), "no OpenClaw at {}; name one with CLAWOPS_RUNTIME", current.display());
    current
}

fn ready(kind: &event::Kind) -> Option<u32> {
    match kind {
        event::Kind::Ready(ready) => Some(ready.boot_ms),
        _ => None,
    }
}

async fn connect(rig: &Rig, id: &str, port: u16) -> Client {
    let token = spec(&rig.instance_dir(id))["gatewayToken"].as_str().unwrap().to_owned();
    let endpoint = Endpoint { addr: (Ipv4Addr::LOCALHOST, port).into(), token: Token::new(token) };
    Client::connect(&endpoint, PATIENCE).await.unwrap()
}

async fn say(rig: &Rig, id: &str, port: u16, words: &str) -> String {
    let client = connect(rig, id, port).await;
    let turn = AgentTurn::in_session("agent:main:main", words, format!("turn-{id}-{}", rig.fresh_key()));
    match client.converse(&turn, PATIENCE, |_| {}).await.unwrap() {
        TurnEnd::Replied(Some(text)) => text,
        other => panic!("the agent did not reply: {other:?}"),
    }
}

fn on_disk(rig: &Rig, id: &str) -> Value {
    let text = fs::read(rig.instance_dir(id).join("state/openclaw.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[tokio::test]
async fn real_gateway_from_its_making_to_its_end() {
    let model = model::serve().await;
    let mut rig = Rig::start(&real_runtime()).await;
    let port = free_port();
    let config = Some(model::config(model).to_string().into());
    rig.command(InstanceCreate { config: config.clone(), ..create(ID, port) }).await.unwrap();
    let boot_ms = rig.kind(ID, ready).await;
    assert!(boot_ms > 0);
    println!("first boot: {boot_ms} ms, gf-clawnode: {} kB resident", rig.node_costs().0 / 1024);
    assert!(say(&rig, ID, port, "The word is heron.").await.contains("The word is heron."));

    is_healed_after_a_kill(&mut rig, port).await;
    config::takes_configuration(&rig).await;
    config::flags_what_is_malformed(&rig).await;
    keeps_channels_to_their_generation(&rig).await;
    takes_a_credential_and_shows_none(&rig).await;
    answers_reads_as_a_node(&rig, port).await;
    drains_and_resumes(&rig).await;
    sleep::parks_and_wakes(&mut rig, port).await;
    remembers_in_a_copy(&mut rig, model).await;
    let (resident, ticks) = rig.node_costs();
    println!("gf-clawnode: {} kB resident, {ticks} ticks of processor time in all", resident / 1024);
    leaves_nothing(&rig).await;
}

async fn is_healed_after_a_kill(rig: &mut Rig, port: u16) {
    let pid = pid_of(&rig.instance_dir(ID)).unwrap();
    let (begun, killed_at) = (std::time::Instant::now(), gf_clawnode::host::now_ms());
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid as i32).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
    let (exited, noticed_at) = rig
        .until(|event| match &event.kind {
            Some(event::Kind::Exited(exited)) => Some((exited.clone(), event.at_ms)),
            _ => None,
        })
        .await;
    println!("noticed after {} ms, told after {} ms", noticed_at - killed_at, begun.elapsed().as_millis());
    assert_eq!((exited.pid, exited.reason(), exited.restarting), (pid, FailureReason::Killed, true));
    let boot_ms = rig.kind(ID, ready).await;
    println!("serving again after {} ms, of which the boot took {boot_ms} ms", begun.elapsed().as_millis());

    let reply = rig.command(OpenclawHealth { instance_id: ID.into() }).await.unwrap();
    let Some(reply::Body::Health(health)) = reply.body else { panic!("no health") };
    assert_eq!(health.http_status, 200);
    assert_eq!(health.instance.unwrap().state(), InstanceState::Active);
    assert!(say(rig, ID, port, "Are you back?").await.contains("The word is heron."));
}

async fn keeps_channels_to_their_generation(rig: &Rig) {
    let set = |generation, open| ChannelsSet {
        instance_id: ID.into(),
        generation,
        open,
        channels: Some(
            json!({"telegram": {"enabled": false, "botToken": "123456789:AAabcdefghijklmnopqrstuv"}})
                .to_string()
                .into(),
        ),
        role: InstanceRole::Primary.into(),
    };
    let opened = rig.summary(set(2, true)).await;
    assert!(opened.channels_open && opened.generation == 2);
    assert!(on_disk(rig, ID)["channels"]["telegram"].is_object());
    let why = rig.command(set(1, true)).await.unwrap_err();
    assert_eq!(why.failure().unwrap().code(), FailureCode::StaleGeneration);

    let closed = rig.summary(set(3, false)).await;
    assert!(!closed.channels_open);
    assert!(on_disk(rig, ID)["channels"].get("telegram").is_none(), "a credential stayed behind");
}

async fn takes_a_credential_and_shows_none(rig: &Rig) {
    let credential = ProviderCredential {
        provider: "anthropic".into(),
        api_key: Some("sk-ant-REPORTED-NOWHERE-1".into()),
        agent_id: "main".into(),
    };
    rig.command(SecretsApply { instance_id: ID.into(), credentials: vec![credential] }).await.unwrap();
    let reply = rig.command(OpenclawLogs { instance_id: ID.into(), max_lines: 500 }).await.unwrap();
    let Some(reply::Body::Logs(logs)) = reply.body else { panic!("no logs") };
    assert!(logs.lines.iter().any(|line| line.contains("ready")), "{:?}", logs.lines);
    let token = spec(&rig.instance_dir(ID))["gatewayToken"].as_str().unwrap().to_owned();
    assert!(!logs.lines.iter().any(|line| line.contains("REPORTED-NOWHERE") || line.contains(&token)));
    for file in ["spec.json", "state/openclaw.json", "gateway.log"] {
        let text = fs::read_to_string(rig.instance_dir(ID).join(file)).unwrap();
        assert!(!text.contains("REPORTED-NOWHERE"), "{file} holds the key");
    }
}

async fn answers_reads_as_a_node(rig: &Rig, port: u16) {
    rig.command(config::push(
        "v9",
        json!({"gateway": {"nodes": {"commands": {"allow": ["vps.metrics", "config.get", "openclaw.restart"]}}}}),
    ))
    .await
    .unwrap();
    let client = connect(rig, ID, port).await;
    let wanted = json!({
        "bootstrapProfile": "node", "includeQr": false, "publicUrl": format!("ws://127.0.0.1:{port}")
    });
    let given = client.call("device.pair.setupCode", wanted, PATIENCE).await.unwrap();
    let code = URL_SAFE_NO_PAD.decode(given["setupCode"].as_str().unwrap().trim_end_matches('=')).unwrap();
    let code: Value = serde_json::from_slice(&code).unwrap();
    let file = rig.dir.path().join("bootstrap");
    fs::write(&file, code["bootstrapToken"].as_str().unwrap()).unwrap();

    let mut events = client.events();
    let instance = rig.instance_dir(ID);
    let _guest = tokio::process::Command::new(env!("CARGO_BIN_EXE_gf-clawnode"))
        .args(["guest", "--instance", ID, "--account", "acct-0042"])
        .args(["--openclaw-port", &port.to_string(), "--openclaw-node", &format!("ws://127.0.0.1:{port}")])
        .arg("--listen")
        .arg(rig.dir.path().join("guest.sock"))
        .arg("--bootstrap-token-file")
        .arg(&file)
        .arg("--device-file")
        .arg(rig.dir.path().join("device.json"))
        .arg("--config")
        .arg(instance.join("state/openclaw.json"))
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let node = tokio::time::timeout(PATIENCE, async {
        loop {
            let list = client.call("node.list", json!({}), PATIENCE).await.unwrap();
            let there =
                list["nodes"].as_array().unwrap().iter().find(|node| node["connected"] == true).cloned();
            if let Some(there) = there {
                return there["nodeId"].as_str().unwrap().to_owned();
            }
            events.recv().await.unwrap();
        }
    });
    let node = node.await.expect("the node never appeared");
    let invoke = |command: &str| json!({"nodeId": node, "command": command, "params": {}, "timeoutMs": 60_000, "idempotencyKey": rig.fresh_key()});
    let metrics = tokio::time::timeout(PATIENCE, async {
        loop {
            match client.call("node.invoke", invoke("vps.metrics"), PATIENCE).await {
                // OpenClaw is still writing down that this device was here: it says so, and reading the pairings
                // anew waits for its end.
                Err(why) if why.rpc().is_some_and(|refused| refused.code == "UNAVAILABLE") => {
                    client.call("device.pair.list", json!({}), PATIENCE).await.unwrap();
                }
                answered => break answered.unwrap(),
            }
        }
    });
    let metrics = metrics.await.expect("OpenClaw never let the node be asked");
    assert!(metrics["payload"]["memoryTotalBytes"].as_u64().unwrap() > 0, "{metrics}");
    let config = client.call("node.invoke", invoke("config.get"), PATIENCE).await.unwrap();
    let token = spec(&instance)["gatewayToken"].as_str().unwrap().to_owned();
    assert!(config["payload"]["gateway"].is_object() && !config.to_string().contains(&token), "{config}");
    // The gateway would let the first one through: the node does not offer it.
    for refused in ["openclaw.restart", "ssh_exec"] {
        let why = client.call("node.invoke", invoke(refused), PATIENCE).await.expect_err("it was answered");
        assert!(why.rpc().is_some_and(|why| why.code != "UNAVAILABLE"), "{refused}: {why}");
    }
}

async fn drains_and_resumes(rig: &Rig) {
    let drain = OpenclawDrain { instance_id: ID.into(), wait_ms: 60_000 };
    let Some(reply::Body::Drain(drained)) = rig.command(drain).await.unwrap().body else {
        panic!("no report")
    };
    assert!(drained.ready, "{drained:?}");
    let health = rig.command(OpenclawHealth { instance_id: ID.into() }).await.unwrap();
    let Some(reply::Body::Health(health)) = health.body else { panic!("no health") };
    assert_eq!(health.http_status, 503);
    assert_eq!(health.instance.unwrap().state(), InstanceState::Draining);
    let resumed = rig.summary(OpenclawResume { instance_id: ID.into() }).await;
    assert_eq!(resumed.state(), InstanceState::Active);
}

async fn remembers_in_a_copy(rig: &mut Rig, model: std::net::SocketAddr) {
    let place = rig.dir.path().join("snapshots/snap-1");
    let take = |id: &str, only_if_changed| SnapshotCreate {
        instance_id: ID.into(),
        snapshot_id: id.into(),
        destination: place.with_file_name(id).display().to_string(),
        only_if_changed,
    };
    let Some(reply::Body::Snapshot(taken)) = rig.command(take("snap-1", false)).await.unwrap().body else {
        panic!("no snapshot")
    };
    println!(
        "snapshot: {} bytes in {} files, stood still for {} ms",
        taken.bytes, taken.files, taken.frozen_ms
    );
    assert!(taken.changed && place.join("manifest.json").exists());
    let archive = ArchiveCreate {
        instance_id: ID.into(),
        archive_id: "arch-1".into(),
        destination: rig.dir.path().join("archives/arch-1.tar.gz").display().to_string(),
    };
    let Some(reply::Body::Archive(packed)) = rig.command(archive.clone()).await.unwrap().body else {
        panic!("no archive")
    };
    println!("archive: {} bytes", packed.bytes);

    // One gateway at a time: the original gives its place to the copy.
    rig.command(InstanceStop { instance_id: ID.into(), drain: true }).await.unwrap();
    let port = free_port();
    let copy = InstanceCreate {
        role: InstanceRole::Standby.into(),
        restore_from: packed.path,
        config: Some(model::config(model).to_string().into()),
        owned: Some(json!({"session": {"dmScope": "per-peer"}}).to_string().into()),
        revision: "v9".into(),
        ..create(COPY, port)
    };
    rig.command(copy).await.unwrap();
    rig.kind(COPY, ready).await;
    let config = on_disk(rig, COPY);
    assert_eq!(config["session"]["dmScope"], "per-peer", "the keys of now");
    assert!(
        config["messages"].get("responsePrefix").is_none(),
        "the copy's configuration came along: {config}"
    );
    assert!(say(rig, COPY, port, "Which word was it?").await.contains("The word is heron."), "it forgot");

    say(rig, COPY, port, "Now it is stork.").await;
    let back =
        SnapshotRestore { instance_id: COPY.into(), source: taken.path, generation: 4, wait_ready: true };
    let restored = rig.summary(back).await;
    assert_eq!((restored.state(), restored.generation), (InstanceState::Active, 4));
    let said = say(rig, COPY, port, "And now?").await;
    assert!(said.contains("The word is heron.") && !said.contains("stork"), "{said}");
}

async fn leaves_nothing(rig: &Rig) {
    let pid = pid_of(&rig.instance_dir(COPY)).unwrap();
    for id in [ID, COPY] {
        rig.command(InstanceDelete { instance_id: id.into() }).await.unwrap();
        assert!(!rig.instance_dir(id).exists());
    }
    assert!(!is_alive(pid));
    let left: Vec<_> = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| {
            let environ = fs::read(entry.path().join("environ")).unwrap_or_default();
            let home = rig.home().join("instances");
            environ.windows(home.as_os_str().len()).any(|part| part == home.as_os_str().as_encoded_bytes())
        })
        .map(|entry| entry.path())
        .collect();
    assert!(left.is_empty(), "processes are left: {left:?}");
}
