//! A person wants it otherwise: the question stays open, nobody grants it as it is, and the asker is told in the
//! person's words. What is asked for next instead takes its place.

use crate::{Caller, Refusal, Requests, approve::Answering, may_answer, may_answer::Says};
use gf_model::{
    ApprovalCode, NoticeId, PersonId, Timestamp,
    approval::{Approval, ApprovalState, ChangesAsked, Evidence},
    audit::{AuditEntry, AuditPhase},
    fleet::{Fleet, Once},
    notice::{Notice, Recipient, Severity},
    plan::Plan,
};
use gf_policy::LONGEST_WISH;
use serde_json::json;

impl Requests {
    /// A person says with their own key what they want otherwise.
    pub async fn ask_changes(
        &self,
        caller: &Caller,
        code: &ApprovalCode,
        text: &str,
    ) -> Result<Approval, Refusal> {
        let person = crate::approve::person_with_key(caller)?;
        let evidence = Evidence::key(person.clone());
        self.ask_changes_by(&person, code, text, evidence, None, None).await
    }

    /// `said_in`: the conversation in which everybody has read it.
    pub(crate) async fn ask_changes_by(
        &self,
        person: &PersonId,
        code: &ApprovalCode,
        text: &str,
        evidence: Evidence,
        once: Option<Once>,
        said_in: Option<&str>,
    ) -> Result<Approval, Refusal> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST_WISH {
            return Err(Refusal::new(400, "bad_text", format!("a wish has 1 to {LONGEST_WISH} characters"))
                .at("text", text.chars().take(80).collect::<String>())
                .fix("say in a few words what you want otherwise"));
        }
        let now = self.clock().now();
        let approval = self
            .store()
            .read(|fleet| may_answer::answerable(fleet, code, person, Says::Change, now).cloned())?;
        let wish = ChangesAsked { by: person.clone(), at: now, text: text.to_owned() };
        let answering = Answering { person, approval: &approval, evidence: &evidence, once, now };
        let told = json!({ "text": text });
        let asked = self
            .write_answer(answering, "approval.changes", told, |approval| {
                approval.changes = Some(wish.clone())
            })
            .await?;
        if said_in.is_none() || said_in != asked.conversation.as_deref() {
            let notice = notice(&asked, &wish, self.entropy().next_u64());
            self.store().update(|_, tx| tx.put(notice)).await?;
        }
        Ok(asked)
    }
}

fn notice(approval: &Approval, wish: &ChangesAsked, bits: u64) -> Notice {
    let recipient = match &approval.conversation {
        Some(conversation) => Recipient::Conversation { conversation: conversation.clone() },
        None => Recipient::Operators,
    };
    Notice {
        id: NoticeId::from_bits(bits, 8),
        key: format!("changes:{}:{}", approval.code, wish.at.as_millisecond()),
        recipient,
        severity: Severity::Info,
        text: format!(
            "{} asks for changes to {}: {}\nNothing was done. What is asked for instead takes its place.",
            wish.by, approval.code, wish.text
        ),
        look_at: None,
        created_at: wish.at,
        delivered_at: None,
        attempts: 0,
        last_error: None,
    }
}

/// The question whose place a new one takes: the newest of the same asker, in the same place and about the same verb,
/// to which changes were asked.
pub(crate) fn superseded<'a>(
    fleet: &'a Fleet,
    caller: &Caller,
    plan: &Plan,
    now: Timestamp,
) -> Option<(&'a Approval, &'a ChangesAsked)> {
    let asked_otherwise = fleet.approvals.values().filter_map(|open| {
        let wish = open.changes.as_ref()?;
        let is_it = open.state == ApprovalState::Open
            && now < open.expires_at
            && open.conversation == caller.conversation
            && open.requested_by == caller.principal
            && open.plan.verb.name() == plan.verb.name();
        is_it.then_some((open, wish))
    });
    asked_otherwise.max_by_key(|(open, _)| open.created_at)
}

/// Ends a question whose place another one takes; a yes to it counts for nothing any more.
pub(crate) fn end(
    old: &Approval,
    newer: &ApprovalCode,
    caller: &Caller,
    now: Timestamp,
) -> (Approval, AuditEntry) {
    let mut ended = old.clone();
    ended.state = ApprovalState::Void;
    ended.superseded_by = Some(newer.clone());
    let entry = AuditEntry {
        at: now,
        principal: caller.principal.clone(),
        action: "approval.supersede".into(),
        phase: AuditPhase::Noted,
        targets: ended.envelope.accounts.iter().map(ToString::to_string).collect(),
        operation: None,
        approval: Some(old.code.clone()),
        plan_hash: Some(ended.envelope.plan_hash.clone()),
        trace: None,
        detail: json!({ "by": newer }),
    };
    (ended, entry)
}
