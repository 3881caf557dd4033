//! A yes that is signed with a person's own signing key. What was signed is never taken from whoever sends it: it is
//! made anew from the question as it is in the store.

use crate::Refusal;
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature as Ed25519, VerifyingKey};
use gf_model::{
    Timestamp,
    approval::{Approval, Signature},
    person::SigningKey,
};
use sha2::{Digest, Sha256};

/// A signature as somebody sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The id of one of the person's signing keys.
    pub key: String,
    /// Base64.
    pub signature: String,
}

/// The signature with all that is needed to check it again, if it is one of these keys' over this question.
pub(crate) fn verified(
    approval: &Approval,
    keys: &[SigningKey],
    given: &Given,
) -> Result<Signature, Refusal> {
    let Some(key) = keys.iter().find(|key| key.id == given.key) else {
        return Err(Refusal::new(403, "not_your_signing_key", "this is no signing key of yours")
            .at("key", &given.key)
            .fix("clawops people signing-key makes one; an admin adds it to you"));
    };
    let statement = approval.statement();
    let bad = || {
        Refusal::new(
            403,
            "bad_approval_signature",
            format!("the signature does not fit the question {}", approval.code),
        )
        .at("approval", &approval.code)
        .fix("sign the statement of the question as it is now: clawops approvals approve CODE")
    };
    let public = public_key(&key.public_key).ok_or_else(bad)?;
    let bytes = STANDARD.decode(&given.signature).map_err(|_| bad())?;
    let signature = Ed25519::from_slice(&bytes).map_err(|_| bad())?;
    public.verify_strict(statement.as_bytes(), &signature).map_err(|_| bad())?;
    Ok(Signature {
        key: key.id.clone(),
        public_key: key.public_key.clone(),
        statement,
        signature: given.signature.clone(),
    })
}

/// A signing key as it is kept; refuses what is no Ed25519 public key that can be trusted.
pub fn signing_key(public_key: &str, now: Timestamp) -> Result<SigningKey, Refusal> {
    let given = public_key.trim();
    let Some(key) = public_key_bytes(given).filter(|_| public_key_is_strong(given)) else {
        return Err(Refusal::new(400, "bad_signing_key", "this is no Ed25519 public key")
            .at("publicKey", given)
            .fix("give the 32 bytes of the public key as base64; clawops people signing-key shows it"));
    };
    let id = hex::encode(&Sha256::digest(key)[..8]);
    Ok(SigningKey { id, public_key: STANDARD.encode(key), added_at: now })
}

fn public_key_bytes(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// A weak key verifies signatures that nobody made.
fn public_key_is_strong(text: &str) -> bool {
    public_key(text).is_some_and(|key| !key.is_weak())
}

fn public_key(text: &str) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(&public_key_bytes(text)?).ok()
}
