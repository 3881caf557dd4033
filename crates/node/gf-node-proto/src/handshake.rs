//! Who signs what during the handshake.
//!
//! Each signature covers a domain name, the Hello and the Challenge as they were sent, hence both nonces, the chosen
//! version and the control plane's key: none can be replayed elsewhere or taken from another connection. Under protocol 1
//! it covers the fields that a build of then knew, which is what such a build writes and reads.

use crate::{Challenge, Enrol, FrameError, Hello, Said, Welcome, chosen};
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

/// What a Welcome says; under protocol 1 its signature covers this and nothing else of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Welcomed {
    pub controller_generation: u64,
    pub events_acknowledged: u64,
    pub heartbeat_interval_ms: u32,
}

impl Welcomed {
    fn of(welcome: &Welcome) -> Self {
        Self {
            controller_generation: welcome.controller_generation,
            events_acknowledged: welcome.events_acknowledged,
            heartbeat_interval_ms: welcome.heartbeat_interval_ms,
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

/// The control plane completes a challenge with its key and signature.
pub fn sign_challenge(
    key: &SigningKey,
    hello: &Said<Hello>,
    protocol: u32,
    nonce: [u8; NONCE_BYTES],
) -> Result<(Challenge, Transcript), SignatureError> {
    let mut challenge = Challenge {
        protocol,
        nonce: nonce.to_vec(),
        control_key: key.verifying_key().as_bytes().to_vec(),
        signature: Vec::new(),
    };
    let transcript = Transcript::of(hello, &Said::by_us(challenge.clone()))?;
    challenge.signature = key.sign(&transcript.message(CHALLENGE, &[])).to_vec();
    Ok((challenge, transcript))
}

/// The node checks that whoever challenges it holds the key that it names, and returns that key.
pub fn verify_challenge(
    hello: &Said<Hello>,
    challenge: &Said<Challenge>,
) -> Result<(VerifyingKey, Transcript), SignatureError> {
    if !chosen(challenge) {
        return Err(SignatureError::NotOffered(challenge.protocol));
    }
    let key = key_from_bytes(&challenge.control_key)?;
    let transcript = Transcript::of(hello, challenge)?;
    verify(&key, &transcript.message(CHALLENGE, &[]), &challenge.signature)?;
    Ok((key, transcript))
}

/// The node's signature, for a Proof or an Enrol.
pub fn sign_node(key: &SigningKey, transcript: &Transcript) -> Vec<u8> {
    key.sign(&transcript.message(NODE, key.verifying_key().as_bytes())).to_vec()
}

pub fn verify_node(
    key: &VerifyingKey,
    transcript: &Transcript,
    signature: &[u8],
) -> Result<(), SignatureError> {
    verify(key, &transcript.message(NODE, key.as_bytes()), signature)
}

pub fn sign_welcome(
    key: &SigningKey,
    transcript: &Transcript,
    welcomed: Welcomed,
) -> Result<Welcome, SignatureError> {
    let unsigned = Said::by_us(Welcome {
        signature: Vec::new(),
        controller_generation: welcomed.controller_generation,
        events_acknowledged: welcomed.events_acknowledged,
        heartbeat_interval_ms: welcomed.heartbeat_interval_ms,
    });
    let signed = transcript.message(WELCOME, &transcript.welcomed(&unsigned)?);
    Ok(Welcome { signature: key.sign(&signed).to_vec(), ..unsigned.into_message() })
}

pub fn verify_welcome(
    key: &VerifyingKey,
    transcript: &Transcript,
    welcome: &Said<Welcome>,
) -> Result<Welcomed, SignatureError> {
    let signed = transcript.message(WELCOME, &transcript.welcomed(welcome)?);
    verify(key, &signed, &welcome.signature)?;
    Ok(Welcomed::of(welcome))
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
