//! Judges by the rules in force: first without anybody's yes, then with one, with a signed
//! one, with a second person's, and with a second person's signed one.

use crate::{
    asked::Yes,
    compiled::{Compiled, Files, Rule},
    problem::BadRules,
    shipped,
};
use cedar_policy::{Authorizer, Decision as Cedar, PolicyId, Response};
use gf_model::rules::{RuleSet, digest};
use gf_policy::{Allowed, Asked, Decision, Needs, Refused, Rules, is_protective};
use parking_lot::RwLock;
use std::sync::{Arc, LazyLock};

/// Compiles what is in force when it meets it, and keeps it until another set is.
pub struct CedarRules {
    /// In force until an admin puts others in force.
    starting: Arc<Starting>,
    changed: RwLock<Option<Arc<State>>>,
}

struct Starting {
    files: Files,
    compiled: Arc<State>,
}

struct State {
    digest: String,
    rules: Result<Compiled, BadRules>,
}

impl Starting {
    fn of(files: Files) -> Self {
        Self { compiled: Arc::new(State::of(&files)), files }
    }
}

impl State {
    fn of(files: &Files) -> Self {
        let rules = Compiled::of(files);
        if let Err(why) = &rules {
            tracing::error!(%why, "the rules in force cannot be read; only protective acts go on");
        }
        Self { digest: digest(files), rules }
    }
}

impl Rules for CedarRules {
    fn judge(&self, asked: &Asked<'_>, changed: Option<&RuleSet>) -> Decision {
        match &self.state(changed).rules {
            Ok(compiled) => compiled.judge(asked),
            // Healing is under the hard limits and their breaker; everything else waits for rules that can be read.
            Err(_) if is_protective(asked.principal, asked.verb) => {
                Decision::Allow(Allowed { rules: vec!["protective_act".to_owned()] })
            }
            Err(why) => refuse(
                "rules_unreadable",
                format!("the rules in force cannot be read: {why}"),
                "an admin puts rules in force that can: clawops policy apply DIR",
            ),
        }
    }
}

impl CedarRules {
    pub fn starting_with(files: Files) -> Self {
        Self { starting: Arc::new(Starting::of(files)), changed: RwLock::default() }
    }

    /// The rules that are shipped; a process compiles them once, however many fleets it plays.
    pub fn shipped() -> Self {
        static SHIPPED: LazyLock<Arc<Starting>> = LazyLock::new(|| Arc::new(Starting::of(shipped())));
        Self { starting: SHIPPED.clone(), changed: RwLock::default() }
    }

    /// The text of what is in force.
    pub fn files<'a>(&'a self, changed: Option<&'a RuleSet>) -> &'a Files {
        changed.map_or(&self.starting.files, |changed| &changed.files)
    }

    fn state(&self, changed: Option<&RuleSet>) -> Arc<State> {
        let Some(changed) = changed else { return self.starting.compiled.clone() };
        if let Some(state) = &*self.changed.read()
            && state.digest == changed.digest
        {
            return state.clone();
        }
        let state = Arc::new(State::of(&changed.files));
        *self.changed.write() = Some(state.clone());
        state
    }
}

impl Compiled {
    /// What these rules say, without the hard limits under them.
    pub fn judge(&self, asked: &Asked<'_>) -> Decision {
        self.ladder(asked).unwrap_or_else(|why| {
            refuse(
                "rule_failed",
                format!("the rules could not be applied: {why}"),
                "an admin corrects the rule: clawops policy test shows it",
            )
        })
    }

    fn ladder(&self, asked: &Asked<'_>) -> Result<Decision, Box<dyn std::error::Error + Send + Sync>> {
        let (me, entities) = self.names.principal(asked)?;
        let authorizer = Authorizer::new();
        let rules = self.slices.get(asked.principal, asked.verb).unwrap_or(&self.set);
        // Rules that stood against it with less of a yes.
        let mut lifted: Vec<&Rule> = Vec::new();
        let mut against = Vec::new();
        for yes in Yes::LADDER {
            let request = self.names.request(asked, &me, yes)?;
            let response = authorizer.is_authorized(&request, rules, &entities);
            if let Some(error) = response.diagnostics().errors().next() {
                return Err(error.to_string().into());
            }
            let reasons = self.reasons(&response);
            if response.decision() == Cedar::Allow {
                return Ok(permitted(asked, yes, lifted, &reasons));
            }
            lifted.extend(&reasons);
            against = reasons;
        }
        Ok(match against.first() {
            Some(rule) => Decision::Refuse(Refused {
                rule: rule.name.clone(),
                message: rule.says.as_ref().map(|says| says.say(asked)).unwrap_or_default(),
                fix: rule.fix.as_ref().map(|fix| fix.say(asked)),
            }),
            None => refuse(
                "no_rule_permits_it",
                format!("no rule permits {} to {}", asked.principal, asked.verb.replace('_', " ")),
                "the rules are shown by clawops policy rules; an admin can change them",
            ),
        })
    }

    fn reasons(&self, response: &Response) -> Vec<&Rule> {
        let rule = |id: &PolicyId| self.rules.get(id);
        let mut rules: Vec<&Rule> = response.diagnostics().reason().filter_map(rule).collect();
        rules.sort_by_key(|rule| rule.order);
        rules
    }
}

fn permitted(asked: &Asked<'_>, yes: Yes, mut lifted: Vec<&Rule>, permits: &[&Rule]) -> Decision {
    let names = |rules: &[&Rule]| rules.iter().map(|rule| rule.name.clone()).collect::<Vec<_>>();
    if !yes.a_persons {
        return Decision::Allow(Allowed { rules: names(permits) });
    }
    lifted.sort_by_key(|rule| rule.order);
    lifted.dedup_by_key(|rule| rule.order);
    let notes = lifted.iter().filter_map(|rule| rule.says.as_ref()).map(|says| says.say(asked)).collect();
    let mut rules = names(&lifted);
    rules.extend(names(permits));
    Decision::NeedsApproval(Needs { rules, notes, second_person: yes.anothers, signed: yes.signed })
}

fn refuse(rule: &str, message: String, fix: &str) -> Decision {
    Decision::Refuse(Refused { rule: rule.to_owned(), message, fix: Some(fix.to_owned()) })
}
