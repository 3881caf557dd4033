//! The link over a WebSocket of the control plane's own server, for nodes of this machine only: it is not encrypted,
//! so that whoever comes from elsewhere is refused before a word is said ([`Hub::serve_remote`] is for them).

use crate::{Hub, TransportError, transport::SOCKET_BUFFER_BYTES};
use axum::{
    Router,
    extract::{
        ConnectInfo, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{Extensions, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt, future};
use gf_node_proto::MAX_FRAME_BYTES;
use std::{net::SocketAddr, pin::Pin};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;

/// Where nodes connect.
pub const LINK_PATH: &str = "/node/v1/link";

/// The route for nodes; merge it into the control plane's router, and serve that with connect info: a peer whose
/// address is not known is refused.
pub fn link_route(hub: Hub) -> Router {
    Router::new().route(LINK_PATH, get(upgrade)).with_state(hub)
}

async fn upgrade(State(hub): State<Hub>, known: Extensions, upgrade: WebSocketUpgrade) -> Response {
    let peer = known.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    if !peer.is_some_and(|peer| peer.to_canonical().is_loopback()) {
        let why = "a node on another machine must come over TLS: start gatewayforge with --node-listen and give the \
                   node that address as wss://…\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let upgrade = upgrade.max_frame_size(MAX_FRAME_BYTES).max_message_size(MAX_FRAME_BYTES);
    let upgrade = upgrade.read_buffer_size(SOCKET_BUFFER_BYTES).write_buffer_size(SOCKET_BUFFER_BYTES);
    upgrade.on_upgrade(|socket| async move {
        let mut socket = frames(socket).peekable();
        // What HTTP was read with goes with the first frame: a crowd that waits at the door would hold that all the while.
        // Whoever says nothing is sent away behind it.
        let _ = timeout(hub.patience(), Pin::new(&mut socket).peek()).await;
        let end = hub.serve(socket).await;
        tracing::debug!(%end, "a node's socket closed");
    })
}

/// A text message is passed on as it is: it is no envelope, and refused as such.
fn frames(
    socket: WebSocket,
) -> impl Stream<Item = Result<Bytes, TransportError>> + Sink<Bytes, Error = axum::Error> + Send + Unpin {
    socket.with(|frame: Bytes| future::ok(Message::Binary(frame))).filter_map(|message| {
        future::ready(match message {
            Ok(Message::Binary(frame)) => Some(Ok(frame)),
            Ok(Message::Text(text)) => Some(Ok(text.into())),
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_)) => None,
            Err(why) => Some(Err(transport_error(why))),
        })
    })
}

fn transport_error(why: axum::Error) -> TransportError {
    let said = why.to_string();
    match why.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(why) => TransportError::of_websocket(why),
        None => TransportError::Broken(said),
    }
}
