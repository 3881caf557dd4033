//! A frame of the node link, as anybody who reaches the port can send it.

use gf_node_proto::{MAX_FRAME_BYTES, decode, encode, envelope, said_hello};

/// What is taken for an envelope means the same when it is written again, and what is too large is no envelope.
pub fn frame(bytes: &[u8]) {
    let hello = said_hello(bytes);
    let Ok(body) = decode(bytes) else { return };
    let is_hello = matches!(body, envelope::Body::Hello(_));
    assert!(!is_hello || matches!(hello, Ok(Some(_))), "a Hello was read whose bytes were not found");
    assert!(bytes.len() <= MAX_FRAME_BYTES, "a frame of {} bytes was read", bytes.len());
    let said = format!("{body:?}");
    let Ok(again) = encode(body) else {
        // Written canonically it may only ever be shorter.
        panic!("what was read cannot be written: {said}")
    };
    match decode(&again) {
        Ok(body) => assert_eq!(format!("{body:?}"), said),
        Err(why) => panic!("what was written cannot be read: {why}"),
    }
}
