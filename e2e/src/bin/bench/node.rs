//! What an idle gf-clawnode costs the machine that it sits on.

use crate::report::Row;
use crate::stats::median;
use clawops_e2e::{Universe, processes};
use std::time::Duration;

const SAMPLES: usize = 6;
const WINDOW: Duration = Duration::from_secs(10);
const TICKS_PER_SECOND: f64 = 100.0;

pub fn idle() -> Vec<Row> {
    eprintln!("  starting what it serves …");
    let universe = Universe::up();
    let pid = universe.pid("node-local-a");
    let (mut resident, mut percent) = (Vec::new(), Vec::new());
    for sample in 1..=SAMPLES {
        eprintln!("  window {sample} of {SAMPLES}, {} s …", WINDOW.as_secs());
        let before = processes::cpu_ticks(pid).unwrap_or_default();
        std::thread::sleep(WINDOW);
        let after = processes::cpu_ticks(pid).unwrap_or_default();
        percent.push((after - before) as f64 / TICKS_PER_SECOND / WINDOW.as_secs_f64() * 100.0);
        resident.push(processes::resident_bytes(pid).unwrap_or_default() as f64 / 1e6);
    }
    let binary = std::fs::metadata(processes::built("gf-clawnode")).map_or(0, |meta| meta.len());
    let how = format!("{SAMPLES} windows of {} s", WINDOW.as_secs());
    vec![
        Row {
            name: "gf-clawnode, idle RSS",
            value: median(&resident),
            unit: "MB",
            target: 8.0,
            how: how.clone(),
        },
        Row {
            name: "gf-clawnode, binary",
            value: binary as f64 / 1e6,
            unit: "MB",
            target: 6.0,
            how: "stripped".into(),
        },
        Row {
            name: "gf-clawnode, CPU of one core",
            value: percent.iter().sum::<f64>() / percent.len() as f64,
            unit: "%",
            target: 0.1,
            how: format!("mean of {how}"),
        },
    ]
}
