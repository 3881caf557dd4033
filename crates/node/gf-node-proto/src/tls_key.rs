//! The control plane's key in the forms that TLS wants.
//!
//! Over TLS the control plane shows the very key that an enrolment token names, as a raw public key (RFC 7250): there
//! is no certificate to issue, to renew or to forge, and nothing else to pin. TLS signs under a context of its own
//! ("TLS 1.3, …"), so that no signature of the one protocol means anything in the other.

use ed25519_dalek::{SigningKey, VerifyingKey};

/// What stands before 32 bytes of public key in a SubjectPublicKeyInfo (RFC 8410).
const PUBLIC_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What stands before 32 bytes of seed in a PKCS #8 key.
const PRIVATE_HEAD: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The public key as a SubjectPublicKeyInfo in DER.
pub fn public_der(key: &VerifyingKey) -> Vec<u8> {
    [&PUBLIC_HEAD[..], key.as_bytes()].concat()
}

/// The private key as PKCS #8 in DER. It is a secret.
pub fn private_der(key: &SigningKey) -> Vec<u8> {
    [&PRIVATE_HEAD[..], &key.to_bytes()].concat()
}
