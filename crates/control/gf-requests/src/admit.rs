//! Lets a request in, or says why not: plan, lint, judge, and then start it or ask a person.

use crate::{Caller, Options, Outcome, Refusal, Requests, refusal, reserve::Reserved};
use gf_model::{
    Timestamp,
    ambient::Entropy,
    audit::{AuditEntry, AuditPhase},
    fleet::{Fleet, Once},
    person::{PersonRole, Principal},
    plan::Plan,
    verb::{Silence, Verb},
};
use gf_operations::Mandate;
use gf_planner::PlanError;
use gf_policy::{Decision, Ledger, Policy, Request};
use jiff::SignedDuration;
use serde_json::{Value, json};

impl Requests {
    /// Asks for a change. What comes back says whether it was started, must be agreed to, or took effect at once.
    pub async fn request(&self, caller: &Caller, verb: Verb, options: Options) -> Result<Outcome, Refusal> {
        // Two requests with one key must not both find that nobody asked before.
        let _one_at_a_time = match &options.idempotency_key {
            Some(_) => Some(self.keyed.lock().await),
            None => None,
        };
        if let Some(key) = &options.idempotency_key
            && let Some(outcome) = self.answered_before(caller, key, &verb)?
        {
            return Ok(outcome);
        }
        let now = self.clock().now();
        let plan = self.plan(&verb, now)?;
        if options.dry_run {
            return Ok(Outcome::Planned(plan));
        }
        let (decision, reserved) = self.judge(caller, &plan, &options, now);
        let outcome = match (decision, reserved) {
            (Decision::Refuse(refusal), _) => {
                let refusal = refusal::by_policy(&refusal);
                self.record_refusal(caller, &verb, &plan, &refusal, now).await?;
                return Err(refusal);
            }
            (_, Some(reserved)) => self.carry_out(caller, plan, reserved, now).await?,
            (Decision::NeedsApproval(needs), None) => {
                Outcome::AwaitingApproval(self.ask(caller, plan, &needs, now).await?)
            }
            (Decision::Allow(_), None) => {
                return Err(Refusal::new(500, "not_reserved", "what was allowed has no place in the ledger"));
            }
        };
        if let Some(key) = &options.idempotency_key {
            self.remember_answer(caller, key, &verb, &outcome, now).await?;
        }
        Ok(outcome)
    }

    /// Plans it and says what policy would decide; changes nothing.
    pub fn explain(&self, caller: &Caller, verb: &Verb) -> Result<gf_policy::Explanation, Refusal> {
        let now = self.clock().now();
        let plan = self.plan(verb, now)?;
        let ledger = self.ledger.lock();
        Ok(self.with_request(&caller.principal, &plan, &ledger, now, |request| self.policy.explain(request)))
    }

    pub(crate) fn plan(&self, verb: &Verb, now: Timestamp) -> Result<Plan, Refusal> {
        let mut ids = FreshIds(self.entropy());
        self.store().read(|fleet| {
            let plan = gf_planner::plan(fleet, verb, &mut ids, now).map_err(|error| refused_plan(&error))?;
            let objection = gf_planner::lint(fleet, &plan).into_iter().find(|objection| objection.forbids);
            match objection {
                Some(objection) => Err(Refusal::new(422, "plan_forbidden", objection.text)),
                None => Ok(plan),
            }
        })
    }

    /// Decides, and in the same moment takes what starts now its place in the ledger.
    fn judge(
        &self,
        caller: &Caller,
        plan: &Plan,
        options: &Options,
        now: Timestamp,
    ) -> (Decision, Option<Reserved>) {
        let mut ledger = self.ledger.lock();
        ledger.forget(now);
        let decision = self.decision(&caller.principal, plan, &ledger, now);
        let starts = match &decision {
            Decision::Allow(_) => true,
            Decision::NeedsApproval(needs) => {
                options.confirmed && caller.may_approve && needs.own_key_is_enough()
            }
            Decision::Refuse(_) => false,
        };
        let reserved =
            starts.then(|| Reserved::take(&self.ledger, &mut ledger, &caller.principal, plan, now));
        (decision, reserved)
    }

    /// What the rules in force now say to a plan of somebody's.
    pub(crate) fn judged_now(&self, principal: &Principal, plan: &Plan, now: Timestamp) -> Decision {
        self.decision(principal, plan, &self.ledger.lock(), now)
    }

    fn decision(&self, principal: &Principal, plan: &Plan, ledger: &Ledger, now: Timestamp) -> Decision {
        self.with_request(principal, plan, ledger, now, |request| self.policy.decide(request))
    }

    fn with_request<T>(
        &self,
        principal: &Principal,
        plan: &Plan,
        ledger: &Ledger,
        now: Timestamp,
        judge: impl FnOnce(&Request<'_>) -> T,
    ) -> T {
        self.store().read(|fleet| {
            judge(&Request {
                principal,
                role: role_of(fleet, principal),
                verb: &plan.verb,
                plan,
                fleet,
                ledger,
                now,
            })
        })
    }

    /// Starts what was allowed or agreed to.
    async fn carry_out(
        &self,
        caller: &Caller,
        plan: Plan,
        reserved: Reserved,
        now: Timestamp,
    ) -> Result<Outcome, Refusal> {
        if let Verb::Silence { scope, minutes, reason } = &plan.verb {
            let until = now + SignedDuration::from_mins(i64::from(*minutes));
            let silence = Silence { scope: scope.clone(), until, reason: reason.clone() };
            let entry =
                entry(caller, &plan, AuditPhase::Noted, now, json!({ "until": until, "reason": reason }));
            self.store()
                .update(|_, tx| {
                    tx.audit(entry);
                    tx.put(silence.clone());
                })
                .await?;
            return Ok(Outcome::Done(json!(silence)));
        }
        let mandate = Mandate {
            principal: caller.principal.clone(),
            approval: None,
            conversation: caller.conversation.clone(),
            trace: caller.trace_id(),
        };
        let operation = self.engine().start(plan, mandate).await?;
        reserved.keep();
        Ok(Outcome::Started(operation))
    }

    async fn record_refusal(
        &self,
        caller: &Caller,
        verb: &Verb,
        plan: &Plan,
        refusal: &Refusal,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let detail = json!({ "verb": verb.name(), "code": refusal.code, "message": refusal.message });
        let entry = entry(caller, plan, AuditPhase::Refused, now, detail);
        self.store().update(|_, tx| tx.audit(entry)).await?;
        Ok(())
    }

    fn answered_before(&self, caller: &Caller, key: &str, verb: &Verb) -> Result<Option<Outcome>, Refusal> {
        self.store().read(|fleet| {
            let Some(once) = fleet.once.get(&once_key(caller, key)) else { return Ok(None) };
            if once.answer["verb"] != json!(verb) {
                return Err(Refusal::new(
                    422,
                    "idempotency_key_reused",
                    "this key belongs to another request",
                )
                .at("Idempotency-Key", key)
                .fix("use a new key for a new request"));
            }
            let id = |name: &str| once.answer[name].as_str().map(str::to_owned);
            let operation = id("operation").and_then(|id| fleet.operations.get(&id.parse().ok()?).cloned());
            let approval = id("approval").and_then(|code| fleet.approvals.get(&code.parse().ok()?).cloned());
            Ok(match (operation, approval) {
                (Some(operation), _) => Some(Outcome::Started(operation)),
                (None, Some(approval)) => Some(Outcome::AwaitingApproval(approval)),
                (None, None) => Some(Outcome::Done(once.answer["done"].clone())),
            })
        })
    }

    async fn remember_answer(
        &self,
        caller: &Caller,
        key: &str,
        verb: &Verb,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let answer = match outcome {
            Outcome::Started(operation) => json!({ "verb": verb, "operation": operation.id }),
            Outcome::AwaitingApproval(approval) => json!({ "verb": verb, "approval": approval.code }),
            Outcome::Done(done) => json!({ "verb": verb, "done": done }),
            Outcome::Planned(_) => return Ok(()),
        };
        let once = Once { key: once_key(caller, key), at: now, answer };
        self.store().update(|_, tx| tx.put(once)).await?;
        Ok(())
    }
}

fn once_key(caller: &Caller, key: &str) -> String {
    format!("request:{}:{key}", caller.principal)
}

fn role_of(fleet: &Fleet, principal: &Principal) -> Option<PersonRole> {
    match principal {
        Principal::Person(id) => {
            fleet.people.get(id).filter(|person| !person.disabled).map(|person| person.role)
        }
        Principal::Agent(_) | Principal::Service(_) => None,
    }
}

pub(crate) fn entry(
    caller: &Caller,
    plan: &Plan,
    phase: AuditPhase,
    at: Timestamp,
    detail: Value,
) -> AuditEntry {
    AuditEntry {
        at,
        principal: caller.principal.clone(),
        action: plan.verb.name().to_owned(),
        phase,
        targets: plan.accounts.iter().map(ToString::to_string).collect(),
        operation: None,
        approval: None,
        plan_hash: Some(plan.hash()),
        trace: caller.trace_id(),
        detail,
    }
}

fn refused_plan(error: &PlanError) -> Refusal {
    let mut refusal = Refusal::new(error.status(), error.code(), error.to_string());
    if let Some((field, value)) = error.at() {
        refusal = refusal.at(field, value);
    }
    refusal.fix = error.fix();
    refusal
}

/// Fresh bits for the planner, which draws none itself.
struct FreshIds<'a>(&'a dyn Entropy);

impl gf_planner::IdSource for FreshIds<'_> {
    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
}
