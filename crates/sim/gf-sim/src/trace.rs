//! What happened, as a number that two runs of one seed share, and as lines for whoever must understand a failure.
//!
//! Lines cost time, so they are only kept on demand: a seed that failed is run again to read them.

use parking_lot::Mutex;
use std::fmt::{self, Write};
use tokio::time::Instant;

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

pub struct Trace {
    began: Instant,
    inner: Mutex<Inner>,
}

struct Inner {
    hash: u64,
    events: u64,
    lines: Option<Vec<String>>,
}

struct Hasher<'a>(&'a mut u64);

impl Write for Hasher<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        *self.0 = text.bytes().fold(*self.0, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
        Ok(())
    }
}

impl Trace {
    pub fn new(keep_lines: bool) -> Self {
        let lines = keep_lines.then(Vec::new);
        Self { began: Instant::now(), inner: Mutex::new(Inner { hash: FNV_OFFSET, events: 0, lines }) }
    }

    /// Milliseconds of simulated time since the story began.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub fn note(&self, what: fmt::Arguments<'_>) {
        let at = self.elapsed_ms();
        let mut inner = self.inner.lock();
        inner.events += 1;
        // Writing into a number cannot fail.
        let _ = write!(Hasher(&mut inner.hash), "{at} {what};");
        if let Some(lines) = &mut inner.lines {
            lines.push(format!("{:>6}.{:03}s  {what}", at / 1000, at % 1000));
        }
    }

    pub fn hash(&self) -> u64 {
        self.inner.lock().hash
    }

    pub fn events(&self) -> u64 {
        self.inner.lock().events
    }

    pub fn take_lines(&self) -> Vec<String> {
        self.inner.lock().lines.take().unwrap_or_default()
    }
}
