//! The client against a peer of our own: what a gateway does rarely or only when it is broken.

#![allow(clippy::unwrap_used, reason = "a test may")]

use futures_util::{SinkExt, StreamExt};
use openclaw_client::session::Session;
use openclaw_client::{Client, Endpoint, Error, SUPPORTED, Token};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const LONG: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<TcpStream>;

struct Peer {
    listener: TcpListener,
    endpoint: Endpoint,
}

impl Peer {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint { addr: listener.local_addr().unwrap(), token: Token::new("secret") };
        Self { listener, endpoint }
    }

    async fn accept(&self) -> Socket {
        let (tcp, _) = self.listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(tcp).await.unwrap();
        say(
            &mut socket,
            json!({ "type": "event", "event": "connect.challenge", "payload": { "nonce": "n" } }),
        )
        .await;
        socket
    }

    /// Accepts and says hello as the given release, ticking as rarely as given.
    async fn greet(&self, version: &str, tick_ms: u64) -> Socket {
        let mut socket = self.accept().await;
        let connect = hear(&mut socket).await;
        assert_eq!(connect["params"]["auth"]["token"], "secret");
        let hello = json!({ "type": "hello-ok", "protocol": 4, "policy": { "tickIntervalMs": tick_ms },
            "server": { "version": version, "bootId": "b-1", "connId": "c-1" } });
        answer(&mut socket, &connect, hello).await;
        socket
    }
}

async fn say(socket: &mut Socket, frame: Value) {
    socket.send(Message::text(frame.to_string())).await.unwrap();
}

async fn answer(socket: &mut Socket, request: &Value, payload: Value) {
    say(socket, json!({ "type": "res", "id": request["id"], "ok": true, "payload": payload })).await;
}

async fn hear(socket: &mut Socket) -> Value {
    serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap()
}

#[tokio::test]
async fn answers_find_their_question_in_any_order_and_events_reach_everybody() {
    let peer = Peer::new().await;
    let gateway = async {
        let mut socket = peer.greet(SUPPORTED, 30_000).await;
        let (first, second) = (hear(&mut socket).await, hear(&mut socket).await);
        say(&mut socket, json!({ "type": "event", "event": "presence", "payload": { "n": 1 }, "seq": 1 }))
            .await;
        let second_name = second["method"].clone();
        answer(&mut socket, &second, second_name).await;
        let first_name = first["method"].clone();
        answer(&mut socket, &first, first_name).await;
        socket
    };
    let caller = async {
        let client = Client::connect(&peer.endpoint, LONG).await.unwrap();
        let mut events = client.events();
        let (a, b) =
            tokio::join!(client.call("first", json!({}), LONG), client.call("second", json!({}), LONG));
        assert_eq!((a.unwrap(), b.unwrap()), (json!("first"), json!("second")));
        assert_eq!(events.recv().await.unwrap().event, "presence");
        assert_eq!(client.hello().boot_id, "b-1");
    };
    tokio::join!(gateway, caller);
}

#[tokio::test]
async fn a_refusal_keeps_the_code_the_reason_and_when_to_come_back() {
    let peer = Peer::new().await;
    let gateway = async {
        let mut socket = peer.greet(SUPPORTED, 30_000).await;
        let request = hear(&mut socket).await;
        say(
            &mut socket,
            json!({ "type": "res", "id": request["id"], "ok": false, "error": { "code": "UNAVAILABLE",
                    "message": "health unavailable during gateway suspension", "retryable": true,
                    "retryAfterMs": 1000, "details": { "reason": "gateway-suspending", "phase": "prepared" } } }),
        )
        .await;
        socket
    };
    let caller = async {
        let client = Client::connect(&peer.endpoint, LONG).await.unwrap();
        let error = client.call("health", json!({}), LONG).await.unwrap_err();
        assert!(error.retryable());
        let refusal = error.rpc().unwrap();
        assert!(refusal.suspending());
        assert_eq!((refusal.code.as_str(), refusal.retry_after_ms), ("UNAVAILABLE", Some(1000)));
    };
    tokio::join!(gateway, caller);
}

#[tokio::test]
async fn another_release_is_refused_by_name() {
    let peer = Peer::new().await;
    let (_socket, refused) =
        tokio::join!(peer.greet("2026.8.1", 30_000), Client::connect(&peer.endpoint, LONG));
    assert!(matches!(refused, Err(Error::Version { ref found, .. }) if found == "2026.8.1"), "{refused:?}");
}

#[tokio::test]
async fn a_silent_gateway_is_given_up_and_waiting_calls_are_told() {
    let peer = Peer::new().await;
    let (_socket, client) = tokio::join!(peer.greet(SUPPORTED, 20), Client::connect(&peer.endpoint, LONG));
    let client = client.unwrap();
    let error = client.call("health", json!({}), LONG).await.unwrap_err();
    assert!(matches!(error, Error::Closed { ref reason } if reason.contains("silent")), "{error}");
    assert!(client.is_closed());
}

#[tokio::test]
async fn garbage_and_oversized_frames_end_the_connection_with_a_reason() {
    for bad in ["garbage".to_owned(), "x".repeat(26 << 20)] {
        let peer = Peer::new().await;
        let gateway = async {
            let mut socket = peer.greet(SUPPORTED, 30_000).await;
            // The client hangs up in the middle of the oversized one.
            let _ = socket.send(Message::text(bad.clone())).await;
            socket
        };
        let (_socket, client) = tokio::join!(gateway, async {
            let client = Client::connect(&peer.endpoint, LONG).await.unwrap();
            let reason = client.closed().await;
            assert!(!reason.is_empty());
            client
        });
        assert!(client.call("health", json!({}), LONG).await.is_err());
    }
}

#[tokio::test]
async fn nobody_there_and_somebody_else_there_are_told_apart() {
    let peer = Peer::new().await;
    let endpoint = peer.endpoint.clone();
    drop(peer);
    assert!(matches!(Client::connect(&endpoint, LONG).await, Err(Error::Unreachable { .. })));

    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint { addr: other.local_addr().unwrap(), token: Token::new("secret") };
    let impostor = async {
        let (tcp, _) = other.accept().await.unwrap();
        tcp.try_write(b"SMTP ready\r\n\r\n").unwrap();
        tcp
    };
    let (_tcp, refused) = tokio::join!(impostor, Client::connect(&endpoint, LONG));
    assert!(matches!(refused, Err(Error::Handshake { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_session_comes_back_after_a_restart_but_not_after_a_wrong_token() {
    let peer = Peer::new().await;
    let session = Session::start(peer.endpoint.clone());
    let first = peer.greet(SUPPORTED, 30_000).await;
    let client = session.client(LONG).await.unwrap();
    drop(first);
    client.closed().await;
    let _second = peer.greet(SUPPORTED, 30_000).await;
    assert!(!session.client(LONG).await.unwrap().is_closed());

    let peer = Peer::new().await;
    let session = Session::start(peer.endpoint.clone());
    let mut socket = peer.accept().await;
    let connect = hear(&mut socket).await;
    say(
        &mut socket,
        json!({ "type": "res", "id": connect["id"], "ok": false,
                "error": { "code": "AUTH_TOKEN_MISMATCH", "message": "gateway token mismatch" } }),
    )
    .await;
    let error = session.client(LONG).await.unwrap_err();
    assert!(error.to_string().contains("gateway token mismatch"), "{error}");
}

#[test]
fn a_token_does_not_show_itself() {
    let endpoint = Endpoint { addr: "127.0.0.1:1".parse().unwrap(), token: Token::new("secret") };
    assert!(!format!("{endpoint:?}").contains("secret"));
}
