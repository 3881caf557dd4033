//! Somebody with the files edits the audit trail; `verify` says what was done and to which row.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Counting, entry, moment};
use gf_model::audit::row_hash;
use gf_store::{FINDINGS_LIMIT, FleetStore, Verification, What};
use rusqlite::{Connection, params};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A home with twelve rows, of which the fifth and the tenth are signed.
struct Trail {
    home: tempfile::TempDir,
}

impl Trail {
    async fn new() -> Self {
        let trail = Self { home: tempfile::tempdir().unwrap() };
        let store = trail.open();
        trail.add(&store, 12).await;
        store.close().await;
        trail
    }

    fn open(&self) -> FleetStore {
        FleetStore::open_home(self.home.path(), &Counting).unwrap()
    }

    async fn add(&self, store: &FleetStore, rows: u64) {
        for _ in 0..rows {
            let seq = store.update(|_, tx| tx.audit(entry("restart", "i-7f3a"))).await.unwrap();
            if seq % 5 == 0 {
                store.sign_head(moment(seq as i64)).await.unwrap().unwrap();
            }
        }
    }

    fn raw(&self) -> Connection {
        Connection::open(self.home.path().join("store/gatewayforge.db")).unwrap()
    }

    fn run(&self, sql: &str) {
        self.raw().execute_batch(sql).unwrap();
    }

    fn heads(&self) -> PathBuf {
        self.home.path().join("audit/heads.jsonl")
    }

    /// Opened anew, as after a night in which the machine was somebody else's.
    async fn verify(&self) -> Verification {
        let store = self.open();
        let verification = store.verify().await.unwrap();
        store.close().await;
        verification
    }

    async fn expect(&self, findings: &[(What, i64)]) {
        let verification = self.verify().await;
        let found: Vec<_> = verification.findings.iter().map(|f| (f.what, f.seq)).collect();
        assert_eq!(found, findings, "{:#?}", verification.findings);
    }

    /// Makes the chain fit again from a row on, as whoever knows how it is made can.
    fn hash_anew(&self, from: i64, to: i64) {
        let raw = self.raw();
        for seq in from..=to {
            let find =
                "SELECT a.entry_json, b.hash FROM audit a JOIN audit b ON b.seq = a.seq - 1 WHERE a.seq = ?1";
            let (entry, previous): (String, String) =
                raw.query_row(find, [seq], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            let hash = row_hash(seq as u64, &previous, &entry);
            raw.execute(
                "UPDATE audit SET previous = ?1, hash = ?2 WHERE seq = ?3",
                params![previous, hash, seq],
            )
            .unwrap();
        }
    }
}

const EDIT: &str = "UPDATE audit SET entry_json = replace(entry_json, 'i-7f3a', 'i-0000') WHERE seq = 4;
     UPDATE audit_targets SET target = 'i-0000' WHERE seq = 4;";

#[tokio::test]
async fn an_untouched_trail_is_whole() {
    let trail = Trail::new().await;
    let verification = trail.verify().await;
    assert_eq!(verification.findings, []);
    assert_eq!((verification.rows, verification.last_seq), (12, 12));
    assert_eq!((verification.signed_heads, verification.signed_up_to), (2, 10));
}

#[tokio::test]
async fn a_changed_row() {
    let trail = Trail::new().await;
    trail.run(EDIT);
    trail.expect(&[(What::Changed, 4)]).await;
}

#[tokio::test]
async fn a_changed_row_with_a_hash_that_fits_it() {
    let trail = Trail::new().await;
    trail.run(EDIT);
    trail.hash_anew(4, 4);
    trail.expect(&[(What::Changed, 4)]).await;
}

#[tokio::test]
async fn a_changed_row_and_a_whole_chain_written_anew() {
    let trail = Trail::new().await;
    trail.run(EDIT);
    trail.hash_anew(4, 12);
    // Both signed rows are others now: the rows up to the fifth, and those from there to the tenth.
    trail.expect(&[(What::Changed, 1), (What::Changed, 6)]).await;
}

#[tokio::test]
async fn a_row_that_is_only_hidden_from_searches() {
    for hide in [
        "UPDATE audit SET actor = 'somebody' WHERE seq = 4",
        "UPDATE audit SET action = 'noted' WHERE seq = 4",
        "UPDATE audit SET at = at + 1 WHERE seq = 4",
        "DELETE FROM audit_targets WHERE seq = 4",
    ] {
        let trail = Trail::new().await;
        trail.run(hide);
        trail.expect(&[(What::Changed, 4)]).await;
    }
}

#[tokio::test]
async fn missing_rows() {
    let trail = Trail::new().await;
    trail.run("DELETE FROM audit WHERE seq IN (4, 7, 8)");
    trail.expect(&[(What::Missing, 4), (What::Missing, 7)]).await;
}

#[tokio::test]
async fn missing_rows_whose_gap_was_closed() {
    let trail = Trail::new().await;
    trail.run("DELETE FROM audit WHERE seq IN (4, 5); DELETE FROM audit_targets WHERE seq IN (4, 5)");
    shift(&trail, 6, -2);
    let verification = trail.verify().await;
    assert_eq!(verification.findings[0].what, What::Missing, "{:#?}", verification.findings);
    assert_eq!(verification.findings[0].seq, 4);
    assert_eq!(verification.findings.len(), 1);
}

#[tokio::test]
async fn an_inserted_row() {
    let trail = Trail::new().await;
    shift(&trail, 4, 1);
    trail.run(
        "INSERT INTO audit SELECT 4, entry_json, previous, hash, at, actor, action FROM audit WHERE seq = 3;
         INSERT INTO audit_targets SELECT target, 4 FROM audit_targets WHERE seq = 3;",
    );
    trail.hash_anew(4, 4);
    trail.expect(&[(What::Inserted, 4)]).await;
}

#[tokio::test]
async fn a_row_before_the_first() {
    let trail = Trail::new().await;
    trail.run(
        "INSERT INTO audit SELECT 0, entry_json, previous, hash, at, actor, action FROM audit WHERE seq = 3",
    );
    trail.expect(&[(What::Inserted, 0)]).await;
}

#[tokio::test]
async fn a_row_added_at_the_end_of_a_running_control_planes_trail() {
    let trail = Trail::new().await;
    let store = trail.open();
    trail.run(
        "INSERT INTO audit SELECT 13, entry_json, previous, hash, at, actor, action FROM audit WHERE seq = 12;
         INSERT INTO audit_targets SELECT target, 13 FROM audit_targets WHERE seq = 12;",
    );
    trail.hash_anew(13, 13);
    let verification = store.verify().await.unwrap();
    let found: Vec<_> = verification.findings.iter().map(|f| (f.what, f.seq)).collect();
    assert_eq!(found, [(What::Inserted, 13)]);
    // What does not follow from its own last row is never built upon.
    let refused = store.update(|_, tx| tx.audit(entry("restart", "i-7f3a"))).await.unwrap_err();
    assert!(refused.to_string().contains("row 13 does not follow row 13"), "{refused}");
    store.close().await;
}

#[tokio::test]
async fn a_tail_cut_below_the_last_signature() {
    let trail = Trail::new().await;
    trail.run("DELETE FROM audit WHERE seq >= 9");
    trail.expect(&[(What::CutTail, 9)]).await;
}

#[tokio::test]
async fn an_emptied_trail() {
    let trail = Trail::new().await;
    trail.run("DELETE FROM audit");
    trail.expect(&[(What::CutTail, 1)]).await;
}

#[tokio::test]
async fn a_tail_cut_and_then_written_on() {
    let trail = Trail::new().await;
    trail.run("DELETE FROM audit WHERE seq >= 9; DELETE FROM audit_targets WHERE seq >= 9;");
    let store = trail.open();
    // Other rows now stand where the cut ones stood.
    for _ in 0..6 {
        store.update(|_, tx| tx.audit(entry("noted", "i-7f3a"))).await.unwrap();
    }
    store.close().await;
    trail.expect(&[(What::Changed, 6)]).await;
}

#[tokio::test]
async fn an_unsigned_tail_cut_under_a_running_control_plane() {
    let trail = Trail::new().await;
    let store = trail.open();
    trail.run("DELETE FROM audit WHERE seq >= 12");
    let verification = store.verify().await.unwrap();
    let found: Vec<_> = verification.findings.iter().map(|f| (f.what, f.seq)).collect();
    assert_eq!(found, [(What::CutTail, 12)]);
    store.close().await;
}

#[tokio::test]
async fn an_unsigned_end_changed_under_a_running_control_plane() {
    let trail = Trail::new().await;
    let store = trail.open();
    trail.run("UPDATE audit SET entry_json = replace(entry_json, 'test', 'nobody'), actor = 'nobody' WHERE seq = 12");
    trail.hash_anew(12, 12);
    let verification = store.verify().await.unwrap();
    let found: Vec<_> = verification.findings.iter().map(|f| (f.what, f.seq)).collect();
    assert_eq!(found, [(What::Changed, 12)]);
    store.close().await;
}

#[tokio::test]
async fn a_forged_and_a_garbled_signature() {
    let trail = Trail::new().await;
    let heads = fs::read_to_string(trail.heads()).unwrap();
    // The signed time of the first head is moved; a line of noise follows.
    let forged = heads.replacen("03:20:05", "03:20:06", 1).replacen("08:00:05", "08:00:06", 1);
    assert_ne!(forged, heads);
    fs::write(trail.heads(), format!("{forged}noise\n")).unwrap();
    trail.expect(&[(What::BadSignature, 5), (What::BadSignature, 0)]).await;
}

#[tokio::test]
async fn a_trail_that_was_spoilt_throughout_is_told_briefly() {
    let trail = Trail { home: tempfile::tempdir().unwrap() };
    let store = trail.open();
    trail.add(&store, 300).await;
    store.close().await;
    trail.run("UPDATE audit SET hash = 'x'");
    let verification = trail.verify().await;
    assert_eq!(verification.findings.len(), FINDINGS_LIMIT);
    assert!(verification.findings_total >= 300);
}

#[tokio::test]
async fn a_lost_key_is_not_replaced_silently() {
    let trail = Trail::new().await;
    fs::remove_file(trail.home.path().join("keys/audit.key")).unwrap();
    let refused = FleetStore::open_home(trail.home.path(), &Counting).err().unwrap();
    assert!(refused.to_string().contains("audit.key"), "{refused}");
    assert!(!trail.home.path().join("keys/audit.key").exists());
}

#[tokio::test]
async fn half_a_line_of_a_crash_is_dropped() {
    let trail = Trail::new().await;
    let heads = fs::read_to_string(trail.heads()).unwrap();
    fs::write(trail.heads(), format!("{heads}{{\"seq\":12,\"ha")).unwrap();
    trail.expect(&[]).await;
    assert_eq!(fs::read_to_string(trail.heads()).unwrap(), heads);
}

#[tokio::test]
async fn heads_are_signed_when_they_are_due() {
    let trail = Trail { home: tempfile::tempdir().unwrap() };
    let store = trail.open();
    let sign = async |second| store.sign_head_if_due(moment(second)).await.unwrap().map(|head| head.seq);
    let add = async |rows: u64| {
        for _ in 0..rows {
            store.update(|_, tx| tx.audit(entry("restart", "i-7f3a"))).await.unwrap();
        }
    };
    assert_eq!(sign(0).await, None, "there is nothing to sign");
    add(1).await;
    assert_eq!(sign(0).await, Some(1));
    assert_eq!(sign(1000).await, None, "it is signed already");
    add(1).await;
    assert_eq!(sign(59).await, None, "neither enough rows nor enough time");
    assert_eq!(sign(60).await, Some(2));
    add(200).await;
    assert_eq!(sign(61).await, Some(202));
    store.close().await;
    assert_private(&trail.heads());
    assert_private(&trail.home.path().join("keys/audit.key"));
    assert_private(&trail.home.path().join("store/gatewayforge.db"));
}

fn assert_private(path: &Path) {
    use std::os::unix::fs::MetadataExt;
    assert_eq!(fs::metadata(path).unwrap().mode() & 0o077, 0, "{} is open to others", path.display());
}

/// Renumbers all rows from one on.
fn shift(trail: &Trail, from: i64, by: i64) {
    // Through negative numbers, because numbers are unique at every moment.
    trail.run(&format!(
        "UPDATE audit SET seq = -(seq + {by}) WHERE seq >= {from};
         UPDATE audit SET seq = -seq WHERE seq < 0;
         UPDATE audit_targets SET seq = -(seq + {by}) WHERE seq >= {from};
         UPDATE audit_targets SET seq = -seq WHERE seq < 0;"
    ));
}
