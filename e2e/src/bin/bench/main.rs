//! `cargo xtask bench [NAME] [--json]`: the product's own numbers, each beside what it was measured against.
//!
//! Medians of at least five, interleaved with their reference, so that a busy moment of the machine meets both. It only
//! measures and tells; no test depends on it.

mod brain;
mod crash;
mod fleet;
mod machine;
mod node;
mod openclaw;
mod report;
mod stats;
mod status;
mod up;

use report::Row;
use std::process::ExitCode;

type Bench = fn() -> Vec<Row>;

/// In the order of the table; each starts what it needs and ends it.
const BENCHES: [(&str, Bench); 6] = [
    ("brain", brain::calls),
    ("up", up::warm),
    ("status", status::questions),
    ("fleet", fleet::at_847_pairs),
    ("node", node::idle),
    ("crash", crash::and_back),
];

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
        if only.is_empty() || only.iter().any(|wanted| *wanted == name) {
            eprintln!("measuring {name} …");
            rows.extend(bench());
        }
    }
    if as_json {
        println!("{}", report::json(&rows));
    } else {
        println!("{}", report::table(&rows));
    }
    if only.is_empty()
        && let Err(problem) = report::write_page(&rows)
    {
        eprintln!("{problem}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
