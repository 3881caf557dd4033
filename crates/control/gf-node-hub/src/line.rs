//! The way down to a node over its present connection: frames of commands, and the word to end it.
//!
//! A queue of its own and not a channel: that would cost every connected node more than all that is known of it.

use bytes::Bytes;
use gf_node_proto::{COMMANDS_IN_FLIGHT, GoodbyeReason};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    future::poll_fn,
    task::{Poll, Waker},
};

/// Frames that may wait: every command, and that it is to be cancelled.
const WAITING: usize = 2 * COMMANDS_IN_FLIGHT;

#[derive(Default)]
pub(crate) struct Line {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    frames: VecDeque<Bytes>,
    stop: Option<GoodbyeReason>,
    reader: Option<Waker>,
}

/// What the link's task is told.
#[derive(Debug, PartialEq)]
pub(crate) enum Word {
    Send(Bytes),
    Stop(GoodbyeReason),
}

/// Too much waits already.
#[derive(Debug, PartialEq)]
pub(crate) struct Full;

impl Line {
    pub(crate) fn send(&self, frame: Bytes) -> Result<(), Full> {
        let mut inner = self.inner.lock();
        if inner.frames.len() >= WAITING {
            return Err(Full);
        }
        inner.frames.push_back(frame);
        inner.wake();
        Ok(())
    }

    pub(crate) fn stop(&self, reason: GoodbyeReason) {
        let mut inner = self.inner.lock();
        inner.stop.get_or_insert(reason);
        inner.wake();
    }

    /// The next word, the one to stop before all others. It may be dropped at any point: nothing is lost.
    pub(crate) async fn word(&self) -> Word {
        poll_fn(|cx| {
            let mut inner = self.inner.lock();
            if let Some(reason) = inner.stop {
                return Poll::Ready(Word::Stop(reason));
            }
            if let Some(frame) = inner.frames.pop_front() {
                if inner.frames.is_empty() {
                    inner.frames = VecDeque::new();
                }
                return Poll::Ready(Word::Send(frame));
            }
            if !inner.reader.as_ref().is_some_and(|reader| reader.will_wake(cx.waker())) {
                inner.reader = Some(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }
}

impl Inner {
    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn frames_come_in_their_order_and_the_word_to_stop_before_them() {
        let line = Line::default();
        for frame in ["a", "b", "c"] {
            line.send(frame.into()).unwrap();
        }
        assert_eq!(line.word().now_or_never(), Some(Word::Send("a".into())));
        line.stop(GoodbyeReason::Replaced);
        line.stop(GoodbyeReason::ShuttingDown);
        assert_eq!(
            line.word().now_or_never(),
            Some(Word::Stop(GoodbyeReason::Replaced)),
            "the first one holds"
        );
    }

    #[test]
    fn what_waits_is_bounded() {
        let line = Line::default();
        let sent = std::iter::repeat_with(|| line.send("x".into())).take_while(Result::is_ok).count();
        assert_eq!(sent, WAITING);
        assert_eq!(line.word().now_or_never(), Some(Word::Send("x".into())));
        assert_eq!(line.send("x".into()), Ok(()));
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let line = std::sync::Arc::new(Line::default());
        let waiting = tokio::spawn({
            let line = std::sync::Arc::clone(&line);
            async move { line.word().await }
        });
        tokio::task::yield_now().await;
        line.send("a".into()).unwrap();
        assert_eq!(waiting.await.unwrap(), Word::Send("a".into()));
    }
}
