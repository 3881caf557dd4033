//! A primary's OpenClaw is killed: noticed, restarted, told once. When a restart cannot work, its standby takes over and
//! remembers what the user said.

use clawops_e2e::fleet::Pair;
use clawops_e2e::{Universe, wait};
use std::time::Duration;

const HEALED_WITHIN: Duration = Duration::from_secs(240);
const SNAPSHOT_WITHIN: Duration = Duration::from_secs(300);
const WORD: &str = "heliotrope";
pub const BROKEN: &str = "{ this is no configuration";

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

    broken(universe, &pair.primary);
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

pub fn without_an_active_standby_a_person_is_called_and_nothing_done(universe: &Universe) {
    universe.await_all_protected();
    let pair = Pair::first(universe);
    let standby = pair.standby.clone().unwrap_or_else(|| panic!("the pair has no standby: {pair:?}"));
    let generation = generation(universe, &pair.account);
    let both = [pair.primary.clone(), standby.clone()];
    let called = |universe: &Universe| {
        let noticed = universe.noticed(&universe.session());
        noticed.iter().filter(|text| text.contains("CRITICAL") && text.contains(&pair.account)).count()
    };
    let called_before = called(universe);
    let whole = both.each_ref().map(|instance| broken(universe, instance));
    // The primary follows at once, or another standby would be on its way by then.
    universe.kill_instance(&standby);
    pair.kill_primary(universe);
    wait::until("a person is called", HEALED_WITHIN, || (called(universe) > called_before).then_some(()));
    assert_eq!(pair.primary_state(universe), "FAILED");
    let is_down = |text: &String| text.contains(&pair.account) && text.contains("down");
    wait::until("Commander says that it is down", HEALED_WITHIN, || {
        universe.said(&universe.session()).iter().any(is_down).then_some(())
    });

    // A later, unrelated answer leaves time in which something would have been done, or told again.
    universe.say("how is the fleet?");
    assert_eq!(called(universe), called_before + 1, "a person is called once");
    let now = Pair::of(&universe.gateway(&pair.account));
    assert_eq!(
        (&now.primary, now.standby.as_ref()),
        (&pair.primary, Some(&standby)),
        "nothing was moved or built"
    );
    assert_eq!(self::generation(universe, &pair.account), generation, "nothing was promoted");

    for (instance, text) in both.iter().zip(whole) {
        let dir = universe.instance_dir(instance).unwrap_or_else(|| panic!("{instance} was removed"));
        std::fs::write(dir.join("state/openclaw.json"), text).unwrap();
    }
    universe.json(&["restart", &pair.primary, "--yes"]);
    universe.await_all_protected();
    assert_eq!(Pair::of(&universe.gateway(&pair.account)).primary, pair.primary);
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

/// What a person's bad edit does: OpenClaw refuses to start with it. Answers with what stood there.
pub fn broken(universe: &Universe, instance: &str) -> String {
    let dir = universe.instance_dir(instance).unwrap_or_else(|| panic!("{instance} has no directory"));
    let path = dir.join("state/openclaw.json");
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, BROKEN).unwrap();
    whole
}
