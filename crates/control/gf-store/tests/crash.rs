//! A control plane that is killed in the middle of its commits has lost nothing that it acknowledged.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Counting, account, entry, moment, once};
use gf_store::{AuditQuery, FleetStore};
use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

const HOME: &str = "GF_STORE_CRASH_HOME";
const ME: &str = "what_was_acknowledged_outlives_a_kill";

/// Both the one who kills and, executed again with a home, the one who is killed.
#[test]
fn what_was_acknowledged_outlives_a_kill() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    if let Ok(home) = env::var(HOME) {
        runtime.block_on(write_until_killed(Path::new(&home)));
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeMap::new();
    for acks_until_the_kill in [1, 40, 97, 260, 13, 151] {
        acknowledged.extend(kill_after(home.path(), acks_until_the_kill));
        runtime.block_on(check(home.path(), &acknowledged));
    }
}

async fn write_until_killed(home: &Path) {
    let store = FleetStore::open_home(home, &Counting).unwrap();
    let round = store.generation();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for turn in 0_u64.. {
                    let key = format!("{round}.{writer}.{turn}");
                    let seq = store
                        .update(|_, tx| {
                            let seq = tx.audit(entry("counted", "acct-0001"));
                            tx.put(once(key.clone(), seq));
                            tx.put(account(seq % 7));
                            seq
                        })
                        .await
                        .unwrap();
                    if seq % 20 == 0 {
                        store.sign_head(moment(seq as i64)).await.unwrap();
                    }
                    // One write per line: a line that arrives is whole.
                    std::io::stdout().write_all(format!("ack {key} {seq}\n").as_bytes()).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

fn kill_after(home: &Path, acks: usize) -> BTreeMap<String, u64> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args([ME, "--exact", "--nocapture"])
        .env(HOME, home)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BTreeMap::new();
    let mut killed = false;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // The test harness may print before the first line without ending its own.
        let Some((_, ack)) = line.split_once("ack ") else { continue };
        let (key, seq) = ack.split_once(' ').unwrap();
        told.insert(key.to_owned(), seq.parse().unwrap());
        if told.len() >= acks && !killed {
            child.kill().unwrap();
            killed = true;
        }
    }
    child.wait().unwrap();
    assert!(killed, "it ended by itself after {} acknowledgements", told.len());
    told
}

async fn check(home: &Path, acknowledged: &BTreeMap<String, u64>) {
    let store = FleetStore::open_home(home, &Counting).unwrap();
    let verification = store.verify().await.unwrap();
    assert_eq!(verification.findings, []);
    store.read(|fleet| {
        for (key, seq) in acknowledged {
            let kept = fleet.once.get(key).unwrap_or_else(|| panic!("{key} was acknowledged and is gone"));
            assert_eq!(kept.answer, *seq);
            assert!(*seq <= verification.last_seq as u64);
        }
        // Whole transactions only: each kept object has its row, and each row its object.
        assert_eq!(fleet.once.len(), verification.last_seq as usize);
    });
    let rows = store.audit(AuditQuery { limit: Some(1), ..AuditQuery::default() }).await.unwrap();
    assert_eq!(rows[0].seq, verification.rows);
    store.close().await;
}
