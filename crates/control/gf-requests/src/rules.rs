//! Other rules for the fleet: shown as a plan, and put in force by an admin for exactly the text that was shown.

use crate::{Caller, Refusal, Requests};
use gf_model::{
    audit::{AuditEntry, AuditPhase},
    person::{PersonRole, Principal},
    rules::{RuleSet, digest},
};
use gf_policy_cedar::{CASES, CaseResult, Cases, Change, Compiled, Files};
use gf_store::TransactError;
use serde_json::{Value, json};

impl Requests {
    /// The rules in force, and who put them there; nobody did while a fleet has those that it started with.
    pub fn rules(&self) -> (Files, Option<RuleSet>) {
        self.store().read(|fleet| {
            let changed = fleet.rules_in_force();
            (self.policy.0.files(changed).clone(), changed.cloned())
        })
    }

    /// What these rules would change; nothing is changed.
    pub fn plan_rules(&self, files: &Files) -> Result<Change, Refusal> {
        let then = compile(files)?;
        // Rules in force that cannot be read are replaced as a whole.
        let in_force = self.rules().0;
        let now = compile(&in_force).or_else(|_| compile(&Files::new()))?;
        let cases = Cases::parse(CASES).map_err(|bad| bad_cases(&bad))?;
        Ok(Change { replaces: digest(&in_force), ..Change::of(&now, &then, &cases) })
    }

    /// Tries rules, those in force where none are given, on cases, the shipped ones where none are given.
    pub fn try_rules(&self, files: Option<&Files>, cases: Option<&str>) -> Result<Vec<CaseResult>, Refusal> {
        let rules = match files {
            Some(files) => compile(files)?,
            None => compile(&self.rules().0)?,
        };
        let cases = Cases::parse(cases.unwrap_or(CASES)).map_err(|bad| bad_cases(&bad))?;
        Ok(cases.run(&rules))
    }

    /// Puts rules in force. The admin names the text and what it replaces, as the plan showed them: what changed since
    /// is looked at again.
    pub async fn apply_rules(
        &self,
        caller: &Caller,
        files: Files,
        shown: &str,
        replaces: &str,
    ) -> Result<Change, Refusal> {
        let Principal::Person(person) = &caller.principal else {
            return Err(not_an_admin(&caller.principal));
        };
        let change = self.plan_rules(&files)?;
        if change.digest != shown {
            return Err(Refusal::new(409, "rules_changed", "these are not the rules that the plan showed")
                .at("digest", shown)
                .fix("plan again and look at it: clawops policy plan DIR"));
        }
        let now = self.clock().now();
        let names = |rules: &[gf_policy_cedar::NamedRule]| {
            rules.iter().map(|rule| rule.rule.clone()).collect::<Vec<_>>()
        };
        let detail = json!({
            "digest": change.digest,
            "replaces": change.replaces,
            "added": names(&change.added),
            "removed": names(&change.removed),
            "changed": change.changed.iter().map(|rule| rule.rule.clone()).collect::<Vec<_>>(),
        });
        let set = RuleSet {
            files,
            digest: change.digest.clone(),
            applied_at: now,
            applied_by: caller.principal.clone(),
        };
        let write = self.store().transact(|fleet, tx| {
            let admin = fleet.people.get(person).filter(|person| !person.disabled);
            if admin.is_none_or(|person| person.role < PersonRole::Admin) {
                return Err(not_an_admin(&caller.principal));
            }
            let in_force = digest(self.policy.0.files(fleet.rules_in_force()));
            if in_force != replaces {
                return Err(Refusal::new(409, "rules_changed", "other rules were put in force meanwhile")
                    .at("replaces", replaces)
                    .fix("plan again and look at it: clawops policy plan DIR"));
            }
            tx.audit(entry(&caller.principal, "policy.apply", now, detail));
            tx.put(set);
            Ok(())
        });
        write.await.map_err(|error| match error {
            TransactError::Refused(refusal) => refusal,
            TransactError::Store(error) => error.into(),
        })?;
        Ok(change)
    }

    /// Writes down which rules this process judges by.
    pub async fn note_rules(&self, service: &Principal) -> Result<(), Refusal> {
        let (files, changed) = self.rules();
        let detail = json!({
            "digest": digest(&files),
            "appliedBy": changed.map(|set| set.applied_by),
            "readable": Compiled::of(&files).is_ok(),
        });
        let entry = entry(service, "policy.load", self.clock().now(), detail);
        self.store().update(|_, tx| tx.audit(entry)).await?;
        Ok(())
    }
}

fn compile(files: &Files) -> Result<Compiled, Refusal> {
    Compiled::of(files).map_err(|bad| {
        let first = bad.0.first().map(ToString::to_string).unwrap_or_default();
        Refusal::new(422, "bad_rules", bad.to_string())
            .at("files", first)
            .fix("correct them; what rules may speak of is in policy/schema.cedarschema")
    })
}

fn bad_cases(bad: &gf_policy_cedar::BadCases) -> Refusal {
    Refusal::new(422, "bad_cases", bad.to_string()).fix("see policy/cases.toml for what a case looks like")
}

fn not_an_admin(principal: &Principal) -> Refusal {
    Refusal::new(403, "not_an_admin", format!("{principal} may not change the rules"))
        .fix("an admin can: see `clawops people list`")
}

fn entry(principal: &Principal, action: &str, at: gf_model::Timestamp, detail: Value) -> AuditEntry {
    AuditEntry {
        at,
        principal: principal.clone(),
        action: action.to_owned(),
        phase: AuditPhase::Noted,
        targets: vec!["rules".to_owned()],
        operation: None,
        approval: None,
        plan_hash: None,
        trace: None,
        detail,
    }
}
