//! Progress for whoever waits: one line per event, each with the seconds since the start.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

static START: OnceLock<Instant> = OnceLock::new();

pub fn elapsed() -> Duration {
    START.get_or_init(Instant::now).elapsed()
}

pub fn line(text: impl AsRef<str>) {
    eprintln!("[{:>6.1} s] {}", elapsed().as_secs_f64(), text.as_ref());
}
