//! What a transport may say went wrong, so that a node that breaks the rules is told so and one that merely
//! went away is not accused.

use bytes::Bytes;
use futures_util::{Sink, Stream};
use std::fmt;
use tokio_tungstenite::tungstenite::{self, error::ProtocolError};

/// What a WebSocket reads and gathers at once. It holds this for as long as it is open, and a hundred times the size
/// would not make heartbeats quicker; a longer frame makes room for itself.
pub(crate) const SOCKET_BUFFER_BYTES: usize = 1024;

/// An error of the stream of incoming frames.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// A frame claims more than the transport takes; it was not read.
    #[error("a frame is too large: {0}")]
    TooLarge(String),
    /// What arrived is not a frame of this transport.
    #[error("what arrived is not a frame: {0}")]
    Malformed(String),
    #[error("the connection broke: {0}")]
    Broken(String),
}

impl TransportError {
    /// What a WebSocket's error says about whoever is at its other end.
    pub(crate) fn of_websocket(why: &tungstenite::Error) -> Self {
        let said = why.to_string();
        match why {
            tungstenite::Error::Capacity(_) => Self::TooLarge(said),
            tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Broken(said),
            tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_) => Self::Malformed(said),
            _ => Self::Broken(said),
        }
    }
}

/// Frames that arrive over some transport.
pub(crate) trait Incoming: Stream<Item = Result<Bytes, Self::Trouble>> + Unpin {
    type Trouble: Into<TransportError>;
}

impl<S, R> Incoming for S
where
    S: Stream<Item = Result<Bytes, R>> + Unpin,
    R: Into<TransportError>,
{
    type Trouble = R;
}

/// The way for frames to the other end.
pub(crate) trait Outgoing: Sink<Bytes, Error = Self::Trouble> + Unpin {
    type Trouble: fmt::Display;
}

impl<K> Outgoing for K
where
    K: Sink<Bytes> + Unpin,
    K::Error: fmt::Display,
{
    type Trouble = K::Error;
}
