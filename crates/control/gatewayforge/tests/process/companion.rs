//! COMPANION as a receiver on this machine: it fails first, then takes the webhook, and checks its signature.

use crate::run::{Running, home, start_with};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::Path,
};

struct Post {
    headers: HashMap<String, String>,
    body: String,
}

/// Takes one webhook and answers it.
fn take(listener: &TcpListener, answer: &str) -> Post {
    let (socket, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    let mut headers = HashMap::new();
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 0 && line.trim() != "" {
        if let Some((name, value)) = line.trim().split_once(": ") {
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        line.clear();
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let mut socket = socket;
    socket
        .write_all(format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes())
        .unwrap();
    Post { headers, body: String::from_utf8(body).unwrap() }
}

/// By the rules of Standard Webhooks: over id, time and body, with the key of this home.
fn is_signed(post: &Post, home: &Path) -> bool {
    let key = fs::read_to_string(home.join("keys/webhook.key")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.trim().as_bytes()).unwrap();
    let (id, at) = (&post.headers["webhook-id"], &post.headers["webhook-timestamp"]);
    mac.update(format!("{id}.{at}.{}", post.body).as_bytes());
    let given = post.headers["webhook-signature"].strip_prefix("v1,").unwrap();
    mac.verify_slice(&STANDARD.decode(given).unwrap()).is_ok()
}

fn teardown(running: &Running, account: &str) -> Value {
    let gone = json!({"accountIds": [account], "reason": "operator_request"});
    running.ended(&running.confirmed("gf_teardown", gone)["operationId"])
}

fn operation(running: &Running, id: &Value) -> Value {
    running.tool("gf_operation", json!({"id": id, "action": "get"}))
}

#[test]
fn a_webhook_that_nobody_took_is_sent_again_until_somebody_does() {
    let (_directory, home) = home();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks?token=secret", listener.local_addr().unwrap());
    let running = start_with(&home, &["--sim-pairs", "1", "--companion-url", &url]);
    let receiver = std::thread::spawn(move || {
        let failed = take(&listener, "500 Internal Server Error");
        (failed, take(&listener, "204 No Content"))
    });
    let ended = teardown(&running, "acct-0001");
    let (first, second) = receiver.join().unwrap();
    for post in [&first, &second] {
        assert!(is_signed(post, &home), "{:?}", post.headers);
        let told: Value = serde_json::from_str(&post.body).unwrap();
        assert_eq!(told["data"]["account"], "acct-0001");
        assert_eq!(told["data"]["operation"], ended["id"]);
    }
    assert_eq!(first.headers["webhook-id"], second.headers["webhook-id"], "it is one webhook");
    let spoilt = Post { body: second.body.replace("acct-0001", "acct-0002"), headers: second.headers };
    assert!(!is_signed(&spoilt, &home), "the signature is over the body");
    let taken = running.until("its delivery was written down", || {
        let now = operation(&running, &ended["id"]);
        (now["webhooksDelivered"] == 1).then_some(now)
    });
    assert_eq!(taken["webhooksWaiting"], 0, "{taken}");
}

#[test]
fn webhooks_wait_until_somebody_says_where_companion_listens() {
    let (_directory, home) = home();
    let running = start_with(&home, &["--sim-pairs", "1"]);
    let ended = teardown(&running, "acct-0001");
    assert_eq!(ended["webhooksWaitFor"], "COMPANION's address is not configured", "{ended}");
    running.kill();

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let again = start_with(&home, &["--companion-url", &url]);
    let post = take(&listener, "200 OK");
    assert!(is_signed(&post, &home) && post.body.contains("acct-0001"), "{}", post.body);
    again.until("its delivery was written down", || {
        let now = operation(&again, &ended["id"]);
        (now["webhooksDelivered"] == 1).then_some(now)
    });
}
