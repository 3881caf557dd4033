//! What this team never does, and what it is told to leave alone.

use super::Scene;
use crate::{
    language::{Clause, Kind, Mood, Sense, Slots, Token},
    step::Step,
};

pub const CHANGES: &[Sense] = &[
    Sense::Make,
    Sense::Remove,
    Sense::Restore,
    Sense::Resize,
    Sense::Move,
    Sense::Push,
    Sense::Rollback,
    Sense::Restart,
    Sense::Failover,
    Sense::Pause,
    Sense::Cancel,
    Sense::Retry,
    Sense::Silence,
    Sense::Set,
    Sense::Use,
    Sense::Resume,
];

/// Words of daily life: beside a word of the trade they still are not about the fleet.
const ELSEWHERE: [&str; 24] = [
    "weather",
    "poem",
    "joke",
    "song",
    "recipe",
    "pizza",
    "movie",
    "football",
    "flight",
    "haiku",
    "lyrics",
    "horoscope",
    "president",
    "novel",
    "restaurant",
    "soccer",
    "cook",
    "dinner",
    "lunch",
    "translate",
    "essay",
    "story",
    "lottery",
    "bitcoin",
];

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    // "rm the second account" is a short way to say what to remove; "rm -rf /" is a command.
    let flags = clause.tokens.iter().any(|token| token.raw.starts_with(['-', '/']));
    let shell = |token: &Token| {
        token.is(Sense::Shell) && (flags || token.text != "rm" || !clause.has(Sense::Account))
    };
    let named_shell = (clause.tokens.iter().any(shell) && !clause.has(Sense::Config)) || clause.says("-9");
    let refusal = match () {
        () if clause.has(Sense::Secret) && clause.slots.json.is_empty() && !clause.has(Sense::Push) => {
            "I can't show or handle secrets: keys, tokens and passwords are write-only here."
        }
        () if named_shell => {
            "I can't run commands on machines; I have no shell. I can check, restart or fail over instead."
        }
        () if clause.says_any(&["ignore", "disregard", "bypass", "jailbreak"])
            && clause.says_any(&[
                "instruction",
                "instructions",
                "rules",
                "policy",
                "approval",
                "approvals",
            ]) =>
        {
            "I can't do that. The control plane's rules and a person's approval don't depend on what I am told."
        }
        () if clause
            .tokens
            .get(clause.head)
            .is_some_and(|head| matches!(head.text.as_str(), "email" | "phone" | "sms" | "call")) =>
        {
            "I can't write to or call people. I answer here, and I can schedule reports."
        }
        () if clause.has(Sense::Audit)
            && clause.slots.accounts.is_empty()
            && clause.slots.instances.is_empty()
            && [Sense::Remove, Sense::Set, Sense::Pause, Sense::Stop, Sense::Move, Sense::Rollback]
                .iter()
                .any(|verb| clause.orders(*verb)) =>
        {
            "I can't change the audit log or turn it off; it is only ever added to and read."
        }
        () if clause.says_any(&[
            "messages",
            "conversation",
            "conversations",
            "chats",
            "transcript",
            "transcripts",
        ]) && clause.any(&[Sense::Account, Sense::Show])
            && !clause.any(&[Sense::Push, Sense::Alert, Sense::Config]) =>
        {
            "I can't read what users and their gateways say to each other; that is theirs."
        }
        () if clause.says_any(&ELSEWHERE) => {
            "I can't help with that; I look after the fleet. Ask me for \"help\" to see what I can do."
        }
        () if clause.has(Sense::Approve)
            && (clause.has(Sense::All) || for_ever(clause))
            && !has_to(clause) =>
        {
            "I can't approve anything. Each open question is answered by a person, one at a time."
        }
        () => return None,
    };
    Some(vec![Step::Decline(refusal.to_owned())])
}

/// "Anything I need to approve?" asks what is open.
fn has_to(clause: &Clause) -> bool {
    ["i need to", "i have to", "i must", "i should", "i can", "we need to", "we have to"]
        .iter()
        .any(|said| clause.phrase(said))
}

/// A leave that shall hold from now on, or be given by us.
fn for_ever(clause: &Clause) -> bool {
    const ALWAYS: [&str; 9] = [
        "in future",
        "in the future",
        "from now on",
        "without asking",
        "on my behalf",
        "for me",
        "by yourself",
        "yourself",
        "next time",
    ];
    ALWAYS.iter().any(|said| clause.phrase(said))
        || clause.says_any(&["always", "automatically", "every", "blanket", "forever"])
}

/// "Don't restart i-7f3a", "leave Contabo for now".
pub fn left_alone(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let unwanted = clause.mood == Mood::Statement
        && clause.tokens.first().is_some_and(|first| first.text == "not")
        && clause.says_any(&["worth", "needed", "necessary", "today", "interested", "now", "required"])
        && clause.slots.is_empty();
    if clause.negated && (clause.any(CHANGES) || clause.head_is(Sense::Schedule)) || unwanted {
        return Some(vec![Step::Say("Understood: I leave it as it is. Nothing was started.".to_owned())]);
    }
    (clause.head_is(Sense::Keep) && !clause.any(&[Sense::Briefing, Sense::Report, Sense::Silence]))
        .then(|| vec![Step::Nothing])
}

/// "Except acct-0001", "if it is idle", "half of them": what depends on something is not guessed at.
pub fn conditional(scene: &Scene) -> Option<Vec<Step>> {
    const EXCEPTIONS: [&str; 14] = [
        "all but",
        "everyone but",
        "everybody but",
        "everything but",
        "anyone but",
        "gateways but",
        "except",
        "excluding",
        "besides",
        "without touching",
        "other than",
        "apart from",
        "but not",
        "as long as",
    ];
    const CONDITIONS: [&str; 7] = ["if", "unless", "when", "whenever", "once", "until", "while"];
    const SHARES: [&str; 8] = ["%", "percent", "half", "most", "some", "few", "others", "rest"];
    let clause = scene.clause;
    let ordered = |senses: &[Sense]| senses.iter().any(|sense| clause.orders(*sense));
    let lasting =
        ordered(&[Sense::Silence, Sense::Stop, Sense::Use, Sense::Schedule, Sense::Open, Sense::Send]);
    let makes = ordered(&[Sense::Make]);
    if !(lasting || makes || ordered(CHANGES))
        || clause.any(&[Sense::Briefing, Sense::Report, Sense::Incident])
    {
        return None;
    }
    let said = |words: &[&str]| {
        words.iter().any(|word| if word.contains(' ') { clause.phrase(word) } else { clause.says(word) })
    };
    let before = scene.earlier.last().and_then(|clause| clause.tokens.first());
    let opened = before
        .is_some_and(|token| matches!(token.text.as_str(), "if" | "when" | "once" | "unless" | "whenever"));
    let kept = clause.tokens.iter().skip_while(|token| !token.is(Sense::Keep)).skip(1).take(3);
    let keeps_part = !clause.head_is(Sense::Keep)
        && kept.into_iter().any(|token| token.is(Sense::Standby) || token.is(Sense::Primary));
    // A silence has an end ("until eight"), and a new account has no others that it could be a share of.
    let depends = leaves_out(clause)
        || opened
        || keeps_part
        || said(&EXCEPTIONS)
        || (!lasting && said(&CONDITIONS) && !clause.phrase("at once"))
        || (!lasting && !makes && said(&SHARES));
    // A provider is paused until somebody says otherwise, whatever it is that is waited for.
    let waits = ["until", "while"].iter().any(|word| clause.says(word))
        && !clause.says_any(&["if", "unless", "when", "whenever", "once"])
        && !said(&EXCEPTIONS)
        && !said(&SHARES);
    let depends = depends && !(waits && super::policy::read(scene).is_some());
    depends.then(|| {
        vec![Step::ask(
            "I don't act on conditions or exceptions. Please say exactly which accounts or instances, by id.",
        )]
    })
}

/// "All instances but i-7f3a": what is named after "but" is left out.
fn leaves_out(clause: &Clause) -> bool {
    let but = clause.tokens.iter().position(|token| token.text == "but");
    but.is_some_and(|at| {
        let wide = clause.tokens[..at].iter().any(|token| token.is(Sense::All) || token.is(Sense::Fleet))
            || !clause.slots.states.is_empty();
        let after: Vec<Token> = clause.tokens[at + 1..].iter().take(3).cloned().collect();
        let only = after.first().is_some_and(|next| matches!(next.text.as_str(), "only" | "just"));
        let named = Slots::read(&after).names_anything()
            || after.iter().any(|token| {
                token.is(Sense::Primary) || token.is(Sense::Standby) || token.is(Sense::Pronoun)
            });
        wide && named && !only
    })
}

/// "Stop acct-0001": a gateway is restarted or torn down, never just stopped.
pub fn stop_target(scene: &Scene) -> Option<Vec<Step>> {
    let slots = &scene.clause.slots;
    let target = !slots.accounts.is_empty() || !slots.instances.is_empty();
    let disabled = scene.clause.tokens.get(scene.clause.head).is_some_and(|head| {
        matches!(head.text.as_str(), "disable" | "deactivate" | "turn off" | "switch off")
            && !scene.clause.negated
    });
    ((scene.clause.orders(Sense::Stop) || disabled && scene.clause.slots.key_paths.is_empty())
        && target
        && slots.operations.is_empty()
        && !scene.clause.has(Sense::Alert))
    .then(|| {
        vec![Step::ask(
            "A gateway is not just stopped here. Shall I restart it, or tear it down and keep its archive?",
        )]
    })
}

/// "Rename acct-0001": a verb that is not known to us, with something that it would be done to.
pub fn unknown_act(scene: &Scene) -> Option<Vec<Step>> {
    const NEUTRAL: [&str; 25] = [
        "ask",
        "tell",
        "query",
        "the",
        "my",
        "our",
        "about",
        "of",
        "on",
        "for",
        "with",
        "at",
        "in",
        "from",
        "how",
        "latest",
        "current",
        "a",
        "an",
        "more",
        "info",
        "details",
        "information",
        "to",
        "i",
    ];
    let clause = scene.clause;
    let target = !clause.slots.accounts.is_empty() || !clause.slots.instances.is_empty();
    let head = clause.tokens.get(clause.head)?;
    let unknown = head.kind == Kind::Word
        && head.senses.is_empty()
        && !clause.is_question()
        && !NEUTRAL.contains(&head.text.as_str());
    let given_away =
        clause.mood == Mood::Order && clause.head_is(Sense::Want) && head.text == "give" && clause.says("to");
    (target && (unknown || given_away) && clause.tokens.len() > 1).then(|| {
        vec![Step::Decline(format!(
            "I can't \"{}\" anything here. Ask me for \"help\" to see what I can do.",
            head.raw
        ))]
    })
}

/// "That teardown was a mistake", "acct-0002 can go": a wish between the lines is asked about, not guessed.
pub fn between_the_lines(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    if clause.mood != Mood::Statement || clause.needs && clause.any(CHANGES) {
        return None;
    }
    let regret = clause.says_any(&["mistake", "accident", "accidentally", "wrongly"]);
    let named = !clause.slots.accounts.is_empty() || !clause.slots.ordinals.is_empty();
    let retier =
        named && clause.slots.tiers.len() == 1 && clause.says_any(&["should", "could", "belongs", "must"]);
    let may_go = ["can go", "should go", "must go", "to go"].iter().any(|words| clause.phrase(words));
    let tokens = clause.tokens.iter().filter(|token| !token.is_break()).count();
    let retier = retier || (named && clause.slots.tiers.len() == 1 && tokens <= 4 && clause.says("to"));
    let counted = clause.slots.numbers.len() == 1
        && clause.slots.tiers.len() == 1
        && !named
        && tokens <= 6
        && !clause.any(&[Sense::Trouble, Sense::Health, Sense::Cost, Sense::Progress])
        && clause.slots.states.is_empty()
        && scene.memory.planned().is_none();
    let wished = clause.says_any(&["new", "more", "additional", "extra"])
        && clause.has(Sense::Account)
        && tokens <= 4
        && clause.slots.is_empty();
    match () {
        () if wished => Some(vec![Step::ask("How many new accounts shall I provision, and of which tier?")]),
        () if counted => Some(vec![Step::ask(
            "Shall I provision that many new accounts of that tier? Then say: provision, with the number and the tier.",
        )]),
        () if regret => Some(vec![Step::ask(
            "Shall I undo it? Say \"roll it back\" for a configuration, or \"restore\" with the account.",
        )]),
        () if retier => Some(vec![Step::ask("Shall I resize it to that tier? Please say so.")]),
        () if may_go && named => Some(vec![Step::ask("Do you want me to tear it down? Please say so.")]),
        () => None,
    }
}
