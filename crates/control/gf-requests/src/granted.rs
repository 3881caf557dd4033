//! What becomes of a grant: the operation starts, at once or after a crash in between, or whoever waits is told why not.

use crate::{Refusal, Requests, approve::answer_entry, reserve::Reserved};
use gf_model::{
    ApprovalCode, NoticeId, OperationId, Timestamp,
    approval::{Approval, ApprovalState},
    notice::{Notice, Recipient, Severity},
    operation::Operation,
    plan::Plan,
};
use gf_operations::Mandate;
use gf_policy::{Decision, Fit};
use jiff::SignedDuration;
use serde_json::json;

/// A grant and its start are two writes; this long after the first the second is not on its way any more.
const UNSETTLED: SignedDuration = SignedDuration::from_secs(10);

/// What is done now of what was agreed to.
pub(crate) struct Now {
    pub plan: Plan,
    /// What was agreed to and is not there any more.
    pub dropped: Vec<String>,
}

impl Requests {
    pub(crate) async fn start(
        &self,
        approval: &Approval,
        doing: Now,
        now: Timestamp,
    ) -> Result<Operation, Refusal> {
        let Now { plan, dropped } = doing;
        let reserved =
            Reserved::take(&self.ledger, &mut self.ledger.lock(), &approval.requested_by, &plan, now);
        let mandate = Mandate {
            principal: approval.requested_by.clone(),
            approval: Some(approval.code.clone()),
            conversation: approval.conversation.clone(),
            trace: approval.trace.clone(),
        };
        let operation = self.engine().start(plan, mandate).await?;
        reserved.keep();
        self.note_operation(&approval.code, &operation.id, dropped).await?;
        Ok(operation)
    }

    async fn note_operation(
        &self,
        code: &ApprovalCode,
        id: &OperationId,
        dropped: Vec<String>,
    ) -> Result<(), Refusal> {
        let write = self.store().update(|fleet, tx| {
            if let Some(approval) = fleet.approvals.get(code) {
                let mut approval = approval.clone();
                approval.operation = Some(id.clone());
                approval.dropped = dropped;
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
                (Some(id), _) => self.note_operation(&approval.code, &id, approval.dropped.clone()).await,
                (None, Ok(doing)) => self.start(&approval, doing, now).await.map(drop),
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
            if let (Some(person), Some(evidence)) = (&void.answered_by, &void.evidence) {
                tx.audit(answer_entry(person, &void, "approval.void", evidence, json!({ "why": why }), now));
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

    /// The plan as it would be now; it must be inside of what the person saw.
    pub(crate) fn replanned(&self, approval: &Approval, now: Timestamp) -> Result<Now, Refusal> {
        let fresh = self.plan(&approval.plan.verb, now)?;
        match gf_policy::fits(&approval.envelope, &fresh) {
            // Ids of new instances are drawn at planning: what was shown is what is done.
            Fit::Fits => Ok(Now { plan: approval.plan.clone(), dropped: Vec::new() }),
            Fit::Dropped { what } => Ok(Now { plan: fresh, dropped: what }),
            Fit::Void { why } => Err(void(approval, &why)),
        }
    }

    /// The rules in force now demand no more of it than the question said: they may have been changed since.
    pub(crate) fn still_allowed(
        &self,
        approval: &Approval,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let why = match self.judged_now(&approval.requested_by, plan, now) {
            Decision::Allow(_) => return Ok(()),
            Decision::NeedsApproval(needs) => {
                let demands = [
                    (needs.second_person && !approval.second_person, "another person to agree"),
                    (needs.signed && !approval.signed, "a signed yes"),
                ];
                match demands.into_iter().find(|(more, _)| *more) {
                    None => return Ok(()),
                    Some((_, what)) => format!("the rules demand {what} by now"),
                }
            }
            Decision::Refuse(refused) => refused.message,
        };
        Err(void(approval, &why))
    }
}

fn void(approval: &Approval, why: &str) -> Refusal {
    Refusal::new(409, "approval_void", format!("what {} covers has changed: {why}", approval.code))
        .at("approval", &approval.code)
        .fix("ask for it again and look at the new question")
}
