//! Warm `clawops up` until a person can talk, against one OpenClaw's own boot; and whether that was true.

use crate::openclaw::Reference;
use crate::report::Row;
use crate::stats::{median, timed};
use crate::status;
use clawops_e2e::Universe;

const RUNS: usize = 5;

pub fn warm() -> Vec<Row> {
    let universe = Universe::up();
    let session = universe.session();
    let reference = Reference::prepare(&universe.runtime());
    let unused = Reference::unused(&universe.runtime());
    let [mut ours, mut theirs, mut without, mut first] = [const { Vec::new() }; 4];
    for _ in 0..RUNS {
        universe.json(&["down"]);
        ours.push(timed(|| universe.start(&[])).0.as_secs_f64());
        first.extend(status::ask(&universe, &session, 1));
        universe.json(&["down"]);
        theirs.push(reference.boot(&universe.runtime()).as_secs_f64());
        without.push(unused.boot(&universe.runtime()).as_secs_f64());
    }
    vec![
        Row {
            name: "warm `up` → you can talk, ÷ one OpenClaw's own boot",
            value: median(&ours) / median(&theirs),
            unit: "×",
            target: 1.3,
            how: format!(
                "{RUNS} each, interleaved; {:.1} s against {:.1} s of one that was talked to before; \
                 one that never was boots in {:.1} s, which would be {:.2} ×",
                median(&ours),
                median(&theirs),
                median(&without),
                median(&ours) / median(&without)
            ),
        },
        Row {
            name: "… → the first status question is answered",
            value: median(&first),
            unit: "s",
            target: 1.2,
            how: format!("{RUNS} starts; the first turn after `up` returned; target as for any question"),
        },
    ]
}
