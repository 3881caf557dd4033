//! "Tear down the second account": an archive and nothing else. "Restore it": back, memory included.

use clawops_e2e::{Universe, processes, wait};
use std::time::Duration;

const GONE_WITHIN: Duration = Duration::from_secs(60);
const WORD: &str = "quicksilver";

pub fn and_restore(universe: &Universe) {
    // By name, as the conversation has listed them so far; a list with trouble first may have another order.
    let mut gateways = universe.gateways();
    gateways.sort_by_key(|gateway| gateway["accountId"].to_string());
    let second = gateways.get(1).unwrap_or_else(|| panic!("there is no second account: {gateways:?}"));
    let account = second["accountId"].as_str().unwrap_or_default().to_owned();
    let halves: Vec<String> = ["primary", "standby"]
        .iter()
        .filter_map(|half| second[half]["instanceId"].as_str().map(str::to_owned))
        .collect();
    universe.tell_bot(&halves[0], &format!("My secret word is {WORD}. Please remember it."));

    let asked = universe.say("Tear down the second account.");
    let (_, question) = asked.question();
    assert!(question.contains(&account), "{question}");
    // A standby is started anew whenever it takes in its primary's memory, so that pids are looked up at the last moment.
    let pids: Vec<i32> = halves.iter().map(|instance| universe.instance_pid(instance)).collect();
    assert!(processes::lives(pids[0]), "nothing goes before somebody agreed");
    let torn = universe.say("go");
    assert_eq!(torn.decision(), "granted", "{torn:?}");
    assert_eq!(torn.ended()["archives"].as_array().map(Vec::len), Some(1), "{}", torn.ended());
    wait::until("both processes are gone", GONE_WITHIN, || {
        (!pids.iter().any(|pid| processes::lives(*pid))).then_some(())
    });
    for instance in &halves {
        assert!(universe.instance_dir(instance).is_none(), "{instance} left something on disk");
    }
    assert!(universe.home().join("archives").join(&account).is_dir(), "the archive stays");

    let asked = universe.say("restore it");
    assert!(!asked.asks_nothing(), "{asked:?}");
    let restored = universe.say("yes");
    assert_eq!(restored.decision(), "granted", "{restored:?}");
    universe.await_all_protected();
    let primary = universe.gateway(&account)["primary"]["instanceId"].as_str().unwrap_or_default().to_owned();
    let answer = universe.tell_bot(&primary, "What is my secret word?");
    assert!(answer.contains(WORD), "the restored gateway has forgotten its user: {answer}");
}
