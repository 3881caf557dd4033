//! What stays inside of a yes, and what does not.

use super::*;
use gf_model::{AccountId, InstanceId, RevisionId, verb::Strategy};

fn ids<T: std::str::FromStr>(names: &[&str]) -> Vec<T>
where
    T::Err: std::fmt::Debug,
{
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn plan(accounts: &[&str], instances: &[&str], delta: i64) -> Plan {
    let accounts: Vec<AccountId> = ids(accounts);
    let instances: Vec<InstanceId> = ids(instances);
    let verb = Verb::ConfigPush {
        accounts: accounts.clone(),
        revision: RevisionId(7),
        strategy: Strategy::Rolling,
        batch_size: 50,
        pace: Default::default(),
    };
    Plan {
        verb,
        accounts,
        instances,
        stages: vec![],
        cost_delta: Cents(delta),
        monthly_before: Cents(0),
        lines: vec![],
        irreversible: vec![],
        warnings: vec![],
    }
}

fn agreed(plan: &Plan) -> Envelope {
    Envelope {
        verb: plan.verb.name().to_owned(),
        accounts: plan.accounts.clone(),
        instances: plan.instances.clone(),
        cost_ceiling: plan.cost_delta,
        revision: Some(RevisionId(7)),
        plan_hash: plan.hash(),
    }
}

#[test]
fn the_same_fits_and_less_is_reported() {
    let shown = plan(&["0001", "0002"], &["aa01", "aa02"], 500);
    assert_eq!(fits(&agreed(&shown), &shown), Fit::Fits);
    let less = fits(&agreed(&shown), &plan(&["0001"], &["aa01"], 250));
    assert_eq!(less, Fit::Dropped { what: vec!["acct-0002".into(), "i-aa02".into()] });
}

#[test]
fn anything_added_voids_it() {
    let shown = plan(&["0001"], &["aa01"], 500);
    let void = |now: &Plan| matches!(fits(&agreed(&shown), now), Fit::Void { .. });
    assert!(void(&plan(&["0001", "0003"], &["aa01"], 500)));
    assert!(void(&plan(&["0001"], &["aa01", "bb01"], 500)));
    assert!(void(&plan(&["0001"], &["aa01"], 501)));
    let mut newer = shown.clone();
    if let Verb::ConfigPush { revision, .. } = &mut newer.verb {
        *revision = RevisionId(8);
    }
    assert!(void(&newer));
    let mut other = shown.clone();
    other.verb = Verb::Teardown {
        accounts: shown.accounts.clone(),
        reason: gf_model::verb::TeardownReason::Idle,
        archive: true,
        standby_only: false,
    };
    assert!(void(&other));
}

#[test]
fn a_smaller_saving_is_not_a_rise() {
    let shown = plan(&["0001", "0002"], &["aa01", "aa02"], -1200);
    assert!(matches!(fits(&agreed(&shown), &plan(&["0001"], &["aa01"], -600)), Fit::Dropped { .. }));
    assert!(matches!(fits(&agreed(&shown), &plan(&["0001"], &["aa01"], 1)), Fit::Void { .. }));
}
