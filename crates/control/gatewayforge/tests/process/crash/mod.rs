//! The control plane as a real process, killed between any two things that it does to its disk, to its database or to
//! its machines, and started again: on SQLite, and on PostgreSQL. What its machines are outlives it in a file.
//!
//! Whatever the moment: the next one ends what was begun, nothing exists twice or unknown at the providers, no two
//! instances of a pair have their channels open, and the audit trail holds.
//!
//! A run of the tests tries a few moments of each kind of operation; `cargo xtask crash` tries all of them.

mod case;
mod kinds;
mod moment;
mod store;

use kinds::KINDS;
use moment::{Calls, DATABASE_ANSWERS, DATABASE_WRITES, DISK_WRITES, MACHINES};
use store::Kept;

/// Set by `cargo xtask crash`: every moment instead of a few.
const ALL: &str = "CLAWOPS_CRASH_ALL";

fn every_kind(kept: &mut Kept, calls: &[Calls], few: u32) {
    let few = if std::env::var_os(ALL).is_some() { u32::MAX } else { few };
    case::prepare(kept);
    for kind in &KINDS {
        for calls in calls {
            let tried = case::moments(kept, kind, calls, few);
            assert!(tried > 0, "{} does nothing that {calls:?} sees", kind.name);
            eprintln!("{}: {tried} moments of {calls:?}", kind.name);
        }
    }
}

#[test]
fn killed_at_any_write_of_its_database_in_a_file() {
    every_kind(&mut Kept::in_a_file(), &[DISK_WRITES], 2);
}

#[test]
fn killed_around_any_change_of_its_machines() {
    every_kind(&mut Kept::in_a_file(), &[MACHINES], 1);
}

#[test]
fn killed_around_any_question_to_postgres() {
    every_kind(&mut Kept::in_postgres(), &[DATABASE_WRITES, DATABASE_ANSWERS], 1);
}
