//! One decision: what a plan counts as, the hard limits, the shipped Cedar rules, and the place in the ledger.

use crate::report::Row;
use crate::stats::{median, percentile};
use gf_model::{
    AccountId, Cents, InstanceId, RevisionId, Timestamp,
    fleet::Fleet,
    operation::{Lane, Stage, Step},
    person::{PersonRole, Principal},
    plan::Plan,
    verb::{Strategy, Verb},
};
use gf_policy::{Decision, Ledger, Policy, Request};
use std::hint::black_box;
use std::time::Instant;

const DECISIONS: usize = 50_000;
/// Users that other requests touched in the last fifteen minutes.
const TOUCHED: usize = 10_000;

pub fn decisions() -> Vec<Row> {
    let policy = gf_policy_cedar::standard();
    let fleet = Fleet::default();
    let mut ledger = Ledger::default();
    let now = Timestamp::UNIX_EPOCH;
    let agent = Principal::Agent("guardian".into());
    ledger.reserve(&agent, &accounts(200_000, TOUCHED), now);
    let asked = asked();
    let mut micros = Vec::with_capacity(DECISIONS);
    for (principal, role, plan) in asked.iter().cycle().take(DECISIONS + asked.len()) {
        let began = Instant::now();
        ledger.forget(now);
        let request =
            Request { principal, role: *role, verb: &plan.verb, plan, fleet: &fleet, ledger: &ledger, now };
        let decision = black_box(policy.decide(&request));
        if matches!(decision, Decision::Allow(_)) {
            ledger.reserve(principal, &plan.accounts, now);
        }
        micros.push(began.elapsed().as_secs_f64() * 1e6);
        // Given back beyond the clock, so that each decision meets the same ledger.
        if matches!(decision, Decision::Allow(_)) {
            ledger.release(principal, &plan.accounts);
        }
    }
    let micros = micros.split_off(asked.len());
    let how = format!(
        "{DECISIONS} of {} kinds, 1 to 100 accounts, a ledger of {TOUCHED} users; p50 {:.1} µs",
        asked.len(),
        median(&micros)
    );
    vec![Row {
        name: "policy decision with ledger, p99",
        value: percentile(&micros, 99.0),
        unit: "µs",
        target: 100.0,
        how,
    }]
}

/// Agents, their children, people of each role; restarts and pushes of different size, as they come.
fn asked() -> Vec<(Principal, Option<PersonRole>, Plan)> {
    let agent = |name: &str| (Principal::Agent(name.to_owned()), None);
    let person = |role| (Principal::Person("person-ada".parse().expect("an id")), Some(role));
    let who = [
        agent("commander"),
        agent("guardian"),
        agent("commander/1f3a"),
        agent("ledger"),
        person(PersonRole::Operator),
        person(PersonRole::Admin),
    ];
    let mut asked = Vec::new();
    for (principal, role) in who {
        for size in [1, 10, 11, 50, 100] {
            asked.push((principal.clone(), role, restart(size)));
            asked.push((principal.clone(), role, push(size)));
        }
    }
    asked
}

fn restart(size: usize) -> Plan {
    let instances = instances(size);
    let step = |instance: &InstanceId| Step::Restart { instance: instance.clone() };
    let verb = Verb::Restart { instances: instances.clone(), reason: "maintenance".into(), concurrency: 20 };
    plan(verb, size, instances, step)
}

fn push(size: usize) -> Plan {
    let revision = RevisionId(47);
    let step = |instance: &InstanceId| Step::ApplyRevision { instance: instance.clone(), revision };
    let verb = Verb::ConfigPush {
        accounts: accounts(0, size),
        revision,
        strategy: Strategy::Rolling,
        batch_size: 50,
        pace: Default::default(),
    };
    plan(verb, size, instances(size * 2), step)
}

fn plan(verb: Verb, users: usize, instances: Vec<InstanceId>, step: impl Fn(&InstanceId) -> Step) -> Plan {
    let lanes = |batch: &[InstanceId]| batch.iter().map(|id| Lane::new("lane", vec![step(id)])).collect();
    Plan {
        accounts: accounts(0, users),
        stages: instances.chunks(100).map(|batch| Stage::new("batch", 20, lanes(batch))).collect(),
        verb,
        instances,
        cost_delta: Cents(0),
        monthly_before: Cents(1_000_000),
        lines: Vec::new(),
        irreversible: Vec::new(),
        warnings: Vec::new(),
    }
}

fn accounts(from: usize, count: usize) -> Vec<AccountId> {
    (from..from + count).map(|n| format!("acct-{n:06}").parse().expect("an id")).collect()
}

fn instances(count: usize) -> Vec<InstanceId> {
    (0..count).map(|n| InstanceId::from_bits(n as u64, 6)).collect()
}
