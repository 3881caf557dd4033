//! A release of gf-clawnode, signed by whoever makes releases: by a key that no control plane needs to hold.
//!
//! Pure: says what a signature covers. Must never decide whether a release is wanted.

use crate::{
    Release, SigningKey, VerifyingKey,
    handshake::{SignatureError, verify},
};
use ed25519_dalek::Signer;

const RELEASE: &[u8] = b"clawops gf-clawnode release\0";
pub const DIGEST_BYTES: usize = 32;

fn signed(release: &Release) -> Vec<u8> {
    let length = (release.version.len() as u64).to_be_bytes();
    let parts =
        [RELEASE, &length[..], release.version.as_bytes(), &release.size.to_be_bytes(), &release.sha256];
    parts.concat()
}

/// The same release with its signature.
pub fn sign_release(key: &SigningKey, release: Release) -> Release {
    let signature = key.sign(&signed(&release)).to_vec();
    Release { signature, ..release }
}

/// Whether any of these keys signed it.
pub fn verify_release(keys: &[VerifyingKey], release: &Release) -> Result<(), SignatureError> {
    let message = signed(release);
    let is_by = |key: &VerifyingKey| verify(key, &message, &release.signature).is_ok();
    if release.sha256.len() == DIGEST_BYTES && keys.iter().any(is_by) {
        return Ok(());
    }
    Err(SignatureError::Signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_believed_as_it_was_signed_and_in_nothing_else() {
        let (ours, other) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let plain = Release { version: "0.2.0".into(), sha256: vec![7; 32], size: 9, ..Release::default() };
        let release = sign_release(&ours, plain);
        let keys = [other.verifying_key(), ours.verifying_key()];
        assert_eq!(verify_release(&keys, &release), Ok(()));
        let changed = [
            Release { version: "0.3.0".into(), ..release.clone() },
            Release { sha256: vec![8; 32], ..release.clone() },
            Release { size: 10, ..release.clone() },
            Release { signature: Vec::new(), ..release.clone() },
            sign_release(&ours, Release { sha256: vec![7; 31], ..release.clone() }),
        ];
        for release in changed {
            assert_eq!(verify_release(&keys, &release), Err(SignatureError::Signature));
        }
        assert!(verify_release(&[other.verifying_key()], &release).is_err());
        assert!(verify_release(&[], &release).is_err());
    }
}
