//! An instance's wish not to be parked for a while. It lapses by itself: a wish that nobody renews is none.

use std::time::{Duration, Instant};

/// Longer must be asked for again.
pub const LONGEST: Duration = Duration::from_secs(3600);
const LONGEST_REASON: usize = 200;

#[derive(Debug, Default)]
pub struct Keepalive {
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    until: Instant,
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWish {
    #[error("ttl_ms: {0} cannot be used; give 1 to {limit}", limit = LONGEST.as_millis())]
    Ttl(u64),
    #[error("reason: give one of at most {LONGEST_REASON} characters")]
    Reason,
}

impl Keepalive {
    /// Holds, or renews what is held.
    pub fn hold(&mut self, ttl_ms: u64, reason: &str, now: Instant) -> Result<Duration, BadWish> {
        let ttl = Duration::from_millis(ttl_ms);
        if ttl.is_zero() || ttl > LONGEST {
            return Err(BadWish::Ttl(ttl_ms));
        }
        if reason.trim().is_empty() || reason.chars().count() > LONGEST_REASON {
            return Err(BadWish::Reason);
        }
        self.held = Some(Held { until: now + ttl, reason: reason.to_owned() });
        Ok(ttl)
    }

    pub fn release(&mut self) {
        self.held = None;
    }

    /// What is held now: for how long yet, and why.
    pub fn at(&self, now: Instant) -> Option<(Duration, &str)> {
        let held = self.held.as_ref()?;
        let left = held.until.saturating_duration_since(now);
        (!left.is_zero()).then_some((left, held.reason.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_lapses_unless_it_is_renewed() {
        let mut keepalive = Keepalive::default();
        let now = Instant::now();
        keepalive.hold(1000, "a long build", now).unwrap();
        assert_eq!(keepalive.at(now).unwrap().1, "a long build");
        assert!(keepalive.at(now + Duration::from_millis(1000)).is_none());
        keepalive.hold(1000, "again", now + Duration::from_millis(900)).unwrap();
        assert!(keepalive.at(now + Duration::from_millis(1000)).is_some());
        keepalive.release();
        assert!(keepalive.at(now).is_none());
    }

    #[test]
    fn a_wish_without_end_or_reason_is_refused() {
        let mut keepalive = Keepalive::default();
        let now = Instant::now();
        assert_eq!(keepalive.hold(0, "x", now), Err(BadWish::Ttl(0)));
        assert_eq!(keepalive.hold(u64::MAX, "x", now), Err(BadWish::Ttl(u64::MAX)));
        assert_eq!(keepalive.hold(5, " ", now), Err(BadWish::Reason));
        assert!(keepalive.at(now).is_none());
    }
}
