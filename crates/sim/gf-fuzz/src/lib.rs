//! What must hold of whatever bytes come from outside. Each function takes any bytes and panics where a law is broken; the
//! fuzzer (`cargo xtask fuzz`) and the bounded property tests drive the same ones.
//!
//! Nothing in here reads a clock, a file or a socket: the same bytes always do the same.

mod call;
mod frame;
mod patch;
mod said;

pub use call::call;
pub use frame::frame;
pub use patch::patch;
pub use said::said;

/// Two parts of one input, cut at its first line break.
fn two(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}
