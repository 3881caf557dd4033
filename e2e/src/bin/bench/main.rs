//! `cargo xtask bench [NAME] [--json]`: the product's own numbers, each beside what it was measured against.
//!
//! Medians of at least five, interleaved with their reference, so that a busy moment of the machine meets both. It only
//! measures and tells; no test depends on it. All of them, and `cold`, are kept in `docs/benchmarks.md`.

mod brain;
mod cold;
mod fleet;
mod machine;
mod node;
mod openclaw;
mod pair;
mod policy;
mod report;
mod stats;
mod status;
mod up;

use report::Row;
use std::process::ExitCode;

type Bench = fn() -> Vec<Row>;

/// In the order of the table; each starts what it needs and ends it.
const BENCHES: [(&str, Bench); 8] = [
    ("cold", cold::up),
    ("up", up::warm),
    ("status", status::questions),
    ("brain", brain::calls),
    ("fleet", fleet::at_847_pairs),
    ("pair", pair::crash_and_failover),
    ("node", node::idle),
    ("policy", policy::decisions),
];
/// Wants the machine for itself, and for long: only by name.
const BY_NAME_ONLY: &str = "cold";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let as_json = args.iter().any(|arg| arg == "--json");
    let only: Vec<&String> = args.iter().filter(|arg| !arg.starts_with("--")).collect();
    if let Some(unknown) = only.iter().find(|name| !BENCHES.iter().any(|(known, _)| known == **name)) {
        let names: Vec<&str> = BENCHES.iter().map(|(name, _)| *name).collect();
        eprintln!("there is no bench {unknown:?}; there are {}", names.join(", "));
        return ExitCode::FAILURE;
    }
    let mut rows = Vec::new();
    for (name, bench) in BENCHES {
        let wanted = if only.is_empty() { name != BY_NAME_ONLY } else { only.iter().any(|it| *it == name) };
        if wanted {
            eprintln!("measuring {name} …");
            rows.extend(bench());
        }
    }
    for row in rows.iter().filter(|_| as_json) {
        println!("{}", row.json());
    }
    if !as_json {
        println!("{}", report::table(&rows));
    }
    let for_the_page = only.is_empty() || only.iter().all(|name| *name == BY_NAME_ONLY);
    if for_the_page && let Err(problem) = report::write_page(&rows) {
        eprintln!("{problem}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
