//! The guest API of the real binary, over its Unix socket.

use std::process::Stdio;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    process::Command,
};

async fn ask(socket: &std::path::Path, head: &str, body: &str) -> String {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: guest\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_guest_answers_its_instance_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("guest.sock");
    // The socket appears in its directory when the guest can be asked.
    let mut appears = Command::new("sh")
        .args(["-c", "while [ ! -S \"$0\" ]; do sleep 0.05; done; echo there"])
        .arg(&socket)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let _guest = Command::new(env!("CARGO_BIN_EXE_gf-clawnode"))
        .args(["guest", "--instance", "i-7f3a", "--account", "acct-0042", "--openclaw-port", "1", "--listen"])
        .arg(&socket)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(appears.stdout.take().unwrap()).read_line(&mut line).await.unwrap();

    assert!(ask(&socket, "GET /healthz", "").await.contains(r#"{"ok":true}"#));
    let held = ask(&socket, "POST /v1/self/keepalive", r#"{"ttl_ms":60000,"reason":"a long build"}"#).await;
    assert!(held.starts_with("HTTP/1.1 200") && held.contains(r#""held":true"#), "{held}");
    let about = ask(&socket, "GET /v1/self", "").await;
    assert!(
        about.contains("i-7f3a") && about.contains("acct-0042") && about.contains("a long build"),
        "{about}"
    );
    ask(&socket, "DELETE /v1/self/keepalive", "").await;
    assert!(ask(&socket, "GET /v1/self", "").await.contains(r#""keepalive":null"#));

    for bad in
        [r#"{"ttl_ms":0,"reason":"x"}"#, r#"{"ttl_ms":5}"#, "{", r#"{"ttl_ms":5,"reason":"x","also":1}"#]
    {
        let refused = ask(&socket, "POST /v1/self/keepalive", bad).await;
        assert!(refused.starts_with("HTTP/1.1 400"), "{bad}: {refused}");
    }
    assert!(ask(&socket, "GET /v1/secrets", "").await.starts_with("HTTP/1.1 404"));
    assert!(ask(&socket, "DELETE /v1/self", "").await.starts_with("HTTP/1.1 405"));
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("notes.txt");
    std::fs::write(&file, "mine").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_gf-clawnode"))
        .args(["guest", "--instance", "i-1", "--account", "acct-1", "--openclaw-port", "1", "--listen"])
        .arg(&file)
        .output()
        .await
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no socket"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}

#[tokio::test]
async fn the_guest_is_a_node_of_its_own_machines_gateway_only() {
    let dir = tempfile::tempdir().unwrap();
    for elsewhere in ["ws://192.0.2.1:7500", "wss://gateway.example:443"] {
        let output = Command::new(env!("CARGO_BIN_EXE_gf-clawnode"))
            .args(["guest", "--instance", "i-1", "--account", "acct-1", "--openclaw-port", "1"])
            .args(["--listen", "127.0.0.1:0", "--openclaw-node", elsewhere, "--device-file"])
            .arg(dir.path().join("device.json"))
            .output()
            .await
            .unwrap();
        assert!(!output.status.success(), "{elsewhere}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("--openclaw-node"), "{elsewhere}");
    }
}

#[tokio::test]
async fn the_guest_listens_on_loopback_only() {
    let output = Command::new(env!("CARGO_BIN_EXE_gf-clawnode"))
        .args([
            "guest",
            "--instance",
            "i-1",
            "--account",
            "acct-1",
            "--openclaw-port",
            "1",
            "--listen",
            "0.0.0.0:0",
        ])
        .output()
        .await
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("loopback"));
}
