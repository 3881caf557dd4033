//! How one value is encrypted: XChaCha20-Poly1305 under a data key of its own, itself encrypted under the
//! master key. Everything that says whose value it is, is bound into both.

use crate::{Plain, Scope};
use chacha20poly1305::{
    Key, XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use gf_model::{Timestamp, ambient::Entropy, channel::SecretName};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What a value belongs to. Another name, version or time does not decrypt.
pub struct Label<'a> {
    pub scope: &'a Scope,
    pub name: &'a SecretName,
    pub version: u64,
    pub created_at: Timestamp,
}

impl Label<'_> {
    fn bytes(&self, layer: &str) -> Vec<u8> {
        let Self { scope, name, version, created_at } = self;
        format!("clawops secret\n{layer}\n{scope}\n{}\n{version}\n{created_at}", name.0).into_bytes()
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    pub created_at: Timestamp,
    data_key: Sealed,
    value: Sealed,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    nonce: String,
    sealed: String,
}

/// It was encrypted with another key, for another label, or is not what was encrypted.
#[derive(Debug, PartialEq, Eq)]
pub struct DoesNotOpen;

impl Envelope {
    /// `None` only for a value beyond what the cipher takes, which is far above the limit of a secret.
    pub fn seal(master: &[u8; 32], label: &Label<'_>, plain: &Plain, entropy: &dyn Entropy) -> Option<Self> {
        let mut data_key = Zeroizing::new([0; 32]);
        entropy.fill(&mut *data_key);
        Some(Self {
            created_at: label.created_at,
            value: Sealed::seal(&data_key, &label.bytes("value"), plain.expose(), entropy)?,
            data_key: Sealed::seal(master, &label.bytes("data key"), &*data_key, entropy)?,
        })
    }

    pub fn open(&self, master: &[u8; 32], label: &Label<'_>) -> Result<Plain, DoesNotOpen> {
        let unwrapped = Zeroizing::new(self.data_key.open(master, &label.bytes("data key"))?);
        let mut data_key = Zeroizing::new([0; 32]);
        if unwrapped.len() != data_key.len() {
            return Err(DoesNotOpen);
        }
        data_key.copy_from_slice(&unwrapped);
        self.value.open(&data_key, &label.bytes("value")).map(Plain::new)
    }
}

impl Sealed {
    pub fn seal(key: &[u8; 32], label: &[u8], plain: &[u8], entropy: &dyn Entropy) -> Option<Self> {
        let mut nonce = [0; 24];
        entropy.fill(&mut nonce);
        let sealed = XChaCha20Poly1305::new(Key::from_slice(key))
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad: label })
            .ok()?;
        Some(Self { nonce: hex::encode(nonce), sealed: hex::encode(sealed) })
    }

    pub fn open(&self, key: &[u8; 32], label: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
        let mut nonce = [0; 24];
        hex::decode_to_slice(&self.nonce, &mut nonce).map_err(|_| DoesNotOpen)?;
        let sealed = hex::decode(&self.sealed).map_err(|_| DoesNotOpen)?;
        XChaCha20Poly1305::new(Key::from_slice(key))
            .decrypt(XNonce::from_slice(&nonce), Payload { msg: &sealed, aad: label })
            .map_err(|_| DoesNotOpen)
    }
}
