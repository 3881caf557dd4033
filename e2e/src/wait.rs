//! Waiting for something to become true, with a limit that only a hang reaches. Nothing judges how long it took.

use std::time::{Duration, Instant};

const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Panics with what was awaited when it does not come.
pub fn until<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < within, "{what}: not within {within:?}");
        std::thread::sleep(LOOK_EVERY);
    }
}
