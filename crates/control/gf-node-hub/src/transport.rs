//! What a transport may say went wrong, so that a node that breaks the rules is told so and one that merely
//! went away is not accused.

use tokio_tungstenite::tungstenite::{self, error::ProtocolError};

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
