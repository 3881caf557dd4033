//! Who signs what during the handshake.
//!
//! Each signature covers a domain name, the Hello and the Challenge as they were sent, hence both nonces, the chosen
//! version and the control plane's key: none can be replayed elsewhere or taken from another connection. Under protocol 1
//! it covers the fields that a build of then knew, which is what such a build writes and reads.
//!
//! Where a ticket is honoured ([`crate::TicketKey`]) a MAC by its secret stands for each signature, over the same bytes: a
//! [`Seal`] makes the one or the other, a [`Check`] tells whether it is right.

use crate::{Challenge, Enrol, FrameError, Hello, Said, Ticket, Welcome, carries_tickets, chosen};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

pub const NONCE_BYTES: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("a nonce must be {NONCE_BYTES} bytes long, this one has {0}")]
    Nonce(usize),
    #[error("a public key must be 32 bytes that are an Ed25519 key")]
    Key,
    #[error("the signature does not belong to this key and this handshake")]
    Signature,
    #[error("what was sent cannot be read: {0}")]
    Unreadable(#[from] FrameError),
    #[error("the control plane chose protocol {0}, which this build did not offer")]
    NotOffered(u32),
    #[error("the control plane does not know the secret of the ticket that this node named")]
    Ticket,
}

/// What a side proves itself by.
#[derive(Clone, Copy)]
pub enum Seal<'a> {
    Key(&'a SigningKey),
    Ticket(&'a Ticket),
}

impl<'a> From<&'a SigningKey> for Seal<'a> {
    fn from(key: &'a SigningKey) -> Self {
        Self::Key(key)
    }
}

impl Seal<'_> {
    fn of(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Key(key) => key.sign(message).to_vec(),
            Self::Ticket(ticket) => ticket.mac(message),
        }
    }
}

/// What the other side must have proven itself by.
#[derive(Clone, Copy)]
pub enum Check<'a> {
    Key(&'a VerifyingKey),
    Ticket(&'a Ticket),
}

impl<'a> From<&'a VerifyingKey> for Check<'a> {
    fn from(key: &'a VerifyingKey) -> Self {
        Self::Key(key)
    }
}

impl Check<'_> {
    fn holds(self, message: &[u8], seal: &[u8]) -> Result<(), SignatureError> {
        match self {
            Self::Key(key) => verify(key, message, seal),
            Self::Ticket(ticket) => ticket.verify(message, seal),
        }
    }
}

/// What both sides have seen so far; every later signature is over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transcript {
    digest: [u8; 32],
    protocol: u32,
}

impl Transcript {
    /// Covers the hello and the challenge without the challenge's own signature.
    fn of(hello: &Said<Hello>, challenge: &Said<Challenge>) -> Result<Self, SignatureError> {
        for nonce in [&hello.nonce, &challenge.nonce] {
            if nonce.len() != NONCE_BYTES {
                return Err(SignatureError::Nonce(nonce.len()));
            }
        }
        let protocol = challenge.protocol;
        let first = protocol == 1;
        let mut hash = Sha256::new();
        for part in [
            hello.fields(|field| !first || field <= 7)?,
            challenge.fields(|field| field != 4 && (!first || field < 4))?,
        ] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Ok(Self { digest: hash.finalize().into(), protocol })
    }

    /// Whether a Welcome may bring a ticket.
    pub fn carries_tickets(&self) -> bool {
        carries_tickets(self.protocol)
    }

    fn message(&self, domain: &str, tail: &[u8]) -> Vec<u8> {
        [domain.as_bytes(), b"\0", &self.digest, tail].concat()
    }

    /// What a Welcome's signature covers besides.
    fn welcomed(&self, welcome: &Said<Welcome>) -> Result<Vec<u8>, SignatureError> {
        if self.protocol == 1 {
            return Ok(Welcomed::of(welcome).bytes());
        }
        Ok(welcome.fields(|field| field != 1)?)
    }
}

/// What a Welcome says; under protocol 1 its signature covers the numbers and nothing else of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Welcomed {
    pub controller_generation: u64,
    pub events_acknowledged: u64,
    pub heartbeat_interval_ms: u32,
    /// To come back by; never under protocol 1.
    pub ticket: Option<Ticket>,
}

impl Welcomed {
    fn of(welcome: &Welcome) -> Self {
        Self {
            controller_generation: welcome.controller_generation,
            events_acknowledged: welcome.events_acknowledged,
            heartbeat_interval_ms: welcome.heartbeat_interval_ms,
            ticket: None,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        [
            &self.controller_generation.to_be_bytes()[..],
            &self.events_acknowledged.to_be_bytes(),
            &self.heartbeat_interval_ms.to_be_bytes(),
        ]
        .concat()
    }
}

const CHALLENGE: &str = "clawops node link: challenge";
const NODE: &str = "clawops node link: node";
const WELCOME: &str = "clawops node link: welcome";

pub fn key_from_bytes(bytes: &[u8]) -> Result<VerifyingKey, SignatureError> {
    let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| SignatureError::Key)?;
    VerifyingKey::from_bytes(&bytes).map_err(|_| SignatureError::Key)
}

pub(crate) fn verify(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    let signature = Signature::from_slice(signature).map_err(|_| SignatureError::Signature)?;
    key.verify_strict(message, &signature).map_err(|_| SignatureError::Signature)
}

/// The control plane completes a challenge with its key and signature; under a ticket, which is its own, with neither but
/// with a MAC.
pub fn sign_challenge<'a>(
    by: impl Into<Seal<'a>>,
    hello: &Said<Hello>,
    protocol: u32,
    nonce: [u8; NONCE_BYTES],
) -> Result<(Challenge, Transcript), SignatureError> {
    let by = by.into();
    let control_key = match by {
        Seal::Key(key) => key.verifying_key().as_bytes().to_vec(),
        Seal::Ticket(_) => Vec::new(),
    };
    let mut challenge = Challenge {
        protocol,
        nonce: nonce.to_vec(),
        control_key,
        signature: Vec::new(),
        by_ticket: matches!(by, Seal::Ticket(_)),
    };
    let transcript = Transcript::of(hello, &Said::by_us(challenge.clone()))?;
    challenge.signature = by.of(&transcript.message(CHALLENGE, &[]));
    Ok((challenge, transcript))
}

/// The node checks that whoever challenges it holds the key that it names, and returns that key.
pub fn verify_challenge(
    hello: &Said<Hello>,
    challenge: &Said<Challenge>,
) -> Result<(VerifyingKey, Transcript), SignatureError> {
    if challenge.by_ticket {
        return Err(SignatureError::Ticket);
    }
    let transcript = heard(hello, challenge)?;
    let key = key_from_bytes(&challenge.control_key)?;
    Check::Key(&key).holds(&transcript.message(CHALLENGE, &[]), &challenge.signature)?;
    Ok((key, transcript))
}

/// The same by the ticket that it named in its Hello: whoever knows its secret is the control plane that gave it.
pub fn verify_ticketed(
    ticket: &Ticket,
    hello: &Said<Hello>,
    challenge: &Said<Challenge>,
) -> Result<Transcript, SignatureError> {
    let transcript = heard(hello, challenge)?;
    let named = hello.ticket_expires_at_s == ticket.expires_at_s;
    if !(challenge.by_ticket && named && transcript.carries_tickets()) {
        return Err(SignatureError::Ticket);
    }
    Check::Ticket(ticket).holds(&transcript.message(CHALLENGE, &[]), &challenge.signature)?;
    Ok(transcript)
}

fn heard(hello: &Said<Hello>, challenge: &Said<Challenge>) -> Result<Transcript, SignatureError> {
    match chosen(challenge) {
        true => Transcript::of(hello, challenge),
        false => Err(SignatureError::NotOffered(challenge.protocol)),
    }
}

/// The node's signature, for a Proof or an Enrol.
pub fn sign_node<'a>(by: impl Into<Seal<'a>>, transcript: &Transcript) -> Vec<u8> {
    match by.into() {
        Seal::Key(key) => key.sign(&transcript.message(NODE, key.verifying_key().as_bytes())).to_vec(),
        // The secret is of one node and one key of it.
        Seal::Ticket(ticket) => ticket.mac(&transcript.message(NODE, &[])),
    }
}

pub fn verify_node<'a>(
    by: impl Into<Check<'a>>,
    transcript: &Transcript,
    signature: &[u8],
) -> Result<(), SignatureError> {
    match by.into() {
        Check::Key(key) => verify(key, &transcript.message(NODE, key.as_bytes()), signature),
        Check::Ticket(ticket) => ticket.verify(&transcript.message(NODE, &[]), signature),
    }
}

pub fn sign_welcome<'a>(
    by: impl Into<Seal<'a>>,
    transcript: &Transcript,
    welcomed: Welcomed,
) -> Result<Welcome, SignatureError> {
    let unsigned = Said::by_us(Welcome {
        signature: Vec::new(),
        controller_generation: welcomed.controller_generation,
        events_acknowledged: welcomed.events_acknowledged,
        heartbeat_interval_ms: welcomed.heartbeat_interval_ms,
        ticket: welcomed.ticket.filter(|_| transcript.carries_tickets()),
    });
    let signed = transcript.message(WELCOME, &transcript.welcomed(&unsigned)?);
    Ok(Welcome { signature: by.into().of(&signed), ..unsigned.into_message() })
}

pub fn verify_welcome<'a>(
    by: impl Into<Check<'a>>,
    transcript: &Transcript,
    welcome: &Said<Welcome>,
) -> Result<Welcomed, SignatureError> {
    let signed = transcript.message(WELCOME, &transcript.welcomed(welcome)?);
    by.into().holds(&signed, &welcome.signature)?;
    let ticket = welcome.ticket.clone().filter(|ticket| transcript.carries_tickets() && ticket.is_whole());
    Ok(Welcomed { ticket, ..Welcomed::of(welcome) })
}

impl Enrol {
    /// The key that an enrolling node wants to be known by, once its signature was checked with it.
    pub fn verified_key(&self, transcript: &Transcript) -> Result<VerifyingKey, SignatureError> {
        let key = key_from_bytes(&self.public_key)?;
        verify_node(&key, transcript, &self.signature)?;
        Ok(key)
    }
}

#[cfg(test)]
#[path = "handshake_tests.rs"]
mod tests;
