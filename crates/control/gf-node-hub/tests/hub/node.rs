//! The other end of the link, frame by frame, so that a test can misbehave at any point.

use crate::registry::Fleet;
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt, future};
use gf_node_hub::{LINK_PATH, LinkEnd, duplex};
use gf_node_proto::{
    Command, CommandResult, Enrol, EnrolmentToken, Goodbye, Hello, NodeRole, PROTOCOL_MAX, PROTOCOL_MIN,
    Proof, Said, SigningKey, Transcript, Welcome, command_result, decode, encode, envelope, reply,
    said_challenge, said_hello, sign_node, verify_challenge, verify_welcome,
};
use std::{net::SocketAddr, pin::Pin};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_tungstenite::{client_async, tungstenite::Message};

/// Frames over memory or over a real socket.
pub trait Frames: Stream<Item = Result<Bytes, String>> + Sink<Bytes, Error = String> + Send {}
impl<T: Stream<Item = Result<Bytes, String>> + Sink<Bytes, Error = String> + Send> Frames for T {}

pub struct Node {
    pub link: Pin<Box<dyn Frames>>,
    pub served: JoinHandle<LinkEnd>,
}

pub fn hello(node: &str) -> Hello {
    Hello {
        protocol_min: PROTOCOL_MIN,
        protocol_max: PROTOCOL_MAX,
        node_id: node.into(),
        role: NodeRole::Host.into(),
        software_version: "0.1.0".into(),
        provider: "local-a".into(),
        nonce: vec![5; 32],
        ..Hello::default()
    }
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

impl Node {
    pub fn dial(fleet: &Fleet) -> Self {
        let (link, far) = duplex();
        let hub = fleet.hub.clone();
        let link = link.map(|frame| frame.map_err(|why| why.to_string()));
        let link = link.sink_map_err(|why: gf_node_hub::Gone| why.to_string());
        Self { link: Box::pin(link), served: tokio::spawn(async move { hub.serve(far).await }) }
    }

    /// The same over a WebSocket; how the link ended is only seen from outside.
    pub async fn dial_socket(at: SocketAddr) -> Self {
        let stream = TcpStream::connect(at).await.unwrap();
        let (socket, _) = client_async(format!("ws://{at}{LINK_PATH}"), stream).await.unwrap();
        let link = socket
            .with(|frame: Bytes| {
                future::ok::<_, tokio_tungstenite::tungstenite::Error>(Message::Binary(frame))
            })
            .sink_map_err(|why| why.to_string())
            .map(|message| message.map(Message::into_data).map_err(|why| why.to_string()));
        let served = tokio::spawn(std::future::pending());
        Self { link: Box::pin(link), served }
    }

    pub async fn send(&mut self, body: impl Into<envelope::Body>) {
        self.link.send(encode(body).unwrap()).await.unwrap();
    }

    pub async fn send_raw(&mut self, bytes: Vec<u8>) {
        self.link.send(Bytes::from(bytes)).await.unwrap();
    }

    pub async fn next_frame(&mut self) -> Bytes {
        self.link.next().await.unwrap().unwrap()
    }

    pub async fn next(&mut self) -> envelope::Body {
        decode(&self.next_frame().await).unwrap()
    }

    pub async fn challenge(&mut self, hello: Hello) -> Transcript {
        self.challenged(encode(hello).unwrap().to_vec()).await
    }

    async fn challenged(&mut self, hello: Vec<u8>) -> Transcript {
        self.send_raw(hello.clone()).await;
        let challenge = said_challenge(&self.next_frame().await).unwrap().unwrap();
        verify_challenge(&said_hello(&hello).unwrap().unwrap(), &challenge).unwrap().1
    }

    /// With a Hello of one's own making.
    pub async fn prove_as(&mut self, hello: Vec<u8>, key: &SigningKey) {
        let transcript = self.challenged(hello).await;
        self.send(Proof { signature: sign_node(key, &transcript), ..Proof::default() }).await;
    }

    pub async fn enrol(&mut self, node: &str, key: &SigningKey, token: &EnrolmentToken) {
        let transcript = self.challenge(hello(node)).await;
        self.send(Enrol {
            token: Some(token.secret_text().into()),
            public_key: key.verifying_key().as_bytes().to_vec(),
            signature: sign_node(key, &transcript),
        })
        .await;
    }

    pub async fn prove(&mut self, node: &str, key: &SigningKey) -> Transcript {
        let transcript = self.challenge(hello(node)).await;
        self.send(Proof { signature: sign_node(key, &transcript), ..Proof::default() }).await;
        transcript
    }

    pub async fn welcome(&mut self) -> Welcome {
        match self.next().await {
            envelope::Body::Welcome(welcome) => welcome,
            other => panic!("a welcome was expected, not {other:?}"),
        }
    }

    pub async fn goodbye(&mut self) -> Goodbye {
        match self.next().await {
            envelope::Body::Goodbye(goodbye) => goodbye,
            other => panic!("a goodbye was expected, not {other:?}"),
        }
    }

    pub async fn command(&mut self) -> Command {
        match self.next().await {
            envelope::Body::Command(command) => command,
            other => panic!("a command was expected, not {other:?}"),
        }
    }

    pub async fn answer(&mut self, key: &str, reply: impl Into<reply::Body>) {
        let outcome = Some(command_result::Outcome::Ok(reply.into().into()));
        self.send(CommandResult { key: key.into(), outcome }).await;
    }
}

/// A node that has enrolled and was welcomed; its `Connected` event is taken.
pub async fn enrolled(fleet: &mut Fleet, node: &str) -> Node {
    let token = fleet.token_for(node);
    let mut dialled = Node::dial(fleet);
    dialled.enrol(node, &key(7), &token).await;
    dialled.welcome().await;
    assert!(matches!(fleet.event().await, gf_node_hub::NodeEvent::Connected { .. }));
    dialled
}

/// The same node again, by its key.
pub async fn returned(fleet: &mut Fleet, node: &str) -> (Node, Welcome) {
    let mut dialled = Node::dial(fleet);
    let transcript = dialled.prove(node, &key(7)).await;
    let welcome = dialled.welcome().await;
    verify_welcome(&key(42).verifying_key(), &transcript, &Said::by_us(welcome.clone())).unwrap();
    loop {
        if let gf_node_hub::NodeEvent::Connected { .. } = fleet.event().await {
            return (dialled, welcome);
        }
    }
}
