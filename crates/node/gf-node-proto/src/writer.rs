//! Frames waiting to go out on a link, pumped without ever blocking its reader: two ends that both wait for
//! the other to read would wait for ever.

use crate::{FrameError, encode, envelope};
use bytes::Bytes;
use futures_util::{Sink, SinkExt};
use std::{
    collections::VecDeque,
    future::poll_fn,
    task::{Context, Poll, ready},
};

/// A queue in front of a sink. Whoever puts frames in bounds how many: acknowledgements, commands, windows.
pub struct FrameWriter<S> {
    sink: S,
    queue: VecDeque<Bytes>,
    unflushed: bool,
}

impl<S: Sink<Bytes> + Unpin> FrameWriter<S> {
    pub fn new(sink: S) -> Self {
        Self { sink, queue: VecDeque::new(), unflushed: false }
    }

    pub fn put(&mut self, body: impl Into<envelope::Body>) -> Result<(), FrameError> {
        self.put_frame(encode(body)?);
        Ok(())
    }

    /// Queues a frame that was encoded before.
    pub fn put_frame(&mut self, frame: Bytes) {
        self.queue.push_back(frame);
    }

    pub fn has_work(&self) -> bool {
        self.unflushed || !self.queue.is_empty()
    }

    /// Frames that have not left yet.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Sends what waits. It may be dropped at any point (in a `select!`) and called again: nothing is lost.
    pub async fn pump(&mut self) -> Result<(), S::Error> {
        poll_fn(|cx| self.poll_pump(cx)).await
    }

    fn poll_pump(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        while !self.queue.is_empty() {
            ready!(self.sink.poll_ready_unpin(cx))?;
            if let Some(frame) = self.queue.pop_front() {
                self.sink.start_send_unpin(frame)?;
                self.unflushed = true;
            }
        }
        ready!(self.sink.poll_flush_unpin(cx))?;
        self.unflushed = false;
        // A link that is quiet keeps no place for frames: there may be a hundred thousand.
        self.queue = VecDeque::new();
        Poll::Ready(Ok(()))
    }

    /// Sends what waits and closes the link.
    pub async fn finish(mut self) -> Result<(), S::Error> {
        self.pump().await?;
        self.sink.close().await
    }
}
