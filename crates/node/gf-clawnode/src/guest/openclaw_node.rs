//! A node of a stock OpenClaw gateway: pairs, declares its reads, answers them, and comes back when it was lost.

use super::{
    Guest, GuestError,
    device::{Auth, Device, DeviceError},
    reads::{COMMANDS, host_stats},
};
use crate::host::Control;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{fs, path::Path, sync::Arc, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{WebSocketStream, client_async_with_config, tungstenite};
use tungstenite::{Message, protocol::WebSocketConfig};

const DIAL_PATIENCE: Duration = Duration::from_secs(20);
/// OpenClaw ticks every thirty seconds; twice that without a word means that it is gone.
const SILENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_secs(3);
const MAX_FRAME: usize = 4 << 20;
const MAX_ANSWER: usize = 512 * 1024;

type Socket = WebSocketStream<TcpStream>;

pub async fn keep(
    gateway: &str,
    device: &Path,
    code: Option<&Path>,
    guest: &Arc<Guest>,
) -> Result<(), GuestError> {
    let given = gateway;
    let gateway = Control::parse(given).ok().filter(|gateway| gateway.tls.is_none());
    let gateway = gateway.ok_or_else(|| GuestError::Gateway { given: given.to_owned() })?;
    let mut device = Device::open(device)?;
    loop {
        let code = match (device.token(), code) {
            (Some(_), _) => None,
            (None, Some(path)) => Some(
                fs::read_to_string(path)
                    .map_err(|source| DeviceError::Io { path: path.to_owned(), source })?,
            ),
            (None, None) => return Err(DeviceError::NotPaired.into()),
        };
        match dial(&gateway, &mut device, code.as_deref().map(str::trim), guest).await {
            Ok(mut socket) => {
                tracing::info!(gateway = gateway.url, "a node of this OpenClaw");
                let why = answer(&mut socket, guest).await;
                tracing::info!(why, "no longer a node of it");
            }
            Err(why) => tracing::info!(why, "not a node of it yet"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn dial(
    gateway: &Control,
    device: &mut Device,
    code: Option<&str>,
    guest: &Guest,
) -> Result<Socket, String> {
    let attempt = async {
        let stream = TcpStream::connect(&gateway.authority).await.map_err(|why| why.to_string())?;
        let limits =
            WebSocketConfig::default().max_frame_size(Some(MAX_FRAME)).max_message_size(Some(MAX_FRAME));
        let dialled = client_async_with_config(&gateway.url, stream, Some(limits)).await;
        let (mut socket, _) = dialled.map_err(|why| why.to_string())?;
        let challenge = loop {
            let frame = next(&mut socket).await?;
            if frame["event"] == "connect.challenge" {
                break frame["payload"].clone();
            }
        };
        let auth = match (device.token(), code) {
            (Some(token), _) => Auth::Token(token),
            (None, Some(code)) => Auth::Bootstrap(code),
            (None, None) => return Err(DeviceError::NotPaired.to_string()),
        };
        let params = device.connect(&challenge, &auth, &guest.instance, &COMMANDS);
        request(&mut socket, "connect", "connect", params).await?;
        let hello = loop {
            let frame = next(&mut socket).await?;
            if frame["id"] == "connect" {
                break frame;
            }
        };
        if hello["ok"] != Value::Bool(true) {
            return Err(format!(
                "refused: {}",
                hello["error"]["message"].as_str().unwrap_or("no reason given")
            ));
        }
        if let Some(token) = hello.pointer("/payload/auth/deviceToken").and_then(Value::as_str) {
            device.was_given(token).map_err(|why| why.to_string())?;
        }
        let stats = json!({"event": "node.host.stats", "payload": host_stats()});
        request(&mut socket, "stats", "node.event", stats).await?;
        Ok(socket)
    };
    timeout(DIAL_PATIENCE, attempt).await.map_err(|_| "no answer in time".to_owned())?
}

/// Answers until the connection ends, and says why it did.
async fn answer(socket: &mut Socket, guest: &Guest) -> String {
    loop {
        let frame = match timeout(SILENCE, next(socket)).await {
            Ok(Ok(frame)) => frame,
            Ok(Err(why)) => return why,
            Err(_) => return format!("nothing was heard for {SILENCE:?}"),
        };
        if frame["event"] == "node.invoke.request"
            && let Err(why) = invoked(socket, guest, &frame["payload"]).await
        {
            return why;
        }
    }
}

async fn invoked(socket: &mut Socket, guest: &Guest, call: &Value) -> Result<(), String> {
    let command = call["command"].as_str().unwrap_or_default();
    let params =
        call["paramsJSON"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let outcome = guest.sight.read(command, &params).await;
    let mut result = json!({"id": call["id"], "nodeId": call["nodeId"]});
    match outcome.map(|value| value.to_string()) {
        Ok(text) if text.len() <= MAX_ANSWER => {
            result["ok"] = json!(true);
            result["payloadJSON"] = json!(text);
        }
        Ok(_) => {
            result["ok"] = json!(false);
            result["error"] =
                json!({"code": "TOO_LARGE", "message": "the answer is too large; ask for less"});
        }
        Err(why) => {
            result["ok"] = json!(false);
            result["error"] = json!({"code": "UNSUPPORTED", "message": why.to_string()});
        }
    }
    let id = format!("result-{}", call["id"].as_str().unwrap_or_default());
    request(socket, &id, "node.invoke.result", result).await
}

async fn request(socket: &mut Socket, id: &str, method: &str, params: Value) -> Result<(), String> {
    let frame = json!({"type": "req", "id": id, "method": method, "params": params});
    socket.send(Message::text(frame.to_string())).await.map_err(|why| why.to_string())
}

async fn next(socket: &mut Socket) -> Result<Value, String> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                return serde_json::from_str(&text).map_err(|why| why.to_string());
            }
            Some(Ok(Message::Close(_))) | None => return Err("the gateway closed the connection".to_owned()),
            Some(Ok(_)) => {}
            Some(Err(why)) => return Err(why.to_string()),
        }
    }
}
