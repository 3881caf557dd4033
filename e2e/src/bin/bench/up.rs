//! Warm `clawops up` until a person can talk, against one OpenClaw's own boot.

use crate::openclaw::Reference;
use crate::report::Row;
use crate::stats::{median, timed};
use clawops_e2e::Universe;

const RUNS: usize = 5;

pub fn warm() -> Vec<Row> {
    let universe = Universe::up();
    let reference = Reference::prepare(&universe.runtime());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        universe.json(&["down"]);
        ours.push(timed(|| universe.start(&[])).0.as_secs_f64());
        universe.json(&["down"]);
        theirs.push(reference.boot(&universe.runtime()).as_secs_f64());
    }
    vec![Row {
        name: "warm `up` → you can talk, ÷ one OpenClaw's own boot",
        value: median(&ours) / median(&theirs),
        unit: "×",
        target: 1.3,
        how: format!("{RUNS} each; {:.1} s against {:.1} s", median(&ours), median(&theirs)),
    }]
}
