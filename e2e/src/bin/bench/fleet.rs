//! The control plane with 847 simulated pairs: its share of a status answer, and its memory.

use crate::report::Row;
use crate::stats::{median, milliseconds, timed};
use clawops_e2e::{Universe, processes, rest, wait};
use std::time::Duration;

const PAIRS: &str = "847";
const RUNS: usize = 50;
const ALL_ACTIVE_WITHIN: Duration = Duration::from_secs(600);

pub fn at_847_pairs() -> Vec<Row> {
    let universe = Universe::up_with(&["--sim-pairs", PAIRS]);
    wait::until("all simulated pairs exist", ALL_ACTIVE_WITHIN, || {
        let status = universe.json(&["fleet", "status"]);
        (status["pairsTotal"].as_u64() >= Some(847) && status["pairsByCondition"]["building"].is_null())
            .then_some(())
    });
    let key = universe.key("operator.key");
    let mut took = Vec::new();
    for _ in 0..RUNS {
        took.push(milliseconds(
            timed(|| rest::exchange(&universe.control_plane(), "GET /v1/fleet/status", &key, "")).0,
        ));
    }
    let resident = processes::resident_bytes(universe.pid("gatewayforge")).unwrap_or_default();
    vec![
        Row {
            name: "fleet status at 847 simulated pairs, control plane's share",
            value: median(&took),
            unit: "ms",
            target: 5.0,
            how: format!("{RUNS} HTTP requests on loopback, connection included"),
        },
        Row {
            name: "control plane with 847 simulated pairs, RSS",
            value: resident as f64 / 1e6,
            unit: "MB",
            target: 60.0,
            how: "read once, after the requests".into(),
        },
    ]
}
