//! A message together with the very bytes that were sent or received for it.
//!
//! Signatures cover bytes and never a message that was written anew: whoever does not know a field would leave it out, and
//! two sides that are a version apart would never agree. Must never change the bytes that it was given.

use crate::{FrameError, MAX_FRAME_BYTES};
use prost::{
    DecodeError, Message,
    encoding::{DecodeContext, WireType, check_wire_type, decode_key, decode_varint, skip_field},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Said<M> {
    message: M,
    bytes: Vec<u8>,
}

impl<M> std::ops::Deref for Said<M> {
    type Target = M;
    fn deref(&self) -> &M {
        &self.message
    }
}

impl<M> Said<M> {
    pub fn into_message(self) -> M {
        self.message
    }

    /// The fields that `wanted` names, as they were sent and in that order, known here or not.
    pub(crate) fn fields(&self, wanted: impl Fn(u32) -> bool) -> Result<Vec<u8>, FrameError> {
        let mut kept = Vec::with_capacity(self.bytes.len());
        for field in fields(&self.bytes) {
            let (number, field) = field.map_err(FrameError::malformed)?;
            if wanted(number) {
                kept.extend_from_slice(field);
            }
        }
        Ok(kept)
    }
}

impl<M: Message + Default> Said<M> {
    /// What this side sends.
    pub fn by_us(message: M) -> Self {
        let bytes = message.encode_to_vec();
        Self { message, bytes }
    }

    /// What came in a frame, where that holds a message of this field of the envelope.
    pub(crate) fn in_frame(frame: &[u8], number: u32) -> Result<Option<Self>, FrameError> {
        if frame.len() > MAX_FRAME_BYTES {
            return Err(FrameError::TooLarge { size: frame.len() });
        }
        // A message that is sent in pieces is all of them, one after the other.
        let mut bytes: Option<Vec<u8>> = None;
        for field in fields(frame) {
            let (found, field) = field.map_err(FrameError::malformed)?;
            if found == number {
                bytes
                    .get_or_insert_default()
                    .extend_from_slice(payload(field).map_err(FrameError::malformed)?);
            }
        }
        let Some(bytes) = bytes else { return Ok(None) };
        let message = M::decode(&bytes[..]).map_err(FrameError::malformed)?;
        Ok(Some(Self { message, bytes }))
    }
}

/// The number of the first field, where there is one.
pub(crate) fn first_field(bytes: &[u8]) -> Option<u32> {
    fields(bytes).next()?.ok().map(|(number, _)| number)
}

/// Each field with its number, key and length included.
fn fields(bytes: &[u8]) -> impl Iterator<Item = Result<(u32, &[u8]), DecodeError>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let start = rest;
        let number = decode_key(&mut rest).and_then(|(number, wire)| {
            skip_field(wire, number, &mut rest, DecodeContext::default()).map(|()| number)
        });
        if number.is_err() {
            rest = &[];
        }
        Some(number.map(|number| (number, &start[..start.len() - rest.len()])))
    })
}

/// What a field holds that is a message.
fn payload(mut field: &[u8]) -> Result<&[u8], DecodeError> {
    let (_, wire) = decode_key(&mut field)?;
    check_wire_type(WireType::LengthDelimited, wire)?;
    let length = decode_varint(&mut field)?;
    Ok(usize::try_from(length).ok().and_then(|length| field.get(..length)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hello, encode};

    fn hello() -> Hello {
        Hello { node_id: "node-local-a".into(), nonce: vec![1; 32], ..Hello::default() }
    }

    #[test]
    fn what_came_in_a_frame_keeps_the_fields_that_nobody_here_knows() {
        let mut frame = encode(hello()).unwrap().to_vec();
        // Field 99 of the Hello, a text: the envelope's length grows by as much.
        let unknown = [0x9a, 0x06, 0x02, b'h', b'i'];
        frame[1] += unknown.len() as u8;
        frame.extend(unknown);
        let said = Said::<Hello>::in_frame(&frame, 1).unwrap().unwrap();
        assert_eq!(*said, hello());
        assert!(said.fields(|_| true).unwrap().ends_with(&unknown));
        assert_eq!(said.fields(|number| number <= 7), Said::by_us(hello()).fields(|_| true));
        assert_eq!(said.fields(|number| number == 99).unwrap(), unknown);
    }

    #[test]
    fn a_frame_with_something_else_holds_none() {
        let frame = encode(crate::EventAck { seq: 4 }).unwrap();
        assert_eq!(Said::<Hello>::in_frame(&frame, 1), Ok(None));
        assert!(Said::<Hello>::in_frame(&frame[..frame.len() - 1], 1).is_err());
    }
}
