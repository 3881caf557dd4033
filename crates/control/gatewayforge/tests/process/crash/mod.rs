//! The control plane as a real process, killed between any two things that it does to its disk, to its database or to
//! its machines, and started again: on SQLite, and on PostgreSQL. What its machines are outlives it in a file.
//!
//! Whatever the moment: the next one ends what was begun, nothing exists twice or unknown at the providers, no two
//! instances of a pair have their channels open, and the audit trail holds.
//!
//! The same where another control plane of the fleet, which followed it, takes over from one that was killed in the middle of a
//! step: before a provider or a node did what it was told, and after, when nobody had heard of it.
//!
//! The same where it lives on and its disk cannot be written from such a moment on, until somebody has made room.
//!
//! A run of the tests tries a few moments of each kind of operation; `cargo xtask crash` tries all of them.

mod case;
mod kinds;
mod moment;
mod store;

use case::Blow;
use kinds::{KINDS, Kind};
use moment::{ANSWERS, Calls, DATABASE_FILE, MACHINES, QUESTIONS};
use store::Kept;

/// Set by `cargo xtask crash`: how many moments of each kind instead of a few.
const MOMENTS: &str = "CLAWOPS_CRASH_MOMENTS";

/// Most of a case is waiting, so that several are told beside each other, each on a state of its own.
const BESIDE_EACH_OTHER: usize = 3;

fn every_kind(kept: fn() -> Kept, calls: &[Calls], few: u32, blow: Blow) {
    let wanted = std::env::var(MOMENTS).ok().map(|text| text.parse().expect("a number of moments"));
    let few = wanted.unwrap_or(few);
    std::thread::scope(|threads| {
        for kinds in KINDS.chunks(KINDS.len().div_ceil(BESIDE_EACH_OTHER)) {
            threads.spawn(move || {
                let kept = kept();
                case::prepare(&kept);
                kinds.iter().for_each(|kind| one_kind(&kept, kind, calls, few, blow));
            });
        }
    });
}

fn one_kind(kept: &Kept, kind: &Kind, calls: &[Calls], few: u32, blow: Blow) {
    for calls in calls.iter().filter(|calls| calls.what != MACHINES.what || kind.changes_machines) {
        let tried = case::moments(kept, kind, calls, few, blow);
        assert!(tried > 0, "{} makes no {}", kind.name, calls.what);
        eprintln!("{}: {blow:?} at {tried} of its {}", kind.name, calls.what);
    }
}

#[test]
fn killed_at_any_write_of_its_database_in_a_file() {
    every_kind(Kept::in_a_file, &[DATABASE_FILE], 4, Blow::Kill);
}

#[test]
fn killed_around_any_change_of_its_machines() {
    every_kind(Kept::in_a_file, &[MACHINES], 2, Blow::Kill);
}

#[test]
fn killed_around_any_question_to_postgres() {
    every_kind(Kept::in_postgres, &[QUESTIONS, ANSWERS], 1, Blow::Kill);
}

#[test]
fn another_one_takes_over_in_the_middle_of_any_step() {
    every_kind(Kept::in_postgres, &[MACHINES], 1, Blow::Replace { done: false });
}

#[test]
fn another_one_takes_over_when_a_step_is_done_and_nobody_heard_of_it() {
    every_kind(Kept::in_postgres, &[MACHINES], 1, Blow::Replace { done: true });
}

#[test]
fn its_disk_is_full_from_any_write_of_its_database_on() {
    every_kind(Kept::in_a_file, &[DATABASE_FILE], 1, Blow::DiskSays("ENOSPC"));
}

#[test]
fn its_disk_is_read_only_from_any_write_of_its_database_on() {
    every_kind(Kept::in_a_file, &[DATABASE_FILE], 1, Blow::DiskSays("EROFS"));
}
