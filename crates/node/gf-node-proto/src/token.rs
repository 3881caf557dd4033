//! The single-use enrolment token as a person or `clawops up` hands it to a node.
//!
//! It names the control plane's key, so that a node shows its secret to nobody else:
//! `gfn_<secret>.<control plane's public key>`, both base64url.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

const PREFIX: &str = "gfn_";

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an enrolment token looks like gfn_<secret>.<control plane key>: {0}")]
pub struct TokenError(&'static str);

#[derive(Clone, PartialEq, Eq)]
pub struct EnrolmentToken {
    secret: [u8; 32],
    control: VerifyingKey,
}

impl EnrolmentToken {
    pub fn new(secret: [u8; 32], control: VerifyingKey) -> Self {
        Self { secret, control }
    }

    /// The key that the control plane must prove before it is shown the token.
    pub fn control(&self) -> &VerifyingKey {
        &self.control
    }

    /// What the control plane keeps instead of the token.
    pub fn digest(&self) -> [u8; 32] {
        Self::digest_of(&self.secret_text())
    }

    /// The digest of a token's secret part, as it arrives in an `Enrol`.
    pub fn digest_of(secret_text: &str) -> [u8; 32] {
        Sha256::digest(secret_text.as_bytes()).into()
    }

    /// The part that is sent in an `Enrol`.
    pub fn secret_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.secret)
    }

    /// The whole token in its written form. It is a secret: write it to a file of mode 0600 and nowhere else.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}.{}", self.secret_text(), URL_SAFE_NO_PAD.encode(self.control.as_bytes()))
    }
}

impl FromStr for EnrolmentToken {
    type Err = TokenError;
    fn from_str(given: &str) -> Result<Self, TokenError> {
        let rest = given.trim().strip_prefix(PREFIX).ok_or(TokenError("it does not begin with gfn_"))?;
        let (secret, control) = rest.split_once('.').ok_or(TokenError("there is no dot in it"))?;
        let bytes = |text: &str, what| {
            let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError(what))?;
            <[u8; 32]>::try_from(bytes).map_err(|_| TokenError(what))
        };
        Ok(Self {
            secret: bytes(secret, "its secret is not 32 bytes of base64url")?,
            control: VerifyingKey::from_bytes(&bytes(control, "its key is not 32 bytes of base64url")?)
                .map_err(|_| TokenError("its key is not an Ed25519 key"))?,
        })
    }
}

impl fmt::Debug for EnrolmentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolmentToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    #[test]
    fn a_token_reads_back_and_is_not_printed() {
        let token = EnrolmentToken::new([7; 32], SigningKey::from_bytes(&[9; 32]).verifying_key());
        let text = token.reveal();
        assert_eq!(format!("{text}\n").parse::<EnrolmentToken>().unwrap(), token);
        assert_eq!(EnrolmentToken::digest_of(&token.secret_text()), token.digest());
        assert!(!format!("{token:?}").contains(&token.secret_text()));
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["", "gfn_", "gfn_abc.def", "abc", "gfn_AAAA"] {
            assert!(bad.parse::<EnrolmentToken>().is_err(), "{bad:?} was taken");
        }
    }
}
