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
