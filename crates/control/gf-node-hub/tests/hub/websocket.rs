//! The same over a real socket, where a header may claim anything.

use crate::{
    node::{hello, key},
    registry::{fleet, id},
};
use futures_util::{SinkExt, StreamExt};
use gf_node_hub::{LINK_PATH, link_route};
use gf_node_proto::{Enrol, GoodbyeReason, decode, encode, envelope, sign_node, verify_challenge};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{client_async, tungstenite::Message};

async fn serve(hub: gf_node_hub::Hub) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, link_route(hub)).await });
    address
}

#[tokio::test]
async fn a_node_enrols_over_a_websocket() {
    let mut fleet = fleet();
    let token = fleet.token_for("node-local-a");
    let address = serve(fleet.hub.clone()).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut socket, _) = client_async(format!("ws://{address}{LINK_PATH}"), stream).await.unwrap();

    socket.send(Message::Binary(encode(hello("node-local-a")).unwrap())).await.unwrap();
    let challenge = socket.next().await.unwrap().unwrap().into_data();
    let envelope::Body::Challenge(challenge) = decode(&challenge).unwrap() else { panic!("no challenge") };
    let (_, transcript) = verify_challenge(&hello("node-local-a"), &challenge).unwrap();
    let enrol = Enrol {
        token: Some(token.secret_text().into()),
        public_key: key(7).verifying_key().as_bytes().to_vec(),
        signature: sign_node(&key(7), &transcript),
    };
    socket.send(Message::Binary(encode(enrol).unwrap())).await.unwrap();
    let welcome = socket.next().await.unwrap().unwrap().into_data();
    assert!(matches!(decode(&welcome).unwrap(), envelope::Body::Welcome(_)));
    fleet.event().await;
    assert!(fleet.hub.is_connected(&id("node-local-a")));
}

#[tokio::test]
async fn a_text_message_is_no_envelope() {
    let fleet = fleet();
    let address = serve(fleet.hub.clone()).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut socket, _) = client_async(format!("ws://{address}{LINK_PATH}"), stream).await.unwrap();
    socket.send(Message::text("hello?")).await.unwrap();
    let goodbye = socket.next().await.unwrap().unwrap().into_data();
    let envelope::Body::Goodbye(goodbye) = decode(&goodbye).unwrap() else { panic!("no goodbye") };
    assert_eq!(goodbye.reason(), GoodbyeReason::MalformedFrame);
}

#[tokio::test]
async fn a_frame_that_claims_a_gigabyte_ends_the_link_at_its_header() {
    let fleet = fleet();
    let address = serve(fleet.hub.clone()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let upgrade = format!(
        "GET {LINK_PATH} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let mut byte = [0];
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).await.unwrap();
        head.push(byte[0]);
    }
    // A final binary frame, masked, with a 64-bit length of 1 GB and none of it following.
    stream.write_all(&[0x82, 0xff]).await.unwrap();
    stream.write_all(&(1u64 << 30).to_be_bytes()).await.unwrap();
    stream.write_all(&[1, 2, 3, 4]).await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    // A short unmasked binary frame: two bytes of header, then the envelope, then the closing frame.
    let length = usize::from(rest[1]);
    let envelope::Body::Goodbye(goodbye) = decode(&rest[2..2 + length]).unwrap() else {
        panic!("no goodbye")
    };
    assert_eq!(goodbye.reason(), GoodbyeReason::FrameTooLarge);
}
