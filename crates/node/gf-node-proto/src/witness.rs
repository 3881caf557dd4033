//! What the holder of a lease signs when it asks its witness.

use crate::{SignatureError, WitnessAsk, handshake::verify};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

const ASK: &str = "clawops witness: ask";

/// Covers the witness's greeting, so that a question of another time is worth nothing.
fn message(nonce: &[u8], ask: &WitnessAsk) -> Vec<u8> {
    let mut bytes = [ASK.as_bytes(), b"\0"].concat();
    for part in [nonce, ask.account.as_bytes(), ask.holder_node.as_bytes()] {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part);
    }
    bytes.extend(ask.terms.to_be_bytes());
    bytes.extend(ask.generation.to_be_bytes());
    bytes
}

pub fn sign_ask(key: &SigningKey, nonce: &[u8], ask: &mut WitnessAsk) {
    ask.signature = key.sign(&message(nonce, ask)).to_vec();
}

pub fn verify_ask(key: &VerifyingKey, nonce: &[u8], ask: &WitnessAsk) -> Result<(), SignatureError> {
    verify(key, &message(nonce, ask), &ask.signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_of_another_time_of_another_node_or_about_something_else_is_worth_nothing() {
        let key = SigningKey::from_bytes(&[5; 32]);
        let mut ask =
            WitnessAsk { account: "acct-1".into(), terms: 3, generation: 2, ..WitnessAsk::default() };
        sign_ask(&key, &[1; 32], &mut ask);
        let known = key.verifying_key();
        assert_eq!(verify_ask(&known, &[1; 32], &ask), Ok(()));
        assert_eq!(verify_ask(&known, &[2; 32], &ask), Err(SignatureError::Signature));
        let other = SigningKey::from_bytes(&[6; 32]).verifying_key();
        assert_eq!(verify_ask(&other, &[1; 32], &ask), Err(SignatureError::Signature));
        let newer = WitnessAsk { generation: 3, ..ask };
        assert_eq!(verify_ask(&known, &[1; 32], &newer), Err(SignatureError::Signature));
    }
}
