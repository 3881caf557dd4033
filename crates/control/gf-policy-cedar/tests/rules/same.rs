//! The files and the typed rules give the same answers.

use gf_model::{
    AccountId, Cents, InstanceId, Timestamp,
    fleet::Fleet,
    instance::InstanceState,
    person::{PersonRole, Principal},
    plan::Plan,
    verb::{SilenceScope, Strategy, TeardownReason, Verb},
};
use gf_policy::{Decision, Guarded, Ledger, Policy, Request, StandardPolicy, is_protective};
use gf_policy_cedar::{CedarRules, standard};
use proptest::prelude::*;
use std::sync::LazyLock;

fn accounts(n: usize) -> Vec<AccountId> {
    (1..=n).map(|n| format!("{n:04}").parse().unwrap()).collect()
}

fn verb(kind: usize, size: usize, minutes: u32, flag: bool) -> Verb {
    let account: AccountId = "0001".parse().unwrap();
    match kind {
        0 => Verb::Provision {
            accounts: accounts(size),
            tier: gf_model::Tier::Nano,
            regions: vec![],
            primary_provider: None,
            standby_provider: None,
            purpose: None,
        },
        1 => Verb::Teardown {
            accounts: accounts(size),
            reason: TeardownReason::Idle,
            archive: true,
            standby_only: flag,
        },
        2 => Verb::Restore { account, archive: None, snapshot: None, reason: String::new() },
        3 => Verb::Resize { accounts: accounts(size), tier: gf_model::Tier::Pro },
        4 => {
            let strategy = if flag { Strategy::Immediate } else { Strategy::Rolling };
            Verb::ConfigPush {
                accounts: accounts(size),
                revision: gf_model::RevisionId(1),
                strategy,
                batch_size: 50,
            }
        }
        5 => Verb::Rollback { rollout: "91c2".parse().unwrap(), accounts: accounts(size) },
        6 => {
            let instances = (1..=size).map(|n| InstanceId::from_bits(n as u64, 4)).collect();
            Verb::Restart { instances, reason: "r".into(), concurrency: 20 }
        }
        7 => Verb::Failover { account, reason: "r".into() },
        8 => Verb::RebuildStandby { account },
        9 => Verb::ProviderPolicy {
            provider: "hetzner".into(),
            pool: gf_model::provider::Pool::Paused,
            reason: "r".into(),
        },
        _ => Verb::Silence { scope: SilenceScope::Region("nbg1".into()), minutes, reason: "r".into() },
    }
}

fn principal(who: usize) -> (Principal, Option<PersonRole>) {
    let agents = [
        "commander",
        "guardian",
        "forge",
        "ledger",
        "triage",
        "briefer",
        "root",
        "commander/1",
        "guardian/1",
        "forge/1",
    ];
    let roles = [
        None,
        Some(PersonRole::Viewer),
        Some(PersonRole::Operator),
        Some(PersonRole::Approver),
        Some(PersonRole::Admin),
    ];
    match who {
        0 => (Principal::Service("healer".into()), None),
        n if n <= agents.len() => (Principal::Agent(agents[n - 1].into()), None),
        n => (Principal::Person("ada".parse().unwrap()), roles[n - 1 - agents.len()]),
    }
}

static RULES: LazyLock<Guarded<CedarRules>> = LazyLock::new(standard);

const PRINCIPALS: usize = 16;

struct Situation {
    who: usize,
    verb: Verb,
    users: usize,
    changed: usize,
    earlier: usize,
    before: i64,
    delta: i64,
    failed: Option<InstanceState>,
}

fn same(situation: &Situation) {
    let (principal, role) = principal(situation.who);
    let mut fleet = Fleet::default();
    if let Some(state) = situation.failed {
        crate::support::pair(&mut fleet, state);
    }
    let mut ledger = Ledger::default();
    let earlier: Vec<AccountId> =
        (101..101 + situation.earlier).map(|n| format!("{n:04}").parse().unwrap()).collect();
    ledger.reserve(&principal, &earlier, Timestamp::UNIX_EPOCH);
    let touches_nobody = matches!(situation.verb, Verb::Silence { .. } | Verb::ProviderPolicy { .. });
    let plan = Plan {
        verb: situation.verb.clone(),
        accounts: accounts(if touches_nobody { 0 } else { situation.users }),
        instances: (1..=situation.changed).map(|n| InstanceId::from_bits(n as u64, 4)).collect(),
        stages: vec![],
        cost_delta: Cents(situation.delta),
        monthly_before: Cents(situation.before),
        lines: vec![],
        irreversible: vec![],
        warnings: vec![],
    };
    let request = Request {
        principal: &principal,
        role,
        verb: &plan.verb,
        plan: &plan,
        fleet: &fleet,
        ledger: &ledger,
        protective: is_protective(&principal, plan.verb.name()),
        now: Timestamp::UNIX_EPOCH,
    };
    let (typed, filed) = (StandardPolicy::default().decide(&request), RULES.decide(&request));
    let what = format!("{principal} {role:?} {:?}\ntyped {typed:?}\nfiled {filed:?}", plan.verb);
    // What acted alone and made the fleet a fifth dearer was allowed by the typed rules: the domain says it is asked for.
    let dearer = situation.before >= 10_000 && situation.delta * 5 > situation.before;
    match (&typed, &filed) {
        (Decision::Allow(_), Decision::NeedsApproval(needs))
            if dearer && needs.rules[0] == "cost_rises_by_more_than_a_fifth" => {}
        (Decision::Allow(_), Decision::Refuse(refused)) if dearer && refused.rule == "child_asks_nobody" => {}
        (Decision::Allow(_), Decision::Allow(_)) => {}
        (Decision::NeedsApproval(typed), Decision::NeedsApproval(filed)) => {
            assert_eq!(typed.second_person, filed.second_person, "{what}");
            for said in ["more_than_ten_users", "cost_rises_by_more_than_a_fifth"] {
                // The typed rules counted earlier users against what touches nobody.
                if said == "more_than_ten_users" && (touches_nobody || plan.accounts.is_empty()) {
                    continue;
                }
                // Nor is the rebuilding of a standby counted, which saves users.
                if matches!(plan.verb, Verb::RebuildStandby { .. }) {
                    continue;
                }
                let says = |rules: &[String]| rules.iter().any(|rule| rule == said);
                assert_eq!(says(&typed.rules), says(&filed.rules), "{said}: {what}");
            }
        }
        (Decision::Refuse(typed), Decision::Refuse(filed)) => {
            assert_eq!((&typed.rule, typed.fix.is_some()), (&filed.rule, filed.fix.is_some()), "{what}");
        }
        _ => panic!("{what}"),
    }
}

/// Everybody, every verb, each number at and beside its limit.
#[test]
fn everybody_at_every_boundary() {
    let mut count = 0;
    for who in 0..PRINCIPALS {
        for kind in 0..11 {
            for (size, minutes, flag) in
                [(1, 60, false), (10, 61, true), (11, 1, false), (100, 1, true), (101, 1, true)]
            {
                for earlier in [0, 9, 10, 11] {
                    for (before, delta) in [(10_000, 2_000), (10_000, 2_001), (9_999, 9_999), (0, 0)] {
                        for failed in [None, Some(InstanceState::Failed), Some(InstanceState::Active)] {
                            same(&Situation {
                                who,
                                verb: verb(kind, size, minutes, flag),
                                users: if kind == 7 || kind == 8 || kind == 2 { 1 } else { size.min(20) },
                                changed: size,
                                earlier,
                                before,
                                delta,
                                failed,
                            });
                            count += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(count, PRINCIPALS * 11 * 5 * 4 * 4 * 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn anybody_anywhere(
        who in 0..PRINCIPALS, kind in 0..11_usize, size in 1..130_usize, minutes in 0..200_u32, flag: bool,
        users in 1..30_usize, earlier in 0..15_usize, before in 0..30_000_i64, delta in -10_000..10_000_i64,
        failed in 0..4_usize,
    ) {
        let failed = [None, Some(InstanceState::Failed), Some(InstanceState::Stopped), Some(InstanceState::Active)][failed];
        let verb = verb(kind, size, minutes, flag);
        same(&Situation { who, verb, users, changed: size, earlier, before, delta, failed });
    }
}
