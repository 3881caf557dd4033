//! The month of an account at its edges, and for whatever was noted.

use super::*;
use crate::fixture;
use gf_model::{fleet::Once, served::Lapse};
use proptest::prelude::*;
use std::sync::LazyLock;

const MONTH: u64 = 30 * 86_400;

fn november() -> Month {
    Month::parse("2026-11").unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(november().begin() + second).unwrap()
}

fn gateway() -> Gateway {
    static ONE: LazyLock<Gateway> =
        LazyLock::new(|| fixture::fleet(at(0)).gateways.into_values().next().unwrap());
    Gateway { created_at: at(-86_400), ..ONE.clone() }
}

fn lapse(kind: LapseKind, from: i64, to: i64) -> Lapse {
    Lapse { kind, from: at(from), to: Some(at(to)) }
}

fn log(lapses: Vec<Lapse>) -> ServiceLog {
    ServiceLog { known_since: None, lapses }
}

/// Looked at from the month's first second on, but for these gaps.
fn looked(gaps: &[(i64, i64)], now: i64) -> Looked {
    let gaps = gaps.iter().map(|(from, to)| Gap { from: at(*from), to: at(*to) }).collect();
    let watch = Watch { known_since: at(-86_400), until: at(now), gaps };
    let mut fleet = Fleet::default();
    fleet.apply(watch.kept(at(now)).into());
    Looked::of(&fleet, november(), at(now))
}

fn sum(served: &Served) -> u64 {
    served.up + served.down + served.planned + served.unknown + served.outside + served.to_come
}

#[test]
fn the_budget_itself_is_met_and_a_second_more_is_not() {
    // Half a percent of thirty days is 12,960 seconds.
    let of = |down, unknown| Served { up: MONTH - down - unknown, down, unknown, ..Served::default() };
    let verdict = |down, unknown| sla(Tier::Standard, &of(down, unknown), november()).verdict;
    assert_eq!(verdict(12_960, 0), Verdict::Met);
    assert_eq!(verdict(12_961, 0), Verdict::Missed);
    assert_eq!(verdict(12_959, 1), Verdict::Met);
    assert_eq!(verdict(12_960, 1), Verdict::Unknown, "an unknown second is not taken as served");
    assert_eq!(verdict(0, MONTH), Verdict::Unknown);
    assert_eq!(verdict(12_961, 100_000), Verdict::Missed);
    let full = sla(Tier::Standard, &of(12_960, 0), november());
    assert_eq!((full.seconds_left, full.achieved_ppm), (0, Some(995_000)));
}

#[test]
fn where_nothing_is_known_no_share_is_claimed() {
    let fresh = sla(Tier::Enterprise, &Served { unknown: 5, ..Served::default() }, november());
    assert_eq!((fresh.achieved_ppm, fresh.verdict), (None, Verdict::Met), "five seconds break no budget");
    let never = Looked::of(&Fleet::default(), november(), at(3600)).served(&gateway(), &log(vec![]));
    assert_eq!((never.up, never.unknown), (0, 3600), "nobody ever looked");
}

#[test]
fn each_second_is_one_thing_and_what_nobody_saw_is_not_served() {
    let lapses = vec![
        lapse(LapseKind::Down, 100, 160),
        lapse(LapseKind::Planned, 1000, 1100),
        // Noted while the store could no longer be written for the others.
        lapse(LapseKind::Down, 1950, 2050),
    ];
    let served = looked(&[(2000, 2600)], 10_000).served(&gateway(), &log(lapses));
    assert_eq!((served.down, served.planned, served.unknown), (60 + 50, 100, 600));
    assert_eq!(served.up, 10_000 - 110 - 100 - 600);
    assert_eq!(served.to_come, MONTH - 10_000);
}

#[test]
fn a_month_is_asked_of_from_when_the_account_exists_and_without_its_archived_time() {
    let mut gateway = gateway();
    gateway.created_at = at(1000);
    let archived = Lapse { kind: LapseKind::Archived, from: at(5000), to: None };
    gateway.desired = Desired::Archived;
    let served = looked(&[(6000, 6600)], 10_000).served(&gateway, &log(vec![archived]));
    assert_eq!((served.outside, served.up, served.unknown), (1000 + 5000, 4000, 0));
    // It is served again, and the end of its archived time was not yet written down.
    gateway.desired = Desired::Pair;
    assert_eq!(looked(&[], 10_000).served(&gateway, &log(vec![archived])).outside, 1000);
}

#[test]
fn a_month_that_is_over_does_not_change_and_one_that_has_not_begun_is_to_come() {
    let down = log(vec![lapse(LapseKind::Down, MONTH as i64 - 30, MONTH as i64 + 30)]);
    let over = looked(&[], MONTH as i64 + 500_000).served(&gateway(), &down);
    assert_eq!((over.down, over.up, over.to_come), (30, MONTH - 30, 0));
    let before = looked(&[], -50).served(&gateway(), &down);
    assert_eq!((before.to_come, before.up), (MONTH, 0));
    for bad in ["2026-13", "2026", "26-11", "2026-11-01", "november", "2026/11"] {
        assert_eq!(Month::parse(bad), None, "{bad}");
    }
    assert_eq!(Month::of(at(-1)).to_string(), "2026-10");
}

#[test]
fn a_record_of_another_meaning_is_none_of_ours() {
    let other = Once { key: "downtime:2026-11".into(), at: at(0), answer: serde_json::Value::Null };
    assert!(!gf_model::served::is_record(&other.key));
    assert!(gf_model::served::is_record(&log(vec![]).kept(&gateway().account, at(0)).key));
}

prop_compose! {
    fn spans()(spans in prop::collection::vec((0..3u8, -90_000i64..2_700_000, 0i64..400_000), 0..20)) -> Vec<(u8, i64, i64)> {
        spans
    }
}

proptest! {
    /// Whatever was noted, in whatever order and however it overlaps.
    #[test]
    fn the_seconds_of_a_month_add_up_and_unknown_ones_are_never_served(
        lapses in spans(),
        gaps in prop::collection::vec((-90_000i64..2_700_000, 0i64..400_000), 0..20),
        created in -90_000i64..2_700_000,
        now in -1000i64..3_000_000,
    ) {
        let mut gateway = gateway();
        gateway.created_at = at(created);
        let kinds = [LapseKind::Down, LapseKind::Planned, LapseKind::Archived];
        let lapses: Vec<_> =
            lapses.iter().map(|(kind, from, long)| lapse(kinds[*kind as usize], *from, from + long)).collect();
        let gaps: Vec<_> = gaps.iter().map(|(from, long)| (*from, from + long)).collect();
        let served = looked(&gaps, now).served(&gateway, &log(lapses.clone()));
        prop_assert_eq!(sum(&served), MONTH);

        // Second by second, at some of them.
        let end = now.clamp(0, MONTH as i64);
        let within = |second: i64, from: i64, to: i64| (from..to).contains(&second);
        let is_up = |second: i64| {
            second >= created
                && gaps.iter().all(|(from, to)| !within(second, *from, *to))
                && lapses.iter().all(|lapse| {
                    !within(second, lapse.from.as_second() - november().begin(), lapse.to.unwrap().as_second() - november().begin())
                })
        };
        let step = 997;
        let up = (0..end).step_by(step).filter(|second| is_up(*second)).count() as i64;
        let edges = 2 * (lapses.len() + gaps.len() + 2) as i64;
        prop_assert!((up - served.up as i64 / step as i64).abs() <= edges, "{} {}", up, served.up);
    }
}
