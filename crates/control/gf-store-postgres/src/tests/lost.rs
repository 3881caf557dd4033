//! A connection or a server that is lost: what is known of the change, and that nobody is told more than that.
//!
//! A commit is held up in its middle by what another session of the same server does, for as long as a test needs.

use super::{Cluster, OPTIONS, server, wire::Wire};
use crate::{Address, PostgresBackend, PostgresOptions};
use gf_store::{
    AuditQuery, FleetStore, StoreError, StoreOptions,
    contract::{account, entry},
};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinHandle;

/// Waits at the very end of a transaction, when `COMMIT` has been asked for, for as long as somebody holds a lock.
const AT_COMMIT: &str = "
CREATE FUNCTION public.gate() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0
  AS $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON gatewayforge.objects DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION public.gate()";

const STALLED: &str =
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'gatewayforge' AND wait_event_type = 'Lock'";

/// A session that holds something until it is dropped.
pub struct Holding(Child);

impl Drop for Holding {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

pub fn hold(cluster: &Cluster, sql: &str) -> Holding {
    let mut psql = cluster.psql("fleet").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    writeln!(psql.stdin.as_mut().unwrap(), "BEGIN; {sql};\n\\echo held").unwrap();
    let told = BufReader::new(psql.stdout.take().unwrap()).lines().any(|line| line.unwrap() == "held");
    assert!(told, "{sql}");
    Holding(psql)
}

fn store_with(url: &str, options: PostgresOptions) -> FleetStore {
    let backend = PostgresBackend::open(Address::parse(url).unwrap(), "a test".to_owned(), options).unwrap();
    FleetStore::open(Arc::new(backend), StoreOptions::default()).unwrap()
}

type Written = JoinHandle<Result<u64, Arc<StoreError>>>;

/// A transaction with an audit row and an object.
fn write(store: &FleetStore, number: u32) -> Written {
    let store = store.clone();
    tokio::spawn(async move {
        let both = store.update(|_, tx| {
            tx.put(account(number));
            tx.audit(entry("provision", "acct-0001", i64::from(number)))
        });
        both.await
    })
}

/// The session of the control plane that waits, once it does.
pub fn stalled(cluster: &mut Cluster) -> String {
    let mut pid = String::new();
    cluster.until("the control plane waits", |cluster| {
        pid = cluster.sql("fleet", STALLED);
        !pid.is_empty()
    });
    pid
}

fn terminate(cluster: &mut Cluster, pid: &str) {
    cluster.sql("fleet", &format!("SELECT pg_terminate_backend({pid})"));
    let gone = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
    cluster.until("the session is over", |cluster| cluster.sql("fleet", &gone) == "0");
}

fn counted(cluster: &Cluster) -> String {
    let sql = "SELECT (SELECT count(*) FROM gatewayforge.objects), (SELECT count(*) FROM gatewayforge.audit), number FROM gatewayforge.control";
    cluster.sql("fleet", sql)
}

/// The store goes on, shows what is stored, and its trail has no gap.
async fn goes_on(cluster: &Cluster, store: &FleetStore, rows: u64) {
    let seq = write(store, 9).await.unwrap().unwrap();
    assert_eq!(seq, rows + 1, "no number is left out");
    let stored = store.read(|fleet| fleet.accounts.len());
    assert_eq!(counted(cluster), format!("{stored}|{seq}|{seq}"));
    assert!(store.verify().await.unwrap().is_whole());
    store.close().await;
}

/// One server for all of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_loses_a_connection_is_told_what_is_known() {
    let mut cluster = Cluster::start();
    a_connection_that_ends_before_the_commit_has_changed_nothing(&mut cluster).await;
    a_connection_that_ends_in_a_commit_is_asked_about_and_known_to_have_changed_nothing(&mut cluster).await;
    a_commit_that_was_kept_though_its_answer_was_lost_is_found(&mut cluster).await;
}

/// An empty database in the place of the last one.
fn anew(cluster: &Cluster) -> String {
    cluster.sql("postgres", "DROP DATABASE IF EXISTS fleet WITH (FORCE)");
    cluster.database("fleet")
}

async fn a_connection_that_ends_before_the_commit_has_changed_nothing(cluster: &mut Cluster) {
    let url = anew(cluster);
    let store = store_with(&url, OPTIONS);
    write(&store, 1).await.unwrap().unwrap();
    let held = hold(cluster, "LOCK TABLE gatewayforge.objects IN SHARE MODE");
    let written = write(&store, 2);
    let pid = stalled(cluster);
    terminate(cluster, &pid);
    let error = written.await.unwrap().unwrap_err();
    assert!(matches!(*error, StoreError::Cut { .. }) && !error.may_have_happened(), "{error}");
    assert!(error.to_string().contains("nothing was changed"), "{error}");
    drop(held);
    assert_eq!(counted(cluster), "1|1|1");
    assert_eq!(store.read(|fleet| fleet.accounts.len()), 1);
    goes_on(cluster, &store, 1).await;
}

async fn a_connection_that_ends_in_a_commit_is_asked_about_and_known_to_have_changed_nothing(
    cluster: &mut Cluster,
) {
    let url = anew(cluster);
    let store = store_with(&url, OPTIONS);
    write(&store, 1).await.unwrap().unwrap();
    cluster.sql("fleet", AT_COMMIT);
    let held = hold(cluster, "SELECT pg_advisory_xact_lock(42)");
    let written = write(&store, 2);
    let pid = stalled(cluster);
    assert_eq!(
        cluster.sql("fleet", &format!("SELECT query FROM pg_stat_activity WHERE pid = {pid}")),
        "COMMIT"
    );
    terminate(cluster, &pid);
    let error = written.await.unwrap().unwrap_err();
    assert!(matches!(*error, StoreError::Cut { .. }), "{error}");
    drop(held);
    assert_eq!(counted(cluster), "1|1|1");
    goes_on(cluster, &store, 1).await;
}

/// The server keeps a commit, waits for a replica before it says so, and the session ends meanwhile.
async fn a_commit_that_was_kept_though_its_answer_was_lost_is_found(cluster: &mut Cluster) {
    let url = anew(cluster);
    // Nothing but the write may come to wait for that replica.
    let store = store_with(&url, PostgresOptions { lease: Duration::from_secs(3600), ..OPTIONS });
    write(&store, 1).await.unwrap().unwrap();
    cluster.sql("fleet", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    cluster.sql("fleet", "SELECT pg_reload_conf()");
    let waiting = |who: &str| {
        format!(
            "SELECT pid FROM pg_stat_activity WHERE application_name = '{who}' AND wait_event = 'SyncRep'"
        )
    };
    // The server takes the setting over in its own time: it has when somebody else waits.
    let mut probe: Option<Child> = None;
    let mut probes = 0;
    cluster.until("commits wait for a replica", |cluster| {
        if probe.as_mut().is_none_or(|probe| probe.try_wait().unwrap().is_some()) {
            probes += 1;
            let sql = format!("CREATE TABLE public.probe_{probes} ()");
            probe =
                Some(cluster.psql("fleet").args(["--command", &sql]).stderr(Stdio::null()).spawn().unwrap());
        }
        !cluster.sql("fleet", &waiting("psql")).is_empty()
    });
    let pid = cluster.sql("fleet", &waiting("psql"));
    terminate(cluster, &pid);
    probe.unwrap().wait().unwrap();

    let written = write(&store, 2);
    let mut pid = String::new();
    cluster.until("the control plane waits", |cluster| {
        pid = cluster.sql("fleet", &waiting("gatewayforge"));
        !pid.is_empty()
    });
    assert!(!written.is_finished());
    terminate(cluster, &pid);
    cluster.sql("fleet", "ALTER SYSTEM RESET synchronous_standby_names");
    cluster.sql("fleet", "SELECT pg_reload_conf()");
    assert_eq!(written.await.unwrap().unwrap(), 2, "it was kept, and whoever asked is told so");
    assert_eq!(store.read(|fleet| fleet.accounts.len()), 2);
    goes_on(cluster, &store, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_in_a_commit_leaves_it_uncertain_until_it_answers_again() {
    let (mut cluster, url) = server();
    let store = store_with(&url, OPTIONS);
    write(&store, 1).await.unwrap().unwrap();
    cluster.sql("fleet", AT_COMMIT);
    let held = hold(&cluster, "SELECT pg_advisory_xact_lock(42)");
    let written = write(&store, 2);
    stalled(&mut cluster);
    cluster.stop();
    let error = written.await.unwrap().unwrap_err();
    assert!(matches!(*error, StoreError::Uncertain { .. }) && error.may_have_happened(), "{error}");
    assert!(!error.to_string().contains("nothing was changed"), "{error}");
    drop(held);

    let away = write(&store, 3).await.unwrap().unwrap_err();
    assert!(matches!(*away, StoreError::Away { .. }), "{away}");
    assert_eq!(store.read(|fleet| fleet.accounts.len()), 1, "it reads on");
    cluster.start_again();
    goes_on(&cluster, &store, 1).await;
}

/// The network is cut in a commit, and the server keeps it later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_decided_on_a_commit_that_is_still_under_way() {
    let (mut cluster, _) = server();
    let wire = Wire::lay(&cluster);
    let locks = Duration::from_secs(1);
    let store = store_with(&wire.url("fleet"), PostgresOptions { locks, ..OPTIONS });
    write(&store, 1).await.unwrap().unwrap();
    cluster.sql("fleet", AT_COMMIT);
    let held = hold(&cluster, "SELECT pg_advisory_xact_lock(42)");
    let written = write(&store, 2);
    stalled(&mut cluster);
    wire.cut();
    let error = written.await.unwrap().unwrap_err();
    assert!(matches!(*error, StoreError::Uncertain { .. }), "{error}");
    wire.mend();
    let busy = write(&store, 3).await.unwrap().unwrap_err();
    assert!(matches!(*busy, StoreError::Busy { .. }), "{busy}");
    drop(held);
    let over = "SELECT count(*) FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'";
    cluster.until("the commit is over", |cluster| cluster.sql("fleet", over) == "0");
    assert_eq!(counted(&cluster), "2|2|2", "it was kept after all");
    let seq = write(&store, 4).await.unwrap().unwrap();
    assert_eq!((seq, store.read(|fleet| fleet.accounts.len())), (3, 3), "and is seen");
    goes_on(&cluster, &store, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_the_servers_crash() {
    let (mut cluster, url) = server();
    let store = store_with(&url, OPTIONS);
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let writers: Vec<JoinHandle<()>> = (0..8)
        .map(|_| {
            let (store, tell) = (store.clone(), tell.clone());
            tokio::spawn(async move {
                // Until the server is gone.
                while let Ok(seq) = write(&store, 1).await.unwrap() {
                    let _ = tell.send(seq);
                }
            })
        })
        .collect();
    drop(tell);
    let mut acknowledged = Vec::new();
    while acknowledged.len() < 200 {
        acknowledged.push(told.recv().await.unwrap());
    }
    cluster.stop();
    while let Some(seq) = told.recv().await {
        acknowledged.push(seq);
    }
    for writer in writers {
        writer.await.unwrap();
    }
    cluster.start_again();
    let newest = *acknowledged.iter().max().unwrap();
    let next = write(&store, 2).await.unwrap().unwrap();
    assert!(next > newest, "{next} comes after all that was acknowledged, the last of it {newest}");
    let rows = store.audit(AuditQuery { limit: Some(1), ..AuditQuery::default() }).await.unwrap();
    assert_eq!(rows[0].seq, next);
    assert!(store.verify().await.unwrap().is_whole(), "no row is missing");
    store.close().await;
}
