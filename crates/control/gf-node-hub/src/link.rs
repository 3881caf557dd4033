//! One link from the first frame to the last: a single task that reads, writes and keeps the node's state.

use crate::{
    NodeEvent, TransportError,
    command::InFlight,
    handshake::{Admitted, Refusal, admit, next_frame},
    hub::{LinkEnd, Shared},
    line::{Line, Word},
    node::{Connection, NodeState},
    receipts::Ledger,
    transport::{Incoming, Outgoing},
};
use bytes::Bytes;
use futures_util::{FutureExt, Sink, Stream, StreamExt};
use gf_node_proto::{
    EVENT_WINDOW, EventAck, FrameError, FrameWriter, Goodbye, GoodbyeReason, LeaseGrant, Ticket, decode,
    envelope,
};
use std::{collections::VecDeque, fmt, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// `place` is let go when the node has proven itself, or was refused.
pub(crate) async fn serve<T, R, W>(
    shared: &Shared,
    transport: T,
    place: Option<OwnedSemaphorePermit>,
) -> LinkEnd
where
    T: Stream<Item = Result<Bytes, R>> + Sink<Bytes, Error = W> + Send + Unpin,
    R: Into<TransportError> + Send,
    W: fmt::Display + Send,
{
    let (sink, mut stream) = transport.split();
    let mut writer = FrameWriter::new(sink);
    // Apart, so that what a handshake needs is not held for as long as the link lasts.
    let admitted = Box::pin(admit(shared, &mut stream, &mut writer)).await;
    drop(place);
    let end = match admitted {
        Ok(admitted) => run(shared, admitted, &mut stream, &mut writer).await,
        Err(Refusal { reason, detail, control }) => LinkEnd::Refused { reason, detail, control },
    };
    let farewell = match &end {
        LinkEnd::Refused { reason, detail, control } => {
            Some(Goodbye { control: control.clone(), ..Goodbye::from((*reason, detail.clone())) })
        }
        LinkEnd::Ended { reason } => Some(Goodbye::from((*reason, String::new()))),
        LinkEnd::Silent => {
            let why = "nothing was heard for three heartbeats".to_owned();
            Some(Goodbye::from((GoodbyeReason::Silent, why)))
        }
        LinkEnd::Left { .. } | LinkEnd::Broken(_) => None,
    };
    if let Some(farewell) = farewell {
        // Best effort: the other end may be gone, and the reason is in `end` either way.
        let _ = writer.put(farewell);
    }
    let _ = tokio::time::timeout(shared.config.heartbeat_interval, writer.finish()).await;
    end
}

async fn run<S: Incoming, K: Outgoing>(
    shared: &Shared,
    Admitted { node: id, hello, by_ticket, ticket_expires_at_s }: Admitted,
    stream: &mut S,
    writer: &mut FrameWriter<K>,
) -> LinkEnd {
    let node = shared.node(&id);
    // One connection per node: the newer one wins, and begins only when the older one has let go.
    let older = node.connection.lock().take();
    if let Some(older) = older {
        older.line.stop(GoodbyeReason::Replaced);
        let _ = older.ended.await;
    }
    let line = Arc::new(Line::default());
    let (still_here, ended) = oneshot::channel();
    let again: Vec<Arc<InFlight>> = node.in_flight.lock().values().cloned().collect();
    // Who must not send now is about to end this link with all others.
    for command in again.iter().filter(|command| command.is_awaited() && shared.may_send()) {
        writer.put_frame(command.frame.clone());
    }
    *node.connection.lock() = Some(Connection { line: Arc::clone(&line), ended });

    let now = shared.clock.now();
    node.came(&hello, by_ticket, now);
    tracing::info!(node = %id, by_ticket, "a node connected");
    let ledger = Arc::clone(&node.ledger.lock());
    let mut link = Link {
        shared,
        node: Arc::clone(&node),
        acknowledged: ledger.acknowledged(),
        heard_events: false,
        ledger,
        reports: VecDeque::new(),
        granted: None,
        ticket_expires_at_s,
        ticket: None,
    };
    link.reports.push_back(NodeEvent::Connected {
        node: id.clone(),
        provider: hello.provider,
        software: hello.software_version,
        at: now,
    });
    let end = link.drive(stream, writer, &line).await;

    let at = shared.clock.now();
    tracing::info!(node = %id, %end, "a node's link ended");
    drop(link);
    if !matches!(end, LinkEnd::Ended { reason: GoodbyeReason::Replaced }) {
        node.connection.lock().take();
        node.went(at);
        let _ = shared.events.send(NodeEvent::Lost { node: id, why: end.to_string(), at }).await;
    }
    drop(still_here);
    end
}

struct Link<'a> {
    shared: &'a Shared,
    node: Arc<NodeState>,
    ledger: Arc<Ledger>,
    acknowledged: u64,
    heard_events: bool,
    /// Reports that the reconcilers have no room for yet: bounded by the node's event window.
    reports: VecDeque<NodeEvent>,
    /// The answer to the last heartbeat, on its way.
    granted: Option<LeaseGrant>,
    /// Until when the node's ticket stands, if it may hold any.
    ticket_expires_at_s: Option<u64>,
    /// A newer one, on its way.
    ticket: Option<Ticket>,
}

impl Link<'_> {
    /// A link may last for longer than a ticket: what the node would come back by is renewed on the way.
    fn renew_ticket(&mut self) {
        let now_s = self.shared.now_s();
        if !self.ticket_expires_at_s.is_some_and(|until| Ticket::is_ageing(until, now_s)) {
            return;
        }
        if let Some(key) = self.node.lease.lock().key {
            let fresh = self.shared.tickets.fresh(self.node.id.as_str(), &key, now_s);
            self.ticket_expires_at_s = Some(fresh.expires_at_s);
            self.ticket = Some(fresh);
        }
    }

    async fn drive<S: Incoming, K: Outgoing>(
        &mut self,
        stream: &mut S,
        writer: &mut FrameWriter<K>,
        line: &Line,
    ) -> LinkEnd {
        let patience = 3 * self.shared.config.heartbeat_interval;
        let silence = tokio::time::sleep(patience);
        tokio::pin!(silence);
        let ledger = Arc::clone(&self.ledger);
        loop {
            if let Some(granted) = self.granted.take() {
                let _ = writer.put(granted);
            }
            if let Some(ticket) = self.ticket.take() {
                let _ = writer.put(ticket);
            }
            // In this order and not at random, so that a simulation can be repeated. Nobody starves: what stands
            // before the frames is bounded by what frames brought, and by the commands that may be in flight.
            tokio::select! {
                biased;
                word = line.word() => match word {
                    Word::Stop(reason) => return LinkEnd::Ended { reason },
                    Word::Send(frame) => writer.put_frame(frame),
                },
                () = ledger.settled.notified() => {
                    let seq = ledger.acknowledged();
                    if seq > self.acknowledged {
                        self.acknowledged = seq;
                        let _ = writer.put(EventAck { seq });
                    }
                }
                room = self.shared.events.reserve(), if !self.reports.is_empty() => match room {
                    Ok(room) => if let Some(report) = self.reports.pop_front() {
                        room.send(report);
                        if self.reports.is_empty() {
                            // A node that has nothing to report keeps no place for it.
                            self.reports = VecDeque::new();
                        }
                    },
                    Err(_) => return LinkEnd::Ended { reason: GoodbyeReason::ShuttingDown },
                },
                sent = writer.pump(), if writer.has_work() => if let Err(why) = sent {
                    return LinkEnd::Broken(why.to_string());
                },
                frame = next_frame(stream) => {
                    silence.as_mut().reset(tokio::time::Instant::now() + patience);
                    if let Some(end) = self.take(frame) {
                        return end;
                    }
                }
                // This side may have been too busy to listen, or asleep: what waits unread is no silence.
                () = &mut silence => match next_frame(stream).now_or_never() {
                    None => return LinkEnd::Silent,
                    Some(frame) => {
                        silence.as_mut().reset(tokio::time::Instant::now() + patience);
                        if let Some(end) = self.take(frame) {
                            return end;
                        }
                    }
                },
            }
        }
    }

    fn take(&mut self, frame: Result<Bytes, Refusal>) -> Option<LinkEnd> {
        let heard = frame.and_then(|frame| match decode(&frame) {
            Ok(body) => self.heard(body),
            // A node of a later version may say more than this build understands.
            Err(FrameError::Unknown(number)) => {
                tracing::debug!(node = %self.node.id, number, "a message that is not known here was passed over");
                Ok(None)
            }
            Err(why) => Err(why.into()),
        });
        match heard {
            Ok(end) => end,
            Err(Refusal { reason: GoodbyeReason::Unspecified, detail, .. }) => Some(LinkEnd::Broken(detail)),
            Err(Refusal { reason, detail, control }) => Some(LinkEnd::Refused { reason, detail, control }),
        }
    }

    fn heard(&mut self, body: envelope::Body) -> Result<Option<LinkEnd>, Refusal> {
        match body {
            envelope::Body::Heartbeat(heartbeat) => {
                let at = self.shared.clock.now();
                self.renew_ticket();
                self.granted = self.shared.lease_answer(&self.node.id, &heartbeat).or(self.granted.take());
                // While the reconcilers are behind, differences gather in what they were last told.
                let room = self.reports.len() < EVENT_WINDOW as usize;
                if let Some(delta) = self.node.beat(heartbeat, at, room) {
                    self.reports.push_back(NodeEvent::Changed {
                        node: self.node.id.clone(),
                        at,
                        changed: delta.changed,
                        gone: delta.gone,
                        resources: delta.resources,
                    });
                }
            }
            envelope::Body::Event(event) => {
                if event.seq > self.acknowledged.saturating_add(2 * EVENT_WINDOW) && self.acknowledged > 0 {
                    let detail = format!("event {} is too far ahead of {}", event.seq, self.acknowledged);
                    return Err(Refusal::new(GoodbyeReason::UnexpectedFrame, detail));
                }
                if !std::mem::replace(&mut self.heard_events, true) {
                    self.ledger.begin_at(event.seq);
                }
                if let Some(receipt) = self.ledger.receipt(event.seq) {
                    let node = self.node.id.clone();
                    self.reports.push_back(NodeEvent::Reported { node, event, receipt });
                } else if event.seq <= self.ledger.acknowledged() {
                    // The node did not hear of it: say it again.
                    self.acknowledged = self.acknowledged.min(event.seq.saturating_sub(1));
                    self.ledger.settled.notify_one();
                }
            }
            envelope::Body::Progress(progress) => {
                if let Some(waiting) = self.node.in_flight.lock().get(&progress.key) {
                    waiting.progressed(progress);
                }
            }
            envelope::Body::Result(result) => {
                let waiting = self.node.in_flight.lock().remove(&result.key);
                if let Some(waiting) = waiting {
                    waiting.answered(result);
                }
            }
            envelope::Body::Goodbye(goodbye) => return Ok(Some(LinkEnd::Left { reason: goodbye.reason() })),
            _ => {
                return Err(Refusal::new(
                    GoodbyeReason::UnexpectedFrame,
                    "a node sends heartbeats, events, progress and results after its handshake",
                ));
            }
        }
        Ok(None)
    }
}
