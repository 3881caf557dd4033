//! Servers and databases that a control plane must not use, and how it says so.

use super::{Cluster, OPTIONS, backend, open, store};
use crate::{
    Address, PostgresBackend, PostgresOptions,
    schema::{Server, unfit},
};
use gf_store::{Backend, StoreError};
use std::{os::unix::net::UnixListener, time::Duration};

fn refusal(url: &str) -> StoreError {
    open(url).err().unwrap()
}

fn said(url: &str) -> String {
    refusal(url).to_string()
}

/// One server for all of it, each with a database of its own; the last one stops it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_is_refused() {
    let mut cluster = Cluster::start();
    tables_are_made_once_by_all_who_come_at_once(&cluster);
    tables_of_the_first_version_are_brought_up_and_too_new_ones_are_refused(&cluster).await;
    a_newer_a_foreign_and_a_damaged_database_are_refused_and_left_as_they_are(&cluster).await;
    a_server_that_would_lose_what_it_acknowledged_is_refused(&mut cluster);
    a_server_that_is_away_or_lets_nobody_in_is_named(&mut cluster);
}

async fn tables_of_the_first_version_are_brought_up_and_too_new_ones_are_refused(cluster: &Cluster) {
    let url = cluster.database("older");
    let first = store(&url);
    first.update(|_, tx| tx.put(gf_store::contract::account(1))).await.unwrap();
    first.close().await;
    cluster.sql(
        "older",
        "SET search_path = gatewayforge; DROP TABLE log, keys, losses; \
         ALTER TABLE control DROP COLUMN addresses, DROP COLUMN tables, DROP COLUMN tables_from, DROP COLUMN schema_from",
    );
    let brought = store(&url);
    assert_eq!(brought.read(|fleet| fleet.accounts.len()), 1);
    brought.update(|_, tx| tx.put(gf_store::contract::account(2))).await.unwrap();
    brought.close().await;
    let state = "SELECT tables, (SELECT count(*) FROM gatewayforge.log) FROM gatewayforge.control";
    assert_eq!(cluster.sql("older", state), "2|1");

    // A later version that only added goes on with this program; one that took something away does not.
    cluster.sql("older", "UPDATE gatewayforge.control SET tables = 5");
    store(&url).close().await;
    assert_eq!(cluster.sql("older", state), "5|1");
    cluster.sql("older", "UPDATE gatewayforge.control SET tables_from = 4");
    assert!(matches!(refusal(&url), StoreError::Newer { found: 4, .. }));
}

fn a_server_that_is_away_or_lets_nobody_in_is_named(cluster: &mut Cluster) {
    let url = cluster.database("fleet");
    let unknown = said(&cluster.url("nothing"));
    assert!(unknown.contains("nothing") && unknown.contains("does not exist"), "{unknown}");

    let conf = cluster.directory().join("data/pg_hba.conf");
    std::fs::write(&conf, "local fleet gatewayforge scram-sha-256\nlocal all all trust\n").unwrap();
    cluster.sql("postgres", "ALTER USER gatewayforge PASSWORD 'korrekt pferd'; SELECT pg_reload_conf()");
    cluster.until("a password is asked for", |_| open(&url).is_err());
    let asked = said(&url);
    assert!(asked.contains("--store-password-file"), "{asked}");
    let file = cluster.directory().join("password");
    let with = |password: &str| {
        super::address::private(&file, password);
        let password = crate::Password::from_file(&file).unwrap();
        let address = Address::parse(&url).unwrap().with_password(&password);
        PostgresBackend::open(address, "a test".into(), OPTIONS)
    };
    let wrong = with("wrong horse").err().unwrap().to_string();
    assert!(wrong.contains("password authentication failed") && !wrong.contains("wrong horse"), "{wrong}");
    with("korrekt pferd").unwrap();

    cluster.stop();
    let away = refusal(&url);
    assert!(matches!(&away, StoreError::Away { place, .. } if place.contains("/fleet")), "{away}");
    assert!(away.to_string().contains("nothing was changed: start it"), "{away}");
}

async fn a_newer_a_foreign_and_a_damaged_database_are_refused_and_left_as_they_are(cluster: &Cluster) {
    let url = cluster.database("newer");
    let first = backend(&url);
    let whole = |database: &str| {
        cluster.sql(database, "SELECT * FROM gatewayforge.control")
            + &cluster.sql(database, "SELECT * FROM pg_tables")
    };
    first.close();
    cluster.sql("newer", "UPDATE gatewayforge.control SET schema = 7");
    let before = whole("newer");
    assert!(matches!(refusal(&url), StoreError::Newer { found: 7, .. }));
    assert_eq!(whole("newer"), before);

    cluster.sql("newer", "ALTER TABLE gatewayforge.control DROP COLUMN schema");
    assert!(matches!(refusal(&url), StoreError::Damaged { .. }));

    let foreign = cluster.database("recipes");
    cluster.sql("recipes", "CREATE SCHEMA gatewayforge; CREATE TABLE gatewayforge.recipes (name text)");
    let refused = refusal(&foreign);
    assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
    assert_eq!(
        cluster.sql("recipes", "SELECT count(*) FROM pg_tables WHERE schemaname = 'gatewayforge'"),
        "1"
    );

    // A schema that was made for us and is empty is ours; what others keep beside it is theirs.
    let shared = cluster.database("shared");
    cluster.sql("shared", "CREATE SCHEMA gatewayforge; CREATE TABLE public.objects (name text)");
    store(&shared).close().await;
    assert_eq!(cluster.sql("shared", "SELECT count(*) FROM public.objects"), "0");
}

fn a_server_that_would_lose_what_it_acknowledged_is_refused(cluster: &mut Cluster) {
    let url = cluster.database("careless");
    for setting in ["fsync", "full_page_writes"] {
        cluster.sql("postgres", &format!("ALTER SYSTEM SET {setting} = off"));
        cluster.sql("postgres", "SELECT pg_reload_conf()");
        cluster.until("the server knows", |cluster| {
            cluster.sql("postgres", &format!("SHOW {setting}")) == "off"
        });
        let refused = said(&url);
        assert!(refused.contains(&format!("{setting} is off")), "{refused}");
        cluster.sql("postgres", &format!("ALTER SYSTEM RESET {setting}"));
        cluster.sql("postgres", "SELECT pg_reload_conf()");
        cluster
            .until("the server knows", |cluster| cluster.sql("postgres", &format!("SHOW {setting}")) == "on");
    }
    // A user's own default does not weaken a commit.
    cluster.sql("postgres", "ALTER USER gatewayforge SET synchronous_commit = off");
    let backend = backend(&url);
    assert_eq!(cluster.sql("postgres", "SHOW synchronous_commit"), "off");
    assert_eq!(backend.setting_of_writer("synchronous_commit"), "on");
    cluster.sql("postgres", "ALTER USER gatewayforge RESET synchronous_commit");
}

#[test]
fn a_server_that_never_answers_is_not_waited_for_without_end() {
    let directory = tempfile::tempdir().unwrap();
    let _silent = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
    let url = format!("postgres://gf@{}/fleet", directory.path().to_str().unwrap().replace('/', "%2F"));
    let options = PostgresOptions { patience: Duration::from_millis(50), ..OPTIONS };
    let refused =
        PostgresBackend::open(Address::parse(&url).unwrap(), "a test".into(), options).err().unwrap();
    assert!(matches!(refused, StoreError::Away { .. }), "{refused}");
}

#[test]
fn servers_that_cannot_keep_a_fleet_are_told_apart() {
    let fit = Server {
        version: 150_004,
        fsync: true,
        full_page_writes: true,
        is_replica: false,
        encoding: "UTF8".to_owned(),
    };
    assert_eq!(unfit(&fit), None);
    assert_eq!(unfit(&Server { version: 140_000, ..fit.clone() }), None);
    let why = |server: Server| unfit(&server).unwrap();
    let old = why(Server { version: 130_021, ..fit.clone() });
    assert!(old.contains("PostgreSQL 13") && old.contains("14 or newer") && old.contains("upgrade"), "{old}");
    assert!(why(Server { is_replica: true, ..fit.clone() }).contains("primary"));
    assert!(why(Server { encoding: "SQL_ASCII".to_owned(), ..fit }).contains("UTF8"));
}

fn tables_are_made_once_by_all_who_come_at_once(cluster: &Cluster) {
    let url = cluster.database("once");
    let opening: Vec<_> = (0..6)
        .map(|_| {
            let url = url.clone();
            std::thread::spawn(move || open(&url).map(drop))
        })
        .collect();
    for one in opening {
        one.join().unwrap().unwrap();
    }
    assert_eq!(cluster.sql("once", "SELECT count(*) FROM gatewayforge.control"), "1");
}
