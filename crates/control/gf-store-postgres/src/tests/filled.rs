//! A copy that was made while others write, put back into another database.

use super::{backend, server, store};
use gf_model::fleet::Once;
use gf_store::{
    AuditQuery, CopyNote, FleetStore, StoreError, StoreOptions,
    contract::{account, entry, moment},
    unpack,
};
use serde_json::json;
use std::collections::BTreeMap;

async fn write(store: &FleetStore, number: u32) {
    let decided = store.update(|_, tx| {
        tx.audit(entry("provision", "nul \0 and \\0", i64::from(number)));
        tx.put(account(number));
        tx.put(Once { key: format!("nul \0 {number}"), at: moment(0), answer: json!("x\0y") });
        tx.put_sealed(format!("fleet/nul \0/{number}"), format!("sealed \0 {number}"));
    });
    decided.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_put_into_an_empty_database_and_into_no_other() {
    let (cluster, url) = server();
    let leader = store(&url);
    for number in 0..5 {
        write(&leader, number).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let (copy, file) = (directory.path().join("copy"), directory.path().join("fleet.db"));
    let note = CopyNote { made_at: moment(9), program: "0.0.0".to_owned(), keys: BTreeMap::new() };
    let (copied, ()) = tokio::join!(leader.back_up(copy.clone(), note), async {
        for number in 5..40 {
            write(&leader, number).await;
        }
    });
    let copied = copied.unwrap();
    unpack(&copy, &file, &directory.path().join("heads"), moment(10)).unwrap();

    let keys = BTreeMap::from([("master.key".to_owned(), "ab12".to_owned())]);
    let into = cluster.database("restored");
    let restored = backend(&into);
    assert!(restored.is_empty().unwrap());
    restored.fill(&file, keys.clone()).unwrap();
    assert_eq!((restored.is_empty().unwrap(), restored.fingerprints().unwrap()), (false, keys.clone()));
    let store = FleetStore::open(restored, StoreOptions::default()).unwrap();
    assert_eq!((store.read(Clone::clone), store.position().number), (copied.fleet, copied.number));
    assert!(
        store.generation() > leader.generation() + 1_000_000,
        "an old leader is refused by who heard of this one"
    );
    assert!(store.verify().await.unwrap().is_whole());
    let many = copied.trail.rows;
    let found =
        AuditQuery { target: Some("nul \0 and \\0".into()), limit: Some(500), ..AuditQuery::default() };
    assert_eq!(store.audit(found).await.unwrap().len() as u64, many, "rows are found by what they name");
    assert_eq!(store.sealed("fleet/nul \0/").await.unwrap().len() as u64, many);
    write(&store, 99).await;
    store.close().await;

    for taken in [&url, &into] {
        let rows = |name: &str| cluster.sql(name, "SELECT count(*) FROM gatewayforge.audit");
        let before = (rows("fleet"), rows("restored"));
        let refused = backend(taken).fill(&file, keys.clone()).unwrap_err();
        assert!(
            matches!(&refused, StoreError::Unfit { why, .. } if why.contains("CREATE DATABASE")),
            "{refused}"
        );
        assert_eq!((rows("fleet"), rows("restored")), before);
    }
    leader.close().await;
}
