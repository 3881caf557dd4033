//! A link that breaks in the middle of a command: the node comes back, and the command has its effect once.

use crate::rig::{PATIENCE, Rig, create, free_port, node_id, pid_of, scripted_runtime};
use axum::{Json, Router, routing::get};
use gf_node_hub::{CommandMeta, LINK_PATH};
use gf_node_proto::{InstanceStart, event, reply};
use serde_json::json;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// A wire in front of the link that can be cut.
struct Wire {
    addr: SocketAddr,
    cut: Arc<Notify>,
}

impl Wire {
    async fn to(link: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let cut = Arc::new(Notify::new());
        let cutting = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut far = TcpStream::connect(link).await.unwrap();
                let cutting = Arc::clone(&cutting);
                tokio::spawn(async move {
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        () = cutting.notified() => {}
                    }
                });
            }
        });
        Self { addr, cut }
    }
}

/// A gateway's health pages, so that what was only started becomes ready.
async fn answer_as_openclaw(port: u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    let pages = Router::new()
        .route("/healthz", get(async || Json(json!({"ok": true}))))
        .route("/readyz", get(async || Json(json!({"ready": true}))))
        .route("/startupz", get(async || Json(json!({"status": "started", "version": "2026.9.6"}))));
    tokio::spawn(async move { axum::serve(listener, pages).await });
}

fn started(kind: &event::Kind) -> Option<u32> {
    match kind {
        event::Kind::Started(started) => Some(started.pid),
        _ => None,
    }
}

#[tokio::test]
async fn a_command_goes_on_across_a_broken_link_and_has_its_effect_once() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = Rig::without_node(&scripted_runtime(scripts.path(), "exec sleep 1000")).await;
    let wire = Wire::to(rig.link()).await;
    rig.control = format!("ws://{}{LINK_PATH}", wire.addr);
    rig.launch();
    rig.connected().await;
    let port = free_port();
    rig.command(create("i-1", port)).await.unwrap();
    let pid = rig.kind("i-1", started).await;

    let start = InstanceStart { instance_id: "i-1".into(), wait_ready: true };
    let pending = rig.hub.start(&node_id(), start.clone(), CommandMeta::new("the one", PATIENCE)).unwrap();
    wire.cut.notify_waiters();
    rig.lost().await;
    rig.connected().await;
    // Asked a second time by another caller: it joins the one that is under way.
    let again = rig.hub.start(&node_id(), start, CommandMeta::new("the one", PATIENCE)).unwrap();
    answer_as_openclaw(port).await;
    for waiting in [pending, again] {
        let answered = waiting.answer().await.unwrap();
        assert!(matches!(answered.body, Some(reply::Body::Instance(_))), "{answered:?}");
    }
    assert_eq!(pid_of(&rig.instance_dir("i-1")), Some(pid), "it was started a second time");
}
