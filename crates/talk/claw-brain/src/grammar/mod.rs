//! One small grammar per kind of request. Each reads a clause and either knows what it leads to or passes.
//!
//! A grammar may only let something change when the clause *orders* it ([`Clause::orders`]); a question, a
//! doubt or a name alone leads to reading or asking.

mod amend;
mod answer_words;
mod audit;
mod cost;
mod failover;
mod fleet;
mod incident;
mod instance;
mod operation;
mod pair;
mod policy;
mod provider;
mod provision;
mod push;
mod refuse;
mod resize;
mod restart;
mod restore;
mod rollback;
mod schedule;
mod silence;
mod talk;
mod targets;
mod teardown;
mod times;

use crate::{language::Clause, memory::Memory, step::Step};
use jiff::civil::DateTime;

/// A clause with all that may help to understand it.
pub struct Scene<'a> {
    pub clause: &'a Clause,
    /// Clauses before it in the same message.
    pub earlier: &'a [Clause],
    pub memory: &'a Memory<'a>,
    /// When it was said, where that is known.
    pub now: Option<DateTime>,
}

impl Scene<'_> {
    /// The account that "it" is: named just before in this message, or spoken of last.
    fn pointed_account(&self) -> Option<String> {
        let named = self.earlier.iter().rev().find(|clause| !clause.slots.accounts.is_empty());
        match named.map(|clause| clause.slots.accounts.as_slice()) {
            Some([only]) => Some(only.clone()),
            Some(_) => None,
            None => self.memory.last_account(),
        }
    }

    /// The instance that "it" is.
    fn pointed_instance(&self) -> Option<String> {
        let named = self.earlier.iter().rev().find(|clause| !clause.slots.instances.is_empty());
        match named.map(|clause| clause.slots.instances.as_slice()) {
            Some([only]) => Some(only.clone()),
            Some(_) => None,
            None if self.earlier.iter().any(|clause| !clause.slots.accounts.is_empty()) => None,
            None => self.memory.last_instance(),
        }
    }
}

type Grammar = fn(&Scene) -> Option<Vec<Step>>;

/// In the order in which they are tried: refusals, then orders from the most particular, then questions.
const GRAMMARS: &[Grammar] = &[
    refuse::read,
    answer_words::read,
    amend::read,
    amend::strategy,
    refuse::conditional,
    policy::read,
    refuse::left_alone,
    refuse::stop_target,
    refuse::between_the_lines,
    schedule::order,
    incident::order,
    silence::read,
    push::read,
    rollback::read,
    restart::read,
    failover::read,
    resize::read,
    teardown::read,
    restore::read,
    provision::read,
    operation::order,
    audit::read,
    resize::price,
    schedule::question,
    incident::question,
    operation::question,
    refuse::unknown_act,
    instance::read,
    pair::read,
    cost::read,
    provider::read,
    talk::explain,
    fleet::read,
    talk::read,
];

/// What the clause leads to; `None` where no grammar knows it.
pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    GRAMMARS.iter().find_map(|grammar| grammar(scene))
}
