//! One link in use: commands come in; heartbeats, events and answers go out.

use super::{
    Local,
    commands::Commands,
    instances::Instances,
    link::{Link, LinkLost, next},
    now_ms,
};
use bytes::Bytes;
use futures_util::{Sink, Stream};
use gf_node_proto::{
    EVENT_WINDOW, FrameError, FrameWriter, Goodbye, GoodbyeReason, Heartbeat, Ticket, envelope,
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{sync::watch, time::MissedTickBehavior};

/// While this many frames wait, the control plane is behind: one heartbeat more would not help it.
const BACKLOG: usize = 16;

pub async fn serve<S, K>(
    link: Link<S, K>,
    local: &Local,
    instances: &Arc<Instances>,
    commands: &Arc<Commands>,
    held: &mut Option<Ticket>,
    leaving: &mut watch::Receiver<bool>,
) -> LinkLost
where
    S: Stream<Item = Result<Bytes, String>> + Unpin,
    K: Sink<Bytes> + Unpin,
    K::Error: fmt::Display,
{
    let Link { mut stream, mut writer, welcomed } = link;
    local.acknowledge(welcomed.events_acknowledged);
    let mut events =
        Events { sent: welcomed.events_acknowledged, acknowledged: welcomed.events_acknowledged };
    let interval = Duration::from_millis(u64::from(welcomed.heartbeat_interval_ms).max(100));
    let mut beat = tokio::time::interval(interval);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // What gathered while there was no link.
    local.news.notify_one();
    commands.outbox.filled.notify_one();
    loop {
        let written = tokio::select! {
            body = next(&mut stream) => match body.map(|body| heard(body, local, instances, commands, &mut events, held)) {
                Ok(None) => events.send(&mut writer, local),
                Ok(Some(lost)) | Err(lost) => return lost,
            },
            _ = beat.tick() => {
                local.measure();
                heartbeat(&mut writer, instances)
            }
            // Events first: they are what somebody waits for.
            () = local.news.notified() => {
                events.send(&mut writer, local).and_then(|()| heartbeat(&mut writer, instances))
            }
            () = commands.outbox.filled.notified() => {
                commands.outbox.take().into_iter().try_for_each(|body| writer.put(body))
            }
            sent = writer.pump(), if writer.has_work() => match sent {
                Ok(()) => Ok(()),
                Err(why) => return LinkLost::Broken(why.to_string()),
            },
            _ = leaving.changed() => {
                let _ = writer.put(Goodbye::from((GoodbyeReason::ShuttingDown, String::new())));
                let _ = tokio::time::timeout(interval, writer.finish()).await;
                return LinkLost::Leaving;
            }
        };
        if let Err(why) = written {
            return LinkLost::Broken(why.to_string());
        }
    }
}

/// Which events were sent over this link, and which need no sending any more.
struct Events {
    sent: u64,
    acknowledged: u64,
}

impl Events {
    /// As many as the window allows.
    fn send<K: Sink<Bytes> + Unpin>(
        &mut self,
        writer: &mut FrameWriter<K>,
        local: &Local,
    ) -> Result<(), FrameError> {
        let open = self.sent.saturating_sub(self.acknowledged);
        let room = usize::try_from(EVENT_WINDOW.saturating_sub(open)).unwrap_or(0);
        for event in local.events_after(self.sent, room) {
            if self.acknowledged == 0 && self.sent == 0 {
                // A control plane that starts anew joins where this node is.
                self.acknowledged = event.seq - 1;
            }
            self.sent = event.seq;
            writer.put(event)?;
        }
        Ok(())
    }
}

fn heard(
    body: envelope::Body,
    local: &Local,
    instances: &Arc<Instances>,
    commands: &Arc<Commands>,
    events: &mut Events,
    held: &mut Option<Ticket>,
) -> Option<LinkLost> {
    match body {
        envelope::Body::Command(command) => commands.take(command),
        envelope::Body::Cancel(cancel) => commands.cancel(&cancel.key),
        envelope::Body::LeaseGrant(grant) => instances.granted(&grant),
        envelope::Body::Ticket(ticket) if ticket.is_whole() => *held = Some(ticket),
        envelope::Body::EventAck(ack) => {
            events.acknowledged = events.acknowledged.max(ack.seq);
            local.acknowledge(ack.seq);
        }
        envelope::Body::Goodbye(goodbye) => return Some(LinkLost::Goodbye(goodbye)),
        // A later control plane may say more than this build understands.
        _ => tracing::debug!("a frame that is not for a node was ignored"),
    }
    None
}

fn heartbeat<K: Sink<Bytes> + Unpin>(
    writer: &mut FrameWriter<K>,
    instances: &Instances,
) -> Result<(), FrameError> {
    if writer.waiting() > BACKLOG {
        return Ok(());
    }
    writer.put(Heartbeat {
        at_ms: now_ms(),
        resources: Some(instances.local.resources()),
        instances: instances.summaries(),
        lease_seq: instances.local.beats.next(),
        witness_address: instances.local.witness_address.lock().clone(),
    })
}
