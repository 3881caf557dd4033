//! Which new instances a provider gets: pause it, use it for standbys only, let it take primaries again.

use super::Scene;
use crate::{
    language::{Clause, Mood, Sense, Slots, Token},
    step::Step,
};
use serde_json::json;

/// "Yes", to our own offer to follow the advice on the one provider that was just looked at. The control plane plans the
/// change and asks a person all the same.
pub fn offered(scene: &Scene) -> Option<Vec<Step>> {
    const OFFERS: [&str; 5] =
        ["want me to", "shall i", "should i", "would you like me to", "do you want me to"];
    let clause = scene.clause;
    let small = |token: &Token| {
        token.is_break()
            || token.is(Sense::Yes)
            || matches!(token.text.as_str(), "please" | "do" | "that" | "it" | "ok" | "okay")
    };
    let agrees = clause.has(Sense::Yes) && clause.tokens.iter().all(small) && !clause.is_question();
    let last = scene.memory.last_use().filter(|used| used.tool == "gf_provider_health")?;
    let offer = scene.memory.last_answer()?.to_lowercase();
    let offer = offer.rsplit(". ").next().unwrap_or_default();
    let offers = offer.ends_with('?') && OFFERS.iter().any(|said| offer.contains(said));
    let [provider] = last.reply["providers"].as_array()?.as_slice() else { return None };
    let pool = match provider["advice"].as_str()? {
        "standby only" => "standby",
        "pause" | "paused" => "paused",
        _ => return None,
    };
    let name = provider["provider"].as_str()?;
    (agrees && offers && scene.earlier.is_empty() && provider["pool"] != pool).then(|| {
        vec![Step::call(
            "gf_provider_policy",
            json!({ "provider": name, "pool": pool, "reason": "as advised" }),
        )]
    })
}

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let slots = &clause.slots;
    let other_target = !slots.accounts.is_empty()
        || !slots.instances.is_empty()
        || !slots.operations.is_empty()
        || !slots.json.is_empty();
    let other_topic =
        clause.any(&[Sense::Alert, Sense::Config, Sense::Briefing, Sense::Silence, Sense::Incident]);
    // "Until they have fixed it" restarts nothing.
    let restarts = clause.tokens.iter().any(|token| token.is(Sense::Restart) && !token.past);
    let other_topic = other_topic || restarts;
    if other_target
        || other_topic
        || clause.is_question()
        || !slots.tiers.is_empty()
        || !slots.key_paths.is_empty()
    {
        return None;
    }
    // "No new accounts there" is a wish, but it does not say what shall become of the provider.
    let wish = clause.mood == Mood::Statement
        && clause.says("no")
        && clause.says_any(&["new", "more"])
        && clause.any(&[Sense::Account, Sense::Instance]);
    if wish && (!slots.providers.is_empty() || clause.has(Sense::Place)) {
        return Some(vec![Step::ask(
            "Shall I pause that provider for new instances, or use it for standbys only? Please say which provider.",
        )]);
    }
    let Some(pool) = pool(scene) else {
        let changes = clause.orders(Sense::Move) || clause.orders(Sense::Set);
        let asked = changes && clause.has(Sense::Pool) && !slots.providers.is_empty();
        return asked.then(|| {
            vec![Step::ask(
                "Shall new primaries go there again, only standbys, or nothing new at all (paused)?",
            )]
        });
    };
    if slots.providers.is_empty() {
        let pointed =
            scene.pointed_provider().filter(|_| clause.any(&[Sense::Pronoun, Sense::Place, Sense::Yes]));
        if let Some(provider) = pointed {
            return Some(vec![Step::call(
                "gf_provider_policy",
                json!({ "provider": provider, "pool": pool, "reason": "operator request" }),
            )]);
        }
        return clause.has(Sense::Place).then(|| vec![Step::ask("Which provider do you mean?")]);
    }
    let calls = slots.providers.iter().map(|placed| {
        Step::call(
            "gf_provider_policy",
            json!({ "provider": placed.provider, "pool": pool, "reason": "operator request" }),
        )
    });
    Some(calls.collect())
}

fn pool(scene: &Scene) -> Option<&'static str> {
    let clause = scene.clause;
    let places_new = clause.any(&[Sense::Make, Sense::Move, Sense::Use, Sense::Send])
        || clause.says_any(&["provisioning", "place", "placing", "putting", "new"]);
    let primary_only = clause.has(Sense::Primary) && !clause.has(Sense::Standby);
    let away = |as_primary: bool| if as_primary { "standby" } else { "paused" };
    match () {
        () if telegraphic(clause) && clause.says("paused") => Some("paused"),
        () if telegraphic(clause) && clause.has(Sense::Standby) => Some("standby"),
        () if telegraphic(clause) => Some("primary"),
        () if no_new_primaries(clause) => Some("standby"),
        () if clause.negated && places_new => Some(away(primary_only)),
        () if clause.negated => None,
        () if clause.orders(Sense::Pause) => Some(away(primary_only)),
        () if clause.orders(Sense::Stop) && places_new => Some(away(primary_only)),
        () if clause.orders(Sense::Remove) && (clause.has(Sense::Pool) || clause.has(Sense::Primary)) => {
            Some(away(primary_only))
        }
        () if clause.mood == Mood::Order
            && clause.says("only")
            && clause.has(Sense::Standby)
            && !clause.has(Sense::Primary)
            && !clause.slots.providers.is_empty()
            && !clause.any(&[
                Sense::Remove,
                Sense::Restart,
                Sense::Resize,
                Sense::Push,
                Sense::Failover,
                Sense::Restore,
                Sense::Show,
                Sense::Check,
            ]) =>
        {
            Some("standby")
        }
        () if restricts(clause) => clause.has(Sense::Standby).then_some("standby"),
        () if promotes(clause) => Some("primary"),
        () if clause.orders(Sense::Resume) => Some("primary"),
        () if clause.orders(Sense::Use) || offers(scene) => {
            if clause.has(Sense::Standby) && !clause.has(Sense::Primary) {
                Some("standby")
            } else {
                (clause.has(Sense::Primary) || clause.says("again")).then_some("primary")
            }
        }
        () => None,
    }
}

/// "Hostinger standby only from now on", "vultr to the standby pool": an order without a verb. Every word must be one
/// of these, since with any other it may as well tell what has happened.
fn telegraphic(clause: &Clause) -> bool {
    const SMALL: [&str; 26] = [
        "shall", "only", "to", "the", "from", "now", "on", "back", "in", "into", "for", "as", "please",
        "again", "new", "provider", "pls", "and", "just", "use", "onwards", "should", "must", "be", "may",
        "take",
    ];
    let half = clause.has(Sense::Primary) != clause.has(Sense::Standby) || clause.says("paused");
    let marked = clause.says_any(&["only", "to", "into", "back", "again"]) || clause.phrase("from now on");
    let small = |token: &Token| {
        token.is_break()
            || [Sense::Primary, Sense::Standby, Sense::Pool, Sense::Pause, Sense::Yes]
                .iter()
                .any(|sense| token.is(*sense))
            || SMALL.contains(&token.text.as_str())
            || !Slots::read(std::slice::from_ref(token)).providers.is_empty()
    };
    clause.mood == Mood::Statement
        && (!clause.slots.providers.is_empty() || clause.has(Sense::Yes))
        && half
        && marked
        && clause.tokens.iter().all(small)
}

/// "No new primaries at Contabo please", and not that there have been none.
fn no_new_primaries(clause: &Clause) -> bool {
    let wish = ["no new primaries", "no more primaries", "no new primary"].iter().any(|said| {
        let raw: Vec<String> = clause.tokens.iter().map(|token| token.raw.to_lowercase()).collect();
        raw.join(" ").contains(said)
    });
    let told = clause.says_any(&[
        "since",
        "yet",
        "far",
        "last",
        "still",
        "yesterday",
        "today",
        "were",
        "was",
        "there",
    ]);
    wish && clause.mood == Mood::Statement && !told
}

/// "Restrict Contabo to standbys".
fn restricts(clause: &Clause) -> bool {
    let head = clause.tokens.get(clause.head).map_or("", |head| head.text.as_str());
    matches!(head, "restrict" | "limit" | "demote" | "confine" | "reduce")
        && !clause.is_question()
        && !clause.negated
}

/// "Promote Vultr to primary again", "bring Hostinger back into the primary pool": of a provider, not of an account.
fn promotes(clause: &Clause) -> bool {
    let ordered =
        [Sense::Failover, Sense::Restore, Sense::Set, Sense::Open].iter().any(|verb| clause.orders(*verb));
    let again = clause.says("again") && clause.orders(Sense::Set);
    ordered
        && (clause.has(Sense::Primary) && !clause.has(Sense::Standby) || again)
        && (clause.has(Sense::Pool) || again || clause.phrase("to primary") || clause.phrase("for primary"))
}

/// "Make Vultr available for primaries", "put Hostinger in the standby pool".
fn offers(scene: &Scene) -> bool {
    let clause = scene.clause;
    let ordered = clause.orders(Sense::Make) || clause.orders(Sense::Move) || clause.orders(Sense::Set);
    ordered
        && (clause.has(Sense::Pool)
            || clause.says_any(&["available", "only", "eligible", "back", "again", "to", "as"]))
        && !clause.has(Sense::Account)
}
