//! Greetings, thanks, and what this team can do.

use super::Scene;
use crate::{language::Sense, step::Step};

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

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    let short = clause.tokens.iter().filter(|token| !token.is_break()).count() <= 6;
    match () {
        () if !short => None,
        () if clause.has(Sense::Thanks) => Some(vec![Step::Say("You're welcome.".to_owned())]),
        () if clause.has(Sense::Greeting) => {
            Some(vec![Step::Say("Hello. Ask me how the fleet is, or tell me what to do.".to_owned())])
        }
        () => None,
    }
}
