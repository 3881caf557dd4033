//! Time and randomness as values that are handed in, so that nothing in the control plane reads them from the air.

use jiff::Timestamp;

/// Where "now" comes from. The binary injects the system's clock, a simulation its own.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
}

/// Where unpredictable bits come from (ids, tokens, jitter).
pub trait Entropy: Send + Sync + 'static {
    fn fill(&self, bytes: &mut [u8]);

    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}
