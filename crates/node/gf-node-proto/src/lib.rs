//! What the control plane and a node say to each other: messages, limits, versions, names and signatures.
//!
//! Everything in here is pure: bytes in, values or typed refusals out. It must never open a socket, read a
//! clock or log a message, so that a simulated node speaks exactly the bytes that a real one does.

mod constructors;
mod frame;
mod generated;
mod handshake;
mod names;
mod release;
mod said;
mod sensitive;
mod ticket;
mod tls_key;
mod token;
mod version;
mod witness;
mod writer;

pub use ed25519_dalek::{SigningKey, VerifyingKey};
pub use frame::{FrameError, MAX_FRAME_BYTES, decode, encode, said_challenge, said_hello, said_welcome};
pub use generated::*;
pub use handshake::{
    Check, NONCE_BYTES, Seal, SignatureError, Transcript, Welcomed, key_from_bytes, sign_challenge,
    sign_node, sign_welcome, verify_challenge, verify_node, verify_ticketed, verify_welcome,
};
pub use names::{body_name, changes_something, instance_of, needs_it_awake};
pub use release::{DIGEST_BYTES, sign_release, verify_release};
pub use said::Said;
pub use ticket::{TICKET_LASTS_S, TicketKey};
pub use tls_key::{private_der, public_der};
pub use token::{EnrolmentToken, TokenError};
pub use version::{PROTOCOL_MAX, PROTOCOL_MIN, VersionRefusal, carries_tickets, chosen, negotiate};
pub use witness::{sign_ask, verify_ask};
pub use writer::FrameWriter;

/// Events that a node may send ahead of the last one that was acknowledged.
pub const EVENT_WINDOW: u64 = 64;
/// Commands of one node that may be under way at the same time.
pub const COMMANDS_IN_FLIGHT: usize = 32;
/// How often a node reports, unless the control plane asks for another pace.
pub const HEARTBEAT_INTERVAL_MS: u32 = 10_000;
