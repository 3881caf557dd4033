//! The link from another machine: encrypted, and to nobody but the control plane that the token names.

use crate::rig::{Rig, scripted_runtime};
use gf_node_hub::{Hub, HubConfig, LINK_PATH, MemoryRegistry, NodeEvent};
use gf_node_proto::{SigningKey, VpsInfo, reply};
use std::{net::Ipv4Addr, process::Stdio, sync::Arc};
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::test]
async fn a_node_enrols_over_tls_and_comes_back_without_a_token() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = Rig::start_remote(&scripted_runtime(scripts.path(), "exit 1")).await;
    assert!(rig.control.starts_with("wss://"));
    let reply = rig.command(VpsInfo {}).await.unwrap();
    assert!(matches!(reply.body, Some(reply::Body::Info(_))));
    println!("gf-clawnode over TLS: {} kB resident", rig.node_costs().0 / 1024);

    rig.kill_node();
    rig.lost().await;
    std::fs::remove_file(rig.dir.path().join("token")).unwrap();
    rig.launch();
    rig.connected().await;
    rig.command(VpsInfo {}).await.unwrap();
}

#[tokio::test]
async fn whoever_holds_another_key_is_told_nothing() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = Rig::without_node(&scripted_runtime(scripts.path(), "exit 1")).await;
    let config = HubConfig::new(SigningKey::from_bytes(&[99; 32]), 1);
    let registry = Arc::new(MemoryRegistry::default());
    let (stranger, mut heard) = Hub::new(config, registry, crate::rig::wall(), crate::rig::bits());
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    rig.control = format!("wss://{}{LINK_PATH}", listener.local_addr().unwrap());
    tokio::spawn(stranger.clone().serve_remote(listener));

    let mut command = tokio::process::Command::from(rig.node_command(&rig.home()));
    let mut node = command.stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut said = BufReader::new(node.stderr.take().unwrap()).lines();
    while let Some(line) = said.next_line().await.unwrap() {
        if line.contains("does not hold our control plane's key") {
            assert!(stranger.nodes().is_empty(), "the stranger was told a name");
            assert!(!matches!(heard.try_recv(), Ok(NodeEvent::Connected { .. })));
            return;
        }
    }
    panic!("the node ended without saying whom it met");
}

#[tokio::test]
async fn a_way_to_another_machine_without_encryption_is_refused_at_once() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = Rig::without_node(&scripted_runtime(scripts.path(), "exit 1")).await;
    rig.control = format!("ws://192.0.2.1:7443{LINK_PATH}");
    let command = rig.node_command(&rig.home());
    let output = tokio::process::Command::from(command).output().await.unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("not encrypted") && said.contains("wss://"), "{said}");
    assert!(!rig.home().exists(), "something was written");
}
