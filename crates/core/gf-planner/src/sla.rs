//! How long an account may be without a live gateway, and how long it was.

use gf_model::Tier;

/// Announced maintenance apart, in parts per million of a month.
pub const fn target_ppm(tier: Tier) -> u32 {
    match tier {
        Tier::Nano => 990_000,
        Tier::Standard => 995_000,
        Tier::Pro => 999_000,
        Tier::Enterprise => 999_500,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sla {
    pub target_ppm: u32,
    /// Of the month so far; a month that has not begun was fine.
    pub achieved_ppm: u32,
    /// Seconds that may still be lost in this month; zero once the target is missed.
    pub seconds_left: u64,
    pub is_met: bool,
}

/// `down` seconds out of `elapsed` in a month of `month` seconds.
pub fn sla(tier: Tier, down: u64, elapsed: u64, month: u64) -> Sla {
    let target_ppm = target_ppm(tier);
    let budget = (u128::from(month) * u128::from(1_000_000 - target_ppm) / 1_000_000) as u64;
    let down = down.min(elapsed);
    let lost_ppm = (u128::from(down) * 1_000_000).checked_div(u128::from(elapsed)).unwrap_or(0) as u32;
    Sla {
        target_ppm,
        achieved_ppm: 1_000_000 - lost_ppm,
        seconds_left: budget.saturating_sub(down),
        is_met: down <= budget,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTH: u64 = 30 * 86_400;

    #[test]
    fn the_budget_itself_is_met_and_a_second_more_is_not() {
        // Half a percent of thirty days is 12,960 seconds.
        assert!(sla(Tier::Standard, 12_960, MONTH, MONTH).is_met);
        assert!(!sla(Tier::Standard, 12_961, MONTH, MONTH).is_met);
        assert_eq!(sla(Tier::Standard, 12_960, MONTH, MONTH).seconds_left, 0);
        assert_eq!(sla(Tier::Standard, 12_960, MONTH, MONTH).achieved_ppm, 995_000);
    }

    #[test]
    fn before_the_month_began_nothing_was_lost() {
        let fresh = sla(Tier::Enterprise, 5, 0, MONTH);
        assert_eq!((fresh.achieved_ppm, fresh.is_met), (1_000_000, true));
    }
}
