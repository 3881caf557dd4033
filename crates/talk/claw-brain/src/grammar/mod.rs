//! One small grammar per kind of request. Each reads a clause and either knows what it leads to or passes.
//!
//! A grammar may only let something change when the clause *orders* it ([`Clause::orders`]); a question, a
//! doubt or a name alone leads to reading or asking.

mod again;
mod amend;
mod answer_words;
mod audit;
mod choose;
mod cost;
mod failover;
mod fleet;
mod incident;
mod instance;
mod operation;
mod outage;
mod pair;
mod pick;
mod policy;
mod preview;
mod provider;
mod provision;
mod push;
mod recall;
mod refuse;
mod resize;
mod restart;
mod restore;
mod rollback;
mod savings;
mod schedule;
mod silence;
mod talk;
mod targets;
mod teardown;
mod times;
mod zone;

use crate::{
    certain::{self, Care},
    language::Clause,
    memory::Memory,
    step::Step,
};
use jiff::civil::DateTime;

/// A clause with all that may help to understand it.
pub struct Scene<'a> {
    pub clause: &'a Clause,
    /// Clauses before it in the same message.
    pub earlier: &'a [Clause],
    /// Clauses after it, which may say why.
    pub later: &'a [Clause],
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

    /// The accounts that "them" are: those of the newest part of this message that names any.
    fn pointed_accounts(&self) -> Vec<String> {
        let named = self.earlier.iter().rev().find(|clause| !clause.slots.accounts.is_empty());
        named.map(|clause| clause.slots.accounts.clone()).unwrap_or_default()
    }

    /// The provider that "it" or "there" is: named before in this message, or just looked at.
    fn pointed_provider(&self) -> Option<String> {
        let named = self.earlier.iter().rev().find(|clause| !clause.slots.providers.is_empty());
        if let Some(before) = named {
            let mut providers = before.slots.providers.iter().map(|placed| placed.provider.clone());
            return providers.next().filter(|first| providers.all(|other| other == *first));
        }
        let last = self.memory.last_use()?;
        let of_provider = matches!(last.tool.as_str(), "gf_provider_health" | "gf_provider_policy");
        last.arguments["provider"]
            .as_str()
            .filter(|_| of_provider && self.earlier.iter().all(|clause| clause.slots.is_empty()))
            .map(str::to_owned)
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

/// Senses of what changes something.
pub use refuse::CHANGES;

type Grammar = fn(&Scene) -> Option<Vec<Step>>;

/// In the order in which they are tried: refusals, then orders from the most particular, then questions.
const GRAMMARS: &[(Grammar, Care)] = &[
    (refuse::read, Care::Whole),
    (preview::read, Care::Choice),
    (policy::offered, Care::Choice),
    (answer_words::read, Care::Whole),
    (talk::courtesy, Care::Whole),
    (amend::read, Care::Choice),
    (savings::read, Care::Choice),
    (choose::read, Care::Choice),
    (refuse::conditional, Care::Whole),
    (policy::read, Care::Whole),
    (refuse::left_alone, Care::Whole),
    (operation::withdrawn, Care::Whole),
    (refuse::stop_target, Care::Whole),
    (refuse::between_the_lines, Care::Whole),
    (schedule::shown, Care::Choice),
    (schedule::order, Care::Whole),
    (incident::shown, Care::Choice),
    (incident::order, Care::Whole),
    (silence::lengthened, Care::Choice),
    (silence::read, Care::Whole),
    (push::read, Care::Whole),
    (rollback::read, Care::Whole),
    (restart::read, Care::Whole),
    (outage::order, Care::Whole),
    (failover::read, Care::Whole),
    (resize::read, Care::Whole),
    (teardown::read, Care::Whole),
    (restore::read, Care::Whole),
    (provision::read, Care::Whole),
    (operation::order, Care::Whole),
    (fleet::supposed, Care::Whole),
    (talk::meaning, Care::Whole),
    (recall::read, Care::Whole),
    (again::read, Care::Whole),
    (choose::question, Care::Whole),
    (audit::read, Care::Whole),
    (resize::price, Care::Whole),
    (schedule::question, Care::Whole),
    (incident::question, Care::Whole),
    (outage::question, Care::Whole),
    (operation::question, Care::Whole),
    (refuse::unknown_act, Care::Whole),
    (fleet::extreme, Care::Whole),
    (instance::read, Care::Whole),
    (pair::read, Care::Whole),
    (cost::read, Care::Whole),
    (provider::read, Care::Whole),
    (talk::explain, Care::Whole),
    (talk::hypothetical, Care::Whole),
    (fleet::read, Care::Whole),
    (talk::read, Care::Whole),
    (again::about_it, Care::Whole),
];

/// What the clause leads to; `None` where no grammar knows it.
pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    GRAMMARS.iter().find_map(|(grammar, care)| {
        let steps = grammar(scene)?;
        Some(match certain::doubt(scene.clause, &steps, *care) {
            Some(question) => vec![question],
            None => steps,
        })
    })
}
