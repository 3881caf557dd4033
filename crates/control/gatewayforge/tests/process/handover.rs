//! A real gf-clawnode between control planes: sent on by one that follows, taken over with the fleet, and known again by its
//! key after the store was lost.

use crate::{
    controllers::join,
    node::Node,
    postgres::on,
    run::{Running, home, running, start},
};
use gf_postgres_cluster::Cluster;
use serde_json::{Value, json};
use std::fs;

/// Where a control plane of this machine hears its nodes.
pub fn link(running: &Running) -> String {
    let at = running.ready["endpoint"].as_str().unwrap().strip_prefix("http://").unwrap();
    format!("ws://{at}/node/v1/link")
}

/// The node as this control plane shows it, once it is connected.
pub fn connected(running: &Running, name: &str) -> Value {
    running.until("the node is connected", || {
        let nodes = running.ask("GET", "/v1/nodes", json!(null)).1;
        let found = nodes["items"].as_array().unwrap().iter().find(|node| node["id"] == name);
        found.filter(|node| node["connected"] == true).cloned()
    })
}

#[test]
fn a_real_node_is_sent_on_to_the_one_that_leads_and_comes_back_when_that_one_is_killed() {
    let cluster = Cluster::start();
    let url = cluster.database("fleet");
    let (directory, home) = home();
    let other = directory.path().join("other");
    let leader = running(on(&home, &url), &home);
    let joined = join(&other, &home);
    assert!(joined.status.success(), "{}", String::from_utf8_lossy(&joined.stderr));
    let follower = running(on(&other, &url), &other);
    assert_eq!(follower.ready["role"], "follower");
    let far = Node::expected(&leader, &home, "node-far", "local-a");

    // It knows of the one that follows only.
    let node = far.start(&link(&follower));
    assert_eq!(connected(&leader, "node-far")["enrolling"], false, "its token was not used up on the way");
    fs::remove_file(home.join("node-far.token")).unwrap();
    leader.kill();
    follower.until("the follower leads", || {
        Some(follower.ask("GET", "/healthz", json!(null)).1).filter(|health| health["role"] == "leader")
    });
    // What the last leader wrote of it is forgotten with the lease; that it is connected is this one's own word.
    connected(&follower, "node-far");
    drop(node);
}

#[test]
fn a_real_node_is_known_again_by_its_key_after_the_store_was_lost() {
    let (_directory, home) = home();
    let first = start(&home);
    let mut node = Node::expected(&first, &home, "node-local-a", "local-a").start(&link(&first));
    connected(&first, "node-local-a");
    fs::remove_file(home.join("node-local-a.token")).unwrap();
    node.kill();
    first.kill();
    for name in ["gatewayforge.db", "gatewayforge.db-wal", "gatewayforge.db-shm"] {
        let _ = fs::remove_file(home.join("store").join(name));
    }

    let second = start(&home);
    node.launch(&link(&second));
    let shown = second.until("the node is heard", || {
        let shown = second.ask("GET", "/v1/adoption", json!(null)).1;
        shown["lines"].to_string().contains("node-local-a is a node of local-a in here").then_some(shown)
    });
    assert_eq!((&shown["open"], &shown["why"]), (&json!(true), &json!("lost")));
    assert_eq!(second.ask("GET", "/v1/nodes", json!(null)).1["total"], 0, "it is heard, and part of nothing");
    let (status, stale) = second.ask("POST", "/v1/adoption", json!({"digest": "0000"}));
    assert_eq!((status, &stale["error"]["code"]), (409, &json!("plan_changed")), "{stale}");
    let (status, done) = second.ask("POST", "/v1/adoption", json!({"digest": shown["digest"]}));
    assert_eq!((status, &done["open"]), (200, &json!(false)), "{done}");
    connected(&second, "node-local-a");
    // From now on it is the store that knows it.
    node.kill();
    node.launch(&link(&second));
    connected(&second, "node-local-a");
}
