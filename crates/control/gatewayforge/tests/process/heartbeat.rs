//! The dead-man's switch against a receiver that really listens.

use crate::run::{command, home, running};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};
use tokio_rustls::rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// Takes one request, answers it, and hands back its first line and body.
fn heard(receiver: &TcpListener, answer: &str) -> (String, Value) {
    said(receiver.accept().unwrap().0, answer)
}

fn said(stream: impl Read + Write, answer: &str) -> (String, Value) {
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

/// A key and a certificate for 127.0.0.1 that vouches for itself, as files.
fn certificate(directory: &Path) -> (PathBuf, PathBuf) {
    let (key, certificate) = (directory.join("key.pem"), directory.join("certificate.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    openssl.args(["-batch", "-subj", "/CN=a receiver", "-days", "2"]);
    openssl
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate);
    let made = openssl.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (key, certificate)
}

#[test]
fn over_https_only_a_receiver_hears_it_for_whom_somebody_vouches() {
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/ping/a-token", receiver.local_addr().unwrap());
    let (directory, home) = home();
    let (key, authority) = certificate(directory.path());
    let shown: Vec<_> = CertificateDer::pem_file_iter(&authority).unwrap().map(Result::unwrap).collect();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(shown, PrivateKeyDer::from_pem_file(&key).unwrap())
        .unwrap();
    let config = Arc::new(config);
    let taken = || {
        let (stream, _) = receiver.accept().unwrap();
        StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream)
    };
    let beating = |authority: Option<&Path>| {
        let mut process = command(&home);
        process.env("CLAWOPS_HEARTBEAT_URL", &url).env("CLAWOPS_HEARTBEAT_SECONDS", "1");
        process.envs(authority.map(|path| ("CLAWOPS_OUTSIDE_AUTHORITIES", path)));
        running(process, &home)
    };
    // This machine trusts nobody who vouches for it: nothing is said to it.
    let first = beating(None);
    let mut unheard = String::new();
    assert!(taken().read_to_string(&mut unheard).is_err() && unheard.is_empty(), "{unheard}");
    first.kill();

    let _second = beating(Some(&authority));
    // The first may have dialled once more before it ended.
    let mut dialled = std::iter::repeat_with(taken);
    let trusting = dialled.find_map(|mut it| it.conn.complete_io(&mut it.sock).is_ok().then_some(it));
    let (line, sign) = said(trusting.unwrap(), "200 OK");
    assert_eq!((line.as_str(), &sign["everySeconds"]), ("POST /ping/a-token HTTP/1.1\r\n", &1.into()));
}

#[test]
fn an_address_that_it_cannot_speak_to_is_refused_at_the_start() {
    let (_directory, home) = home();
    let mut process = command(&home);
    process.env("CLAWOPS_HEARTBEAT_URL", "ftp://pages.example/a-token").stdout(Stdio::null());
    let output = process.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("https://") && !said.contains("a-token"), "{said}");
}
