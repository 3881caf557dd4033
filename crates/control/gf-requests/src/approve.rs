//! Grants and denies: by a person's own key, or by a message that a real channel's host recorded.

use crate::{Caller, Refusal, Requests, reserve::Reserved};
use gf_model::{
    ApprovalCode, NoticeId, OperationId, PersonId, Timestamp,
    approval::{Approval, ApprovalState, Evidence, Shown},
    audit::{AuditEntry, AuditPhase},
    fleet::{Fleet, Once},
    notice::{Notice, Recipient, Severity},
    operation::Operation,
    person::{PersonRole, Principal},
    plan::Plan,
};
use gf_operations::Mandate;
use gf_policy::Fit;
use gf_store::TransactError;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// A grant and its start are two writes; this long after the first the second is not on its way any more.
const UNSETTLED: SignedDuration = SignedDuration::from_secs(10);

impl Requests {
    /// A person says yes with their own key.
    pub async fn grant(&self, caller: &Caller, code: &ApprovalCode) -> Result<Operation, Refusal> {
        let person = self.person_with_key(caller)?;
        self.grant_by(&person, code, Evidence::Key { person: person.clone() }, None).await
    }

    /// A person says no with their own key.
    pub async fn deny(&self, caller: &Caller, code: &ApprovalCode) -> Result<Approval, Refusal> {
        let person = self.person_with_key(caller)?;
        self.deny_by(&person, code, Evidence::Key { person: person.clone() }, None).await
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

    fn person_with_key(&self, caller: &Caller) -> Result<PersonId, Refusal> {
        match &caller.principal {
            Principal::Person(id) if caller.may_approve => Ok(id.clone()),
            other => Err(Refusal::new(403, "not_a_person", format!("{other} cannot answer for a person"))
                .fix("a person answers in their own conversation, or with their own key: clawops approvals approve CODE")),
        }
    }

    /// Grants it and starts the operation in what is granted, if the plan of this moment still fits.
    pub(crate) async fn grant_by(
        &self,
        person: &PersonId,
        code: &ApprovalCode,
        evidence: Evidence,
        once: Option<Once>,
    ) -> Result<Operation, Refusal> {
        let now = self.clock().now();
        let approval = self.open_approval(code, person, ApprovalState::Granted, now)?;
        let plan = match self.replanned(&approval, now) {
            Ok(plan) => plan,
            Err(refusal) => {
                self.close(person, &approval, ApprovalState::Void, &evidence, once, &refusal.message, now)
                    .await?;
                return Err(refusal);
            }
        };
        // Told now, while the question is still open: a yes that starts something much later would surprise.
        self.engine().is_free(&plan)?;
        self.close(person, &approval, ApprovalState::Granted, &evidence, once, "", now).await?;
        self.start(&approval, plan, now).await
    }

    async fn start(&self, approval: &Approval, plan: Plan, now: Timestamp) -> Result<Operation, Refusal> {
        let reserved =
            Reserved::take(&self.ledger, &mut self.ledger.lock(), &approval.requested_by, &plan, now);
        let mandate = Mandate {
            principal: approval.requested_by.clone(),
            approval: Some(approval.code.clone()),
            conversation: approval.conversation.clone(),
        };
        let operation = self.engine().start(plan, mandate).await?;
        reserved.keep();
        self.note_operation(&approval.code, &operation.id).await?;
        Ok(operation)
    }

    async fn note_operation(&self, code: &ApprovalCode, id: &OperationId) -> Result<(), Refusal> {
        let write = self.store().update(|fleet, tx| {
            if let Some(approval) = fleet.approvals.get(code) {
                let mut approval = approval.clone();
                approval.operation = Some(id.clone());
                tx.put(approval);
            }
        });
        Ok(write.await?)
    }

    /// Starts what was granted and not started because the process ended in between.
    pub async fn start_granted(&self, now: Timestamp) {
        let waiting: Vec<Approval> = self.store().read(|fleet| {
            let is_waiting = |approval: &&Approval| {
                approval.state == ApprovalState::Granted
                    && approval.operation.is_none()
                    && approval.answered_at.is_some_and(|at| now.duration_since(at) > UNSETTLED)
            };
            fleet.approvals.values().filter(is_waiting).cloned().collect()
        });
        for approval in waiting {
            let started = self.store().read(|fleet| {
                let by_it = |operation: &&Operation| operation.approval.as_ref() == Some(&approval.code);
                fleet.operations.values().find(by_it).map(|operation| operation.id.clone())
            });
            let outcome = match (started, self.replanned(&approval, now)) {
                (Some(id), _) => self.note_operation(&approval.code, &id).await,
                (None, Ok(plan)) => self.start(&approval, plan, now).await.map(drop),
                (None, Err(refusal)) => Err(refusal),
            };
            let Err(refusal) = outcome else { continue };
            tracing::warn!(approval = %approval.code, %refusal, "granted, and not started yet");
            // What is busy or could not be written is tried again until the question would have lapsed anyway.
            let passes = matches!(refusal.code.as_str(), "target_busy" | "store_unavailable");
            if (!passes || now >= approval.expires_at)
                && let Err(refusal) = self.void(&approval, &refusal.message, now).await
            {
                tracing::error!(approval = %approval.code, %refusal, "it could not be declared void");
            }
        }
    }

    /// What was granted cannot be done any more; whoever waits for it is told.
    async fn void(&self, approval: &Approval, why: &str, now: Timestamp) -> Result<(), Refusal> {
        let bits = self.entropy().next_u64();
        let write = self.store().update(|fleet, tx| {
            let Some(current) = fleet.approvals.get(&approval.code) else { return };
            let mut void = current.clone();
            void.state = ApprovalState::Void;
            let person = void.answered_by.clone();
            if let Some(person) = &person {
                tx.audit(answer_entry(person, &void, why, now));
            }
            let recipient = match &void.conversation {
                Some(conversation) => Recipient::Conversation { conversation: conversation.clone() },
                None => Recipient::Operators,
            };
            tx.put(Notice {
                id: NoticeId::from_bits(bits, 8),
                key: format!("void:{}", void.code),
                recipient,
                severity: Severity::Warning,
                text: format!("{} was agreed to and cannot be done any more: {why}", void.code),
                look_at: None,
                created_at: now,
                delivered_at: None,
                attempts: 0,
                last_error: None,
            });
            tx.put(void);
        });
        Ok(write.await?)
    }

    pub(crate) async fn deny_by(
        &self,
        person: &PersonId,
        code: &ApprovalCode,
        evidence: Evidence,
        once: Option<Once>,
    ) -> Result<Approval, Refusal> {
        let now = self.clock().now();
        let approval = self.open_approval(code, person, ApprovalState::Denied, now)?;
        self.close(person, &approval, ApprovalState::Denied, &evidence, once, "", now).await
    }

    /// The approval, if this person may answer it now.
    fn open_approval(
        &self,
        code: &ApprovalCode,
        person: &PersonId,
        gives: ApprovalState,
        now: Timestamp,
    ) -> Result<Approval, Refusal> {
        self.store().read(|fleet| {
            let approval = fleet.approvals.get(code).ok_or_else(|| Refusal::unknown("approval", code))?;
            if approval.state != ApprovalState::Open {
                let state = format!("{:?}", approval.state).to_lowercase();
                return Err(Refusal::new(409, "approval_not_open", format!("{code} is {state} already"))
                    .at("approval", code));
            }
            if now >= approval.expires_at {
                return Err(Refusal::new(
                    409,
                    "approval_expired",
                    format!(
                        "{code} was open until {}",
                        approval.expires_at.strftime("%Y-%m-%d %H:%M:%S UTC")
                    ),
                )
                .at("approval", code)
                .fix("ask for it again"));
            }
            may_answer(fleet, approval, person, gives)?;
            Ok(approval.clone())
        })
    }

    /// The plan as it would be now; it must be inside of what the person saw.
    fn replanned(&self, approval: &Approval, now: Timestamp) -> Result<Plan, Refusal> {
        let fresh = self.plan(&approval.plan.verb, now)?;
        match gf_policy::fits(&approval.envelope, &fresh) {
            // Ids of new instances are drawn at planning: what was shown is what is done.
            Fit::Fits => Ok(approval.plan.clone()),
            Fit::Dropped { .. } => Ok(fresh),
            Fit::Void { why } => Err(Refusal::new(
                409,
                "approval_void",
                format!("what {} covers has changed: {why}", approval.code),
            )
            .at("approval", &approval.code)
            .fix("ask for it again and look at the new question")),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one durable row")]
    async fn close(
        &self,
        person: &PersonId,
        approval: &Approval,
        state: ApprovalState,
        evidence: &Evidence,
        once: Option<Once>,
        why: &str,
        now: Timestamp,
    ) -> Result<Approval, Refusal> {
        let write = self.store().transact(|fleet, tx| {
            let current = fleet
                .approvals
                .get(&approval.code)
                .filter(|current| current.state == ApprovalState::Open)
                .ok_or_else(|| {
                    Refusal::new(409, "approval_not_open", format!("{} was answered just now", approval.code))
                })?;
            if let Some(once) = once {
                if fleet.once.contains_key(&once.key) {
                    return Err(Refusal::new(
                        409,
                        "evidence_used",
                        "that message was used as an answer already",
                    ));
                }
                tx.put(once);
            }
            let mut closed = current.clone();
            closed.state = state;
            closed.answered_by = Some(person.clone());
            closed.answered_at = Some(now);
            closed.evidence = Some(evidence.clone());
            tx.audit(answer_entry(person, &closed, why, now));
            tx.put(closed.clone());
            Ok(closed)
        });
        settled(write.await)
    }
}

/// A person's role must allow it, and where two people must agree, a yes is never the asker's own. A no is anybody's
/// who may answer: it starts nothing.
fn may_answer(
    fleet: &Fleet,
    approval: &Approval,
    person: &PersonId,
    gives: ApprovalState,
) -> Result<(), Refusal> {
    let role = fleet.people.get(person).filter(|person| !person.disabled).map(|person| person.role);
    if role.is_none_or(|role| role < PersonRole::Approver) {
        return Err(Refusal::new(
            403,
            "not_an_approver",
            format!("{person} may not answer {}", approval.code),
        )
        .at("person", person)
        .fix("an approver or an admin can: see `clawops people list`"));
    }
    if !approval.second_person || gives != ApprovalState::Granted {
        return Ok(());
    }
    let refused = |why: String, fix: &str| {
        Err(Refusal::new(403, "second_person_needed", why).at("person", person).fix(fix))
    };
    match &approval.asked_by {
        Some(asker) if asker == person => refused(
            format!("{person} asked for {}, and another person must agree to it", approval.code),
            "another approver or admin can: clawops approvals approve CODE",
        ),
        Some(_) => Ok(()),
        None => refused(
            format!("two people must agree to {}, and nobody can tell who asked for it", approval.code),
            "ask for it with your own key or in a conversation of your own; then another person can agree",
        ),
    }
}

fn answer_entry(person: &PersonId, approval: &Approval, why: &str, now: Timestamp) -> AuditEntry {
    let action = match approval.state {
        ApprovalState::Granted => "approval.grant",
        ApprovalState::Denied => "approval.deny",
        _ => "approval.void",
    };
    let mut detail = json!({ "evidence": approval.evidence });
    if !why.is_empty() {
        detail["why"] = Value::from(why);
    }
    AuditEntry {
        at: now,
        principal: Principal::Person(person.clone()),
        action: action.into(),
        phase: AuditPhase::Noted,
        targets: approval.envelope.accounts.iter().map(ToString::to_string).collect(),
        operation: None,
        approval: Some(approval.code.clone()),
        plan_hash: Some(approval.envelope.plan_hash.clone()),
        detail,
    }
}

pub(crate) fn settled<T>(outcome: Result<T, TransactError<Refusal>>) -> Result<T, Refusal> {
    outcome.map_err(|error| match error {
        TransactError::Refused(refusal) => refusal,
        TransactError::Store(error) => error.into(),
    })
}
