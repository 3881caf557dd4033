//! Hears what people say in conversations and finds out whether it is an answer to a question.
//!
//! A message is an answer only as a whole, from the person who was asked, where they were asked. What is not an
//! answer goes to the agent like any other message.

use crate::{Caller, Refusal, Requests, Yes};
use gf_model::{
    ApprovalCode, OperationId, PersonId,
    approval::{Approval, ApprovalState, Evidence, InboundMessage},
    fleet::{Fleet, Once},
    person::{ChannelIdentity, Person, Principal},
};
use gf_policy::{Answer, AnswerContext, OpenQuestion};
use serde::Serialize;
use serde_json::json;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    pub decision: Heard,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Heard {
    Granted,
    Denied,
    /// Wanted otherwise; the question is open still, and the message also goes to the agent, who asks anew.
    Changes,
    /// Not an answer to a question.
    None,
    /// Meant as an answer, and it does not say to which question or may not be given.
    Ambiguous,
}

impl Requests {
    /// A line of a person who is known by their own key.
    pub async fn answer(&self, caller: &Caller, conversation: &str, text: &str) -> Result<Answered, Refusal> {
        let Principal::Person(person) = &caller.principal else { return Ok(nothing()) };
        if !caller.may_approve {
            return Ok(nothing());
        }
        let evidence = Evidence::key(person.clone());
        self.hear(person, conversation, text, None, true, evidence, None).await
    }

    /// A message of a real channel, as the ops gateway's host recorded it.
    pub async fn inbound(&self, message: InboundMessage) -> Result<Answered, Refusal> {
        let identity =
            ChannelIdentity { channel: message.channel.clone(), sender: message.sender_id.clone() };
        let Some(person) = self.store().read(|fleet| whose(fleet, &identity)) else {
            tracing::info!(
                channel = message.channel,
                sender = message.sender_id,
                "a stranger wrote; nothing was done"
            );
            return Ok(nothing());
        };
        let once =
            Once { key: format!("evidence:{}", message.key()), at: self.clock().now(), answer: json!(null) };
        let evidence = Evidence::Message {
            channel: message.channel.clone(),
            sender: message.sender_id.clone(),
            message_id: message.message_id.clone(),
            provider_update_id: message.provider_update_id.clone(),
            text: message.text.clone(),
        };
        let quoted = message.reply_to_message_id.as_deref();
        let proves = identity.proves_who_sent();
        self.hear(&person.id, &message.conversation, &message.text, quoted, proves, evidence, Some(once))
            .await
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one recorded message")]
    async fn hear(
        &self,
        person: &PersonId,
        conversation: &str,
        text: &str,
        quoted: Option<&str>,
        sender_is_proven: bool,
        evidence: Evidence,
        once: Option<Once>,
    ) -> Result<Answered, Refusal> {
        if once.as_ref().is_some_and(|once| self.store().read(|fleet| fleet.once.contains_key(&once.key))) {
            return Ok(ambiguous(None, "that message was used as an answer already"));
        }
        let now = self.clock().now();
        let questions = self.store().read(|fleet| open_in(fleet, conversation));
        let open: Vec<_> = questions.iter().map(|approval| question(approval, conversation)).collect();
        let context = AnswerContext { open: &open, quoted, sender_is_proven, now };
        match gf_policy::answer(text, &context) {
            Answer::None => Ok(nothing()),
            Answer::Ambiguous { why } => Ok(ambiguous(None, &why)),
            Answer::Granted(code) => match self.grant_by(person, &code, evidence, once).await {
                Ok(Yes::Started(operation)) => Ok(Answered {
                    operation: Some(operation.id),
                    why: self.dropped(&code),
                    ..heard(Heard::Granted, code)
                }),
                Ok(Yes::Counted(_)) => {
                    let why = format!("your yes to {code} counts; another person must agree too");
                    Ok(Answered { why: Some(why), ..heard(Heard::Granted, code) })
                }
                Err(refusal) => Ok(ambiguous(Some(code), &refusal.message)),
            },
            Answer::Changes(code, text) => {
                let said_in = Some(conversation);
                match self.ask_changes_by(person, &code, &text, evidence, once, said_in).await {
                    Ok(_) => Ok(heard(Heard::Changes, code)),
                    Err(refusal) => Ok(ambiguous(Some(code), &refusal.message)),
                }
            }
            Answer::Denied(code) => match self.deny_by(person, &code, evidence, once).await {
                Ok(_) => Ok(heard(Heard::Denied, code)),
                Err(refusal) => Ok(ambiguous(Some(code), &refusal.message)),
            },
        }
    }

    /// What fell away between the question and the yes.
    fn dropped(&self, code: &ApprovalCode) -> Option<String> {
        self.store().read(|fleet| {
            let dropped = &fleet.approvals.get(code)?.dropped;
            (!dropped.is_empty()).then(|| format!("not there any more, and left out: {}", dropped.join(", ")))
        })
    }
}

fn heard(decision: Heard, code: ApprovalCode) -> Answered {
    Answered { decision, approval: Some(code), operation: None, why: None }
}

fn nothing() -> Answered {
    Answered { decision: Heard::None, approval: None, operation: None, why: None }
}

fn ambiguous(approval: Option<ApprovalCode>, why: &str) -> Answered {
    Answered { decision: Heard::Ambiguous, approval, operation: None, why: Some(why.to_owned()) }
}

fn whose(fleet: &Fleet, identity: &ChannelIdentity) -> Option<Person> {
    fleet.people.values().find(|person| !person.disabled && person.identities.contains(identity)).cloned()
}

/// Open questions that belong to a conversation, oldest first.
fn open_in(fleet: &Fleet, conversation: &str) -> Vec<Approval> {
    let mut open: Vec<_> = fleet
        .approvals
        .values()
        .filter(|approval| approval.state == ApprovalState::Open)
        .filter(|approval| approval.conversation.as_deref() == Some(conversation))
        .cloned()
        .collect();
    open.sort_by_key(|approval| approval.created_at);
    open
}

fn question(approval: &Approval, conversation: &str) -> OpenQuestion {
    let shown: Vec<_> = approval.shown.iter().filter(|shown| shown.conversation == conversation).collect();
    OpenQuestion {
        code: approval.code.clone(),
        was_shown: !shown.is_empty(),
        message_ids: shown.iter().filter_map(|shown| shown.message_id.clone()).collect(),
        expires_at: approval.expires_at,
    }
}
