//! A bounded number of seeds, every seed that ever failed, and the proof that a seed tells the same story twice.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use gf_model::verb::Verb;
use gf_sim::{REGRESSIONS, Report, run};
use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Seeds that every run of the tests tells; `cargo xtask sim` tells more.
const SEEDS: u64 = 200;

fn keys() -> tempfile::TempDir {
    let keys = tempfile::tempdir().unwrap();
    // Making the keys draws from a seed's entropy, so that is done before anything is compared.
    run(0, keys.path(), false);
    keys
}

/// Runs them side by side; reports in the order of the seeds.
fn all(seeds: &[u64], keys: &Path) -> Vec<Report> {
    let next = AtomicUsize::new(0);
    let reports = Mutex::new(Vec::new());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let report = run(*seed, keys, false);
                    reports.lock().unwrap().push(report);
                }
            });
        }
    });
    let mut reports = reports.into_inner().unwrap();
    reports.sort_by_key(|report| report.seed);
    reports
}

fn broken(reports: &[Report]) -> Vec<String> {
    let told = |report: &Report| {
        let breach = report.breach.as_ref()?;
        Some(format!(
            "seed {}: {} at {} ms: {} (cargo xtask sim --seeds 1 --from {})",
            report.seed, breach.promise, breach.at_ms, breach.what, report.seed
        ))
    };
    reports.iter().filter_map(told).collect()
}

#[test]
fn no_seed_breaks_a_promise() {
    let keys = keys();
    let reports = all(&(1..=SEEDS).collect::<Vec<_>>(), keys.path());
    assert_eq!(reports.len() as u64, SEEDS);
    assert_eq!(broken(&reports), Vec::<String>::new());
    // Seeds in which nothing happens would prove nothing.
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    assert!(sum(|report| report.crashes) > SEEDS / 2, "control planes are killed");
    assert!(sum(|report| report.operations as u64) > 2 * SEEDS, "operations run");
    let never = |kind: &&str| !reports.iter().any(|report| report.kinds.contains(kind));
    let never: Vec<_> = Verb::operations().filter(never).collect();
    assert!(never.is_empty(), "no story has these: {never:?}");
}

#[test]
fn what_failed_once_holds_now() {
    let keys = keys();
    let seeds: Vec<u64> = REGRESSIONS.iter().map(|(seed, _)| *seed).collect();
    assert_eq!(broken(&all(&seeds, keys.path())), Vec::<String>::new());
}

#[test]
fn the_same_seed_tells_the_same_story_and_another_seed_another() {
    let keys = keys();
    let seeds: Vec<u64> = (1000..1012).collect();
    let hashes = |reports: Vec<Report>| reports.iter().map(|report| report.hash).collect::<Vec<_>>();
    let once = hashes(all(&seeds, keys.path()));
    assert_eq!(once, hashes(all(&seeds, keys.path())));
    let mut different = once.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), once.len());
}
