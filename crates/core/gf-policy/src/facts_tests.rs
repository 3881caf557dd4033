//! What a plan counts as.

use super::*;
use crate::Ledger;
use gf_model::{
    Cents, RevisionId, Timestamp,
    fleet::Fleet,
    operation::{Lane, Stage, Step},
    plan::Plan,
    verb::{Outage, Pace, SilenceScope, Strategy},
};

fn accounts(n: usize) -> Vec<AccountId> {
    (1..=n).map(|n| format!("{n:04}").parse().unwrap()).collect()
}

fn plan(verb: Verb, users: usize, changed: usize) -> Plan {
    Plan {
        verb,
        accounts: accounts(users),
        instances: (1..=changed).map(|n| InstanceId::from_bits(n as u64, 4)).collect(),
        stages: vec![],
        cost_delta: Cents(2_300),
        monthly_before: Cents(10_000),
        lines: vec![],
        irreversible: vec![],
        warnings: vec![],
    }
}

fn facts(plan: &Plan, ledger: &Ledger) -> Facts {
    Facts::of(&Request {
        principal: &Principal::Agent("commander".into()),
        role: None,
        verb: &plan.verb,
        plan,
        fleet: &Fleet::default(),
        ledger,
        now: Timestamp::UNIX_EPOCH,
    })
}

fn push(strategy: Strategy) -> Verb {
    Verb::ConfigPush {
        accounts: vec![],
        revision: RevisionId(1),
        strategy,
        batch_size: 50,
        pace: Pace::default(),
    }
}

#[test]
fn a_split_request_counts_together_and_the_same_users_once() {
    let guardian = Principal::Agent("guardian".into());
    let earlier: Vec<AccountId> = (101..=106).map(|n| format!("{n:04}").parse().unwrap()).collect();
    let mut ledger = Ledger::default();
    ledger.reserve(&guardian, &earlier, Timestamp::UNIX_EPOCH);
    ledger.reserve(&guardian, &accounts(3), Timestamp::UNIX_EPOCH);
    let counted = facts(&plan(push(Strategy::Rolling), 5, 10), &ledger);
    assert_eq!((counted.users, counted.accounts, counted.instances), (11, 5, 10));
    assert!(counted.names().ends_with("and 1 more"), "{}", counted.names());
    assert_eq!(counted.cost_percent().unwrap(), "23.0");
}

#[test]
fn a_push_at_once_or_without_a_gate_is_not_validated_in_between() {
    let of = |verb: Verb, lanes: usize, gate: u8| {
        let step = |id: &InstanceId| Step::ApplyRevision { instance: id.clone(), revision: RevisionId(1) };
        let mut plan = plan(verb, 1, 202);
        let batch = plan.instances.iter().take(lanes).map(|id| Lane::new("acct-1", vec![step(id)])).collect();
        let mut stage = Stage::new("batch", 4, batch);
        stage.fail_above_percent = gate;
        plan.stages.push(stage);
        facts(&plan, &Ledger::default()).unvalidated
    };
    let rolling = || push(Strategy::Rolling);
    assert_eq!(of(rolling(), 100, 10), 100);
    assert_eq!(of(rolling(), 101, 10), 101);
    assert_eq!(of(rolling(), 100, 11), 202);
    assert_eq!(of(push(Strategy::Immediate), 1, 10), 202);
    // Of two one may fail: that is one bad target, not a batch without a gate.
    assert_eq!(of(rolling(), 2, 50), 2);
    assert_eq!(of(rolling(), 2, 100), 202);
    let rollback = || Verb::Rollback { rollout: "91c2".parse().unwrap(), accounts: vec![] };
    assert_eq!(of(rollback(), 100, 100), 100);
    assert_eq!(of(rollback(), 101, 100), 101);
    // A lost place is left in waves, none of which stops the next.
    let outage = Outage { provider: "hetzner".into(), region: None, accounts: vec![] };
    let leave =
        Verb::Failover { account: "acct-1".parse().unwrap(), reason: "lost".into(), outage: Some(outage) };
    assert_eq!(of(leave, 20, 100), 20);
}

#[test]
fn a_batch_that_follows_what_was_found_well_counts_up_to_ten_times_that() {
    let of = |pace: Pace, batches: &[usize]| {
        let verb = Verb::ConfigPush {
            accounts: vec![],
            revision: RevisionId(1),
            strategy: Strategy::Rolling,
            batch_size: 0,
            pace,
        };
        let total = batches.iter().sum();
        let mut plan = plan(verb, 1, total);
        let mut left = plan.instances.clone().into_iter();
        for size in batches {
            let step = |instance| Step::ApplyRevision { instance, revision: RevisionId(1) };
            let lanes = left.by_ref().take(*size).map(|id| Lane::new("acct-1", vec![step(id)])).collect();
            let mut stage = Stage::new("batch", 4, lanes);
            stage.fail_above_percent = 10;
            plan.stages.push(stage);
        }
        facts(&plan, &Ledger::default()).unvalidated
    };
    let watched = || Pace::gated(Pace::CANARY.to_vec());
    assert_eq!(of(watched(), &[2, 20, 200, 2000, 4000]), 2);
    assert_eq!(of(watched(), &[2, 21]), 21, "more than ten times what was looked at");
    assert_eq!(of(watched(), &[101, 20]), 101);
    assert_eq!(of(Pace { settle_seconds: 0, ..watched() }, &[2, 20, 200]), 200, "nobody looks at it");
}

#[test]
fn minutes_are_of_a_silence_and_instances_of_a_restart_as_asked() {
    let scope = SilenceScope::Region("nbg1".into());
    let silence = plan(Verb::Silence { scope, minutes: 61, reason: "r".into() }, 0, 0);
    assert_eq!(facts(&silence, &Ledger::default()).minutes, 61);
    let instances = (1..=11).map(|n| InstanceId::from_bits(n, 4)).collect();
    let restart = plan(Verb::Restart { instances, reason: "r".into(), concurrency: 20 }, 5, 10);
    assert_eq!(facts(&restart, &Ledger::default()).instances, 11);
}
