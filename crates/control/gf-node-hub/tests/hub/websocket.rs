//! The same over a real socket, where a header may claim anything.

use crate::{
    hostile::{serve, upgrade},
    node::{Node, key},
    registry::{fleet, id},
};
use futures_util::{SinkExt, StreamExt};
use gf_node_hub::LINK_PATH;
use gf_node_proto::{GoodbyeReason, decode, envelope};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{client_async, tungstenite::Message};

#[tokio::test]
async fn a_node_enrols_over_a_websocket() {
    let mut fleet = fleet();
    let token = fleet.token_for("node-local-a");
    let mut node = Node::dial_socket(serve(fleet.hub.clone()).await).await;
    node.enrol("node-local-a", &key(7), &token).await;
    node.welcome().await;
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
    upgrade(&mut stream, address).await;
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
