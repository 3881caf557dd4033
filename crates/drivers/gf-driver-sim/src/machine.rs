//! One simulated machine: what the provider keeps of it, its node, and its end of the link.
//!
//! A machine holds its own lock and nobody else's; it is driven by frames that arrive and by the [`Pulse`]
//! (crate::pulse), never by a task of its own.

use crate::{
    host::{Due, Host, Scene, answer_frame, failure},
    refusal::Refusal,
    session::Session,
};
use bytes::Bytes;
use gf_driver::{CreatePlace, Place};
use gf_model::{
    InstanceId, NodeId,
    provider::{ProviderId, Region},
};
use gf_node_proto::{
    COMMANDS_IN_FLIGHT, Command, EVENT_WINDOW, FailureCode, HEARTBEAT_INTERVAL_MS, Heartbeat, InstanceCreate,
    InstanceRole, Ticket, body_name, changes_something, command, encode, envelope,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::{
    collections::VecDeque,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::time::Instant;

/// Where OpenClaw listens on a machine of its own.
pub(crate) const PORT: u32 = 18_789;

/// Heartbeats whose answer may still come.
const BEATS_KEPT: usize = 8;

/// What outlives the control plane.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Saved {
    pub node: NodeId,
    pub provider: ProviderId,
    pub region: Region,
    /// The provider's own name for it.
    pub place: String,
    /// Whose it is; `None` for a machine that nobody ordered here.
    pub label: Option<InstanceId>,
    /// What will be made in it once it is there.
    pub order: Option<Box<CreatePlace>>,
    /// The enrolment token that it was given and has not used yet.
    pub token: Option<Box<str>>,
    /// The control plane's key as it was first seen.
    pub control: Option<[u8; 32]>,
    pub powered: bool,
    pub host: Host,
}

impl Saved {
    pub(crate) fn as_place(&self) -> Option<Place> {
        let label = self.label.clone()?;
        Some(Place {
            endpoint: Some(crate::driver::endpoint_of(&self.provider, &label)),
            id: self.place.clone(),
            label,
            provider: self.provider.clone(),
            region: self.region.clone(),
            node: self.node.clone(),
        })
    }
}

pub(crate) struct Machine {
    pub node: NodeId,
    pub provider: ProviderId,
    pub region: Region,
    inner: Mutex<Inner>,
}

pub(crate) struct Inner {
    pub saved: Saved,
    pub session: Session,
    /// What its node comes back by; gone with its memory.
    pub ticket: Option<Box<Ticket>>,
    pub outgoing: VecDeque<Bytes>,
    waker: Option<Waker>,
    /// Counts links, so that an old one is told from the present one.
    epoch: u32,
    pub due: Vec<(Instant, Due)>,
    /// When the pulse will come by next.
    armed: Option<Instant>,
    /// Nothing goes out or comes in.
    pub silent: bool,
    /// Other nodes do not hear it, nor it them.
    pub blind: bool,
    /// Nothing in it does anything: its machine stands still.
    pub stalled: bool,
    /// Since when other nodes and it hear each other.
    pub talks_since: Instant,
    /// When its last heartbeats left, by their numbers.
    pub beats: VecDeque<(u64, Duration)>,
    /// So many commands that change something will be carried out without an answer.
    pub mute: u32,
    pub beat_every: Duration,
    /// Account and id of what receives and sends, as it was told last.
    pub acting: Vec<(Box<str>, Box<str>)>,
    /// It became another gf-clawnode, and nobody was told yet.
    pub became_another: bool,
    /// Whether what is saved differs from what was.
    pub changed: bool,
}

impl Machine {
    pub(crate) fn new(saved: Saved) -> Self {
        let (node, provider, region) = (saved.node.clone(), saved.provider.clone(), saved.region.clone());
        let inner = Inner {
            saved,
            session: Session::Down,
            ticket: None,
            outgoing: VecDeque::new(),
            waker: None,
            epoch: 0,
            due: Vec::new(),
            armed: None,
            silent: false,
            blind: false,
            stalled: false,
            talks_since: Instant::now(),
            beats: VecDeque::new(),
            mute: 0,
            beat_every: Duration::from_millis(HEARTBEAT_INTERVAL_MS.into()),
            acting: Vec::new(),
            became_another: false,
            changed: false,
        };
        Self { node, provider, region, inner: Mutex::new(inner) }
    }

    pub(crate) fn lock(&self) -> parking_lot::MutexGuard<'_, Inner> {
        self.inner.lock()
    }
}

impl Inner {
    /// Begins a new link; the old one, if there is one, ends. Answers with the new one's number.
    pub(crate) fn begin_link(&mut self) -> u32 {
        self.end_link();
        self.epoch
    }

    pub(crate) fn end_link(&mut self) {
        self.epoch += 1;
        self.session = Session::Down;
        self.outgoing.clear();
        self.due.retain(|(_, due)| !matches!(due, Due::Dial | Due::Beat));
        self.wake();
    }

    pub(crate) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    pub(crate) fn is_current(&self, epoch: u32) -> bool {
        self.epoch == epoch
    }

    pub(crate) fn poll_frame(&mut self, epoch: u32, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        if self.epoch != epoch {
            return Poll::Ready(None);
        }
        if !self.silent
            && let Some(frame) = self.outgoing.pop_front()
        {
            return Poll::Ready(Some(frame));
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(crate) fn send(&mut self, body: impl Into<envelope::Body>) {
        if let Ok(frame) = encode(body) {
            self.outgoing.push_back(frame);
        }
    }

    /// When the pulse must come by, unless it does so earlier anyway.
    pub(crate) fn arm(&mut self) -> Option<Instant> {
        // What stands still does nothing; it is armed anew when it goes on.
        let next = self.due.iter().map(|(at, _)| *at).min().filter(|_| !self.stalled)?;
        if self.armed.is_some_and(|armed| armed <= next) {
            return None;
        }
        self.armed = Some(next);
        Some(next)
    }

    /// The pulse came by in vain.
    pub(crate) fn disarm(&mut self) {
        self.armed = None;
    }

    /// Whether its turn at the door had come. It does not take it.
    pub(crate) fn gives_up_its_turn(&mut self) -> bool {
        let before = self.due.len();
        self.due.retain(|(_, due)| !matches!(due, Due::Turn));
        self.due.len() < before
    }

    /// What is due by now, earliest first.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<Due> {
        self.armed = None;
        let mut ripe = Vec::new();
        let mut place = 0;
        while place < self.due.len() {
            if self.due[place].0 <= now {
                ripe.push(self.due.remove(place));
            } else {
                place += 1;
            }
        }
        ripe.sort_by_key(|(at, _)| *at);
        ripe.into_iter().map(|(_, due)| due).collect()
    }

    pub(crate) fn command(&mut self, command: Command, scene: &mut Scene<'_>) {
        let key = command.key.clone();
        if let Some(frame) = self.saved.host.answered_before(&key) {
            self.outgoing.push_back(frame);
            return;
        }
        if self.saved.host.is_under_way(&key) {
            return;
        }
        if self.saved.host.under_way.len() >= COMMANDS_IN_FLIGHT {
            let busy = failure(FailureCode::Overloaded, "too many commands are under way here");
            self.outgoing.push_back(answer_frame(&key, Err(busy)));
            return;
        }
        let has_effect = command.body.as_ref().is_some_and(changes_something);
        let patience = Duration::from_millis(command.timeout_ms.into());
        let machine = self.saved.node.as_str().to_owned();
        if !command.trace.is_empty() {
            let name = command.body.as_ref().map_or("nothing", body_name);
            tracing::info!(node = machine, command = name, key, trace = command.trace, "begun");
        }
        let refused = command.body.as_ref().and_then(|body| scene.refusals.count(&machine, body_name(body)));
        if let Some(refusal) = refused {
            let (code, why) = match refusal {
                Refusal::ForNow => (FailureCode::Overloaded, "the machine is busy"),
                Refusal::ForGood => (FailureCode::Io, "the machine's disk cannot be written"),
            };
            self.outgoing.push_back(answer_frame(&key, Err(failure(code, why))));
            return;
        }
        if let Some(command::Body::NodeUpdate(update)) = &command.body {
            return self.update_itself(&key, update, scene.mended);
        }
        match self.saved.host.act(&machine, command, scene) {
            crate::commands::Outcome::Said(said, takes) => {
                let frame = answer_frame(&key, *said);
                if has_effect {
                    // Kept with what it did, or a kill in between would forget the one and not the other.
                    self.saved.host.remember_answer(&key, &frame);
                }
                self.saved.host.under_way.push(key.as_str().into());
                let answer = Due::Answer { key: key.into(), frame, lasting: has_effect };
                scene.after(Duration::from_millis(takes), answer);
            }
            crate::commands::Outcome::WhenReady(instance) => {
                self.saved.host.wait_for(&key, &instance, patience, scene);
            }
        }
        self.changed |= has_effect;
    }

    /// Something that this machine set itself to do. `Dial` and `Turn` are the world's: they need the hub.
    pub(crate) fn on_time(&mut self, due: Due, scene: &mut Scene<'_>) {
        match due {
            Due::Dial | Due::Turn | Due::Leases => {}
            Due::Witnessed { instance, terms, asked } => {
                if self.can_talk() {
                    self.witnessed(&instance, terms, asked, scene);
                }
            }
            Due::Beat => self.beat(scene),
            Due::Born => self.born(scene),
            Due::Booted { instance, boots } => self.saved.host.booted(&instance, boots, scene),
            Due::Restart { instance, boots } => self.saved.host.restart(&instance, boots, scene),
            Due::Lapse { key } => {
                self.saved.host.give_up(&key, FailureCode::TimedOut, "OpenClaw was not ready in time", scene);
            }
            Due::Answer { key, frame, lasting } => {
                let host = &mut self.saved.host;
                host.under_way.retain(|other| *other != key);
                if lasting && host.answered_before(&key).is_none() {
                    host.remember_answer(&key, &frame);
                    self.changed = true;
                }
                if lasting && self.mute > 0 {
                    self.mute -= 1;
                } else if matches!(self.session, Session::Up { .. }) {
                    self.outgoing.push_back(frame);
                }
            }
        }
    }

    fn born(&mut self, scene: &mut Scene<'_>) {
        let Some(order) = self.saved.order.take() else { return };
        let restore_from = match order.memory {
            Some(gf_driver::MemoryLocation::Snapshot(path) | gf_driver::MemoryLocation::Archive(path)) => {
                path
            }
            None => String::new(),
        };
        let role = match order.role {
            gf_model::instance::Role::Primary => InstanceRole::Primary,
            gf_model::instance::Role::Standby => InstanceRole::Standby,
        };
        let create = InstanceCreate {
            instance_id: order.label.to_string(),
            account: order.account.to_string(),
            role: role.into(),
            tier: order.tier.to_string(),
            generation: order.generation.0,
            port: PORT,
            config: Some(order.configuration.to_string().into()),
            owned: Some(order.owned.to_string().into()),
            revision: order.revision,
            restore_from,
            ..InstanceCreate::default()
        };
        self.changed = true;
        if let Err(why) = self.saved.host.create(create, scene) {
            tracing::warn!(node = %self.saved.node, why = %why.message, "a simulated machine could not make its instance");
        }
    }

    /// Everything that is new goes out: events as far as the window allows, and what it runs now.
    pub(crate) fn report(&mut self, scene: &mut Scene<'_>) {
        let Session::Up { sent, told_seq } = &mut self.session else { return };
        let host = &self.saved.host;
        let acknowledged = host.events.front().map_or(host.last_seq, |(first, _)| first - 1);
        for (seq, frame) in &host.events {
            if *seq > *sent && *seq <= acknowledged + EVENT_WINDOW {
                self.outgoing.push_back(frame.clone());
                *sent = *seq;
            }
        }
        if *told_seq != host.last_seq {
            *told_seq = host.last_seq;
            self.beat(scene);
        }
        if !self.outgoing.is_empty() {
            self.wake();
        }
    }

    fn beat(&mut self, scene: &mut Scene<'_>) {
        self.due.retain(|(_, due)| !matches!(due, Due::Beat));
        if !matches!(self.session, Session::Up { .. }) {
            return;
        }
        scene.later.push((scene.now + self.beat_every, Due::Beat));
        // One that still waits says the same.
        if self.silent || self.outgoing.len() > COMMANDS_IN_FLIGHT {
            return;
        }
        let lease_seq = self.beats.back().map_or(1, |(last, _)| last + 1);
        self.beats.push_back((lease_seq, scene.moment));
        while self.beats.len() > BEATS_KEPT {
            self.beats.pop_front();
        }
        let host = &self.saved.host;
        let heartbeat = Heartbeat {
            lease_seq,
            witness_address: format!("{}.simulated:7444", self.saved.node),
            at_ms: scene.at_ms,
            resources: Some(host.resources(self.saved.node.as_str(), scene)),
            instances: host.instances.iter().map(|instance| host.summary(instance, scene)).collect(),
        };
        self.send(heartbeat);
    }
}
