//! Puts a question to a person: the control plane's own words, for exactly one plan.

use crate::{ANSWER_WITHIN, Caller, Refusal, Requests, admit::entry, approve::settled, changes, may_answer};
use gf_model::{
    ApprovalCode, PersonId, Timestamp,
    approval::{Approval, ApprovalState, Envelope},
    audit::AuditPhase,
    fleet::Fleet,
    person::{ChannelIdentity, Principal},
    plan::Plan,
    verb::Verb,
};
use gf_policy::Needs;
use serde_json::json;

impl Requests {
    pub(crate) async fn ask(
        &self,
        caller: &Caller,
        plan: Plan,
        needs: &Needs,
        now: Timestamp,
    ) -> Result<Approval, Refusal> {
        let bits = self.entropy().next_u64();
        let asked = self.store().transact(|fleet, tx| {
            // The same plan asked for again in the same conversation is the same question.
            let same = fleet.approvals.values().find(|open| {
                open.state == ApprovalState::Open
                    && now < open.expires_at
                    && open.conversation == caller.conversation
                    && open.requested_by == caller.principal
                    && open.plan.verb == plan.verb
            });
            if let Some(same) = same {
                may_answer::wanted_otherwise(same)?;
                return Ok(same.clone());
            }
            few_enough(fleet, caller, now)?;
            let code = free_code(fleet, bits);
            let older = changes::superseded(fleet, caller, &plan, now);
            let mut needs = needs.clone();
            if let Some((older, wish)) = older {
                let ended = changes::end(older, &code, caller, now);
                needs.notes.push(format!(
                    "it takes the place of {}, to which {} asked for changes: {}",
                    ended.0.code,
                    wish.by,
                    wish.text.trim_end_matches('.')
                ));
                tx.audit(ended.1);
                tx.put(ended.0);
            }
            let expires_at = now + ANSWER_WITHIN;
            let approval = Approval {
                question: gf_policy::question(fleet, &plan, &code, &needs, expires_at),
                state: ApprovalState::Open,
                envelope: envelope(&plan),
                requested_by: caller.principal.clone(),
                asked_by: person_behind(fleet, caller),
                second_person: needs.second_person,
                signed: needs.signed,
                agreed: Vec::new(),
                changes: None,
                supersedes: older.map(|(older, _)| older.code.clone()),
                superseded_by: None,
                dropped: Vec::new(),
                conversation: caller.conversation.clone(),
                trace: caller.trace_id(),
                shown: Vec::new(),
                answered_by: None,
                answered_at: None,
                evidence: None,
                operation: None,
                created_at: now,
                expires_at,
                code,
                plan,
            };
            let detail = json!({ "rules": needs.rules, "question": approval.question });
            let mut entry = entry(caller, &approval.plan, AuditPhase::Noted, now, detail);
            entry.action = "approval.ask".into();
            entry.approval = Some(approval.code.clone());
            tx.audit(entry);
            tx.put(approval.clone());
            Ok(approval)
        });
        settled(asked.await)
    }

    /// Questions that are open in a conversation and have not been seen leaving there.
    pub fn questions(&self, conversation: &str) -> Vec<Approval> {
        let now = self.clock().now();
        self.store().read(|fleet| {
            fleet
                .approvals
                .values()
                .filter(|approval| approval.state == ApprovalState::Open && now < approval.expires_at)
                .filter(|approval| approval.conversation.as_deref() == Some(conversation))
                .filter(|approval| approval.shown.iter().all(|shown| shown.conversation != conversation))
                .cloned()
                .collect()
        })
    }
}

/// Nobody answers hundreds of questions: whoever asks that many buries the ones that matter.
const MOST_OPEN: usize = 50;

fn few_enough(fleet: &Fleet, caller: &Caller, now: Timestamp) -> Result<(), Refusal> {
    let is_theirs = |open: &&Approval| {
        open.state == ApprovalState::Open && now < open.expires_at && open.requested_by == caller.principal
    };
    if fleet.approvals.values().filter(is_theirs).count() < MOST_OPEN {
        return Ok(());
    }
    Err(Refusal::new(
        429,
        "too_many_questions",
        format!("{MOST_OPEN} questions of {} wait for a person", caller.principal),
    )
    .fix("let a person answer or deny some: clawops approvals list"))
}

/// Who asks: the person themselves, or the one in whose own conversation an agent asks. In a group, where many talk,
/// nobody can be told for sure.
pub(crate) fn person_behind(fleet: &Fleet, caller: &Caller) -> Option<PersonId> {
    if let Principal::Person(id) = &caller.principal {
        return Some(id.clone());
    }
    let (channel, rest) = caller.conversation.as_deref()?.split_once(':')?;
    if channel == "cli" {
        return rest.parse().ok().filter(|id| fleet.people.contains_key(id));
    }
    let (_, sender) = rest.split_once(':')?;
    let identity = ChannelIdentity { channel: channel.to_owned(), sender: sender.to_owned() };
    fleet.people.values().find(|person| person.identities.contains(&identity)).map(|person| person.id.clone())
}

/// A code that no open question has.
fn free_code(fleet: &Fleet, mut bits: u64) -> ApprovalCode {
    loop {
        let code = ApprovalCode::from_bits(bits);
        if !fleet.approvals.contains_key(&code) {
            return code;
        }
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    }
}

pub(crate) fn envelope(plan: &Plan) -> Envelope {
    Envelope {
        verb: plan.verb.name().to_owned(),
        accounts: plan.accounts.clone(),
        instances: plan.instances.clone(),
        cost_ceiling: plan.cost_delta,
        revision: match &plan.verb {
            Verb::ConfigPush { revision, .. } => Some(*revision),
            _ => None,
        },
        plan_hash: plan.hash(),
    }
}
