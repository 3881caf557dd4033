//! A whole fleet that lost its control plane in the same moment: all are let in again, a few at a time, and whoever is in
//! is served meanwhile.

use crate::{
    node::{Node, enrolled, key},
    registry::{Fleet, fleet, id},
};
use gf_node_hub::{CommandError, CommandMeta, NodeEvent};
use gf_node_proto::{Done, VpsHealth, envelope};
use std::time::Duration;

const CROWD: usize = 160;

fn name(nth: usize) -> String {
    format!("node-crowd-{nth}")
}

fn known(fleet: &Fleet) {
    for nth in 0..CROWD {
        fleet.registry.know(id(&name(nth)), key(7).verifying_key());
    }
}

/// Answers whatever it is asked, for as long as it is asked.
async fn obedient(mut node: Node) {
    loop {
        if let envelope::Body::Command(command) = node.next().await {
            node.answer(&command.key, Done {}).await;
        }
    }
}

async fn ask(fleet: &Fleet, node: &str, nth: usize) -> Result<(), CommandError> {
    let meta = CommandMeta::new(format!("{node}/{nth}"), Duration::from_secs(60));
    fleet.hub.command(&id(node), VpsHealth {}, meta).await.map(|_| ())
}

#[tokio::test]
async fn a_crowd_that_comes_back_at_once_is_let_in_and_starves_nobody() {
    let mut fleet = fleet();
    known(&fleet);
    let steady = enrolled(&mut fleet, "node-local-a").await;
    tokio::spawn(obedient(steady));
    let nodes: Vec<Node> = (0..CROWD).map(|_| Node::dial(&fleet)).collect();
    let proving = nodes.into_iter().enumerate().map(|(nth, mut node)| {
        tokio::spawn(async move {
            node.prove(&name(nth), &key(7)).await;
            node.welcome().await;
            node
        })
    });
    let proving: Vec<_> = proving.collect();
    let (mut connected, mut asked) = (0, 0);
    while connected < CROWD {
        // One after the other while the crowd is at the door: each must be answered.
        ask(&fleet, "node-local-a", asked).await.unwrap();
        asked += 1;
        while let Ok(event) = fleet.events.try_recv() {
            connected += usize::from(matches!(event, NodeEvent::Connected { .. }));
        }
    }
    let mut nodes = Vec::new();
    for node in proving {
        nodes.push(node.await.unwrap());
    }
    assert!((0..CROWD).all(|nth| fleet.hub.is_connected(&id(&name(nth)))));
    assert!(fleet.hub.is_connected(&id("node-local-a")), "who was in was pushed out");
}

/// However many say hello at once, no more than a few are challenged before one of those has proven itself: a challenge is
/// a signature, and whoever never answers costs no more than its place for a while.
#[tokio::test(start_paused = true)]
async fn only_so_many_are_heard_at_the_same_time() {
    let fleet = fleet();
    known(&fleet);
    let mut nodes: Vec<Node> = (0..CROWD).map(|_| Node::dial(&fleet)).collect();
    let mut challenged = 0;
    for (nth, node) in nodes.iter_mut().enumerate() {
        node.send(crate::node::hello(&name(nth))).await;
    }
    for node in &mut nodes {
        // Time is paused: it passes only once nothing else can happen.
        let heard = tokio::time::timeout(Duration::from_millis(1), node.next()).await;
        challenged += usize::from(matches!(heard, Ok(envelope::Body::Challenge(_))));
    }
    assert!((1..CROWD / 2).contains(&challenged), "{challenged} of {CROWD} were heard at once");

    // Nobody of them proves anything: their time runs out and the last ones are heard, too.
    let last = nodes.last_mut().unwrap();
    assert!(matches!(last.next().await, envelope::Body::Challenge(_)));
}
