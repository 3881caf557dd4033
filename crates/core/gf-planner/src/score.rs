//! How well a provider has done over seven days, and what follows from it.

use gf_model::provider::TrackRecord;

/// Below this a provider is degraded.
pub const DEGRADED_BELOW: u8 = 75;
/// With fewer provisions than this the score says little.
pub const CONFIDENT_FROM: u32 = 5;
/// An average provisioning time of this long is worth nothing.
const SLOWEST_MILLIS: f64 = 15.0 * 60.0 * 1000.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    Primary,
    PrimaryOk,
    StandbyOnly,
    Pause,
}

impl Advice {
    pub const fn words(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::PrimaryOk => "primary ok",
            Self::StandbyOnly => "standby only",
            Self::Pause => "pause",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    pub points: u8,
    pub low_confidence: bool,
}

/// 40 × provision success + 30 × (1 − min(1, average provision time / 15 min)) + 20 × API success + 10 × uptime.
///
/// `None` while nothing at all was measured. A part that was not measured counts as good: what is missing is no fault.
pub fn score(record: &TrackRecord) -> Option<Score> {
    if record.provisions_tried == 0 && record.api_calls == 0 && record.uptime_ppm.is_none() {
        return None;
    }
    let share = |bad: f64, all: f64| if all > 0.0 { (1.0 - bad / all).clamp(0.0, 1.0) } else { 1.0 };
    let tried = f64::from(record.provisions_tried);
    let succeeded = record.provisions_tried.saturating_sub(record.provisions_failed);
    let speed = match (record.provisions_tried, succeeded) {
        (0, _) => 1.0,
        // All of them failed: nothing was ever delivered.
        (_, 0) => 0.0,
        (_, n) => 1.0 - (record.provision_millis_total as f64 / f64::from(n) / SLOWEST_MILLIS).min(1.0),
    };
    let uptime = record.uptime_ppm.map_or(1.0, |ppm| f64::from(ppm.min(1_000_000)) / 1_000_000.0);
    let points = 40.0 * share(f64::from(record.provisions_failed), tried)
        + 30.0 * speed
        + 20.0 * share(record.api_errors as f64, record.api_calls as f64)
        + 10.0 * uptime;
    // Rounded down: 74.9 has not reached 75. The tiny sum keeps an exact 75 from being a hair below it.
    let points = (points + 1e-9).floor().clamp(0.0, 100.0) as u8;
    Some(Score { points, low_confidence: record.provisions_tried < CONFIDENT_FROM })
}

pub const fn advice(points: u8) -> Advice {
    match points {
        85.. => Advice::Primary,
        75..=84 => Advice::PrimaryOk,
        50..=74 => Advice::StandbyOnly,
        _ => Advice::Pause,
    }
}

pub const fn is_degraded(points: u8) -> bool {
    points < DEGRADED_BELOW
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(tried: u32, failed: u32, average_millis: u64) -> TrackRecord {
        TrackRecord {
            provisions_tried: tried,
            provisions_failed: failed,
            provision_millis_total: average_millis * u64::from(tried - failed),
            api_calls: 100,
            api_errors: 0,
            uptime_ppm: Some(1_000_000),
        }
    }

    #[test]
    fn advice_changes_exactly_at_its_limits() {
        let words = |points| advice(points).words();
        assert_eq!(
            [words(100), words(85), words(84), words(75)],
            ["primary", "primary", "primary ok", "primary ok"]
        );
        assert_eq!(
            [words(74), words(50), words(49), words(0)],
            ["standby only", "standby only", "pause", "pause"]
        );
        assert!(is_degraded(74) && !is_degraded(75));
    }

    #[test]
    fn the_formula_is_the_documented_one() {
        let of = |record| score(&record).unwrap().points;
        assert_eq!(of(record(10, 0, 0)), 100);
        // Half of the time limit costs 15, the whole and more 30.
        assert_eq!(of(record(10, 0, 450_000)), 85);
        assert_eq!(of(record(10, 0, 900_000)), 70);
        assert_eq!(of(record(10, 0, 9_000_000)), 70);
        // Half of the provisions failed: 20 off.
        assert_eq!(of(record(10, 5, 0)), 80);
        assert_eq!(of(record(10, 10, 0)), 30);
        let errors = TrackRecord { api_errors: 50, ..record(10, 0, 0) };
        assert_eq!(of(errors), 90);
        let down = TrackRecord { uptime_ppm: Some(500_000), ..record(10, 0, 0) };
        assert_eq!(of(down), 95);
    }

    #[test]
    fn an_exact_seventy_five_is_not_degraded() {
        // 40 + 30 × (1 − 750/900) + 20 + 10 = 75.
        let exact = score(&record(6, 0, 750_000)).unwrap();
        assert_eq!((exact.points, exact.low_confidence), (75, false));
        assert_eq!(score(&record(6, 0, 750_100)).unwrap().points, 74);
    }

    #[test]
    fn four_provisions_are_few_and_nothing_is_nothing() {
        assert!(score(&record(4, 0, 0)).unwrap().low_confidence);
        assert!(!score(&record(5, 0, 0)).unwrap().low_confidence);
        assert_eq!(score(&TrackRecord::default()), None);
    }
}
