//! Rules and requests for the tests.

use gf_model::person::{PersonRole, Principal};
use gf_policy::{Asked, Decision, Facts, guarded};
use gf_policy_cedar::{Compiled, Files, shipped};

/// The shipped rules, and one more file.
pub fn with(text: &str) -> Files {
    let mut files = shipped();
    files.insert("own.cedar".into(), text.into());
    files
}

pub fn only(text: &str) -> Files {
    Files::from([("own.cedar".to_owned(), text.to_owned())])
}

pub fn agent(name: &str) -> Principal {
    Principal::Agent(name.into())
}

pub fn person() -> Principal {
    Principal::Person("ada".parse().unwrap())
}

pub fn decide(rules: &Compiled, principal: &Principal, verb: &str, facts: &Facts) -> Decision {
    let role = matches!(principal, Principal::Person(_)).then_some(PersonRole::Admin);
    let asked = Asked { principal, role, verb, facts };
    guarded(&asked, |asked| rules.judge(asked))
}

/// A pair whose primary is in this state; for the comparison with the typed rules.
pub fn pair(fleet: &mut gf_model::fleet::Fleet, state: gf_model::instance::InstanceState) {
    use gf_model::{Cents, Tier, Timestamp, gateway::*, instance::*};
    let instance = |name: &str, role, state, active_at| Instance {
        id: name.parse().unwrap(),
        account: "0001".parse().unwrap(),
        role,
        state,
        state_since: Timestamp::UNIX_EPOCH,
        uncertain: false,
        tier: Tier::Nano,
        provider: "hetzner".into(),
        region: "here".into(),
        monthly_cost: Cents(300),
        place: None,
        node: None,
        endpoint: None,
        generation: Generation(1),
        channels_on: role == Role::Primary,
        health: None,
        last_boot_ms: None,
        restarts: vec![],
        revision: None,
        remembers: None,
        flagged: None,
        created_at: Timestamp::UNIX_EPOCH,
        active_at,
    };
    fleet.apply(instance("aa01", Role::Primary, state, Some(Timestamp::UNIX_EPOCH)).into());
    fleet.apply(instance("bb01", Role::Standby, InstanceState::Failed, None).into());
    fleet.apply(
        Gateway {
            account: "0001".parse().unwrap(),
            tier: Tier::Nano,
            purpose: None,
            desired: Desired::Pair,
            generation: Generation(1),
            fencing: Fencing::Strict,
            primary: Some("aa01".parse().unwrap()),
            standby: Some("bb01".parse().unwrap()),
            endpoint: None,
            revision: None,
            owned: "{}".parse().unwrap(),
            taken: vec![],
            archive: None,
            last_snapshot: None,
            last_failover: None,
            last_activity: None,
            down_seconds_month: 0,
            created_at: Timestamp::UNIX_EPOCH,
        }
        .into(),
    );
}
