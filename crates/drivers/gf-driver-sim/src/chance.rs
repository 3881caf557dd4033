//! What happens by chance, decided by the seed and by what it happens to: the same seed tells the same story,
//! in whatever order tasks run. It must never be used for anything secret.

/// Draws numbers for named occasions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chance {
    seed: u64,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// 64 bits for the `nth` time that `what` happens to `whom`.
    pub(crate) fn bits(self, what: &str, whom: &str, nth: u64) -> u64 {
        let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        let named = what
            .as_bytes()
            .iter()
            .chain(&[0])
            .chain(whom.as_bytes())
            .fold(self.seed ^ 0xcbf2_9ce4_8422_2325, fnv);
        mix(named ^ mix(nth.wrapping_add(1)))
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(self, low: u64, high: u64, what: &str, whom: &str, nth: u64) -> u64 {
        low + self.bits(what, whom, nth) % (high.saturating_sub(low) + 1)
    }

    /// Whether something that happens in so many of a million cases happens now.
    pub(crate) fn strikes(self, per_million: u32, what: &str, whom: &str, nth: u64) -> bool {
        self.bits(what, whom, nth) % 1_000_000 < u64::from(per_million)
    }
}

/// The finisher of SplitMix64.
fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_tells_the_same_story_and_another_seed_another() {
        let story = |seed| {
            (0..50).map(|n| Chance::new(seed).between(1, 100, "boot", "i-7f3a", n)).collect::<Vec<_>>()
        };
        assert_eq!(story(7), story(7));
        assert_ne!(story(7), story(8));
        assert!(story(7).iter().all(|n| (1..=100).contains(n)));
    }

    #[test]
    fn what_strikes_one_in_ten_strikes_about_one_in_ten() {
        let struck = (0..10_000).filter(|n| Chance::new(1).strikes(100_000, "fail", "hetzner", *n)).count();
        assert!((850..1150).contains(&struck), "{struck}");
    }
}
