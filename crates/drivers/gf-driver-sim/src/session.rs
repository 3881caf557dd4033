//! A simulated node's side of the handshake and of the link after it: the same bytes, checks and keys as a
//! real node's. Its key follows from the seed, so it is worth nothing outside a simulation.

use crate::{
    host::{Due, Scene},
    machine::Inner,
};
use gf_model::ambient::Entropy;
use gf_node_proto::{
    Challenge, Check, Enrol, EnrolmentToken, FailureCode, GoodbyeReason, Hello, NONCE_BYTES, NodeRole,
    PROTOCOL_MAX, PROTOCOL_MIN, Proof, Said, Seal, SigningKey, Transcript, VerifyingKey, Welcome, envelope,
    sign_node, verify_challenge, verify_ticketed, verify_welcome,
};
use sha2::{Digest, Sha256};
use std::time::Duration;

pub(crate) enum Session {
    Down,
    Greeted(Box<Hello>),
    Shown(Box<Shown>),
    Up {
        /// The last event that went out on this link.
        sent: u64,
        /// The last event that the heartbeats so far know of.
        told_seq: u64,
    },
}

/// What was shown to whom, until the welcome.
pub(crate) struct Shown {
    /// `None` where it was by the ticket: whoever knows that is who gave it.
    control: Option<VerifyingKey>,
    transcript: Transcript,
}

impl Session {
    pub(crate) fn is_shaking_hands(&self) -> bool {
        matches!(self, Self::Greeted(_) | Self::Shown(_))
    }
}

pub(crate) fn key_of(seed: u64, node: &str) -> SigningKey {
    let secret =
        Sha256::new().chain_update(b"simulated node\0").chain_update(seed.to_be_bytes()).chain_update(node);
    SigningKey::from_bytes(&secret.finalize().into())
}

impl Inner {
    pub(crate) fn greet(&mut self, entropy: &dyn Entropy) {
        let mut nonce = vec![0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        // With a token it enrols.
        let ticket = self.ticket.as_ref().filter(|_| self.saved.token.is_none());
        let hello = Hello {
            protocol_min: PROTOCOL_MIN,
            protocol_max: PROTOCOL_MAX,
            node_id: self.saved.node.to_string(),
            role: NodeRole::Host.into(),
            software_version: self.saved.host.software.version().to_owned(),
            provider: self.saved.provider.to_string(),
            nonce,
            ticket_expires_at_s: ticket.map_or(0, |ticket| ticket.expires_at_s),
        };
        self.send(hello.clone());
        self.session = Session::Greeted(Box::new(hello));
    }

    /// A frame from the control plane. One that does not belong here ends the link.
    pub(crate) fn hear(&mut self, body: envelope::Body, seed: u64, scene: &mut Scene<'_>) {
        match (std::mem::replace(&mut self.session, Session::Down), body) {
            (Session::Greeted(hello), envelope::Body::Challenge(challenge)) => {
                self.prove(&hello, &challenge, seed)
            }
            (Session::Shown(shown), envelope::Body::Welcome(welcome)) => {
                self.welcomed(&shown, welcome, scene);
            }
            (up @ Session::Up { .. }, body) => {
                self.session = up;
                self.on_link(body, scene);
            }
            (_, envelope::Body::Goodbye(goodbye)) => {
                tracing::info!(node = %self.saved.node, reason = goodbye.reason().as_str_name(), "not let in");
                self.end_link();
            }
            _ => self.end_link(),
        }
    }

    fn prove(&mut self, hello: &Hello, challenge: &Challenge, seed: u64) {
        if let Some(ticket) = self.ticket.as_deref().filter(|_| challenge.by_ticket) {
            let (hello, challenge) = (Said::by_us(hello.clone()), Said::by_us(challenge.clone()));
            let Ok(transcript) = verify_ticketed(ticket, &hello, &challenge) else {
                self.ticket = None;
                return self.end_link();
            };
            let signature = sign_node(Seal::Ticket(ticket), &transcript);
            self.send(Proof { signature, ..Proof::default() });
            self.session = Session::Shown(Box::new(Shown { control: None, transcript }));
            return;
        }
        let Ok((control, transcript)) =
            verify_challenge(&Said::by_us(hello.clone()), &Said::by_us(challenge.clone()))
        else {
            return self.end_link();
        };
        let token = self.saved.token.as_deref().and_then(|token| token.parse::<EnrolmentToken>().ok());
        let expected = token.as_ref().map(|token| *token.control().as_bytes()).or(self.saved.control);
        if expected.is_some_and(|expected| expected != *control.as_bytes()) {
            return self.end_link();
        }
        let key = key_of(seed, self.saved.node.as_str());
        let signature = sign_node(&key, &transcript);
        match token {
            Some(token) => {
                let public_key = key.verifying_key().as_bytes().to_vec();
                self.send(Enrol { token: Some(token.secret_text().into()), public_key, signature });
            }
            None => {
                let public_key = key.verifying_key().as_bytes().to_vec();
                self.send(Proof { signature, public_key });
            }
        }
        self.session = Session::Shown(Box::new(Shown { control: Some(control), transcript }));
    }

    fn welcomed(&mut self, shown: &Shown, welcome: Welcome, scene: &mut Scene<'_>) {
        let check = match (&shown.control, &self.ticket) {
            (Some(control), _) => Check::Key(control),
            (None, Some(ticket)) => Check::Ticket(ticket),
            (None, None) => return self.end_link(),
        };
        let Ok(welcomed) = verify_welcome(check, &shown.transcript, &Said::by_us(welcome)) else {
            self.ticket = None;
            return self.end_link();
        };
        if let Some(ticket) = welcomed.ticket {
            self.ticket = Some(Box::new(ticket));
        }
        if let Some(control) = shown.control
            && (self.saved.token.take().is_some() || self.saved.control.is_none())
        {
            self.saved.control = Some(*control.as_bytes());
            self.changed = true;
        }
        self.saved.host.acknowledged(welcomed.events_acknowledged);
        self.beat_every = Duration::from_millis(u64::from(welcomed.heartbeat_interval_ms).max(100));
        // What it runs is told at once, and from then on at a moment of its own, so that a fleet that came up
        // together does not speak all at once for ever.
        self.session = Session::Up { sent: 0, told_seq: u64::MAX };
        self.report(scene);
        let spread = scene.chance.between(500, 1_000, "beat", self.saved.node.as_str(), 0) as f64 / 1_000.0;
        scene.later.retain(|(_, due)| !matches!(due, Due::Beat));
        scene.later.push((scene.now + self.beat_every.mul_f64(spread), Due::Beat));
    }

    fn on_link(&mut self, body: envelope::Body, scene: &mut Scene<'_>) {
        match body {
            envelope::Body::Command(command) => self.command(command, scene),
            // Not worth a write: what is told again after a kill does no harm.
            envelope::Body::EventAck(ack) => self.saved.host.acknowledged(ack.seq),
            envelope::Body::LeaseGrant(grant) => {
                let asked = self.beats.iter().find(|(seq, _)| *seq == grant.seq).map(|(_, at)| *at);
                if let Some(asked) = asked {
                    self.saved.host.granted(grant, asked, scene);
                    self.changed = true;
                }
            }
            envelope::Body::Ticket(ticket) => self.ticket = Some(Box::new(ticket)),
            envelope::Body::Cancel(cancel) => {
                self.saved.host.give_up(&cancel.key, FailureCode::Cancelled, "it was cancelled", scene);
            }
            envelope::Body::Goodbye(goodbye) if goodbye.reason() == GoodbyeReason::Replaced => {}
            _ => self.end_link(),
        }
    }
}
