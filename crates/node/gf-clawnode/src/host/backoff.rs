//! How long to wait before the next attempt to reach the control plane.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(10);
/// After a refusal that only a person can mend.
const REFUSED: Duration = Duration::from_secs(30);

/// Doubles with every attempt; `random` spreads nodes that lost the same control plane.
pub fn pause(attempt: u32, refused: bool, random: u64) -> Duration {
    let whole = if refused { REFUSED } else { FIRST.saturating_mul(1 << attempt.min(16)).min(LONGEST) };
    let share = 500 + random % 501;
    whole * u32::try_from(share).unwrap_or(1000) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_are_spread() {
        assert_eq!(pause(0, false, 500), FIRST);
        assert_eq!(pause(1, false, 500), 2 * FIRST);
        assert_eq!(pause(60, false, 500), LONGEST);
        assert_eq!(pause(60, false, 0), LONGEST / 2);
        assert!(pause(0, true, 0) > LONGEST);
    }
}
