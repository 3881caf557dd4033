//! The dead-man's switch against a receiver that really listens.

use crate::run::{command, home, running};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::Stdio,
};

/// Takes one request, answers it, and hands back its first line and body.
fn heard(receiver: &TcpListener, answer: &str) -> (String, Value) {
    let (stream, _) = receiver.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(given) = line.strip_prefix("content-length: ") {
            length = given.parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let text = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.get_mut().write_all(text.as_bytes()).unwrap();
    (first, serde_json::from_slice(&body).unwrap())
}

#[test]
fn who_listens_hears_signs_of_life_again_after_a_refusal_and_after_a_kill() {
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/ping/a-token", receiver.local_addr().unwrap());
    let (_directory, home) = home();
    let beating = || {
        let mut process = command(&home);
        process.env("CLAWOPS_HEARTBEAT_URL", &url).env("CLAWOPS_HEARTBEAT_SECONDS", "1");
        running(process, &home)
    };
    let first = beating();
    let (line, sign) = heard(&receiver, "200 OK");
    assert_eq!(line, "POST /ping/a-token HTTP/1.1\r\n");
    assert_eq!(
        (&sign["generation"], &sign["everySeconds"], &sign["frozen"]),
        (&1.into(), &1.into(), &false.into())
    );
    assert!(sign["at"].is_string() && sign["pairs"] == 0, "{sign}");
    assert_eq!(
        heard(&receiver, "503 Busy").1["generation"],
        1,
        "one that is not taken is followed by the next"
    );
    first.ask("POST", "/v1/automation/freeze", serde_json::json!({"reason": "a drill"}));
    while heard(&receiver, "200 OK").1["frozen"] != true {}
    first.kill();

    let _second = beating();
    while heard(&receiver, "200 OK").1["generation"] != 2 {}
}

#[test]
fn an_address_that_it_cannot_speak_to_is_refused_at_the_start() {
    let (_directory, home) = home();
    let mut process = command(&home);
    process.env("CLAWOPS_HEARTBEAT_URL", "https://pages.example/a-token").stdout(Stdio::null());
    let output = process.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("http://") && !said.contains("a-token"), "{said}");
}
