//! A simulated machine's end of the hub's link: frames go straight into the machine and out of it, so that a
//! link costs neither a task nor a buffer of its own. Where the line lags, they wait in it, in their order; what
//! is in it when the link breaks is lost.

use crate::{machine::Machine, world::World};
use bytes::Bytes;
use futures_util::{Sink, Stream};
use gf_node_hub::TransportError;
use gf_node_proto::decode;
use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::time::{Instant, Sleep};

pub(crate) struct Wire {
    pub world: Arc<World>,
    pub machine: Arc<Machine>,
    pub epoch: u32,
    pub line: Option<Box<Line>>,
}

/// Frames on their way.
pub(crate) struct Line {
    to_hub: VecDeque<(Instant, Bytes)>,
    to_node: VecDeque<(Instant, Bytes)>,
    frames: u64,
    timer: Pin<Box<Sleep>>,
}

impl Line {
    pub(crate) fn new() -> Box<Self> {
        let timer = Box::pin(tokio::time::sleep_until(Instant::now()));
        Box::new(Self { to_hub: VecDeque::new(), to_node: VecDeque::new(), frames: 0, timer })
    }

    /// When a frame arrives that leaves now: never before the one that left before it.
    fn arrival(&mut self, world: &World, node: &str, toward_hub: bool) -> Instant {
        self.frames += 1;
        let queue = if toward_hub { &self.to_hub } else { &self.to_node };
        let before = queue.back().map(|(at, _)| *at);
        let at = Instant::now() + world.lag(node, self.frames);
        before.map_or(at, |before| before.max(at))
    }

    fn ripe(queue: &mut VecDeque<(Instant, Bytes)>) -> Option<Bytes> {
        let is_ripe = queue.front().is_some_and(|(at, _)| *at <= Instant::now());
        is_ripe.then(|| queue.pop_front()).flatten().map(|(_, frame)| frame)
    }

    /// Wakes the link when the next frame arrives at either end.
    fn wake_for_next(&mut self, cx: &mut Context<'_>) {
        let next = self.to_hub.front().into_iter().chain(self.to_node.front()).map(|(at, _)| *at).min();
        if let Some(next) = next {
            if self.timer.deadline() != next {
                self.timer.as_mut().reset(next);
            }
            if self.timer.as_mut().poll(cx).is_ready() {
                cx.waker().wake_by_ref();
            }
        }
    }
}

impl Wire {
    fn deliver(&self, frame: &Bytes) {
        let seed = self.world.seed();
        self.world.touch(&self.machine, |inner, scene| {
            if !inner.is_current(self.epoch) || inner.silent {
                return;
            }
            match decode(frame) {
                Ok(body) => inner.hear(body, seed, scene),
                Err(_) => inner.end_link(),
            }
        });
    }
}

impl Stream for Wire {
    type Item = Result<Bytes, TransportError>;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(mut line) = self.line.take() else {
            return self.machine.lock().poll_frame(self.epoch, cx).map(|frame| frame.map(Ok));
        };
        while let Some(frame) = Line::ripe(&mut line.to_node) {
            self.deliver(&frame);
        }
        let node = self.machine.node.clone();
        let polled = loop {
            let left = self.machine.lock().poll_frame(self.epoch, cx);
            match left {
                Poll::Ready(Some(frame)) => {
                    let at = line.arrival(&self.world, node.as_str(), true);
                    line.to_hub.push_back((at, frame));
                }
                Poll::Ready(None) => break Poll::Ready(None),
                Poll::Pending => break Poll::Pending,
            }
        };
        let polled = match polled {
            Poll::Pending => match Line::ripe(&mut line.to_hub) {
                Some(frame) => Poll::Ready(Some(Ok(frame))),
                None => {
                    line.wake_for_next(cx);
                    Poll::Pending
                }
            },
            broken => broken,
        };
        self.line = Some(line);
        polled
    }
}

impl Sink<Bytes> for Wire {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Bytes) -> Result<(), Infallible> {
        match self.line.take() {
            None => self.deliver(&frame),
            Some(mut line) => {
                let at = line.arrival(&self.world, self.machine.node.as_str(), false);
                line.to_node.push_back((at, frame));
                self.line = Some(line);
                // The reading side must hear of it, or nobody would carry it to its end.
                self.machine.lock().wake();
            }
        }
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.world.hung_up(&self.machine, self.epoch);
    }
}
