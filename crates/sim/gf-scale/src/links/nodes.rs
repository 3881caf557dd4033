//! A process of nodes on real sockets, apart from the control plane's: `up`, `drop` and `attempts` can be asked of it.

use super::{
    nats,
    socket::{Counts, Target, keep},
};
use anyhow::{Context, Result, bail};
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::sync::watch;

const LOOK_EVERY: Duration = Duration::from_millis(5);
/// So long they may take to be in, or a bench ends.
const PATIENCE: Duration = Duration::from_secs(300);

pub fn role(kind: &str, at: &str, first: u32, count: u32) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let at = at.parse().context("where the control plane listens")?;
        if kind == "nats" {
            return nats::respond(at, count).await;
        }
        let target = Target { at, encrypted: kind == "tls" };
        let (counts, rounds) = (Arc::new(Counts::default()), watch::Sender::new(0));
        for nth in first..first + count {
            tokio::spawn(keep(nth, target, Arc::clone(&counts), rounds.subscribe()));
        }
        super::answer_lines(async |question| match question {
            // Seconds until all are in.
            "up" => Ok(all_are_in(&counts, count as usize).await?.as_secs_f64().to_string()),
            // All lose their network at the same moment; seconds until all are in again.
            "drop" => {
                rounds.send_modify(|round| *round += 1);
                while counts.up.load(Ordering::Acquire) == count as usize {
                    tokio::task::yield_now().await;
                }
                Ok(all_are_in(&counts, count as usize).await?.as_secs_f64().to_string())
            }
            "attempts" => Ok(counts.attempts.load(Ordering::Relaxed).to_string()),
            other => bail!("nodes cannot {other:?}"),
        })
        .await
    })
}

async fn all_are_in(counts: &Counts, count: usize) -> Result<Duration> {
    let began = Instant::now();
    while counts.up.load(Ordering::Acquire) < count {
        let up = counts.up.load(Ordering::Acquire);
        anyhow::ensure!(began.elapsed() < PATIENCE, "only {up} of {count} were let in within {PATIENCE:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(began.elapsed())
}
