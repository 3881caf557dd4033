//! A link in memory: what a simulated node and the hub exchange, with the same bytes and the same limits of
//! how much may be under way as on a socket.

use crate::TransportError;
use bytes::Bytes;
use futures_util::{Sink, Stream};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::sync::mpsc;

/// Frames that may wait in either direction.
const FRAMES_UNDER_WAY: usize = 16;

/// One end; frames sent into it come out of the other. Dropping it closes the link.
pub struct Duplex {
    incoming: mpsc::Receiver<Bytes>,
    outgoing: Option<mpsc::Sender<Bytes>>,
    sending: Option<Reserving>,
    room: Option<mpsc::OwnedPermit<Bytes>>,
}

type Reserving =
    Pin<Box<dyn Future<Output = Result<mpsc::OwnedPermit<Bytes>, mpsc::error::SendError<()>>> + Send>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the other end of the link is gone")]
pub struct Gone;

impl From<Gone> for TransportError {
    fn from(gone: Gone) -> Self {
        Self::Broken(gone.to_string())
    }
}

/// Two connected ends.
pub fn duplex() -> (Duplex, Duplex) {
    let (left_out, right_in) = mpsc::channel(FRAMES_UNDER_WAY);
    let (right_out, left_in) = mpsc::channel(FRAMES_UNDER_WAY);
    let end = |incoming, outgoing| Duplex { incoming, outgoing: Some(outgoing), sending: None, room: None };
    (end(left_in, left_out), end(right_in, right_out))
}

impl Stream for Duplex {
    type Item = Result<Bytes, Gone>;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.incoming.poll_recv(cx).map(|frame| frame.map(Ok))
    }
}

impl Sink<Bytes> for Duplex {
    type Error = Gone;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        if self.room.is_some() {
            return Poll::Ready(Ok(()));
        }
        if self.sending.is_none() {
            let outgoing = self.outgoing.clone().ok_or(Gone)?;
            match outgoing.clone().try_reserve_owned() {
                Ok(room) => {
                    self.room = Some(room);
                    return Poll::Ready(Ok(()));
                }
                Err(_) => self.sending = Some(Box::pin(outgoing.reserve_owned())),
            }
        }
        if let Some(sending) = &mut self.sending {
            let room = ready!(sending.as_mut().poll(cx));
            self.sending = None;
            self.room = Some(room.map_err(|_| Gone)?);
        }
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Bytes) -> Result<(), Gone> {
        self.room.take().ok_or(Gone)?.send(frame);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.outgoing = None;
        self.room = None;
        self.sending = None;
        Poll::Ready(Ok(()))
    }
}
