//! The link for nodes on other machines: TLS 1.3 by the control plane's own key, then the same frames.
//!
//! Whoever has not proven itself costs little: it has one span of time for TLS, the upgrade and the handshake each, and
//! only so many are heard at once.

use crate::{Hub, LINK_PATH, TransportError, transport::SOCKET_BUFFER_BYTES};
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt, future};
use gf_node_proto::{MAX_FRAME_BYTES, SigningKey, private_der, public_der};
use std::sync::Arc;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivatePkcs8KeyDer},
        server::AlwaysResolvesServerRawPublicKeys,
        sign::CertifiedKey,
    },
};
use tokio_tungstenite::{
    accept_hdr_async_with_config,
    tungstenite::{
        self, Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::StatusCode,
        protocol::WebSocketConfig,
    },
};

/// Connections that may be between their first byte and their proof. Others wait in the kernel.
const STRANGERS: usize = 64;

/// The control plane's key cannot be used for TLS.
#[derive(Debug, thiserror::Error)]
#[error("the control plane's key cannot be used for TLS")]
pub struct TlsError(#[from] rustls::Error);

impl Hub {
    /// Serves nodes of other machines on this listener for as long as it is polled.
    pub async fn serve_remote(self, listener: TcpListener) -> Result<(), TlsError> {
        let tls = TlsAcceptor::from(config(&self.shared.config.key)?);
        let strangers = Arc::new(Semaphore::new(STRANGERS));
        loop {
            let Ok(permit) = Arc::clone(&strangers).acquire_owned().await else { return Ok(()) };
            match listener.accept().await {
                Ok((socket, from)) => {
                    let (hub, tls) = (self.clone(), tls.clone());
                    tokio::spawn(async move {
                        if let Err(why) = hub.welcome(socket, tls, permit).await {
                            tracing::debug!(%from, why, "a connection to the node link came to nothing");
                        }
                    });
                }
                Err(why) => {
                    // Most likely too many files are open: others must close first.
                    tracing::warn!(%why, "a connection to the node link could not be accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn welcome(
        &self,
        socket: TcpStream,
        tls: TlsAcceptor,
        permit: OwnedSemaphorePermit,
    ) -> Result<(), String> {
        let patience = self.shared.config.handshake_patience;
        let late = |_| format!("nothing came of it within {patience:?}");
        socket.set_nodelay(true).map_err(|why| why.to_string())?;
        // Boxed, so that what they need is not held for as long as the link lasts.
        let stream = timeout(patience, Box::pin(tls.accept(socket))).await.map_err(late)?;
        let stream = stream.map_err(|why| why.to_string())?;
        let socket = timeout(patience, Box::pin(upgraded(stream))).await.map_err(late)?;
        let socket = socket.map_err(|why| why.to_string())?;
        let end = self.serve_stranger(socket, permit).await;
        tracing::debug!(%end, "a node's socket closed");
        Ok(())
    }
}

fn config(key: &SigningKey) -> Result<Arc<ServerConfig>, TlsError> {
    let signer = ring::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(private_der(key)))?;
    let shown = CertificateDer::from(public_der(&key.verifying_key()));
    let key = Arc::new(CertifiedKey::new(vec![shown], signer));
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_protocol_versions(&[&rustls::version::TLS13])?.with_no_client_auth();
    let mut config = builder.with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(key)));
    // Resumed sessions would save no more than our own tickets do, and this side's key is proven at every connection.
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The frames of a WebSocket that a node opened on this stream.
async fn upgraded<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
) -> Result<
    impl Stream<Item = Result<Bytes, TransportError>> + Sink<Bytes, Error = tungstenite::Error> + Unpin,
    tungstenite::Error,
> {
    let limits = WebSocketConfig::default()
        .read_buffer_size(SOCKET_BUFFER_BYTES)
        .write_buffer_size(SOCKET_BUFFER_BYTES)
        .max_frame_size(Some(MAX_FRAME_BYTES))
        .max_message_size(Some(MAX_FRAME_BYTES));
    let socket = accept_hdr_async_with_config(stream, only_the_link, Some(limits)).await?;
    Ok(socket.with(|frame: Bytes| future::ok::<_, tungstenite::Error>(Message::Binary(frame))).filter_map(
        |message| {
            future::ready(match message {
                Ok(Message::Binary(frame)) => Some(Ok(frame)),
                Ok(Message::Text(text)) => Some(Ok(text.into())),
                Ok(_) => None,
                Err(why) => Some(Err(TransportError::of_websocket(&why))),
            })
        },
    ))
}

#[allow(clippy::result_large_err, reason = "tungstenite's own signature")]
fn only_the_link(request: &Request, response: Response) -> Result<Response, ErrorResponse> {
    if request.uri().path() == LINK_PATH {
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(Some(format!("only {LINK_PATH} is served here")));
    *refusal.status_mut() = StatusCode::NOT_FOUND;
    Err(refusal)
}
