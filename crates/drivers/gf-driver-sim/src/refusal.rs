//! A call that is refused: the so-manieth of all that a control plane makes to its providers and machines.
//!
//! It must never refuse anything unless it was armed: what goes wrong by itself is the weather's.

use parking_lot::Mutex;

/// How the call is refused that was armed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// This once, as one that is busy does: the same call later succeeds.
    ForNow,
    /// This call to this target, now and from now on, until nothing is refused any more.
    ForGood,
}

#[derive(Default)]
pub(crate) struct Refusals {
    armed: Mutex<Option<Armed>>,
}

struct Armed {
    refusal: Refusal,
    at: u64,
    calls: u64,
    /// The call that was the so-manieth.
    met: Option<String>,
}

impl Refusals {
    /// From now on calls are counted, and the so-manieth is refused. The 0th never comes.
    pub(crate) fn arm(&self, at: u64, refusal: Refusal) {
        *self.armed.lock() = Some(Armed { refusal, at, calls: 0, met: None });
    }

    /// Nothing is refused any more. Answers with the call that was, if one was.
    pub(crate) fn disarm(&self) -> Option<String> {
        self.armed.lock().take().and_then(|armed| armed.met)
    }

    pub(crate) fn calls(&self) -> u64 {
        self.armed.lock().as_ref().map_or(0, |armed| armed.calls)
    }

    /// Counts a call and says how it is refused, if it is.
    pub(crate) fn count(&self, target: &str, what: &str) -> Option<Refusal> {
        let mut armed = self.armed.lock();
        let armed = armed.as_mut()?;
        armed.calls += 1;
        if armed.calls == armed.at {
            armed.met = Some(format!("{what} of {target}"));
            return Some(armed.refusal);
        }
        let again = armed.refusal == Refusal::ForGood
            && armed.met.as_ref().is_some_and(|met| *met == format!("{what} of {target}"));
        again.then_some(Refusal::ForGood)
    }
}
