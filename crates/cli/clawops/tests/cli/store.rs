//! The life of a control plane's own store, by the verbs that an operator types: copied while it runs, put back without
//! what came after, lost altogether, and taken up again with what is really there.

use crate::server::Server;
use gf_postgres_cluster::Cluster;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    time::{Duration, Instant},
};

const SIM: [&str; 4] = ["--sim-pairs", "2", "--sim-pace", "0.01"];
/// A machine that is busy with other things may take this long for anything.
const PATIENCE: Duration = Duration::from_secs(120);

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "it never happened that {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Account → who serves and who stands by, each with its state.
fn pairs(server: &Server) -> BTreeMap<String, (String, String)> {
    let pairs = server.json(&["pairs"]);
    let id = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    pairs
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| {
            (id(&pair["accountId"]), (id(&pair["primary"]["instanceId"]), id(&pair["standby"]["instanceId"])))
        })
        .collect()
}

fn serves(server: &Server, instances: usize) {
    until(&format!("{instances} instances are active"), || {
        let all = server.json(&["instances"]);
        let active = all.as_array().unwrap().iter().filter(|it| it["state"] == "ACTIVE").count();
        (active == instances).then_some(())
    });
}

/// Waits until all of these nodes are heard, and shows what would be taken in.
fn plan(server: &Server, wanted: impl Fn(&str) -> bool) -> String {
    until("the plan holds all of it", || {
        let said = server.run(&["adopt"]);
        assert_eq!(said.code, 5, "nobody's yes is assumed: {}{}", said.out, said.err);
        wanted(&said.out).then_some(said.out)
    })
}

/// What the simulated providers have, which no home holds in truth.
fn providers_stay(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("sim")).unwrap();
    fs::copy(from.join("sim/world.json"), to.join("sim/world.json")).unwrap();
}

#[test]
fn a_copy_is_put_back_and_what_came_after_it_is_found_and_not_made_twice() {
    put_back(&[], &[]);
}

#[test]
fn a_copy_of_postgres_is_put_into_an_empty_database_and_taken_up() {
    let cluster = Cluster::start();
    let (url, empty) = (cluster.database("fleet"), cluster.database("restored"));
    let mut server = put_back(&["--store", &url], &["--store", &empty]);
    server.kill();
    let copy = server.directory.path().join("copies/one").display().to_string();
    server.moves_to("third");
    for taken in [url, empty] {
        let refused = server.run(&["store", "restore", &copy, "--store", &taken]);
        assert!(
            refused.code == 1 && refused.err.contains("CREATE DATABASE"),
            "{}{}",
            refused.out,
            refused.err
        );
    }
}

/// From one database into another, or from a file into a file.
fn put_back(from: &[&str], into: &[&str]) -> Server {
    let mut server = Server::start_with(&[&SIM, from].concat());
    serves(&server, 4);
    let copy = server.directory.path().join("copies/one");
    fs::create_dir(copy.parent().unwrap()).unwrap();
    let file = copy.display().to_string();
    let said = server.good(&["store", "backup", &file]);
    assert!(said.contains("2 accounts, 4 instances") && said.contains("all chained"), "{said}");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let twice = server.run(&["store", "backup", &file]);
    assert!(twice.code == 1 && twice.err.contains("another name"), "{}{}", twice.out, twice.err);

    // The last operations, which the copy lacks.
    server.good(&["provision", "--count", "1", "--tier", "nano", "--yes"]);
    server.good(&["failover", "acct-0001", "--yes"]);
    server.good(&["teardown", "acct-0002", "--yes"]);
    // With the standby that follows the failover.
    serves(&server, 4);
    let before = pairs(&server);
    server.kill();

    let old = server.home();
    let refused = server.run(&["store", "restore", &file]);
    assert!(refused.code == 1 && refused.err.contains("--replace"), "{}{}", refused.out, refused.err);
    server.moves_to("restored");
    let keyless = server.run(&[&["store", "restore", &file], into].concat());
    assert!(keyless.code == 1 && keyless.err.contains("master.key"), "{}{}", keyless.out, keyless.err);
    let keys = old.display().to_string();
    let said = server.good(&[&["store", "restore", &file, "--keys", &keys], into].concat());
    assert!(said.contains("2 accounts, 4 instances") && said.contains("clawops adopt"), "{said}");
    providers_stay(&old, &server.home());
    server.start_again(&[&["--sim-pace", "0.01"], into].concat());

    let new = before.keys().find(|account| !["acct-0001", "acct-0002"].contains(&account.as_str())).unwrap();
    let fresh = [&before["acct-0001"].1, &before[new].0, &before[new].1];
    // A node that has not dialled yet has not said what it holds.
    let is_heard = |plan: &str| !plan.contains("does not say it");
    let shown =
        plan(&server, |plan| is_heard(plan) && fresh.iter().all(|id| plan.contains(&format!("{id} at"))));
    assert!(shown.contains("acct-0002 has nothing left"), "{shown}");
    let still = pairs(&server);
    assert!(!still.contains_key(new), "what was only looked at changes nothing: {still:?}");
    server.good(&["adopt", "--yes"]);
    let after = pairs(&server);
    for account in ["acct-0001", new] {
        assert_eq!(after[account], before[account], "{account}: {shown}");
    }
    serves(&server, 4);
    assert!(server.good(&["adopt"]).contains("Nothing waits"));
    assert!(server.good(&["audit", "verify"]).contains("whole"));
    // It goes on, and nobody is made a second time.
    server.good(&["restart", &after[new].1, "--yes"]);
    assert_eq!(machines(&server.home()), 4);
    server
}

/// Machines that the simulated providers have.
fn machines(home: &Path) -> usize {
    let text = fs::read_to_string(home.join("sim/world.json")).unwrap();
    let mut there = std::collections::BTreeSet::new();
    for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if let Some(node) = line["machine"]["node"].as_str() {
            there.insert(node.to_owned());
        }
        if let Some(node) = line["gone"].as_str() {
            there.remove(node);
        }
    }
    there.len()
}

#[test]
fn a_fleet_whose_store_is_lost_is_taken_up_from_what_providers_and_nodes_say() {
    let mut server = Server::start_with(&SIM);
    serves(&server, 4);
    server.good(&["failover", "acct-0001", "--yes"]);
    serves(&server, 4);
    let before = pairs(&server);
    server.kill();
    for name in ["gatewayforge.db", "gatewayforge.db-wal", "gatewayforge.db-shm"] {
        let _ = fs::remove_file(server.home().join("store").join(name));
    }
    server.start_again(&SIM);
    let shown = plan(&server, |plan| {
        plan.matches(" is the PRIMARY of ").count() == 2 && plan.matches(" is the STANDBY of ").count() == 2
    });
    assert!(shown.contains("The store was lost") && shown.contains("people besides"), "{shown}");
    assert_eq!(server.json(&["pairs"]), json!([]), "a plan writes nothing");
    server.good(&["adopt", "--yes"]);
    assert_eq!(pairs(&server), before);
    serves(&server, 4);
    server.kill_and_start_again();
    assert_eq!(pairs(&server), before);
    assert!(server.good(&["adopt"]).contains("Nothing waits"));
    assert!(server.good(&["audit", "verify"]).contains("whole"));
    assert_eq!(machines(&server.home()), 4, "nothing was made");
}

/// Where a database is reached, whichever server stands there.
fn leads_to(address: &Path, server: &Cluster) {
    let _ = fs::remove_file(address);
    symlink(server.directory(), address).unwrap();
}

#[test]
fn a_failover_to_a_replica_that_lagged_is_accepted_and_what_it_lost_is_taken_up() {
    let mut primary = Cluster::start();
    primary.database("fleet");
    let directory = tempfile::tempdir().unwrap();
    let address = directory.path().join("database");
    leads_to(&address, &primary);
    let url = format!("postgres://gatewayforge@{}/fleet", address.display().to_string().replace('/', "%2F"));
    let mut server = Server::start_with(&[&SIM[..], &["--store", &url]].concat());
    serves(&server, 4);
    let mut replica = primary.replica();
    let number = "SELECT number FROM gatewayforge.control";
    replica.until("the replica has it all", |replica| {
        replica.sql("fleet", number) == primary.sql("fleet", number)
    });
    replica.stop();
    // What the replica never hears of.
    server.good(&["provision", "--count", "1", "--tier", "nano", "--yes"]);
    serves(&server, 6);
    let before = pairs(&server);
    server.kill();
    primary.stop();
    replica.start_again();
    replica.sql("postgres", "SELECT pg_promote()");
    leads_to(&address, &replica);

    // It remembers over the restart, and nobody's yes is assumed.
    server.start_again(&["--sim-pace", "0.01", "--store", &url]);
    let shown = until("it says what is lost", || {
        let said = server.run(&["store", "accept-loss"]);
        (said.code == 5).then_some(said.out + &said.err)
    });
    assert!(shown.contains("has lost what it had acknowledged"), "{shown}");
    assert_eq!(server.json(&["pairs"]).as_array().unwrap().len(), 2, "it answers reads");
    assert!(server.good(&["store", "accept-loss", "--yes"]).contains("Accepted"));
    let new = before.keys().find(|account| !["acct-0001", "acct-0002"].contains(&account.as_str())).unwrap();
    let fresh = &before[new];
    let shown = until("the plan holds all of it", || {
        let said = server.run(&["adopt"]);
        let whole = [&fresh.0, &fresh.1].iter().all(|id| said.out.contains(&format!("{id} at")));
        (said.code == 5 && whole && !said.out.contains("does not say it")).then_some(said.out)
    });
    server.good(&["adopt", "--yes"]);
    assert_eq!(pairs(&server), before, "{shown}");
    serves(&server, 6);
    assert!(server.good(&["audit", "verify"]).contains("whole"));
    assert_eq!(machines(&server.home()), 6, "nothing was reaped, and nothing made twice");
}
