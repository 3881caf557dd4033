//! Runs many seeds, side by side, and says which promise broke in which.

use gf_sim::{Report, run};
use std::{
    path::Path,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Lines of a failed seed's story that are printed.
const TAIL: usize = 60;

struct Args {
    seeds: u64,
    from: u64,
    threads: usize,
    tail: usize,
}

fn args() -> Result<Args, String> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut args = Args { seeds: 1000, from: 1, threads: cores, tail: TAIL };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let value = given.next().and_then(|value| value.parse::<u64>().ok());
        let value = value.ok_or_else(|| format!("{name} needs a number"))?;
        match name.as_str() {
            "--seeds" => args.seeds = value,
            "--from" => args.from = value,
            "--threads" => args.threads = (value as usize).max(1),
            "--tail" => args.tail = value as usize,
            other => {
                return Err(format!("there is no {other}; give --seeds N, --from S, --threads T, --tail L"));
            }
        }
    }
    Ok(args)
}

#[derive(Default)]
struct Sum {
    done: u64,
    failed: Vec<Report>,
    events: u64,
    simulated: Duration,
    operations: usize,
    crashes: u64,
    stuck: usize,
    paged: usize,
    most_calls: usize,
    longest_rest: Duration,
}

fn main() -> ExitCode {
    let args = match args() {
        Ok(args) => args,
        Err(problem) => {
            eprintln!("gf-sim: {problem}");
            return ExitCode::FAILURE;
        }
    };
    let keys = match tempfile::tempdir() {
        Ok(keys) => keys,
        Err(error) => {
            eprintln!("gf-sim: no temporary directory for the simulated keys could be made: {error}");
            return ExitCode::FAILURE;
        }
    };
    let began = Instant::now();
    let sum = everything(&args, keys.path(), began);
    conclude(&args, &sum, keys.path(), began)
}

fn everything(args: &Args, keys: &Path, began: Instant) -> Sum {
    // The keys are made before anybody else needs them: making them draws from the seed's entropy.
    run(0, keys, false);
    let next = AtomicU64::new(args.from);
    let end = args.from + args.seeds;
    let sum = Mutex::new(Sum::default());
    thread::scope(|scope| {
        for _ in 0..args.threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    add(&sum, run(seed, keys, false), args, began);
                }
            });
        }
    });
    sum.into_inner().unwrap_or_default()
}

fn add(sum: &Mutex<Sum>, report: Report, args: &Args, began: Instant) {
    let Ok(mut sum) = sum.lock() else { return };
    sum.done += 1;
    sum.events += report.events;
    sum.simulated += report.simulated;
    sum.operations += report.operations;
    sum.crashes += report.crashes;
    sum.stuck += report.stuck;
    sum.paged += report.paged;
    sum.most_calls = sum.most_calls.max(report.most_calls);
    sum.longest_rest = sum.longest_rest.max(report.rest_after);
    if let Some(breach) = &report.breach {
        println!("seed {} broke {}: {}", report.seed, breach.promise, breach.what);
        sum.failed.push(report);
    }
    let step = (args.seeds / 20).max(1);
    if sum.done.is_multiple_of(step) {
        let rate = sum.done as f64 / began.elapsed().as_secs_f64();
        println!("{} of {} seeds, {rate:.1} seeds/s, {} failed", sum.done, args.seeds, sum.failed.len());
    }
}

fn conclude(args: &Args, sum: &Sum, keys: &Path, began: Instant) -> ExitCode {
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{} seeds from {} in {seconds:.1} s ({:.1} seeds/s): {} broke a promise",
        sum.done,
        args.from,
        sum.done as f64 / seconds,
        sum.failed.len()
    );
    println!(
        "{:.0} simulated hours, {} events, {} operations, {} crashes, {} stuck, {} paged; \
         longest rest {} s, most calls in a minute {}",
        sum.simulated.as_secs_f64() / 3600.0,
        sum.events,
        sum.operations,
        sum.crashes,
        sum.stuck,
        sum.paged,
        sum.longest_rest.as_secs(),
        sum.most_calls
    );
    let Some(first) = sum.failed.iter().min_by_key(|report| report.seed) else { return ExitCode::SUCCESS };
    let again = run(first.seed, keys, true);
    println!("\nseed {}, its last {} events:", first.seed, args.tail);
    let skipped = again.lines.len().saturating_sub(args.tail);
    again.lines.iter().skip(skipped).for_each(|line| println!("{line}"));
    if again.hash != first.hash {
        println!("\nIT DID NOT HAPPEN THE SAME AGAIN: {:x} and {:x}", first.hash, again.hash);
    }
    ExitCode::FAILURE
}
