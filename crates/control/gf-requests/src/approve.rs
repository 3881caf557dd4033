//! Grants and denies: by a person's own key, or by a message that a real channel's host recorded.

use crate::{
    Caller, Refusal, Requests, Yes,
    granted::Now,
    may_answer::{self, Says},
    signed::{self, Given},
};
use gf_model::{
    ApprovalCode, PersonId, Timestamp,
    approval::{Agreed, Approval, ApprovalState, Evidence, Shown},
    audit::{AuditEntry, AuditPhase},
    fleet::{Fleet, Once},
    person::Principal,
};
use gf_store::{TransactError, Tx};
use serde_json::{Value, json};

/// One person's answer to one question, on its way into the store.
pub(crate) struct Answering<'a> {
    pub person: &'a PersonId,
    /// As it was looked at; it is looked at again where it is written.
    pub approval: &'a Approval,
    pub evidence: &'a Evidence,
    /// A message counts once.
    pub once: Option<Once>,
    pub now: Timestamp,
}

impl Requests {
    /// A person says yes with their own key.
    pub async fn grant(&self, caller: &Caller, code: &ApprovalCode) -> Result<Yes, Refusal> {
        let person = person_with_key(caller)?;
        self.grant_by(&person, code, Evidence::key(person.clone()), None).await
    }

    /// A person says yes, signed with a signing key of their own.
    pub async fn grant_signed(
        &self,
        caller: &Caller,
        code: &ApprovalCode,
        given: &Given,
    ) -> Result<Yes, Refusal> {
        let person = person_with_key(caller)?;
        let signature = self.store().read(|fleet| {
            let approval = fleet.approvals.get(code).ok_or_else(|| Refusal::unknown("approval", code))?;
            let keys = fleet.people.get(&person).map_or(&[][..], |person| &person.signing_keys);
            signed::verified(approval, keys, given)
        })?;
        let evidence = Evidence::Key { person: person.clone(), signature: Some(signature) };
        self.grant_by(&person, code, evidence, None).await
    }

    /// A person says no with their own key.
    pub async fn deny(&self, caller: &Caller, code: &ApprovalCode) -> Result<Approval, Refusal> {
        let person = person_with_key(caller)?;
        self.deny_by(&person, code, Evidence::key(person.clone()), None).await
    }

    /// The question was seen leaving for a person.
    pub async fn shown(&self, code: &ApprovalCode, shown: Shown) -> Result<(), Refusal> {
        let write = self.store().transact(|fleet, tx| {
            let approval = fleet.approvals.get(code).ok_or_else(|| Refusal::unknown("approval", code))?;
            if approval.conversation.as_deref() != Some(shown.conversation.as_str()) {
                return Err(Refusal::new(
                    409,
                    "wrong_conversation",
                    "that question belongs to another conversation",
                )
                .at("conversation", &shown.conversation));
            }
            if !approval.shown.contains(&shown) {
                let mut approval = approval.clone();
                approval.shown.push(shown);
                tx.put(approval);
            }
            Ok(())
        });
        settled(write.await)
    }

    /// Grants it and starts the operation in what is granted, if the plan of this moment still fits. Where two people
    /// must agree and nobody can tell who asked, the first yes is kept and the second one starts it.
    pub(crate) async fn grant_by(
        &self,
        person: &PersonId,
        code: &ApprovalCode,
        evidence: Evidence,
        once: Option<Once>,
    ) -> Result<Yes, Refusal> {
        let now = self.clock().now();
        let says = Says::Yes { signed: evidence.is_signed() };
        let approval =
            self.store().read(|fleet| may_answer::answerable(fleet, code, person, says, now).cloned())?;
        let answering = Answering { person, approval: &approval, evidence: &evidence, once, now };
        let still = self.replanned(&approval, now);
        let still = still.and_then(|still| self.still_allowed(&approval, &still.plan, now).map(|()| still));
        let Now { plan, dropped } = match still {
            Ok(still) => still,
            Err(refusal) => {
                let why = refusal.message.clone();
                self.close(answering, ApprovalState::Void, json!({ "why": why })).await?;
                return Err(refusal);
            }
        };
        if may_answer::takes_another_yes(&approval) {
            return self.agree(answering).await.map(Yes::Counted);
        }
        // Told now, while the question is still open: a yes that starts something much later would surprise.
        self.engine().is_free(&plan)?;
        let told = if dropped.is_empty() { json!({}) } else { json!({ "dropped": dropped }) };
        self.close(answering, ApprovalState::Granted, told).await?;
        self.start(&approval, Now { plan, dropped }, now).await.map(Yes::Started)
    }

    pub(crate) async fn deny_by(
        &self,
        person: &PersonId,
        code: &ApprovalCode,
        evidence: Evidence,
        once: Option<Once>,
    ) -> Result<Approval, Refusal> {
        let now = self.clock().now();
        let approval =
            self.store().read(|fleet| may_answer::answerable(fleet, code, person, Says::No, now).cloned())?;
        let answering = Answering { person, approval: &approval, evidence: &evidence, once, now };
        self.close(answering, ApprovalState::Denied, json!({})).await
    }

    async fn close(
        &self,
        answering: Answering<'_>,
        state: ApprovalState,
        told: Value,
    ) -> Result<Approval, Refusal> {
        let action = match state {
            ApprovalState::Granted => "approval.grant",
            ApprovalState::Denied => "approval.deny",
            _ => "approval.void",
        };
        let (person, evidence, now) = (answering.person.clone(), answering.evidence.clone(), answering.now);
        self.write_answer(answering, action, told, |approval| {
            approval.state = state;
            approval.answered_by = Some(person);
            approval.answered_at = Some(now);
            approval.evidence = Some(evidence);
        })
        .await
    }

    async fn agree(&self, answering: Answering<'_>) -> Result<Approval, Refusal> {
        let agreed = Agreed {
            person: answering.person.clone(),
            at: answering.now,
            evidence: answering.evidence.clone(),
        };
        self.write_answer(answering, "approval.agree", json!({}), |approval| approval.agreed.push(agreed))
            .await
    }

    /// Writes an answer with its audit row, if the question still is what was looked at.
    pub(crate) async fn write_answer(
        &self,
        answering: Answering<'_>,
        action: &str,
        told: Value,
        change: impl FnOnce(&mut Approval) + Send,
    ) -> Result<Approval, Refusal> {
        let Answering { person, approval, evidence, once, now } = answering;
        let write = self.store().transact(|fleet, tx| {
            let current = may_answer::unchanged(fleet, approval)?;
            take(fleet, tx, once)?;
            let mut changed = current.clone();
            change(&mut changed);
            tx.audit(answer_entry(person, &changed, action, evidence, told, now));
            tx.put(changed.clone());
            Ok(changed)
        });
        settled(write.await)
    }
}

pub(crate) fn person_with_key(caller: &Caller) -> Result<PersonId, Refusal> {
    match &caller.principal {
        Principal::Person(id) if caller.may_approve => Ok(id.clone()),
        other => {
            Err(Refusal::new(403, "not_a_person", format!("{other} cannot answer for a person")).fix(
                "a person answers in their own conversation, or with their own key: clawops approvals approve CODE",
            ))
        }
    }
}

/// A message that was used as an answer is none again.
fn take(fleet: &Fleet, tx: &mut Tx, once: Option<Once>) -> Result<(), Refusal> {
    let Some(once) = once else { return Ok(()) };
    if fleet.once.contains_key(&once.key) {
        return Err(Refusal::new(409, "evidence_used", "that message was used as an answer already")
            .fix("write it again"));
    }
    tx.put(once);
    Ok(())
}

pub(crate) fn answer_entry(
    person: &PersonId,
    approval: &Approval,
    action: &str,
    evidence: &Evidence,
    mut detail: Value,
    now: Timestamp,
) -> AuditEntry {
    detail["evidence"] = json!(evidence);
    AuditEntry {
        at: now,
        principal: Principal::Person(person.clone()),
        action: action.into(),
        phase: AuditPhase::Noted,
        targets: approval.envelope.accounts.iter().map(ToString::to_string).collect(),
        operation: None,
        approval: Some(approval.code.clone()),
        plan_hash: Some(approval.envelope.plan_hash.clone()),
        trace: approval.trace.clone(),
        detail,
    }
}

pub(crate) fn settled<T>(outcome: Result<T, TransactError<Refusal>>) -> Result<T, Refusal> {
    outcome.map_err(|error| match error {
        TransactError::Refused(refusal) => refusal,
        TransactError::Store(error) => error.into(),
    })
}
