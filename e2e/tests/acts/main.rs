//! The operator's conversation in six acts, on the real OpenClaw, with no key and no network.
//!
//! One ClawOps for all acts, in order, because each act lives on what the one before left. An act that fails does not
//! hide the others: all of them run, and every failure is told.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod act1_provision;
mod act2_status;
mod act3_heal;
mod act4_push;
mod act5_teardown;
mod act6_kill;
mod bad_start;
mod channels;
mod start_and_stop;

use clawops_e2e::Universe;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

type Act = fn(&Universe);

const ACTS: [(&str, Act); 12] = [
    ("act 2 on an empty fleet: how is the fleet?", act2_status::on_an_empty_fleet),
    ("act 1: provision two accounts", act1_provision::two_accounts),
    ("act 2: how is the fleet?", act2_status::with_two_pairs),
    ("act 3: a killed primary is restarted", act3_heal::a_killed_primary_is_restarted_and_told_once),
    (
        "act 3: failover with memory",
        act3_heal::a_primary_that_cannot_start_fails_over_and_the_standby_remembers,
    ),
    ("act 3: no ACTIVE standby", act3_heal::without_an_active_standby_a_person_is_called_and_nothing_done),
    ("act 4: push and roll back", act4_push::to_everyone_and_back),
    ("act 4: one of them malformed", act4_push::around_a_malformed_one_and_back),
    ("act 5: tear down and restore", act5_teardown::and_restore),
    ("act 6: kill -9 while provisioning and tearing down", act6_kill::in_the_middle_of_provisioning),
    ("act 6: kill -9 while pushing", act6_kill::in_the_middle_of_a_push),
    ("act 6: kill -9 in each other kind", act6_kill::in_the_middle_of_each_other_kind),
];

#[test]
fn the_conversation_in_six_acts() {
    let universe = Universe::empty();
    universe.settings(&serde_json::json!({ "snapshotSeconds": 15 }));
    universe.start(&[]);
    let mut failed = Vec::new();
    for (name, act) in ACTS {
        eprintln!("── {name}");
        let began = Instant::now();
        if catch_unwind(AssertUnwindSafe(|| act(&universe))).is_err() {
            failed.push(name);
        }
        eprintln!("   {:.0} s", began.elapsed().as_secs_f32());
    }
    assert!(failed.is_empty(), "failed: {}", failed.join("; "));
}
