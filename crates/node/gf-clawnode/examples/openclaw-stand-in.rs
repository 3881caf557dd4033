//! A program in the place of OpenClaw, for tests that need many gateways, or gateways that are stopped and killed: it
//! answers its health pages and the few methods that gf-clawnode calls, and goes by the configuration that it read when
//! it started or was patched to. While it has channels it "sends": it writes the time into `sent` beside its state.
//!
//! It must never judge anything: whoever reads `sent` does.
#![allow(clippy::unwrap_used, reason = "a test sees that it ended")]

use axum::{
    Json, Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    routing::get,
};
use gf_clawnode::machine::since_boot;
use gf_model::patch;
use openclaw_client::SUPPORTED;
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{env, fs, io::Write, net::Ipv4Addr, path::PathBuf, sync::Arc, time::Duration};

/// Between two messages.
const SENDS_EVERY: Duration = Duration::from_millis(20);

struct StandIn {
    file: PathBuf,
    config: Mutex<Value>,
}

impl StandIn {
    fn hash(&self) -> String {
        hex::encode(Sha256::digest(fs::read(&self.file).unwrap_or_default()))
    }

    fn has_channels(&self) -> bool {
        self.config.lock()["channels"].as_object().is_some_and(|channels| !channels.is_empty())
    }

    fn answer(&self, request: &Value) -> Result<Value, Value> {
        match request["method"].as_str().unwrap_or_default() {
            "connect" => Ok(json!({
                "type": "hello-ok",
                "protocol": 4,
                "policy": {"tickIntervalMs": 30_000},
                "server": {"version": SUPPORTED, "bootId": "b", "connId": "c"},
            })),
            "config.get" => Ok(json!({"hash": self.hash(), "valid": true})),
            "config.patch" => self.patch(&request["params"]),
            "gateway.suspend.prepare" | "gateway.suspend.status" => {
                Ok(json!({"status": "ready", "suspensionId": "s"}))
            }
            "channels.status" => Ok(json!({"channelAccounts": {}})),
            "sessions.list" => Ok(json!({"sessions": []})),
            _ => Ok(json!({})),
        }
    }

    fn patch(&self, params: &Value) -> Result<Value, Value> {
        if params["baseHash"] != self.hash() {
            return Err(
                json!({"code": "INVALID_REQUEST", "message": "the file was changed since it was read"}),
            );
        }
        let change: Value = serde_json::from_str(params["raw"].as_str().unwrap()).unwrap();
        let mut config = self.config.lock();
        patch::apply(&mut config, &change);
        fs::write(&self.file, serde_json::to_vec_pretty(&*config).unwrap()).unwrap();
        drop(config);
        Ok(json!({"hash": self.hash(), "changedPaths": []}))
    }
}

async fn speak(mut socket: WebSocket, stand_in: Arc<StandIn>) {
    let challenge = json!({"type": "event", "event": "connect.challenge", "payload": {"nonce": "n"}});
    let _ = socket.send(Message::text(challenge.to_string())).await;
    while let Some(Ok(Message::Text(text))) = socket.recv().await {
        let request: Value = serde_json::from_str(&text).unwrap();
        let said = match stand_in.answer(&request) {
            Ok(payload) => json!({"type": "res", "id": request["id"], "ok": true, "payload": payload}),
            Err(error) => json!({"type": "res", "id": request["id"], "ok": false, "error": error}),
        };
        if socket.send(Message::text(said.to_string())).await.is_err() {
            return;
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let file = PathBuf::from(env::var_os("OPENCLAW_CONFIG_PATH").unwrap());
    let sent = PathBuf::from(env::var_os("OPENCLAW_STATE_DIR").unwrap()).with_file_name("sent");
    let config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let port = config["gateway"]["port"].as_u64().and_then(|port| port.try_into().ok()).unwrap();
    let stand_in = Arc::new(StandIn { file, config: Mutex::new(config) });

    let page = |said: Value| get(move || async move { Json(said) });
    let pages = Router::new()
        .route("/healthz", page(json!({"ok": true})))
        .route("/readyz", page(json!({"ready": true, "failing": []})))
        .route("/startupz", page(json!({"status": "started", "version": SUPPORTED})))
        .route(
            "/",
            get(async |State(stand_in), upgrade: WebSocketUpgrade| {
                upgrade.on_upgrade(move |socket| speak(socket, stand_in))
            }),
        )
        .with_state(Arc::clone(&stand_in));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    tokio::spawn(async move {
        let mut sent = fs::OpenOptions::new().create(true).append(true).open(sent).unwrap();
        loop {
            if stand_in.has_channels() {
                writeln!(sent, "{}", since_boot().as_millis()).unwrap();
            }
            tokio::time::sleep(SENDS_EVERY).await;
        }
    });
    axum::serve(listener, pages).await.unwrap();
}
