//! Who signs what during the handshake.
//!
//! Each signature covers a domain name, the whole Hello and the Challenge, hence both nonces, the chosen
//! version and the control plane's key: none can be replayed elsewhere or taken from another connection.

use crate::{Challenge, Enrol, Hello, Welcome};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use prost::Message;
use sha2::{Digest, Sha256};

pub const NONCE_BYTES: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("a nonce must be {NONCE_BYTES} bytes long, this one has {0}")]
    Nonce(usize),
    #[error("a public key must be 32 bytes that are an Ed25519 key")]
    Key,
    #[error("the signature does not belong to this key and this handshake")]
    Signature,
}

/// What both sides have seen so far; every later signature is over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transcript([u8; 32]);

impl Transcript {
    /// Covers the hello and the challenge without the challenge's own signature.
    pub fn of(hello: &Hello, challenge: &Challenge) -> Result<Self, SignatureError> {
        for nonce in [&hello.nonce, &challenge.nonce] {
            if nonce.len() != NONCE_BYTES {
                return Err(SignatureError::Nonce(nonce.len()));
            }
        }
        let unsigned = Challenge { signature: Vec::new(), ..challenge.clone() };
        let mut hash = Sha256::new();
        for part in [hello.encode_to_vec(), unsigned.encode_to_vec()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Ok(Self(hash.finalize().into()))
    }

    fn message(&self, domain: &str, tail: &[u8]) -> Vec<u8> {
        [domain.as_bytes(), b"\0", &self.0, tail].concat()
    }
}

/// The fields of a Welcome that its signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Welcomed {
    pub controller_generation: u64,
    pub events_acknowledged: u64,
    pub heartbeat_interval_ms: u32,
}

impl Welcomed {
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
    hello: &Hello,
    protocol: u32,
    nonce: [u8; NONCE_BYTES],
) -> Result<(Challenge, Transcript), SignatureError> {
    let mut challenge = Challenge {
        protocol,
        nonce: nonce.to_vec(),
        control_key: key.verifying_key().as_bytes().to_vec(),
        signature: Vec::new(),
    };
    let transcript = Transcript::of(hello, &challenge)?;
    challenge.signature = key.sign(&transcript.message(CHALLENGE, &[])).to_vec();
    Ok((challenge, transcript))
}

/// The node checks that whoever challenges it holds the key that it names, and returns that key.
pub fn verify_challenge(
    hello: &Hello,
    challenge: &Challenge,
) -> Result<(VerifyingKey, Transcript), SignatureError> {
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

pub fn sign_welcome(key: &SigningKey, transcript: &Transcript, welcomed: Welcomed) -> Welcome {
    Welcome {
        signature: key.sign(&transcript.message(WELCOME, &welcomed.bytes())).to_vec(),
        controller_generation: welcomed.controller_generation,
        events_acknowledged: welcomed.events_acknowledged,
        heartbeat_interval_ms: welcomed.heartbeat_interval_ms,
    }
}

pub fn verify_welcome(
    key: &VerifyingKey,
    transcript: &Transcript,
    welcome: &Welcome,
) -> Result<Welcomed, SignatureError> {
    let welcomed = Welcomed {
        controller_generation: welcome.controller_generation,
        events_acknowledged: welcome.events_acknowledged,
        heartbeat_interval_ms: welcome.heartbeat_interval_ms,
    };
    verify(key, &transcript.message(WELCOME, &welcomed.bytes()), &welcome.signature)?;
    Ok(welcomed)
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
mod tests {
    use super::*;

    fn hello() -> Hello {
        Hello { node_id: "node-local-a".into(), nonce: vec![1; NONCE_BYTES], ..Hello::default() }
    }

    #[test]
    fn both_sides_prove_their_keys() {
        let (control, node) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let (challenge, there) = sign_challenge(&control, &hello(), 1, [3; 32]).unwrap();
        let (key, here) = verify_challenge(&hello(), &challenge).unwrap();
        assert_eq!((key, here), (control.verifying_key(), there));

        let proof = sign_node(&node, &here);
        assert_eq!(verify_node(&node.verifying_key(), &there, &proof), Ok(()));
        assert_eq!(verify_node(&control.verifying_key(), &there, &proof), Err(SignatureError::Signature));

        let welcomed =
            Welcomed { controller_generation: 4, events_acknowledged: 9, heartbeat_interval_ms: 1000 };
        let welcome = sign_welcome(&control, &there, welcomed);
        assert_eq!(verify_welcome(&key, &here, &welcome), Ok(welcomed));
        let forged = Welcome { controller_generation: 5, ..welcome };
        assert_eq!(verify_welcome(&key, &here, &forged), Err(SignatureError::Signature));
    }

    #[test]
    fn a_signature_of_another_connection_is_worth_nothing() {
        let (control, node) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let (_, first) = sign_challenge(&control, &hello(), 1, [3; 32]).unwrap();
        let (_, second) = sign_challenge(&control, &hello(), 1, [4; 32]).unwrap();
        let proof = sign_node(&node, &first);
        assert_eq!(verify_node(&node.verifying_key(), &second, &proof), Err(SignatureError::Signature));
    }

    #[test]
    fn a_changed_hello_is_noticed_by_the_node() {
        let control = SigningKey::from_bytes(&[1; 32]);
        let (challenge, _) = sign_challenge(&control, &hello(), 1, [3; 32]).unwrap();
        let other = Hello { node_id: "node-local-b".into(), ..hello() };
        assert_eq!(verify_challenge(&other, &challenge), Err(SignatureError::Signature));
    }

    #[test]
    fn a_short_nonce_is_refused() {
        let short = Hello { nonce: vec![1; 8], ..hello() };
        let refused = sign_challenge(&SigningKey::from_bytes(&[1; 32]), &short, 1, [3; 32]);
        assert_eq!(refused.map(|_| ()), Err(SignatureError::Nonce(8)));
    }
}
