//! Each limit at its exact boundary.

use super::*;
use crate::Ledger;
use gf_model::{
    InstanceId, Timestamp,
    fleet::Fleet,
    operation::Step,
    plan::Plan,
    verb::{SilenceScope, Strategy},
};

fn accounts(n: usize) -> Vec<AccountId> {
    (1..=n).map(|n| format!("{n:04}").parse().unwrap()).collect()
}

fn instances(n: usize) -> Vec<InstanceId> {
    (1..=n).map(|n| InstanceId::from_bits(n as u64, 4)).collect()
}

fn plan(verb: Verb, users: usize, changed: usize, before: i64, delta: i64) -> Plan {
    Plan {
        verb,
        accounts: accounts(users),
        instances: instances(changed),
        stages: vec![],
        cost_delta: Cents(delta),
        monthly_before: Cents(before),
        lines: vec![],
        irreversible: vec![],
        warnings: vec![],
    }
}

fn decide(principal: Principal, role: Option<PersonRole>, plan: &Plan, ledger: &Ledger) -> Decision {
    let fleet = Fleet::default();
    StandardPolicy::default().decide(&Request {
        principal: &principal,
        role,
        verb: &plan.verb,
        plan,
        fleet: &fleet,
        ledger,
        protective: false,
        now: Timestamp::UNIX_EPOCH,
    })
}

fn commander() -> Principal {
    Principal::Agent("commander".into())
}

fn push(strategy: Strategy) -> Verb {
    Verb::ConfigPush { accounts: vec![], revision: gf_model::RevisionId(1), strategy, batch_size: 50 }
}

fn restart(n: usize) -> Verb {
    Verb::Restart { instances: instances(n), reason: "r".into(), concurrency: 20 }
}

fn rules(decision: &Decision) -> Vec<String> {
    match decision {
        Decision::Allow(allowed) => allowed.rules.clone(),
        Decision::NeedsApproval(needs) => needs.rules.clone(),
        Decision::Refuse(refused) => vec![refused.rule.clone()],
    }
}

#[test]
fn a_hundred_instances_at_once_pass_and_one_more_does_not() {
    let at_once = |n| plan(push(Strategy::Immediate), 1, n, 0, 0);
    let ledger = Ledger::default();
    assert!(matches!(decide(commander(), None, &at_once(100), &ledger), Decision::NeedsApproval(_)));
    assert_eq!(rules(&decide(commander(), None, &at_once(101), &ledger)), ["too_many_at_once"]);
    let rolling = plan(push(Strategy::Rolling), 1, 1694, 0, 0);
    assert!(matches!(decide(commander(), None, &rolling, &ledger), Decision::NeedsApproval(_)));
}

#[test]
fn ten_users_are_ordinary_and_eleven_are_counted_also_when_split() {
    let many = "more_than_ten_users".to_owned();
    let ledger = Ledger::default();
    let of = |users| plan(push(Strategy::Rolling), users, users, 0, 0);
    assert!(!rules(&decide(commander(), None, &of(10), &ledger)).contains(&many));
    assert!(rules(&decide(commander(), None, &of(11), &ledger)).contains(&many));
    let mut split = Ledger::default();
    let earlier: Vec<AccountId> = (101..=106).map(|n| format!("{n:04}").parse().unwrap()).collect();
    split.reserve(&commander(), &earlier, Timestamp::UNIX_EPOCH);
    assert!(rules(&decide(commander(), None, &of(5), &split)).contains(&many));
    // The same accounts again are the same users.
    let mut same = Ledger::default();
    same.reserve(&commander(), &accounts(10), Timestamp::UNIX_EPOCH);
    assert!(!rules(&decide(commander(), None, &of(10), &same)).contains(&many));
}

#[test]
fn twenty_percent_pass_and_a_cent_more_is_said_but_not_below_a_hundred_dollars() {
    let rise = "cost_rises_by_more_than_a_fifth".to_owned();
    let ledger = Ledger::default();
    let of = |before, delta| plan(push(Strategy::Rolling), 1, 1, before, delta);
    assert!(!rules(&decide(commander(), None, &of(10_000, 2_000), &ledger)).contains(&rise));
    assert!(rules(&decide(commander(), None, &of(10_000, 2_001), &ledger)).contains(&rise));
    assert!(!rules(&decide(commander(), None, &of(9_999, 9_999), &ledger)).contains(&rise));
}

#[test]
fn an_agent_restarts_ten_alone_and_asks_for_eleven() {
    let ledger = Ledger::default();
    assert!(matches!(
        decide(commander(), None, &plan(restart(10), 10, 10, 0, 0), &ledger),
        Decision::Allow(_)
    ));
    let more = decide(commander(), None, &plan(restart(11), 11, 11, 0, 0), &ledger);
    assert!(matches!(more, Decision::NeedsApproval(_)));
}

#[test]
fn an_hour_of_silence_needs_nobody_and_a_minute_more_does() {
    let ledger = Ledger::default();
    let silence = |minutes| {
        let scope = SilenceScope::Region("nbg1".into());
        plan(Verb::Silence { scope, minutes, reason: "r".into() }, 0, 0, 0, 0)
    };
    assert!(matches!(decide(commander(), None, &silence(60), &ledger), Decision::Allow(_)));
    assert!(matches!(decide(commander(), None, &silence(61), &ledger), Decision::NeedsApproval(_)));
}

#[test]
fn each_agent_stays_in_its_row() {
    let ledger = Ledger::default();
    let provision = plan(
        Verb::Provision {
            accounts: accounts(1),
            tier: gf_model::Tier::Nano,
            regions: vec![],
            primary_provider: None,
            standby_provider: None,
            purpose: None,
        },
        1,
        2,
        0,
        600,
    );
    for (agent, expected) in [
        ("commander", "agent_must_ask"),
        ("forge", "agent_must_ask"),
        ("guardian", "outside_the_agents_row"),
        ("ledger", "outside_the_agents_row"),
        ("triage", "outside_the_agents_row"),
        ("briefer", "outside_the_agents_row"),
        ("root", "unknown_agent"),
    ] {
        let decision = decide(Principal::Agent(agent.into()), None, &provision, &ledger);
        assert_eq!(rules(&decision)[0], expected, "{agent}");
    }
}

#[test]
fn a_viewer_changes_nothing_and_an_operator_needs_an_approver() {
    let ledger = Ledger::default();
    let person = || Principal::Person("ada".parse().unwrap());
    let change = plan(push(Strategy::Rolling), 1, 2, 0, 0);
    assert_eq!(rules(&decide(person(), Some(PersonRole::Viewer), &change, &ledger)), ["role_too_low"]);
    assert_eq!(rules(&decide(person(), None, &change, &ledger)), ["role_too_low"]);
    let operator = decide(person(), Some(PersonRole::Operator), &change, &ledger);
    assert!(matches!(operator, Decision::NeedsApproval(needs) if needs.second_person));
    let approver = decide(person(), Some(PersonRole::Approver), &change, &ledger);
    assert!(matches!(approver, Decision::NeedsApproval(needs) if needs.own_key_is_enough()));
}

#[test]
fn ten_restarts_split_in_two_are_counted_together_whoever_asks() {
    let mut ledger = Ledger::default();
    let earlier: Vec<AccountId> = (101..=110).map(|n| format!("{n:04}").parse().unwrap()).collect();
    ledger.reserve(&commander(), &earlier, Timestamp::UNIX_EPOCH);
    let one_more = plan(restart(1), 1, 1, 0, 0);
    assert!(matches!(decide(commander(), None, &one_more, &ledger), Decision::NeedsApproval(_)));
    let guardian = Principal::Agent("guardian".into());
    assert!(matches!(decide(guardian.clone(), None, &one_more, &ledger), Decision::NeedsApproval(_)));
    let person = Principal::Person("ada".parse().unwrap());
    assert!(matches!(decide(person, Some(PersonRole::Operator), &one_more, &ledger), Decision::Allow(_)));
    ledger.release(&commander(), &earlier);
    assert!(matches!(decide(guardian, None, &one_more, &ledger), Decision::Allow(_)));
}

#[test]
fn a_batch_of_more_than_a_hundred_instances_or_without_a_gate_is_not_rolling() {
    use gf_model::operation::{Lane, Stage};
    let of = |verb: Verb, lanes: usize, gate: u8| {
        let step =
            |id: &InstanceId| Step::ApplyRevision { instance: id.clone(), revision: gf_model::RevisionId(1) };
        let mut plan = plan(verb, 1, 202, 0, 0);
        let batch = plan.instances.iter().take(lanes).map(|id| Lane::new("acct-1", vec![step(id)])).collect();
        let mut stage = Stage::new("batch", 4, batch);
        stage.fail_above_percent = gate;
        plan.stages.push(stage);
        rules(&decide(commander(), None, &plan, &Ledger::default()))
    };
    let push = || push(Strategy::Rolling);
    assert_eq!(of(push(), 100, 10), ["agent_must_ask"]);
    assert_eq!(of(push(), 101, 10), ["too_many_at_once"]);
    assert_eq!(of(push(), 100, 11), ["too_many_at_once"]);
    // Of two one may fail: that is one bad target, not a batch without a gate.
    assert_eq!(of(push(), 2, 50), ["agent_must_ask"]);
    assert_eq!(of(push(), 2, 100), ["too_many_at_once"]);
    let rollback = || Verb::Rollback { rollout: "91c2".parse().unwrap(), accounts: vec![] };
    assert_eq!(of(rollback(), 100, 100), ["agent_must_ask"]);
    assert_eq!(of(rollback(), 101, 100), ["too_many_at_once"]);
}

#[test]
fn a_child_has_its_parents_rights_but_asks_nobody() {
    let ledger = Ledger::default();
    let child = || Principal::Agent("commander/1f".into());
    assert!(matches!(decide(child(), None, &plan(restart(10), 5, 10, 0, 0), &ledger), Decision::Allow(_)));
    let more = decide(child(), None, &plan(restart(11), 5, 11, 0, 0), &ledger);
    assert_eq!(rules(&more), ["child_asks_nobody"]);
    assert_eq!(
        rules(&decide(child(), None, &plan(push(Strategy::Rolling), 1, 2, 0, 0), &ledger)),
        ["child_asks_nobody"]
    );
}

#[test]
fn the_question_learns_how_many_and_who() {
    let Decision::NeedsApproval(needs) =
        decide(commander(), None, &plan(push(Strategy::Rolling), 12, 24, 10_000, 2_300), &Ledger::default())
    else {
        panic!("a push is asked for")
    };
    assert!(needs.notes[0].starts_with("affects 12 users"), "{:?}", needs.notes);
    assert!(needs.notes[0].ends_with("acct-0010 and 2 more"), "{:?}", needs.notes);
    assert_eq!(needs.notes[1], "the fleet's monthly cost rises by 23.0 %");
}
