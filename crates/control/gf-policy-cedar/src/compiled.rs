//! Rules as text become rules that can be judged by, or a list of what is wrong with them.

use crate::{
    SCHEMA,
    asked::Names,
    problem::{BadRules, Problem, line_of},
    slices::Slices,
    words::{self, Sentence},
};
use cedar_policy::{Effect, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use gf_model::rules::digest;
use miette::Diagnostic;
use std::collections::{BTreeMap, HashMap};

/// Text by file name.
pub type Files = BTreeMap<String, String>;

/// More than this is no set of rules that people read.
const MOST_BYTES: usize = 256 * 1024;

#[derive(Debug)]
pub struct Compiled {
    pub(crate) set: PolicySet,
    pub(crate) slices: Slices,
    pub(crate) rules: HashMap<PolicyId, Rule>,
    pub(crate) names: Names,
    pub digest: String,
    /// What is allowed and looks like a mistake.
    pub warnings: Vec<Problem>,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub name: String,
    /// Its place among all of them.
    pub order: usize,
    pub text: String,
    pub says: Option<Sentence>,
    pub fix: Option<Sentence>,
}

impl Compiled {
    pub fn of(files: &Files) -> Result<Self, BadRules> {
        if files.values().map(String::len).sum::<usize>() > MOST_BYTES {
            let what = format!("the rules are longer than {} KiB together", MOST_BYTES / 1024);
            return Err(BadRules(vec![Problem::new("*.cedar", what)]));
        }
        let names = Names::new()
            .map_err(|error| BadRules(vec![Problem::new("schema.cedarschema", error.to_string())]))?;
        let mut compiled = Self {
            set: PolicySet::new(),
            slices: Slices::default(),
            rules: HashMap::new(),
            names,
            digest: digest(files),
            warnings: Vec::new(),
        };
        let mut origin = HashMap::new();
        let mut problems = Vec::new();
        for (file, text) in files {
            if !file.ends_with(".cedar") || file.contains('/') {
                problems.push(Problem::new(file, "is not a file of rules").fix("name it like limits.cedar"));
                continue;
            }
            match text.parse::<PolicySet>() {
                Ok(set) => problems.extend(compiled.take(file, text, &set, &mut origin)),
                Err(errors) => problems.extend(errors.iter().map(|error| located(file, text, error))),
            }
        }
        if problems.is_empty() {
            problems.extend(compiled.validate(&origin));
        }
        compiled.slices = Slices::of(&compiled.set);
        if problems.is_empty() { Ok(compiled) } else { Err(BadRules(problems)) }
    }

    /// The names of all rules, in their order.
    pub fn names(&self) -> Vec<&str> {
        let mut rules: Vec<&Rule> = self.rules.values().collect();
        rules.sort_by_key(|rule| rule.order);
        rules.into_iter().map(|rule| rule.name.as_str()).collect()
    }

    fn take(
        &mut self,
        file: &str,
        text: &str,
        set: &PolicySet,
        origin: &mut HashMap<PolicyId, String>,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        if set.num_of_templates() > 0 {
            problems.push(
                Problem::new(file, "a rule has a slot").fix("name the principal instead of ?principal"),
            );
        }
        let mut policies: Vec<&Policy> = set.policies().collect();
        // Cedar numbers them in the order in which they stand.
        policies.sort_by_key(|policy| number(policy.id()));
        for policy in policies {
            match self.rule(file, text, policy) {
                Ok(rule) => {
                    let id = PolicyId::new(&rule.name);
                    if self.set.add(policy.new_id(id.clone())).is_err() {
                        let what = format!("there are two rules {}", rule.name);
                        problems.push(Problem::new(file, what).fix("give each rule its own @id"));
                    } else {
                        origin.insert(id.clone(), file.to_owned());
                        self.rules.insert(id, rule);
                    }
                }
                Err(problem) => problems.push(problem),
            }
        }
        problems
    }

    fn rule(&self, file: &str, text: &str, policy: &Policy) -> Result<Rule, Problem> {
        let own = policy.to_string();
        let line = text.find(own.trim()).map(|offset| line_of(text, offset));
        let Some(name) = policy.annotation("id").filter(|name| is_name(name)) else {
            return Err(Problem::new(file, "a rule has no name")
                .line(line)
                .fix("begin it with @id(\"what_it_says\"), in small letters, digits and _"));
        };
        let sentence = |key: &str| {
            let Some(text) = policy.annotation(key).filter(|text| !text.is_empty()) else {
                return match policy.effect() {
                    Effect::Permit => Ok(None),
                    Effect::Forbid => Err(Problem::new(file, format!("{name} forbids and has no @{key}"))
                        .line(line)
                        .fix("add @says(\"what was met\") and @fix(\"what would be right\")")),
                };
            };
            Sentence::parse(text).map(Some).map_err(|unknown| {
                Problem::new(file, format!("{name} names {{{unknown}}}, which nobody counts"))
                    .line(line)
                    .fix(format!("it may name {}", words::known()))
            })
        };
        let (says, fix) = (sentence("says")?, sentence("fix")?);
        Ok(Rule { name: name.to_owned(), order: self.rules.len(), text: own.trim().to_owned(), says, fix })
    }

    fn validate(&mut self, origin: &HashMap<PolicyId, String>) -> Vec<Problem> {
        let schema = match Schema::from_cedarschema_str(SCHEMA) {
            Ok((schema, _)) => schema,
            Err(error) => return vec![Problem::new("schema.cedarschema", error.to_string())],
        };
        let result = Validator::new(schema).validate(&self.set, ValidationMode::Strict);
        let file = |id: &PolicyId| origin.get(id).map_or("*.cedar", String::as_str);
        self.warnings = result
            .validation_warnings()
            .map(|warning| Problem::new(file(warning.policy_id()), warning.to_string()))
            .collect();
        result
            .validation_errors()
            .map(|error| {
                Problem::new(file(error.policy_id()), error.to_string()).fix("see policy/schema.cedarschema")
            })
            .collect()
    }
}

fn located(file: &str, text: &str, error: &cedar_policy::ParseError) -> Problem {
    let offset = error.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
    let problem = Problem::new(file, error.to_string()).line(offset.map(|offset| line_of(text, offset)));
    match error.help() {
        Some(help) => problem.fix(help.to_string()),
        None => problem,
    }
}

fn number(id: &PolicyId) -> usize {
    let id: &str = id.as_ref();
    id.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(usize::MAX)
}

fn is_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !name.is_empty() && name.chars().all(is_letter)
}
