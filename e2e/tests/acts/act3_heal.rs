//! A primary's OpenClaw is killed: noticed, restarted, told once. When a restart cannot work, its standby takes over and
//! remembers what the user said.

use clawops_e2e::fleet::Pair;
use clawops_e2e::{Universe, wait};
use std::time::Duration;

const HEALED_WITHIN: Duration = Duration::from_secs(240);
const SNAPSHOT_WITHIN: Duration = Duration::from_secs(300);
const WORD: &str = "heliotrope";

pub fn a_killed_primary_is_restarted_and_told_once(universe: &Universe) {
    let pair = Pair::first(universe);
    let before = universe.instance_pid(&pair.primary);
    let told_before = told_of(universe, &pair.primary);
    pair.kill_primary(universe);
    wait::until("the primary runs again", HEALED_WITHIN, || {
        let healed =
            universe.instance_pid(&pair.primary) != before && pair.primary_state(universe) == "ACTIVE";
        healed.then_some(())
    });
    wait::until("the operator is told", HEALED_WITHIN, || {
        (told_of(universe, &pair.primary) > told_before).then_some(())
    });
    assert_eq!(Pair::first(universe).primary, pair.primary, "a restart is enough: nothing failed over");

    // A later, unrelated answer leaves time in which a second notice would have come.
    universe.say("how is the fleet?");
    assert_eq!(told_of(universe, &pair.primary), told_before + 1, "told exactly once");
}

/// Messages of Commander that nobody asked for and that name the instance.
fn told_of(universe: &Universe, instance: &str) -> usize {
    universe.said(&universe.session()).iter().filter(|text| text.contains(instance)).count()
}

pub fn a_primary_that_cannot_start_fails_over_and_the_standby_remembers(universe: &Universe) {
    let pair = Pair::first(universe);
    let gateway = universe.gateway(&pair.account);
    let generation = generation(universe, &pair.account);
    universe.tell_bot(&pair.primary, &format!("My secret word is {WORD}. Please remember it."));
    await_snapshot_after_now(universe, &pair.account);

    break_configuration(universe, &pair.primary);
    pair.kill_primary(universe);
    let promoted = gateway["standby"]["instanceId"].as_str().unwrap_or_default().to_owned();
    wait::until("the standby took over", HEALED_WITHIN, || {
        let now = Pair::of(&universe.gateway(&pair.account));
        (now.primary == promoted && now.primary_state(universe) == "ACTIVE").then_some(())
    });
    assert_eq!(
        self::generation(universe, &pair.account),
        generation + 1,
        "the old one is fenced by the generation"
    );
    let answer = universe.tell_bot(&promoted, "What is my secret word?");
    assert!(answer.contains(WORD), "the promoted standby has forgotten the user: {answer}");
    universe.await_all_protected();
    let rebuilt = Pair::of(&universe.gateway(&pair.account));
    assert_ne!(rebuilt.standby.as_deref(), Some(pair.primary.as_str()), "a replacement standby was built");
}

fn generation(universe: &Universe, account: &str) -> u64 {
    let gateway = universe.get(&format!("/v1/gateways/{account}"));
    let found = [&gateway["generation"], &gateway["gateway"]["generation"]]
        .into_iter()
        .find_map(|value| value.as_u64());
    found.unwrap_or_else(|| panic!("no generation: {gateway}"))
}

pub fn await_snapshot_after_now(universe: &Universe, account: &str) {
    let newest = |universe: &Universe| {
        let snapshots = universe.get("/v1/snapshots?limit=1000");
        let of_account =
            snapshots["items"].as_array().into_iter().flatten().filter(|s| s["account"] == account);
        of_account.filter_map(|snapshot| snapshot["takenAt"].as_str().map(str::to_owned)).max()
    };
    let before = newest(universe);
    wait::until("a snapshot is taken", SNAPSHOT_WITHIN, || (newest(universe) > before).then_some(()));
}

/// What a person's bad edit does: OpenClaw refuses to start with it.
pub fn break_configuration(universe: &Universe, instance: &str) {
    let dir = universe.instance_dir(instance).unwrap_or_else(|| panic!("{instance} has no directory"));
    std::fs::write(dir.join("state/openclaw.json"), "{ this is no configuration").unwrap();
}
