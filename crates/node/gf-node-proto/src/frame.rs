//! Frames: one binary message is one [`Envelope`]. Nothing larger than the limit is decoded or sent.

use crate::{
    Challenge, Envelope, Hello, Welcome, envelope,
    said::{Said, first_field},
};
use bytes::Bytes;
use prost::Message;

/// The largest frame that either side takes.
pub const MAX_FRAME_BYTES: usize = 4 * 1024 * 1024;

/// Why a frame was not taken, or cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {size} bytes is over the limit of {MAX_FRAME_BYTES}")]
    TooLarge { size: usize },
    #[error("a frame is not an envelope of the node protocol: {0}")]
    Malformed(String),
    #[error("a frame holds an envelope without a body")]
    Empty,
    /// Somebody newer says it. On a link that is in use it is passed over.
    #[error("a frame holds a message that this build does not know, of number {0}")]
    Unknown(u32),
}

impl FrameError {
    pub(crate) fn malformed(why: impl std::fmt::Display) -> Self {
        Self::Malformed(why.to_string())
    }
}

/// Reads a frame. Lengths inside it are checked against what is there before anything is allocated.
pub fn decode(frame: &[u8]) -> Result<envelope::Body, FrameError> {
    if frame.len() > MAX_FRAME_BYTES {
        return Err(FrameError::TooLarge { size: frame.len() });
    }
    let envelope = Envelope::decode(frame).map_err(FrameError::malformed)?;
    envelope.body.ok_or_else(|| first_field(frame).map_or(FrameError::Empty, FrameError::Unknown))
}

/// A Hello as it was sent; `None` where the frame holds something else.
pub fn said_hello(frame: &[u8]) -> Result<Option<Said<Hello>>, FrameError> {
    Said::in_frame(frame, 1)
}

pub fn said_challenge(frame: &[u8]) -> Result<Option<Said<Challenge>>, FrameError> {
    Said::in_frame(frame, 2)
}

pub fn said_welcome(frame: &[u8]) -> Result<Option<Said<Welcome>>, FrameError> {
    Said::in_frame(frame, 5)
}

/// Writes a frame, unless it is larger than the other side would take.
pub fn encode(body: impl Into<envelope::Body>) -> Result<Bytes, FrameError> {
    let envelope = Envelope { body: Some(body.into()) };
    let size = envelope.encoded_len();
    if size > MAX_FRAME_BYTES {
        return Err(FrameError::TooLarge { size });
    }
    Ok(envelope.encode_to_vec().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, EventAck, LogLines, SnapshotCreate, command, command_result, reply};
    use proptest::prelude::*;

    #[test]
    fn a_command_survives_the_wire() {
        let command = Command {
            key: "op-91c2/3".into(),
            body: Some(command::Body::SnapshotCreate(SnapshotCreate {
                instance_id: "i-7f3a".into(),
                only_if_changed: true,
                ..SnapshotCreate::default()
            })),
            ..Command::default()
        };
        let frame = encode(command.clone()).unwrap();
        assert_eq!(decode(&frame).unwrap(), envelope::Body::Command(command));
    }

    #[test]
    fn a_field_that_claims_a_gigabyte_is_refused_without_allocating_it() {
        // Field 20 (command), wire type 2, length 1 GB, and then nothing.
        let mut frame = vec![0xa2, 0x01];
        prost::encoding::encode_varint(1 << 30, &mut frame);
        assert!(matches!(decode(&frame), Err(FrameError::Malformed(_))));
    }

    #[test]
    fn a_frame_over_the_limit_is_neither_read_nor_written() {
        assert_eq!(
            decode(&vec![0; MAX_FRAME_BYTES + 1]),
            Err(FrameError::TooLarge { size: MAX_FRAME_BYTES + 1 })
        );
        let big = crate::CommandResult {
            key: "k".into(),
            outcome: Some(command_result::Outcome::Ok(
                reply::Body::from(LogLines { lines: vec!["x".repeat(MAX_FRAME_BYTES)], truncated: false })
                    .into(),
            )),
        };
        assert!(matches!(encode(big), Err(FrameError::TooLarge { .. })));
    }

    #[test]
    fn an_envelope_without_a_body_is_refused_and_one_of_somebody_newer_is_told_from_it() {
        assert_eq!(decode(&[]), Err(FrameError::Empty));
        // Field 77, a message of two bytes.
        assert_eq!(decode(&[0xea, 0x04, 0x02, 0x08, 0x01]), Err(FrameError::Unknown(77)));
    }

    /// A frame as a node would send it, with something in every kind of field.
    fn fine() -> Vec<u8> {
        let command = Command {
            key: "op-91c2/3".into(),
            operation: "op-91c2".into(),
            generation: 7,
            timeout_ms: 60_000,
            body: Some(
                crate::SshExec { argv: vec!["docker".into(), "logs".into(), "--tail".into(), "5".into()] }
                    .into(),
            ),
            ..Command::default()
        };
        encode(command).unwrap().to_vec()
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
            // Whatever is taken for an envelope can be written again and means the same.
            if let Ok(body) = decode(&bytes) {
                let again = decode(&encode(body.clone()).unwrap()).unwrap();
                prop_assert_eq!(format!("{again:?}"), format!("{body:?}"));
            }
        }

        #[test]
        fn a_damaged_frame_never_panics(at in 0..64usize, byte: u8, cut in 0..64usize, tail: Vec<u8>) {
            let mut frame = fine();
            let at = at % frame.len();
            frame[at] = byte;
            let _ = decode(&frame);
            frame.truncate(cut.min(frame.len()));
            let _ = decode(&frame);
            frame.extend(tail);
            let _ = decode(&frame);
        }

        #[test]
        fn lengths_that_lie_cost_nothing(field in 1..40u32, length in any::<u64>(), depth in 1..200usize) {
            let mut frame = Vec::new();
            for _ in 0..depth {
                prost::encoding::encode_key(field, prost::encoding::WireType::LengthDelimited, &mut frame);
                prost::encoding::encode_varint(length, &mut frame);
            }
            let _ = decode(&frame);
        }

        #[test]
        fn an_acknowledgement_reads_back(seq: u64) {
            let body = envelope::Body::from(EventAck { seq });
            prop_assert_eq!(decode(&encode(body.clone()).unwrap()).unwrap(), body);
        }
    }
}
