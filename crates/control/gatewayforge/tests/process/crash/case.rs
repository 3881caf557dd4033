//! One case: from a kept state, an operation is asked for, the process is killed, and the next one is held to it.

use super::{
    kinds::{KINDS, Kind, STATES, in_json, kind_of, newest},
    moment::{Calls, Watch, counted},
    store::Kept,
};
use crate::{controllers::until_it_leads, run::Running};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

/// A machine that is busy with other things may take this long for anything.
const PATIENCE: Duration = Duration::from_secs(90);

/// Keeps each state that a kind begins from.
pub fn prepare(kept: &Kept) {
    let running = kept.start();
    settled(&running);
    assert_eq!(running.end(), 0);
    kept.keep("pair");
    for (state, by) in STATES {
        kept.take_back("pair");
        let running = kept.start();
        settled(&running);
        ask(&running, kind_of(by));
        is_as_it_ends(kept, &running, kind_of(by));
        assert_eq!(running.end(), 0);
        kept.keep(state);
    }
}

/// What happens at a moment.
#[derive(Debug, Clone, Copy)]
pub enum Blow {
    Kill,
    /// Killed while another one follows it: just before the call, or when it is done and before its answer is heard.
    Replace {
        done: bool,
    },
    /// From then on every write fails so, until a person has made room.
    DiskSays(&'static str),
}

/// Deals it this blow at so many moments of such calls, spread over the whole operation; answers with how many there were.
pub fn moments(kept: &Kept, kind: &Kind, calls: &Calls, few: u32, blow: Blow) -> u32 {
    let all = undisturbed(kept, kind, calls);
    let step = (all / few.min(all).max(1)).max(1);
    let mut tried = 0;
    for nth in (1..=all).skip((step / 2) as usize).step_by(step as usize) {
        eprintln!("{}: {blow:?} at {nth} of {all} {}", kind.name, calls.what);
        match blow {
            Blow::Kill => killed(kept, kind, calls, nth),
            Blow::Replace { done } => replaced(kept, kind, calls, nth, done),
            Blow::DiskSays(error) => unwritable(kept, kind, calls, nth, error),
        }
        tried += 1;
    }
    tried
}

/// How many such calls the operation makes when nothing happens to it.
fn undisturbed(kept: &Kept, kind: &Kind, calls: &Calls) -> u32 {
    kept.take_back(kind.from);
    let running = kept.start();
    settled(&running);
    let written = kept.scratch("calls");
    let _watch = Watch::count(running.pid(), &kept.home, calls, &written);
    ask(&running, kind);
    ended(&running, kind);
    let all = counted(&written);
    is_as_it_ends(kept, &running, kind);
    // Under the watch to its end, which it would otherwise be let go for.
    running.kill();
    all
}

fn killed(kept: &Kept, kind: &Kind, calls: &Calls, nth: u32) {
    kept.take_back(kind.from);
    let mut running = kept.start();
    settled(&running);
    let order = order(&running, kind);
    let _watch = Watch::kill_at(running.pid(), &kept.home, calls, nth);
    ask_in_vain(&running, kind, &order);
    let began = Instant::now();
    // Calls come in another order each time: one that was counted may not be reached again.
    while !running.is_over() && !is_over(&running, kind) {
        assert!(began.elapsed() < PATIENCE, "{} neither ended nor was killed", kind.name);
        std::thread::sleep(Duration::from_millis(20));
    }
    running.kill();

    let running = kept.start();
    settled(&running);
    goes_on(kept, running, kind);
}

/// One that followed it takes over, on its own home.
fn replaced(kept: &Kept, kind: &Kind, calls: &Calls, nth: u32, done: bool) {
    kept.take_back(kind.from);
    let leader = kept.start();
    settled(&leader);
    let order = order(&leader, kind);
    let follower = kept.follow();
    let world = kept.home.join("sim/world.json");
    let lines = || fs::read_to_string(&world).unwrap().lines().count();
    let before = lines();
    let (pid, home) = (leader.pid(), &kept.home);
    let mut watch = match done {
        false => Watch::kill_at(pid, home, calls, nth),
        true => Watch::hold_after(pid, home, calls, nth),
    };
    std::thread::scope(|threads| {
        // What is held may answer nobody; it ends with the process.
        let asking = threads.spawn(|| {
            ask_in_vain(&leader, kind, &order);
            while leader.try_send("GET", "/healthz", "", "", "").is_ok() && !is_over(&leader, kind) {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let began = Instant::now();
        let is_held = || done && lines() >= before + nth as usize;
        while !asking.is_finished() && !is_held() && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
        leader.signal("KILL");
        watch.end();
        assert!(began.elapsed() < PATIENCE, "{} neither ended nor was held", kind.name);
    });
    leader.kill();

    until_it_leads(&follower);
    settled(&follower);
    goes_on(kept, follower, kind);
}

/// Its disk cannot be written from one of its writes on; later it can.
fn unwritable(kept: &Kept, kind: &Kind, calls: &Calls, nth: u32, error: &str) {
    kept.take_back(kind.from);
    let running = kept.start();
    settled(&running);
    let order = order(&running, kind);
    let watch = Watch::fail_from(running.pid(), &kept.home, calls, nth, error);
    ask_in_vain(&running, kind, &order);
    let began = Instant::now();
    // Calls come in another order each time: one that was counted may not be reached again.
    while !watch.has_failed() && !is_over(&running, kind) {
        assert!(began.elapsed() < PATIENCE, "{} neither ended nor met its disk's trouble", kind.name);
    }
    let (status, _) = running.ask("GET", "/v1/fleet/status", json!(null));
    assert_eq!(status, 200, "what is there can be read");
    drop(watch);
    goes_on(kept, running, kind);
}

fn goes_on(kept: &Kept, running: Running, kind: &Kind) {
    if newest(&running, kind.name).is_none() {
        // Nothing durable was begun, and whoever asked got no answer: asking again is all that there is to do.
        ask(&running, kind);
    }
    is_as_it_ends(kept, &running, kind);
    assert_eq!(running.end(), 0);
}

/// What is asked for. It is looked up before anything is watched: whatever else is written meanwhile may already be what
/// the process does not outlive.
fn order(running: &Running, kind: &Kind) -> String {
    (kind.arguments)(running).to_string()
}

/// It may be dead or refuse before it answers, so nobody waits for an answer that must come.
fn ask_in_vain(running: &Running, kind: &Kind, order: &str) {
    let path = format!("/v1/{}?confirm=true", kind.path);
    let _ = running.try_send("POST", &path, &running.key(), "", order);
}

/// Whether the operation has ended, as far as the process still says.
fn is_over(running: &Running, kind: &Kind) -> bool {
    let says = |path: &str, text: &str| {
        let answer = running.try_send("GET", path, &running.key(), "", "");
        answer.is_ok_and(|answer| answer.contains(text))
    };
    says("/v1/operations?running=true", "\"total\":0")
        && says("/v1/operations", &format!("\"verb\":\"{}\"", in_json(kind.name)))
}

fn ask(running: &Running, kind: &Kind) {
    let path = format!("/v1/{}?confirm=true", kind.path);
    let (status, reply) = running.ask("POST", &path, (kind.arguments)(running));
    assert_eq!(status, 200, "{reply}");
}

fn ended(running: &Running, kind: &Kind) -> Value {
    running.until("it ended", || {
        newest(running, kind.name).filter(|operation| operation["finishedAt"].is_string())
    })
}

/// Nothing is under way, every node is here, and every pair is protected.
fn settled(running: &Running) {
    let items = |path: &str| running.ask("GET", path, json!(null)).1["items"].as_array().unwrap().clone();
    let what_is_not = || {
        let mut open = items("/v1/operations?running=true");
        open.extend(items("/v1/nodes?limit=1000").into_iter().filter(|node| node["connected"] != true));
        open.extend(items("/v1/gateways").into_iter().filter(|pair| pair["condition"] != "protected"));
        open
    };
    let began = Instant::now();
    loop {
        let open = what_is_not();
        if open.is_empty() {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "it never settled: {}", Value::Array(open));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_as_it_ends(kept: &Kept, running: &Running, kind: &Kind) {
    let operation = ended(running, kind);
    assert_eq!(operation["state"], kind.ends, "{operation}");
    settled(running);
    if let Some(follows) = kind.followed_by {
        assert!(newest(running, follows).is_some(), "{} was followed by no {follows}", kind.name);
    }
    if let Some(version) = kind.nodes_run {
        let nodes = running.ask("GET", "/v1/nodes?limit=1000", json!(null)).1;
        let all_run_it = nodes["items"].as_array().unwrap().iter().all(|node| node["software"] == version);
        assert!(all_run_it, "{nodes}");
    }
    is_sound(kept, running, kind.pairs);
}

/// What holds whatever happened.
fn is_sound(kept: &Kept, running: &Running, pairs: usize) {
    let verified = running.ask("GET", "/v1/audit/verify", json!(null)).1;
    assert_eq!(verified["ok"], true, "{verified}");
    let machines = machines(&kept.home.join("sim/world.json"));
    let instances = running.ask("GET", "/v1/instances?limit=1000", json!(null)).1;
    let sorted = |mut ids: Vec<Value>| {
        ids.sort_by_key(Value::to_string);
        ids
    };
    let live =
        instances["items"].as_array().unwrap().iter().filter(|instance| instance["state"] != "DELETED");
    let known = sorted(live.map(|instance| instance["id"].clone()).collect());
    assert_eq!(known.len(), 2 * pairs, "{instances}");
    let there = sorted(machines.iter().map(|machine| machine["label"].clone()).collect());
    assert_eq!(there, known, "what the providers have, and what the fleet knows");
    let mut open = BTreeMap::<&str, u32>::new();
    for instance in machines.iter().flat_map(|machine| machine["host"]["instances"].as_array().unwrap()) {
        *open.entry(instance["account"].as_str().unwrap()).or_default() +=
            u32::from(instance["channelsOpen"] == true);
    }
    assert!(open.values().all(|open| *open == 1), "one instance of each pair acts: {open:?}");
}

/// The machines that a file of the simulation speaks of, each as its last line says.
fn machines(file: &Path) -> Vec<Value> {
    let mut machines = BTreeMap::new();
    for line in fs::read_to_string(file).unwrap().lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        if let Some(machine) = line.get("machine") {
            machines.insert(machine["node"].as_str().unwrap().to_owned(), machine.clone());
        } else if let Some(gone) = line.get("gone") {
            machines.remove(gone.as_str().unwrap());
        }
    }
    machines.into_values().collect()
}

#[test]
fn each_kind_begins_from_a_state_that_is_made() {
    for kind in &KINDS {
        assert!(kind.from == "pair" || STATES.iter().any(|(state, _)| *state == kind.from), "{}", kind.name);
    }
}
