//! "Push this config to everyone", one instance being malformed, and "roll it back".

use crate::act3_heal;
use clawops_e2e::{Universe, fleet::Pair, wait};
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

/// One primary's file is malformed: it is named and left as it is, its pair goes without, everybody else has the key.
pub fn around_a_malformed_one_and_back(universe: &Universe) {
    universe.await_all_protected();
    let mut gateways = universe.gateways();
    gateways.sort_by_key(|gateway| gateway["accountId"].to_string());
    let second = Pair::of(&gateways[1]);
    let of_second = [Some(second.primary.clone()), second.standby.clone()];
    let is_of_second = |instance: &str| of_second.iter().flatten().any(|id| id == instance);
    let whole = act3_heal::broken(universe, &second.primary);

    universe.say("Push this config to everyone: {\"logging\": {\"consoleLevel\": \"trace\"}}").question();
    let pushed = universe.say("go");
    let ended = pushed.ended();
    assert_eq!(ended["state"].as_str().map(str::to_uppercase).as_deref(), Some("PARTIAL"), "{ended}");
    assert_eq!(ended["flagged"].as_array().map(Vec::len), Some(1), "{ended}");
    assert!(pushed.mentions(&second.primary), "the answer does not name {}: {pushed:?}", second.primary);
    await_levels_of(universe, "everybody else has it", |instance, level| match is_of_second(instance) {
        true => level.is_none(),
        false => level == Some("trace"),
    });
    let path = universe.instance_dir(&second.primary).unwrap().join("state/openclaw.json");
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        act3_heal::BROKEN,
        "a malformed file was overwritten"
    );

    std::fs::write(&path, whole).unwrap();
    universe.say("roll it back").question();
    let rolled = universe.say("go");
    assert_eq!(
        rolled.ended()["state"].as_str().map(str::to_uppercase).as_deref(),
        Some("DONE"),
        "{rolled:?}"
    );
    await_levels(universe, "each is back on its own previous keys", |level| level.is_none());
}

/// A standby's directory is exchanged when it takes in its primary's memory, so that a single look may find it missing.
fn await_levels(universe: &Universe, what: &str, fits: impl Fn(Option<&str>) -> bool) {
    await_levels_of(universe, what, |_, level| fits(level));
}

fn await_levels_of(universe: &Universe, what: &str, fits: impl Fn(&str, Option<&str>) -> bool) {
    wait::until(what, ON_DISK_WITHIN, || {
        levels(universe).iter().all(|(instance, level)| fits(instance, level.as_deref())).then_some(())
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
