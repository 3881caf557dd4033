//! What a control plane notes of who is not served, look by look.

use super::*;
use crate::decide::tests::{change, pair};
use gf_model::instance::InstanceState;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn served(served: bool) -> Fleet {
    let mut fleet = pair(InstanceState::Active, Some(InstanceState::Active));
    change(&mut fleet, "i-0001", |primary| primary.channels_on = served);
    fleet
}

/// A control plane that looks at a pair.
#[derive(Default)]
struct Story {
    meter: Meter,
    kept: Fleet,
}

impl Story {
    fn look(&mut self, mut fleet: Fleet, second: i64) -> Vec<(LapseKind, i64, Option<i64>)> {
        fleet.once = self.kept.once.clone();
        let noted = self.meter.look(&fleet, fleet.gateways.keys(), at(second));
        let found: Vec<_> = noted
            .notes
            .iter()
            .filter_map(|(_, note)| match note {
                Note::NotServed(lapse) => Some(lapse),
                Note::ServedAgain => None,
            })
            .map(|lapse| (lapse.kind, lapse.from.as_second(), lapse.to.map(Timestamp::as_second)))
            .collect();
        let changes = written_down(&fleet, noted, None, at(second));
        changes.into_iter().for_each(|change| fleet.apply(change));
        self.kept = fleet;
        found
    }

    fn watch(&self) -> (i64, Vec<(i64, i64)>) {
        let watch = Watch::of(&self.kept).unwrap();
        let gaps = watch.gaps.iter().map(|gap| (gap.from.as_second(), gap.to.as_second())).collect();
        (watch.until.as_second(), gaps)
    }
}

#[test]
fn downtime_is_written_down_every_minute_and_when_it_ends() {
    use LapseKind::Down;
    let mut story = Story::default();
    assert_eq!(story.look(served(true), 0), []);
    assert_eq!(story.look(served(false), 10), []);
    assert_eq!(story.look(served(false), 59), []);
    assert_eq!(story.look(served(false), 61), [(Down, 10, Some(61))]);
    assert_eq!(story.look(served(true), 70), [(Down, 61, Some(70))]);
    assert_eq!(story.look(served(true), 130), []);
    assert_eq!(story.watch(), (130, vec![]));
}

#[test]
fn what_was_not_written_down_before_an_end_is_a_gap() {
    let mut story = Story::default();
    story.look(served(true), 0);
    story.look(served(true), 65);
    story.look(served(false), 90);
    story.meter = Meter::default();
    assert_eq!(story.look(served(false), 300), []);
    assert_eq!(story.look(served(true), 310), [(LapseKind::Down, 300, Some(310))]);
    assert_eq!(story.watch(), (300, vec![(65, 300)]));
}

#[test]
fn whoever_was_held_up_saw_nothing_meanwhile() {
    let mut story = Story::default();
    story.look(served(true), 0);
    story.look(served(false), 20);
    assert_eq!(story.look(served(false), 20 + 3600), []);
    assert_eq!(story.watch(), (3620, vec![(0, 3620)]));
}

#[test]
fn a_clock_that_is_set_back_takes_nothing_back_and_counts_nothing_twice() {
    let mut story = Story::default();
    story.look(served(true), 10_000);
    story.look(served(false), 10_030);
    assert_eq!(story.look(served(false), 6430), [], "an hour earlier");
    assert_eq!(story.look(served(true), 6440), [(LapseKind::Down, 6430, Some(6440))]);
    assert_eq!(story.watch(), (10_000, vec![]));
}

#[test]
fn an_archived_account_lapses_once_until_it_is_served_again_even_where_nobody_looked() {
    let archived = || {
        let mut fleet = served(false);
        for gateway in fleet.gateways.values_mut() {
            gateway.desired = Desired::Archived;
        }
        fleet
    };
    let mut story = Story::default();
    story.look(served(true), 0);
    story.look(served(false), 10);
    assert_eq!(
        story.look(archived(), 20),
        [(LapseKind::Down, 10, Some(20)), (LapseKind::Archived, 20, None)]
    );
    assert_eq!(story.look(archived(), 90), []);
    story.meter = Meter::default();
    assert_eq!(story.look(archived(), 200), [], "it is written down already");
    story.meter = Meter::default();
    story.look(served(true), 300);
    let account = story.kept.gateways.keys().next().unwrap().clone();
    let log = ServiceLog::of(&story.kept, &account);
    assert_eq!(log.lapses.last().unwrap().to, Some(at(300)));
}

#[test]
fn each_month_begins_at_nothing() {
    let (january, february) =
        ("2026-01-31T23:59:59Z".parse().unwrap(), "2026-02-01T00:00:00Z".parse().unwrap());
    let mut fleet = served(true);
    let mark = begins_a_month(&fleet, january).unwrap();
    fleet.apply(Once { key: mark, at: january, answer: json!(null) }.into());
    assert_eq!(begins_a_month(&fleet, january), None);
    assert!(begins_a_month(&fleet, february).is_some());
}
