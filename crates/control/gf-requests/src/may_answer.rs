//! Whether a person may give this answer to this question, as it is now. Pure: it looks and says why not.
//!
//! Every "no" says what became of the question and what to do instead; two people who answer at once are told whose
//! answer counted.

use crate::Refusal;
use gf_model::{
    ApprovalCode, PersonId, Timestamp,
    approval::{Approval, ApprovalState},
    fleet::Fleet,
    person::PersonRole,
};

/// What somebody says to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Yes {
        signed: bool,
    },
    No,
    /// They want it otherwise.
    Change,
}

/// The question, if this person may answer it like this now.
pub(crate) fn answerable<'a>(
    fleet: &'a Fleet,
    code: &ApprovalCode,
    person: &PersonId,
    says: Says,
    now: Timestamp,
) -> Result<&'a Approval, Refusal> {
    let approval = fleet.approvals.get(code).ok_or_else(|| Refusal::unknown("approval", code))?;
    if let Some(over) = over(approval) {
        return Err(over);
    }
    if now >= approval.expires_at {
        return Err(expired(approval));
    }
    is_approver(fleet, approval, person)?;
    // A no is anybody's who may answer, and so is a wish: neither starts anything.
    if let Says::Yes { signed } = says {
        wanted_otherwise(approval)?;
        is_another(approval, person)?;
        if approval.signed && !signed {
            return Err(Refusal::new(
                403,
                "signature_needed",
                format!("a yes to {code} must be signed with a signing key of {person}"),
            )
            .at("approval", code)
            .fix("clawops approvals approve CODE signs it; clawops people signing-key makes a key"));
        }
    }
    Ok(approval)
}

/// Where two people must agree and nobody can tell who asked, this yes is the first of two.
pub(crate) fn takes_another_yes(approval: &Approval) -> bool {
    approval.second_person && approval.asked_by.is_none() && approval.agreed.is_empty()
}

/// The question as it is now, if nobody has answered it since it was looked at.
pub(crate) fn unchanged<'a>(fleet: &'a Fleet, looked_at: &Approval) -> Result<&'a Approval, Refusal> {
    let code = &looked_at.code;
    let current = fleet.approvals.get(code).ok_or_else(|| Refusal::unknown("approval", code))?;
    if let Some(over) = over(current) {
        return Err(over);
    }
    if current.agreed != looked_at.agreed || current.changes != looked_at.changes {
        return Err(Refusal::new(
            409,
            "answered_meanwhile",
            format!("another person answered {code} at the same time"),
        )
        .at("approval", code)
        .fix("look at it again, and answer again if you still want to"));
    }
    Ok(current)
}

/// Why nobody answers it any more.
fn over(approval: &Approval) -> Option<Refusal> {
    let Approval { code, .. } = approval;
    let who = approval.answered_by.as_ref().map(|person| format!(" by {person}")).unwrap_or_default();
    let when = approval.answered_at.map(|at| format!(" at {}", clock(at))).unwrap_or_default();
    let (name, message, fix) = match approval.state {
        ApprovalState::Open => return None,
        ApprovalState::Granted => {
            let fix = match &approval.operation {
                Some(operation) => {
                    format!("it is {operation}: clawops op show {operation}, or cancel it there")
                }
                None => "it is about to start; look at it again".to_owned(),
            };
            ("already_granted", format!("{code} was granted{who}{when}"), fix)
        }
        ApprovalState::Denied => {
            ("already_denied", format!("{code} was denied{who}{when}"), "ask for it again".to_owned())
        }
        ApprovalState::Expired => return Some(expired(approval)),
        ApprovalState::Void => match &approval.superseded_by {
            Some(newer) => (
                "approval_superseded",
                format!("{newer} has taken the place of {code}"),
                format!("look at {newer} and answer that: clawops approvals show {newer}"),
            ),
            None => (
                "approval_void",
                format!("what {code} covered has changed"),
                "ask for it again and look at the new question".to_owned(),
            ),
        },
    };
    Some(Refusal::new(409, name, message).at("approval", code).fix(fix))
}

fn expired(approval: &Approval) -> Refusal {
    let until = clock(approval.expires_at);
    Refusal::new(409, "approval_expired", format!("{} was open until {until}", approval.code))
        .at("approval", &approval.code)
        .fix("ask for it again")
}

fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn is_approver(fleet: &Fleet, approval: &Approval, person: &PersonId) -> Result<(), Refusal> {
    let role = fleet.people.get(person).filter(|person| !person.disabled).map(|person| person.role);
    if role >= Some(PersonRole::Approver) {
        return Ok(());
    }
    Err(Refusal::new(403, "not_an_approver", format!("{person} may not answer {}", approval.code))
        .at("person", person)
        .fix("an approver or an admin can: see `clawops people list`"))
}

pub(crate) fn wanted_otherwise(approval: &Approval) -> Result<(), Refusal> {
    let Some(wish) = &approval.changes else { return Ok(()) };
    Err(Refusal::new(
        409,
        "changes_asked",
        format!("{} asked for changes to {}: {}", wish.by, approval.code, wish.text),
    )
    .at("approval", &approval.code)
    .fix("ask for it again as it is wanted; the new question takes the place of this one"))
}

/// Where two people must agree, a yes is never the asker's own, and nobody's counts twice.
fn is_another(approval: &Approval, person: &PersonId) -> Result<(), Refusal> {
    if !approval.second_person {
        return Ok(());
    }
    let asked = approval.asked_by.as_ref() == Some(person);
    let agreed = approval.agreed.iter().any(|agreed| agreed.person == *person);
    if !asked && !agreed {
        return Ok(());
    }
    let has = if asked { "asked for" } else { "has agreed to" };
    Err(Refusal::new(
        403,
        "second_person_needed",
        format!("{person} {has} {}, and another person must agree to it", approval.code),
    )
    .at("person", person)
    .fix("another approver or admin can: clawops approvals approve CODE"))
}
