//! How many transactions per second become durable, alone and with many callers, as JSON lines.
//!
//! `cargo run --release -p gf-store --example commit_rate [DIRECTORY] [SECONDS]`

use gf_model::{
    Timestamp,
    audit::{AuditEntry, AuditPhase},
    fleet::Once,
    person::Principal,
};
use gf_store::{FleetStore, SqliteBackend, StoreOptions};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds = arguments.next().map_or(Ok(3.0), |text| text.parse::<f64>())?;
    for callers in [1, 8, 64] {
        let database = directory.join(format!("commit-rate-{}/gatewayforge.db", std::process::id()));
        let outcome = measure(&database, callers, Duration::from_secs_f64(seconds)).await;
        if let Some(made) = database.parent() {
            std::fs::remove_dir_all(made)?;
        }
        println!("{}", outcome?);
    }
    Ok(())
}

async fn measure(database: &Path, callers: u64, span: Duration) -> Result<serde_json::Value, Failure> {
    let store = FleetStore::open(Arc::new(SqliteBackend::open(database)?), StoreOptions::default())?;
    let start = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let store = store.clone();
            tokio::spawn(async move {
                while start.elapsed() < span {
                    store
                        .update(|_, tx| {
                            let seq = tx.audit(row(caller));
                            let key = format!("caller-{caller}");
                            tx.put(Once { key, at: Timestamp::UNIX_EPOCH, answer: json!(seq) });
                        })
                        .await?;
                }
                Ok::<(), Failure>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    let elapsed = start.elapsed().as_secs_f64();
    let commits = store.audit_head().seq;
    let whole = store.verify().await?.is_whole();
    store.close().await;
    Ok(json!({
        "what": "durable commits",
        "callers": callers,
        "commits": commits,
        "seconds": elapsed,
        "perSecond": (commits as f64 / elapsed).round(),
        "chainIsWhole": whole,
    }))
}

fn row(caller: u64) -> AuditEntry {
    AuditEntry {
        at: Timestamp::UNIX_EPOCH,
        principal: Principal::Service("bench".into()),
        action: "counted".into(),
        phase: AuditPhase::Noted,
        targets: vec![format!("acct-{caller:04}")],
        operation: None,
        approval: None,
        plan_hash: None,
        trace: None,
        detail: json!({ "note": "as long as an ordinary row of the trail is, more or less" }),
    }
}
