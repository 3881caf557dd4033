//! `cargo xtask bench [NAME] [--json] [--page]`: the product's own numbers, each beside what it was measured against.
//!
//! Medians of at least five, interleaved with their reference, so that a busy moment of the machine meets both. It only
//! measures and tells; no test depends on it. All of them, and `cold`, are kept in `docs/benchmarks.md`.

mod brain;
mod cold;
mod fleet;
mod growth;
mod machine;
mod node;
mod openclaw;
mod pair;
mod plot;
mod policy;
mod report;
mod scale;
mod stats;
mod status;
mod takeover;
mod up;

use report::Measured;
use std::process::ExitCode;

type Bench = fn() -> Measured;

/// In the order of the table; each starts what it needs and ends it.
const BENCHES: [(&str, Bench); 11] = [
    ("cold", || cold::up().into()),
    ("up", || up::warm().into()),
    ("status", || status::questions().into()),
    ("brain", || brain::calls().into()),
    ("fleet", || fleet::at_847_pairs().into()),
    ("pair", || pair::crash_and_failover().into()),
    ("node", || node::idle().into()),
    ("policy", || policy::decisions().into()),
    ("takeover", || takeover::leader_killed().into()),
    ("links", scale::links),
    ("scale", scale::scale),
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
    let mut measured = Measured::default();
    for (name, bench) in BENCHES {
        let wanted = if only.is_empty() { name != BY_NAME_ONLY } else { only.iter().any(|it| *it == name) };
        if wanted {
            eprintln!("measuring {name} …");
            let Measured { rows, points } = bench();
            // What was read is said at once: the table comes with the last of them, which may be long after.
            rows.iter().for_each(|row| eprintln!("  {}", row.in_short()));
            measured.rows.extend(rows);
            measured.points.extend(points);
        }
    }
    for row in measured.rows.iter().filter(|_| as_json) {
        println!("{}", row.json());
    }
    if !as_json {
        println!("{}", report::table(&measured.rows));
    }
    let asked_for_the_page = args.iter().any(|arg| arg == "--page");
    let for_the_page = asked_for_the_page || only.is_empty() || only.iter().all(|name| *name == BY_NAME_ONLY);
    if for_the_page && let Err(problem) = report::write_page(&measured) {
        eprintln!("{problem}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
