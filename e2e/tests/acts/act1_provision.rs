//! "Provision 2 standard accounts": a plan and a question, then four real gateways.

use clawops_e2e::Universe;
use serde_json::Value;

pub fn two_accounts(universe: &Universe) {
    let answer = universe.say("Provision 2 standard accounts for COMPANION beta users.");
    assert!(answer.tools().contains(&"gf_provision"), "{answer:?}");
    let (code, question) = answer.question();
    assert!(question.contains("$24"), "what it costs a month is in the question: {question}");
    assert!(question.contains(&code) || !code.is_empty());
    assert!(universe.gateways().is_empty(), "nothing exists before somebody agreed");

    let more = universe.say("go, but only 1");
    assert_ne!(more.decision(), "granted", "anything more than a yes is a new request");
    assert!(universe.gateways().is_empty());
    universe.run(&["approvals", "deny", &later_code(&more)]);

    let yes = universe.say("Go.");
    assert_eq!(yes.decision(), "granted", "{yes:?}");
    for operation in yes.progress() {
        adds_up(operation);
    }
    let ended = yes.ended();
    assert_eq!(ended["state"].as_str().map(str::to_uppercase).as_deref(), Some("DONE"), "{ended}");
    assert_eq!(ended["instancesByState"]["ACTIVE"], 4, "{ended}");
    assert!(ended["fastest"].is_object() && ended["slowest"].is_object(), "{ended}");
    universe.await_all_protected();
    four_places_on_two_providers(universe);
}

/// The question that a new request raised, if it raised one.
fn later_code(answer: &clawops_e2e::Answer) -> String {
    if answer.asks_nothing() { "A2AA".into() } else { answer.question().0 }
}

fn adds_up(operation: &Value) {
    let sum = |counts: &Value| {
        counts.as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum::<u64>()
    };
    for (counts, total) in [("instancesByState", "instancesTotal"), ("targetsByState", "targetsTotal")] {
        assert_eq!(Some(sum(&operation[counts])), operation[total].as_u64(), "{counts} add up: {operation}");
    }
}

fn four_places_on_two_providers(universe: &Universe) {
    let gateways = universe.gateways();
    assert_eq!(gateways.len(), 2);
    for gateway in gateways {
        let provider = |half: &str| gateway[half]["provider"].as_str().unwrap_or_default().to_owned();
        assert_ne!(provider("primary"), provider("standby"), "{gateway}");
        for half in ["primary", "standby"] {
            let instance = gateway[half]["instanceId"].as_str().unwrap_or_default();
            assert!(
                clawops_e2e::processes::lives(universe.instance_pid(instance)),
                "{instance} is a real process"
            );
        }
    }
}
