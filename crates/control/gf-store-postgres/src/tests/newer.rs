//! A database that a newer version of the program has written to, as that one would: at its start, and while this one follows.

use super::{
    Cluster, backend,
    contract::Database,
    follow::{following, reaches},
    open, store,
};
use futures_util::StreamExt;
use gf_store::{
    Backend, FleetStore, SCHEMA, StoreError, StoreOptions, Written,
    contract::{
        Place, Raw, a_newer_one_that_changed_is_refused_with_the_way_back, account,
        one_of_the_first_version_is_taken_over_as_it_is, what_a_newer_version_only_added_is_kept,
    },
};
use serde_json::{Value, json};
use std::sync::Arc;

struct Known<'a> {
    cluster: &'a Cluster,
    name: &'static str,
}

impl Known<'_> {
    fn sql(&self, sql: &str) -> String {
        self.cluster.sql(self.name, &format!("SET search_path = gatewayforge; {sql}"))
    }

    fn url(&self) -> String {
        self.cluster.url(self.name)
    }
}

impl Place for Known<'_> {
    fn open(&self) -> Arc<dyn Backend> {
        Database(self.url()).open()
    }
}

impl Raw for Known<'_> {
    fn refusal(&self) -> StoreError {
        open(&self.url()).err().unwrap()
    }

    fn stored(&self, kind: &str, id: &str) -> Option<Value> {
        let found = self.sql(&format!("SELECT json FROM objects WHERE kind = '{kind}' AND id = '{id}'"));
        (!found.is_empty()).then(|| serde_json::from_str(&found).unwrap())
    }

    fn lay(&self, kind: &str, id: &str, record: &Value) {
        self.sql(&format!(
            "INSERT INTO objects VALUES ('{kind}', '{id}', $record${record}$record$)
             ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json"
        ));
    }

    fn say(&self, written: Written) {
        let from = written.from.map_or("NULL".to_owned(), |from| from.to_string());
        self.sql(&format!("UPDATE control SET schema = {}, schema_from = {from}", written.schema));
    }

    fn schema(&self) -> u64 {
        self.sql("SELECT schema FROM control").parse().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_newer_version_only_added_is_kept_and_what_it_changed_is_refused() {
    let cluster = Cluster::start();
    let [added, changed, first] = ["added", "changed", "first"].map(|name| {
        cluster.database(name);
        Known { cluster: &cluster, name }
    });
    let copies = tempfile::tempdir().unwrap();
    what_a_newer_version_only_added_is_kept(&added, copies.path()).await;
    a_newer_one_that_changed_is_refused_with_the_way_back(&changed).await;
    one_of_the_first_version_is_taken_over_as_it_is(&first).await;
}

/// The newer one leads, writes what is not known here, and goes: this one reads past that and takes over without losing it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_of_a_newer_leader_reads_past_what_it_added_and_takes_over() {
    let cluster = Cluster::start();
    cluster.database("fleet");
    let fleet = Known { cluster: &cluster, name: "fleet" };
    let leader = store(&fleet.url());
    leader.update(|_, tx| tx.put(account(1))).await.unwrap();
    let (follower, leading) = following(&backend(&fleet.url()));
    reaches(&follower, &leader).await;

    fleet.say(Written { schema: SCHEMA + 1, from: Some(SCHEMA) });
    let mut later = fleet.stored("Account", "acct-0001").unwrap();
    later["value"]["nickname"] = json!("Ada");
    later["value"]["createdAt"] = json!("2030-01-01T00:00:00Z");
    fleet.lay("Account", "acct-0001", &later);
    fleet.lay("Contract", "c-1", &json!({"kind": "contract", "value": {"id": "c-1"}}));
    let mut commits = follower.subscribe();
    let keys = json!([{"kind": "contract", "id": "c-1"}, {"kind": "account", "id": "acct-0001"}]);
    fleet.sql(&format!(
        "INSERT INTO log VALUES (2, '{keys}', 0, 0); UPDATE control SET number = 2; NOTIFY gatewayforge_log"
    ));
    let told = commits.next().await.unwrap();
    assert_eq!((told.number, told.missed, told.keys.len()), (2, false, 1), "nothing had to be read anew");
    let named = follower.read(|fleet| fleet.accounts[&account(1).id].created_at.to_string());
    assert_eq!(named, "2030-01-01T00:00:00Z");

    leader.close().await;
    assert_eq!(leading.await.unwrap().unwrap(), 2);
    follower.update(|_, tx| tx.put(account(1))).await.unwrap();
    let kept = fleet.stored("Account", "acct-0001").unwrap();
    assert_eq!(kept["value"]["nickname"], json!("Ada"));
    assert!(fleet.stored("Contract", "c-1").is_some());
    follower.close().await;
    let again = FleetStore::open(backend(&fleet.url()), StoreOptions::default()).unwrap();
    again.close().await;
}
