//! One pair that loses its primary again and again: first to a crash, which a restart mends, then to one that a restart
//! cannot mend, which moves it to its standby.
//!
//! Each primary dies once of each, so that every restart is the first of its window, as it is in a fleet.

use crate::openclaw::Reference;
use crate::report::Row;
use crate::stats::{median, milliseconds};
use clawops_e2e::fleet::Pair;
use clawops_e2e::{Universe, rest, wait};
use jiff::Timestamp;
use openclaw_client::probe;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const RUNS: usize = 5;
const WITHIN: Duration = Duration::from_secs(300);
const PROBE: Duration = Duration::from_secs(2);
const SNAPSHOT_SECONDS: u64 = 30;
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What one round measured, in seconds.
#[derive(Default)]
struct Rounds {
    boots: Vec<f64>,
    noticed: Vec<f64>,
    back: Vec<f64>,
    accepted: Vec<f64>,
    remembered: Vec<f64>,
    lost: Vec<f64>,
}

impl Rounds {
    /// A sign of life, since a round takes a minute.
    fn say(&self) {
        let last = |values: &[f64]| values.last().copied().unwrap_or(f64::NAN);
        eprintln!(
            "  round {} of {RUNS}: noticed after {:.0} ms, back after {:.1} s, one boot {:.1} s, \
             standby accepted after {:.2} s, remembered after {:.1} s",
            self.lost.len(),
            last(&self.noticed),
            last(&self.back),
            last(&self.boots),
            last(&self.accepted),
            last(&self.remembered),
        );
    }
}

pub fn crash_and_failover() -> Vec<Row> {
    let universe = Universe::empty();
    universe.settings(&json!({ "snapshotSeconds": SNAPSHOT_SECONDS }));
    universe.start(&[]);
    universe.json(&["provision", "--count", "1", "--tier", "standard", "--yes"]);
    let reference = Reference::prepare(&universe.runtime());
    let mut rounds = Rounds::default();
    for round in 0..RUNS {
        wait::until("the pair is whole", WITHIN, || is_whole(&universe).then_some(()));
        crash(&universe, &mut rounds);
        rounds.boots.push(reference.boot(&universe.runtime()).as_secs_f64());
        fail_over(&universe, &format!("word-{round}"), &mut rounds);
        rounds.say();
    }
    rows(&rounds)
}

fn rows(rounds: &Rounds) -> Vec<Row> {
    let boot = median(&rounds.boots);
    let against =
        |values: &[f64]| format!("{RUNS} each, interleaved; {:.1} s against {boot:.1} s", median(values));
    let lost = format!("what was said in the last {:.0} s before it was lost (RPO)", median(&rounds.lost));
    vec![
        Row {
            name: "crash of a gateway → noticed",
            value: median(&rounds.noticed),
            unit: "ms",
            target: 100.0,
            how: format!("{RUNS} kills; until the control plane's API shows it, asked every few ms"),
        },
        Row {
            name: "crash → HTTP 200 again, ÷ one boot",
            value: median(&rounds.back) / boot,
            unit: "×",
            target: 1.1,
            how: against(&rounds.back),
        },
        Row {
            name: "decision to fail over → standby accepts",
            value: median(&rounds.accepted),
            unit: "s",
            target: 2.0,
            how: format!("{RUNS} failovers; from the operation's beginning to its end, the channels open"),
        },
        Row {
            name: "decision to fail over → standby remembers, ÷ one boot",
            value: median(&rounds.remembered) / boot,
            unit: "×",
            target: 1.3,
            how: format!(
                "until it has answered with what its user once said; {}; {lost}",
                against(&rounds.remembered)
            ),
        },
    ]
}

fn is_whole(universe: &Universe) -> bool {
    universe.gateways().iter().all(|gateway| gateway["condition"] == "protected")
}

fn crash(universe: &Universe, rounds: &mut Rounds) {
    let pair = Pair::first(universe);
    let asking = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (addr, key) = (universe.control_plane(), universe.key("operator.key"));
    let ask = format!("GET /v1/instances/{}", pair.primary);
    let pid = universe.instance_pid(&pair.primary);
    let began = Instant::now();
    clawops_e2e::processes::signal(pid, rustix::process::Signal::KILL);
    loop {
        let (_, body) = rest::exchange(&addr, &ask, &key, "");
        let seen: Value = serde_json::from_str(&body).unwrap_or_default();
        if of(&seen, "state") != "ACTIVE" {
            break;
        }
        assert!(began.elapsed() < WITHIN, "the crash was never noticed");
        std::thread::sleep(LOOK_EVERY);
    }
    rounds.noticed.push(milliseconds(began.elapsed()));
    wait::until("it answers again", WITHIN, || {
        asking.block_on(probe::readiness(pair.primary_addr, PROBE)).is_ok_and(|page| page.ready).then_some(())
    });
    rounds.back.push(began.elapsed().as_secs_f64());
    wait::until("the pair is whole", WITHIN, || is_whole(universe).then_some(()));
}

fn fail_over(universe: &Universe, word: &str, rounds: &mut Rounds) {
    let pair = Pair::first(universe);
    let standby = pair.standby.clone().unwrap_or_else(|| panic!("the pair has no standby: {pair:?}"));
    let said = Timestamp::now();
    universe.tell_bot(&pair.primary, &format!("My secret word is {word}. Please remember it."));
    wait::until("the standby holds what was said", WITHIN, || {
        let newest = newest_snapshot(universe, &pair.account)?;
        let holds = of(&universe.get(&format!("/v1/instances/{standby}")), "remembers") == newest["id"];
        (moment(&newest, "takenAt") > said && holds && is_whole(universe)).then_some(())
    });
    let before = failovers(universe).len();

    // A person's bad edit: OpenClaw refuses to start with it.
    let dir = universe.instance_dir(&pair.primary).unwrap_or_else(|| panic!("{} has no files", pair.primary));
    std::fs::write(dir.join("state/openclaw.json"), "{ this is no configuration").expect("a broken file");
    pair.kill_primary(universe);
    let operation = wait::until("the failover is over", WITHIN, || {
        let all = failovers(universe);
        let newest = all.into_iter().max_by_key(|operation| moment(operation, "createdAt"))?;
        (failovers(universe).len() > before && newest["finishedAt"].is_string()).then_some(newest)
    });
    assert_eq!(operation["state"], "done", "{operation}");
    let (decided, ended) = (moment(&operation, "createdAt"), moment(&operation, "finishedAt"));
    rounds.accepted.push(ended.duration_since(decided).as_secs_f64());
    let answer = universe.tell_bot(&standby, "What is my secret word?");
    assert!(answer.contains(word), "the promoted standby has forgotten its user: {answer}");
    rounds.remembered.push(Timestamp::now().duration_since(decided).as_secs_f64());
    let copied =
        newest_snapshot(universe, &pair.account).map_or(decided, |newest| moment(&newest, "takenAt"));
    rounds.lost.push(decided.duration_since(copied).as_secs_f64().max(0.0));
}

fn newest_snapshot(universe: &Universe, account: &str) -> Option<Value> {
    let snapshots = universe.get("/v1/snapshots?limit=1000")["items"].as_array().cloned().unwrap_or_default();
    let of_account = snapshots.into_iter().filter(|snapshot| snapshot["account"] == account);
    of_account.max_by_key(|snapshot| moment(snapshot, "takenAt"))
}

fn failovers(universe: &Universe) -> Vec<Value> {
    let operations =
        universe.get("/v1/operations?limit=1000")["items"].as_array().cloned().unwrap_or_default();
    operations.into_iter().filter(|operation| operation["verb"]["verb"] == "failover").collect()
}

/// A field of a record, which the API may show beside others.
fn of(view: &Value, name: &str) -> Value {
    if view[name].is_null() { view["instance"][name].clone() } else { view[name].clone() }
}

fn moment(record: &Value, name: &str) -> Timestamp {
    record[name]
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("no {name} in {record}"))
}
