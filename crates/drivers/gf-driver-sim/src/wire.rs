//! A simulated machine's end of the hub's link: frames go straight into the machine and out of it, so that a
//! link costs neither a task nor a buffer of its own.

use crate::{machine::Machine, world::World};
use bytes::Bytes;
use futures_util::{Sink, Stream};
use gf_node_hub::TransportError;
use gf_node_proto::decode;
use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

pub(crate) struct Wire {
    pub world: Arc<World>,
    pub machine: Arc<Machine>,
    pub epoch: u32,
}

impl Stream for Wire {
    type Item = Result<Bytes, TransportError>;
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.machine.lock().poll_frame(self.epoch, cx).map(|frame| frame.map(Ok))
    }
}

impl Sink<Bytes> for Wire {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, frame: Bytes) -> Result<(), Infallible> {
        let seed = self.world.seed();
        self.world.touch(&self.machine, |inner, scene| {
            if !inner.is_current(self.epoch) || inner.silent {
                return;
            }
            match decode(&frame) {
                Ok(body) => inner.hear(body, seed, scene),
                Err(_) => inner.end_link(),
            }
        });
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
