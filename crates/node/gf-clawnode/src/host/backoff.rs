//! How long to wait before the next attempt to reach the control plane.
//!
//! Nodes that lost the same control plane at the same moment must not come back at the same moment: a pause is drawn
//! from the whole span up to its limit (full jitter), so that they spread over it however many they are.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(20);
const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(10);
/// After a refusal that only a person can mend: between a half and the whole of it.
const REFUSED: Duration = Duration::from_secs(30);
/// A link that lasted so long was one; what ended earlier counts as one more attempt in vain.
pub(crate) const LASTING: Duration = LONGEST;

/// The limit doubles with every attempt; `random` chooses below it.
pub fn pause(attempt: u32, refused: bool, random: u64) -> Duration {
    let (least, most) = match refused {
        true => (REFUSED / 2, REFUSED),
        false => (SHORTEST, FIRST.saturating_mul(1 << attempt.min(16)).min(LONGEST)),
    };
    // 0 up to and including 1,000 thousandths.
    let share = u32::try_from(random % 1_001).unwrap_or(1_000);
    least + (most - least) * share / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_grow_to_a_longest_one() {
        assert_eq!(pause(0, false, 1_000), FIRST);
        assert_eq!(pause(1, false, 1_000), 2 * FIRST);
        assert_eq!(pause(60, false, 1_000), LONGEST);
        assert_eq!(pause(60, false, 0), SHORTEST);
        assert!(pause(0, true, 0) > LONGEST);
    }

    /// Nine thousand nodes that lost the same control plane for the sixth time: no tenth of the span gets much more than
    /// its share.
    #[test]
    fn nodes_that_lost_the_same_control_plane_spread_over_the_whole_span() {
        const NODES: u64 = 9_000;
        let mut tenths = [0; 10];
        for node in 0..NODES {
            // Each node's own bits, as good as random.
            let random = (node + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
            let share = pause(5, false, random).as_secs_f64() / pause(5, false, 1_000).as_secs_f64();
            tenths[((share * 10.0) as usize).min(9)] += 1;
        }
        assert_eq!(tenths.iter().sum::<u64>(), NODES);
        assert!(tenths.iter().all(|tenth| (NODES / 20..NODES / 5).contains(tenth)), "{tenths:?}");
    }
}
