//! Judges requests by the rules of `policy/*.cedar`, or by those that an admin put in force instead.
//!
//! Rules only compare what was counted elsewhere ([`gf_policy::Facts`]). Cedar skips a rule that fails; here a rule that
//! fails refuses. It never decides alone: [`gf_policy::Guarded`] keeps the hard limits under it.

mod asked;
mod cases;
mod change;
mod compiled;
mod problem;
mod rules;
mod slices;
mod words;

pub use cases::{Case, CaseResult, Cases};
pub use change::{Change, ChangedRule, NamedRule, Otherwise};
pub use compiled::{Compiled, Files};
pub use problem::{BadCases, BadRules, Problem};
pub use rules::CedarRules;

use gf_policy::Guarded;

/// Rules over the hard limits.
pub type CedarPolicy = Guarded<CedarRules>;

/// The rules that a fleet starts with, over the hard limits.
pub fn standard() -> CedarPolicy {
    Guarded(CedarRules::shipped())
}

/// The same, and a second person must agree where the cost rises by more than the limit.
pub fn with_second_person_over_cost() -> CedarPolicy {
    let (name, text) = SECOND_PERSON_OVER_COST;
    let mut files = shipped();
    files.insert(name.to_owned(), text.to_owned());
    Guarded(CedarRules::starting_with(files))
}

/// What rules may speak of.
pub const SCHEMA: &str = include_str!("../../../../policy/schema.cedarschema");

/// The cases that the shipped rules are tried on.
pub const CASES: &str = include_str!("../../../../policy/cases.toml");

const SHIPPED: [(&str, &str); 4] = [
    ("agents.cedar", include_str!("../../../../policy/agents.cedar")),
    ("limits.cedar", include_str!("../../../../policy/limits.cedar")),
    ("people.cedar", include_str!("../../../../policy/people.cedar")),
    ("services.cedar", include_str!("../../../../policy/services.cedar")),
];

const SECOND_PERSON_OVER_COST: (&str, &str) = (
    "second_person_over_cost.cedar",
    include_str!("../../../../policy/optional/second_person_over_cost.cedar"),
);

/// The rules that are shipped, by file.
pub fn shipped() -> Files {
    SHIPPED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}
