//! A call that says it is the plugin's: its header and signature are whatever somebody sent, and the key is not theirs.

use crate::two;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gf_api::{
    auth::plugin::{Signed, Verifier},
    json,
};
use gf_model::{Timestamp, approval::InboundMessage};

/// The caller's header, its signature and the body, on a line each; also the header as the claims that it would carry.
pub fn call(bytes: &[u8]) {
    let now = Timestamp::UNIX_EPOCH;
    let (caller, rest) = two(bytes);
    let (signature, body) = two(rest);
    let claims = URL_SAFE_NO_PAD.encode(caller);
    let (caller, signature) = (String::from_utf8_lossy(caller), String::from_utf8_lossy(signature));
    for caller in [caller.as_ref(), claims.as_str()] {
        for signature in [signature.as_ref(), &format!("v1,{signature}")] {
            let request = Signed { method: "POST", path: "/v1/evidence/inbound", body, caller, signature };
            let verified = Verifier::new(b"a key that nobody knows".to_vec(), now).verify(&request, now);
            match verified {
                Ok(claims) => panic!("{claims:?} was let in"),
                Err(problem) => assert_eq!(problem.status, 401, "{problem:?}"),
            }
        }
    }
    // What a signed call would carry is read or refused in words.
    if let Err(problem) = json::parse::<InboundMessage>(body) {
        assert!(problem.status == 400 && !problem.message.is_empty(), "{problem:?}");
    }
}
