//! Greetings, thanks, and what this team can do.

use super::Scene;
use crate::{language::Sense, step::Step};

const HELLO: &str = "Hello. Ask me how the fleet is, or tell me what to do.";
const CAN: &str = "I run your fleet of OpenClaw gateways. You can ask me to:\n\
    - show the fleet, an account, an instance, a provider, costs, incidents or the audit log\n\
    - provision, resize, tear down or restore accounts\n\
    - push configuration, and roll it back\n\
    - restart instances or fail an account over\n\
    - pause, resume, cancel or retry an operation\n\
    - silence alerts, choose what a provider is used for, and schedule reports\n\
    What changes something is planned first, and the control plane asks a person.";

pub fn explain(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let how = clause.is_question()
        && clause.says("how")
        && (clause.says("work") || clause.phrase("do i") || clause.phrase("can i"));
    let unnamed = clause.slots.is_empty();
    let text = match () {
        () if clause.phrase("what can you")
            || clause.says("help") && clause.tokens.len() <= 4
            || clause.says("capabilities") =>
        {
            CAN
        }
        () if (clause.phrase("who are you") || clause.phrase("what are you")) && clause.tokens.len() <= 2 => {
            "I am Commander, the operator's face of this fleet, running on the offline model: I understand requests about the fleet, and I ask when I am unsure."
        }
        () if clause.is_question()
            && unnamed
            && clause.has(Sense::Tier)
            && !clause.any(&[Sense::Cost, Sense::Account]) =>
        {
            "The tiers are nano, standard, pro and enterprise. A plan says what it costs before anything is made."
        }
        () if how && unnamed && clause.has(Sense::Failover) => {
            "A failover fences the old primary, raises the pair's generation and lets the standby serve with the newest snapshot's memory. It needs an ACTIVE standby, and it says how much of the newest past is lost."
        }
        () if how && unnamed && clause.has(Sense::Approve) => {
            "The control plane writes the question and shows it here; a person answers it here or with their own key. I can't answer it."
        }
        () if how
            && unnamed
            && clause.any(&[
                Sense::Make,
                Sense::Remove,
                Sense::Restore,
                Sense::Push,
                Sense::Rollback,
                Sense::Resize,
                Sense::Restart,
            ]) =>
        {
            "Just tell me what you want in a sentence. I plan it, the control plane shows its question where a person must agree, and nothing happens before."
        }
        () => return None,
    };
    Some(vec![Step::Say(text.to_owned())])
}

/// "What does unprotected mean?"
pub fn meaning(scene: &Scene) -> Option<Vec<Step>> {
    const WORDS: [(&str, &str); 16] = [
        (
            "unprotected",
            "A pair is unprotected when its standby is not ACTIVE: its primary serves, but nothing could take over.",
        ),
        ("protected", "A pair is protected when its primary and its standby are both ACTIVE."),
        (
            "degraded",
            "An instance is DEGRADED when its health score is too low; it is verified, restarted, and failed over if that does not help.",
        ),
        (
            "standby",
            "The standby is the second instance of an account, at another provider, with its channels off; it takes over when the primary fails.",
        ),
        ("primary", "The primary is the instance of an account that serves its user."),
        (
            "generation",
            "The generation is the fencing number of a pair; it rises with every failover, so that an old primary can't act any more.",
        ),
        ("revision", "A revision is a version of the configuration; a push makes the next one."),
        ("parked", "A parked instance sleeps; it is not scored and can be woken."),
        ("draining", "A draining instance finishes its turns and takes no new ones."),
        (
            "failover",
            "A failover fences the old primary, raises the pair's generation and lets the standby serve.",
        ),
        (
            "fail over",
            "A failover fences the old primary, raises the pair's generation and lets the standby serve.",
        ),
        (
            "snapshot",
            "A snapshot is a consistent copy of an instance's memory; a standby starts from the newest.",
        ),
        ("archive", "An archive is what remains of an account after its teardown; a restore brings it back."),
        ("rpo", "The RPO is how much of the newest past is lost when another instance takes over."),
        ("exposure", "The exposure is how many gateways have an instance in the place that is in trouble."),
        (
            "tier",
            "The tiers are nano, standard, pro and enterprise; a tier is the size of both instances of a pair.",
        ),
    ];
    let clause = scene.clause;
    let asks = clause.is_question() && clause.says_any(&["mean", "means", "meaning"])
        || clause.phrase("what is a")
        || clause.phrase("what is an");
    let told = WORDS.iter().find(|(word, _)| clause.says(word))?.1;
    (asks && clause.slots.accounts.is_empty() && clause.slots.instances.is_empty())
        .then(|| vec![Step::Say(told.to_owned())])
}

/// "If we provisioned 100 accounts, what would happen?"
pub fn hypothetical(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let acts = clause.any(&[
        Sense::Make,
        Sense::Remove,
        Sense::Restore,
        Sense::Resize,
        Sense::Push,
        Sense::Restart,
        Sense::Failover,
    ]);
    let supposed = clause.says_any(&["if", "would", "might", "could"])
        && (clause.is_question() || clause.says_any(&["might", "said", "says"]));
    let wished = clause.any(&[Sense::Want])
        && clause.says_any(&["might", "may", "could"])
        && clause.has(Sense::Account);
    ((acts || wished) && supposed && clause.slots.accounts.is_empty() && clause.slots.instances.is_empty() && clause.slots.states.is_empty()).then(|| {
        vec![Step::Say(
            "Nothing happens before it is ordered: tell me to do it, and I plan it with its cost; the control plane then asks a person.".to_owned(),
        )]
    })
}

/// "Thanks mate, good work": nothing but good manners.
pub fn courtesy(scene: &Scene) -> Option<Vec<Step>> {
    const BESIDE: [&str; 24] = [
        "you",
        "so",
        "much",
        "very",
        "a",
        "lot",
        "all",
        "again",
        "for",
        "the",
        "your",
        "that",
        "this",
        "team",
        "everyone",
        "really",
        "commander",
        "and",
        "now",
        "today",
        "then",
        "it",
        "is",
        "was",
    ];
    let clause = scene.clause;
    let kind = |sense: Sense| clause.has(sense);
    let only = clause.tokens.iter().all(|token| {
        token.is_break()
            || token.is(Sense::Thanks)
            || token.is(Sense::Greeting)
            || BESIDE.contains(&token.text.as_str())
    });
    match () {
        () if !only || clause.is_question() => None,
        () if kind(Sense::Thanks) => Some(vec![Step::Say("You're welcome.".to_owned())]),
        () if kind(Sense::Greeting) => Some(vec![Step::Say(HELLO.to_owned())]),
        () => None,
    }
}

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let short = clause.tokens.iter().filter(|token| !token.is_break()).count() <= 6;
    match () {
        () if !short => None,
        () if clause.has(Sense::Thanks) => Some(vec![Step::Say("You're welcome.".to_owned())]),
        () if clause.has(Sense::Greeting) => Some(vec![Step::Say(HELLO.to_owned())]),
        () => None,
    }
}
