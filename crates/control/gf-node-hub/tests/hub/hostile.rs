//! Whoever means no good, or is out of date, over real sockets: told why, and nothing else happens.

use crate::{
    node::{Node, key},
    registry::{Fleet, fleet, fleet_with_patience, id},
};
use axum::{Router, extract::connect_info::MockConnectInfo};
use gf_node_hub::{CommandMeta, Hub, LINK_PATH, NodeEvent, link_route};
use gf_node_proto::{Done, GoodbyeReason, InstanceStop, envelope};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The link's route, as the control plane serves it to its own machine.
pub async fn serve(hub: Hub) -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let service = link_route(hub).into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).await
    });
    address
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A node that has enrolled over a socket; its `Connected` event is taken.
async fn enrolled(fleet: &mut Fleet, at: SocketAddr, node: &str) -> Node {
    let token = fleet.token_for(node);
    let mut dialled = Node::dial_socket(at).await;
    dialled.enrol(node, &key(7), &token).await;
    dialled.welcome().await;
    while !matches!(fleet.event().await, NodeEvent::Connected { .. }) {}
    dialled
}

#[tokio::test]
async fn who_is_not_the_node_it_says_is_refused_and_the_rightful_one_stays() {
    let mut fleet = fleet();
    let at = serve(fleet.hub.clone()).await;
    let token = fleet.token_for("node-local-a");
    let mut rightful = Node::dial_socket(at).await;
    rightful.enrol("node-local-a", &key(7), &token).await;
    rightful.welcome().await;

    let mut used_token = Node::dial_socket(at).await;
    used_token.enrol("node-local-a", &key(8), &token).await;
    assert_eq!(used_token.goodbye().await.reason(), GoodbyeReason::TokenUsed);

    let mut wrong_key = Node::dial_socket(at).await;
    wrong_key.prove("node-local-a", &key(8)).await;
    assert_eq!(wrong_key.goodbye().await.reason(), GoodbyeReason::BadSignature);

    let fresh = fleet.token_for("node-local-a");
    let mut anothers_name = Node::dial_socket(at).await;
    anothers_name.enrol("node-local-a", &key(8), &fresh).await;
    assert_eq!(anothers_name.goodbye().await.reason(), GoodbyeReason::NameTaken);

    let for_b = fleet.token_for("node-local-b");
    let mut anothers_token = Node::dial_socket(at).await;
    anothers_token.enrol("node-local-c", &key(9), &for_b).await;
    assert_eq!(anothers_token.goodbye().await.reason(), GoodbyeReason::TokenUnknown);

    assert!(matches!(fleet.event().await, NodeEvent::Connected { .. }));
    assert!(fleet.events.try_recv().is_err(), "somebody was let in, or pushed out");
    assert!(fleet.hub.is_connected(&id("node-local-a")));
}

#[tokio::test]
async fn garbage_ends_the_link_before_and_after_a_proof() {
    let mut fleet = fleet();
    let at = serve(fleet.hub.clone()).await;
    let mut stranger = Node::dial_socket(at).await;
    stranger.send_raw(vec![0xff; 300]).await;
    assert_eq!(stranger.goodbye().await.reason(), GoodbyeReason::MalformedFrame);

    let mut node = enrolled(&mut fleet, at, "node-local-a").await;
    node.send_raw(vec![0xff; 300]).await;
    assert_eq!(node.goodbye().await.reason(), GoodbyeReason::MalformedFrame);
    assert!(matches!(fleet.event().await, NodeEvent::Lost { .. }));
}

#[tokio::test]
async fn a_command_survives_a_socket_that_breaks_under_it() {
    let mut fleet = fleet();
    let at = serve(fleet.hub.clone()).await;
    let mut node = enrolled(&mut fleet, at, "node-local-a").await;
    let stop = InstanceStop { instance_id: "i-7f3a".into(), drain: true };
    let meta = CommandMeta::new("k1", Duration::from_secs(60));
    let pending = fleet.hub.start(&id("node-local-a"), stop, meta).unwrap();
    let first = node.command().await;
    drop(node);
    assert!(matches!(fleet.event().await, NodeEvent::Lost { .. }));

    let mut node = Node::dial_socket(at).await;
    node.prove("node-local-a", &key(7)).await;
    node.welcome().await;
    assert_eq!(node.command().await, first, "the same key, to be answered from memory or done once");
    node.answer("k1", Done {}).await;
    pending.answer().await.unwrap();
}

#[tokio::test]
async fn who_drips_a_frame_is_not_waited_for() {
    let fleet = fleet_with_patience(Duration::from_millis(300));
    let at = serve(fleet.hub.clone()).await;
    let mut stream = TcpStream::connect(at).await.unwrap();
    upgrade(&mut stream, at).await;
    // The head of a frame of 1000 bytes, one byte of it, and no more.
    stream.write_all(&[0x82, 0xfe, 0x03, 0xe8, 1, 2, 3, 4, 0]).await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    let length = usize::from(rest[1]);
    let envelope::Body::Goodbye(goodbye) = gf_node_proto::decode(&rest[2..2 + length]).unwrap() else {
        panic!("no goodbye")
    };
    assert_eq!(goodbye.reason(), GoodbyeReason::Silent);
}

#[tokio::test]
async fn silent_crowds_at_the_door_for_other_machines_are_sent_away() {
    let fleet = fleet_with_patience(Duration::from_millis(300));
    let (listener, at) = listen().await;
    tokio::spawn(fleet.hub.clone().serve_remote(listener));
    let mut crowd = Vec::new();
    for n in 0..200u8 {
        let mut stranger = TcpStream::connect(at).await.unwrap();
        if n % 2 == 0 {
            // Half of them speak, but not TLS.
            let _ = stranger.write_all(b"GET / HTTP/1.1\r\n").await;
        }
        crowd.push(stranger);
    }
    for mut stranger in crowd {
        let mut said = Vec::new();
        // Closed or reset, and nothing of the protocol was said.
        let _ = stranger.read_to_end(&mut said).await;
        assert!(!said.windows(8).any(|part| part == b"HTTP/1.1"), "{said:?}");
    }
    assert!(fleet.hub.nodes().is_empty());
}

#[tokio::test]
async fn nobody_from_elsewhere_is_heard_without_encryption() {
    let fleet = fleet();
    let elsewhere: SocketAddr = "203.0.113.7:40000".parse().unwrap();
    let from_elsewhere = link_route(fleet.hub.clone()).layer(MockConnectInfo(elsewhere));
    // Whose address nobody took down may come from anywhere.
    for routes in [from_elsewhere, link_route(fleet.hub.clone())] {
        let at = serve_as_is(routes).await;
        let mut stream = TcpStream::connect(at).await.unwrap();
        let answer = upgrade(&mut stream, at).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        let mut body = [0; 64];
        stream.read_exact(&mut body).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("must come over TLS"));
    }
}

async fn serve_as_is(routes: Router) -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

/// Asks for a WebSocket; gives the head of the answer.
pub async fn upgrade(stream: &mut TcpStream, at: SocketAddr) -> String {
    let request = format!(
        "GET {LINK_PATH} HTTP/1.1\r\nHost: {at}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}
