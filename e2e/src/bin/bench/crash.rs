//! A gateway's OpenClaw is killed: how soon it is noticed, and how soon it answers again.

use crate::openclaw::Reference;
use crate::report::Row;
use crate::stats::{median, milliseconds};
use clawops_e2e::fleet::Pair;
use clawops_e2e::{Universe, wait};
use openclaw_client::probe;
use std::time::{Duration, Instant};

const RUNS: usize = 5;
const BACK_WITHIN: Duration = Duration::from_secs(240);
const PROBE: Duration = Duration::from_secs(2);

pub fn and_back() -> Vec<Row> {
    let universe = Universe::up();
    universe.json(&["provision", "--count", "1", "--tier", "standard", "--yes"]);
    let pair = Pair::first(&universe);
    let reference = Reference::prepare(&universe.runtime());
    let (mut noticed, mut back, mut boots) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (seen, answered) = kill_once(&universe, &pair);
        noticed.push(milliseconds(seen));
        back.push(answered.as_secs_f64());
        boots.push(reference.boot(&universe.runtime()).as_secs_f64());
    }
    vec![
        Row {
            name: "crash of a gateway → noticed",
            value: median(&noticed),
            unit: "ms",
            target: 100.0,
            how: format!("{RUNS} kills; until the control plane shows it, looked at by HTTP every few ms"),
        },
        Row {
            name: "crash → HTTP 200 again, ÷ one boot",
            value: median(&back) / median(&boots),
            unit: "×",
            target: 1.1,
            how: format!("{RUNS} each; {:.1} s against {:.1} s", median(&back), median(&boots)),
        },
    ]
}

fn kill_once(universe: &Universe, pair: &Pair) -> (Duration, Duration) {
    let asking = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    pair.await_active(universe);
    pair.kill_primary(universe);
    let began = Instant::now();
    wait::until("the crash is noticed", BACK_WITHIN, || {
        (pair.primary_state(universe) != "ACTIVE").then_some(())
    });
    let noticed = began.elapsed();
    wait::until("it answers again", BACK_WITHIN, || {
        asking.block_on(probe::readiness(pair.primary_addr, PROBE)).is_ok_and(|page| page.ready).then_some(())
    });
    (noticed, began.elapsed())
}
