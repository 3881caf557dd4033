//! "Push this config to everyone", one instance being malformed, and "roll it back".

use clawops_e2e::{Universe, wait};
use serde_json::Value;
use std::time::Duration;

const ON_DISK_WITHIN: Duration = Duration::from_secs(240);

const PUSH: &str = "Push this config to everyone: {\"logging\": {\"consoleLevel\": \"debug\"}}";

pub fn to_everyone_and_back(universe: &Universe) {
    await_levels(universe, "nobody has the key yet", |level| level.is_none());
    let answer = universe.say(PUSH);
    assert!(answer.tools().contains(&"gf_config_push"), "{answer:?}");
    let (_, question) = answer.question();
    assert!(question.contains("logging.consoleLevel"), "the diff is in the question: {question}");
    assert!(
        levels(universe).iter().all(|(_, level)| level.is_none()),
        "nothing is written before somebody agreed"
    );

    let pushed = universe.say("yes");
    assert_eq!(pushed.decision(), "granted", "{pushed:?}");
    assert_eq!(
        pushed.ended()["state"].as_str().map(str::to_uppercase).as_deref(),
        Some("DONE"),
        "{}",
        pushed.ended()
    );
    await_levels(universe, "everybody has it on disk", |level| level == Some("debug"));

    let back = universe.say("roll it back");
    assert!(!back.asks_nothing(), "{back:?}");
    let rolled = universe.say("go");
    assert_eq!(rolled.decision(), "granted", "{rolled:?}");
    await_levels(universe, "each is back on its own previous keys", |level| level.is_none());
}

/// A standby's directory is exchanged when it takes in its primary's memory, so that a single look may find it missing.
fn await_levels(universe: &Universe, what: &str, fits: impl Fn(Option<&str>) -> bool) {
    wait::until(what, ON_DISK_WITHIN, || {
        levels(universe).iter().all(|(_, level)| fits(level.as_deref())).then_some(())
    });
}

/// Each instance's level as its own file says.
fn levels(universe: &Universe) -> Vec<(String, Option<String>)> {
    let mut levels = Vec::new();
    for gateway in universe.gateways() {
        for half in ["primary", "standby"] {
            let Some(instance) = gateway[half]["instanceId"].as_str() else { continue };
            let Some(dir) = universe.instance_dir(instance) else { continue };
            let text = std::fs::read_to_string(dir.join("state/openclaw.json")).unwrap_or_default();
            let config: Value = serde_json::from_str(&text).unwrap_or_default();
            let level = config.pointer("/logging/consoleLevel").and_then(Value::as_str).map(str::to_owned);
            levels.push((instance.to_owned(), level));
        }
    }
    levels
}
