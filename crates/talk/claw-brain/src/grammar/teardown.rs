//! Accounts go; their archive stays unless the operator says otherwise.

use super::{
    Scene,
    targets::{self, Targets},
};
use crate::{
    language::{Clause, Kind, Mood, Sense, number},
    step::{Step, put},
};
use serde_json::json;

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    if !clause.orders(Sense::Remove) {
        return None;
    }
    let of_archive =
        ["archive of", "archives of", "backup of", "archive from"].iter().any(|said| clause.phrase(said));
    if of_archive && !without_archive(clause) {
        return Some(vec![Step::ask(
            "An archive is not removed here. Shall the whole account go? Then name it without its archive.",
        )]);
    }
    if let Some(other) = other_object(clause) {
        return Some(vec![other]);
    }
    let accounts = match targets::accounts(scene, "tear down") {
        Targets::Accounts(accounts) => accounts,
        Targets::First(step) => return Some(vec![step]),
        Targets::None => {
            return Some(vec![Step::ask("Which accounts shall I tear down? Please name them by id.")]);
        }
    };
    let mut arguments = json!({ "accountIds": accounts, "reason": reason(scene) });
    put(&mut arguments, "archive", without_archive(clause).then_some(false));
    put(&mut arguments, "standbyOnly", clause.has(Sense::Standby).then_some(true));
    Some(vec![Step::call("gf_teardown", arguments)])
}

/// "Delete the archive of acct-0001" does not mean the account: anything else named before it makes us ask.
fn other_object(clause: &Clause) -> Option<Step> {
    const BETWEEN: [&str; 26] = [
        "the",
        "a",
        "an",
        "of",
        "all",
        "both",
        "only",
        "just",
        "my",
        "our",
        "these",
        "those",
        "this",
        "that",
        "with",
        "id",
        "ids",
        "please",
        "also",
        "and",
        "acct",
        "companion",
        "whole",
        "entire",
        "completely",
        "old",
    ];
    let objects = [
        Sense::Account,
        Sense::Pronoun,
        Sense::All,
        Sense::Both,
        Sense::Idle,
        Sense::Oversized,
        Sense::Standby,
        Sense::Primary,
        Sense::Instance,
        Sense::Fleet,
        Sense::Unprotected,
    ];
    let verb = clause.tokens.iter().position(|token| token.is(Sense::Remove))?;
    let before_target = clause.tokens[verb + 1..].iter().take_while(|token| {
        !matches!(token.kind, Kind::Account(_) | Kind::Instance(_) | Kind::Number(_))
            && number::ordinal(&token.text).is_none()
            && !token.is_break()
    });
    let named_later =
        !clause.slots.accounts.is_empty() || clause.has(Sense::Account) || clause.has(Sense::Archive);
    let odd = before_target
        .filter(|token| !BETWEEN.contains(&token.text.as_str()))
        .find(|token| !objects.iter().any(|sense| token.is(*sense)) && !token.is(Sense::Tier))?;
    let first = clause.tokens[verb + 1..].iter().find(|token| !BETWEEN.contains(&token.text.as_str()));
    // Words after the object ("delete the account permanently") only say how.
    let is_object = first.is_some_and(|first| first == odd);
    (is_object && named_later).then(|| {
        Step::ask(format!(
            "I can tear down whole accounts, not \"{}\". Which accounts do you mean, by id?",
            odd.raw
        ))
    })
}

/// Why, as this part of the message says or one beside it that only tells something.
fn reason(scene: &Scene) -> &'static str {
    let beside = scene.earlier.iter().rev().take(1).chain(scene.later.iter().take(1));
    let telling =
        beside.filter(|part| part.mood == Mood::Statement && !part.any(super::CHANGES) || part.explains());
    let said = std::iter::once(scene.clause).chain(telling).map(reason_said);
    said.into_iter().find(|reason| *reason != "operator_request").unwrap_or("operator_request")
}

fn reason_said(clause: &Clause) -> &'static str {
    match () {
        () if clause.has(Sense::Idle) => "idle",
        () if clause.says_any(&[
            "closed",
            "left",
            "churned",
            "quit",
            "cancelled",
            "canceled",
            "contract",
            "contracts",
            "subscription",
            "leaving",
        ]) =>
        {
            "account_closed"
        }
        () if clause.says_any(&[
            "non-payment",
            "nonpayment",
            "unpaid",
            "payment",
            "billing",
            "bill",
            "pay",
            "paying",
            "overdue",
            "arrears",
            "invoice",
            "chargeback",
        ]) || clause.says("paid") && clause.says_any(&["not", "never", "stopped"]) =>
        {
            "billing_failure"
        }
        () if clause.says("maintenance") => "maintenance",
        () => "operator_request",
    }
}

fn without_archive(clause: &Clause) -> bool {
    clause.tokens.iter().enumerate().filter(|(_, token)| token.is(Sense::Archive)).any(|(at, _)| {
        clause.tokens[..at]
            .iter()
            .rev()
            .take(3)
            .any(|t| matches!(t.text.as_str(), "without" | "no" | "not" | "skip"))
    })
}
