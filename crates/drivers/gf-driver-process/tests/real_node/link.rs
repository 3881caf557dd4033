//! The control plane's socket, on which answers can be lost.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, future};
use gf_node_hub::{Hub, TransportError};
use gf_node_proto::{GoodbyeReason, command_result::Outcome, decode, envelope, reply};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    accept_async,
    tungstenite::{Error, Message},
};

pub struct Link {
    pub port: u16,
    hub: Arc<Mutex<Hub>>,
    lost: Arc<AtomicUsize>,
}

impl Link {
    pub async fn listen(hub: Hub) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (hub, lost) = (Arc::new(Mutex::new(hub)), Arc::new(AtomicUsize::new(0)));
        let (serving, losing) = (Arc::clone(&hub), Arc::clone(&lost));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let hub = serving.lock().unwrap().clone();
                tokio::spawn(serve(hub, socket, Arc::clone(&losing)));
            }
        });
        Self { port, hub, lost }
    }

    /// So many answers to commands that change something never arrive.
    pub fn lose_answers(&self, answers: usize) {
        self.lost.store(answers, Ordering::Relaxed);
    }

    /// The control plane was started again.
    pub fn turn_to(&self, hub: Hub) {
        let old = std::mem::replace(&mut *self.hub.lock().unwrap(), hub);
        for node in old.nodes() {
            old.disconnect(&node.id, GoodbyeReason::ShuttingDown);
        }
    }
}

async fn serve(hub: Hub, socket: TcpStream, lost: Arc<AtomicUsize>) {
    let socket = accept_async(socket).await.unwrap();
    let transport = socket.with(|frame: Bytes| future::ok::<_, Error>(Message::Binary(frame))).filter_map(
        move |message| {
            future::ready(match message {
                Ok(Message::Binary(frame)) if is_answer(&frame) && take_one(&lost) => None,
                Ok(Message::Binary(frame)) => Some(Ok(frame)),
                Ok(_) => None,
                Err(why) => Some(Err(TransportError::Broken(why.to_string()))),
            })
        },
    );
    hub.serve(transport).await;
}

fn take_one(lost: &AtomicUsize) -> bool {
    lost.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

/// Whether a frame answers a command that changes something; looking is not one.
fn is_answer(frame: &[u8]) -> bool {
    match decode(frame) {
        Ok(envelope::Body::Result(result)) => !matches!(
            result.outcome,
            Some(Outcome::Ok(gf_node_proto::Reply { body: Some(reply::Body::Listing(_)) }))
        ),
        _ => false,
    }
}
