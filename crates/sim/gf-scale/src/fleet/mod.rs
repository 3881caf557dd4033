//! The control plane at many instances: what a change, a look, a plan, a restart and quiet cost it.

mod at;
mod changes;
mod crowd;
mod handshakes;
mod look;
mod plane;
mod store;

use crate::{Better, Measured, stats::median};
use anyhow::{Context, Result, bail, ensure};
use at::{Alone, Observed, Reading};
use look::Plans;
use serde::de::DeserializeOwned;
use std::process::{Command, Stdio};

/// Of the machine that the targets are for.
const CORES: f64 = 2.0;
/// Sizes of the curves; the last is the one that has targets.
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

pub fn rows() -> Result<Measured> {
    let mut measured = Measured::default();
    store::rows(&mut measured, &apart(&["store"])?);
    measured.tell();
    changes::rows(&mut measured, &apart(&["push"])?, &apart(&["leave"])?);
    measured.tell();
    for size in SIZES {
        let reading: Reading = apart(&["at", &size.to_string()])?;
        points(&mut measured, size, &reading);
        if size == SIZES[SIZES.len() - 1] {
            at_the_largest(&mut measured, size, &reading, &apart(&["alone", &size.to_string()])?);
        }
        measured.tell();
    }
    Ok(measured)
}

/// Each size and the store have a process of their own, so that one's memory is not another's.
fn apart<T: DeserializeOwned>(arguments: &[&str]) -> Result<T> {
    let program = std::env::current_exe()?;
    let child = Command::new(program)
        .args([crate::process::ROLE, "scale"])
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(child.status.success(), "{arguments:?}: {}", child.status);
    serde_json::from_slice(&child.stdout).with_context(|| format!("what {arguments:?} answered"))
}

pub fn role(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match arguments[..] {
        ["store"] => serde_json::to_string(&store::read())?,
        ["push"] => serde_json::to_string(&changes::push())?,
        ["leave"] => serde_json::to_string(&changes::leave())?,
        ["at", size] => serde_json::to_string(&at::read(size.parse()?))?,
        ["alone", size] => serde_json::to_string(&at::alone(size.parse()?))?,
        _ => bail!("there is no role {arguments:?}"),
    };
    println!("{answer}");
    Ok(())
}

fn points(measured: &mut Measured, size: usize, reading: &Reading) {
    measured.point("memory of the fleet, twice as the store holds it", "MiB", size, reading.store_mib);
    measured.point("fleet status, p99", "ms", size, reading.status_p99_ms);
    measured.point("counting the fleet anew", "ms", size, reading.recount_ms);
    measured.point("plan of a rolling push to all", "ms", size, reading.plans.push_ms);
    measured.point("protective pass", "ms", size, reading.plans.protect_ms);
    measured.point("restart, until reads are served", "s", size, reading.reads_s);
    measured.point("restart, until all is observed", "s", size, reading.again.took_s);
    measured.point("quiet control plane", "% of a core", size, reading.quiet_percent);
}

fn at_the_largest(measured: &mut Measured, size: usize, reading: &Reading, alone: &Alone) {
    let at_most = |target: f64| (Better::Less, target);
    measured.row(
        &format!("fleet status at {size} instances, p99"),
        reading.status_p99_ms,
        "ms",
        at_most(5.0),
        format!("1000 times; counting anew instead takes {:.0} ms", reading.recount_ms),
    );
    let three = |plans: &Plans| {
        format!(
            "the longest of three, medians of 15: a rolling push to all, planned and looked over, {:.1} ms; a restart of \
             one provider's standbys {:.1} ms; what is due to protect them {:.1} ms",
            plans.push_ms, plans.restart_ms, plans.protect_ms
        )
    };
    measured.row(
        "… a planning pass over them",
        alone.plans.longest(),
        "ms",
        at_most(50.0),
        three(&alone.plans),
    );
    measured.row(
        "… a planning pass beside the heartbeats of them all",
        reading.plans.longest(),
        "ms",
        at_most(50.0),
        three(&reading.plans),
    );
    measured.row(
        &format!("restart with {size} instances, serving reads"),
        median(&alone.reads_s),
        "s",
        at_most(1.0),
        format!("from the database to the first status, median of 5; {:.0} MiB", reading.store_mib),
    );
    measured.row(
        "… full observed state",
        reading.again.took_s,
        "s",
        at_most(10.0),
        format!(
            "every node has shaken hands by the ticket that it was given before and has told what it runs, and it is durable; \
             {}",
            of_which(&reading.again)
        ),
    );
    measured.row(
        "… of which the control plane itself, in seconds of a core",
        reading.again.control_s - reading.again.handshakes_s,
        "s",
        at_most(10.0 * CORES),
        "both cores for the ten seconds; its ends of the handshakes, its reports and its store".to_owned(),
    );
    measured.row(
        "… full observed state, of nodes that hold no ticket",
        reading.first.took_s,
        "s",
        at_most(10.0),
        format!(
            "as after a day without a control plane, or a start of every machine: each node and the control plane prove their \
             keys; {}",
            of_which(&reading.first)
        ),
    );
    measured.row(
        &format!("controller at {size} nodes (mem), a heartbeat every 10 s each"),
        reading.quiet_percent,
        "% of a core",
        at_most(15.0),
        "a minute, 20 s after all were there; the hub, all reconcilers and the store, without the machines"
            .to_owned(),
    );
}

fn of_which(observed: &Observed) -> String {
    format!(
        "{:.1} s of a core in the control plane's threads, of which {:.1} s are the machines' ends of the handshakes, and \
         {:.1} s in the machines' own",
        observed.control_s, observed.handshakes_s, observed.machines_s
    )
}
