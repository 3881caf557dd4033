//! Coming back by a ticket, and everybody who must not.

use crate::{
    node::{Node, enrolled, hello, key},
    registry::{Fleet, fleet, id},
};
use gf_node_hub::NodeEvent;
use gf_node_proto::{
    Challenge, Check, Enrol, GoodbyeReason, Heartbeat, Hello, PROTOCOL_MIN, Proof, Said, Seal, SigningKey,
    TICKET_LASTS_S, Ticket, Transcript, Welcomed, envelope, said_challenge, said_welcome, sign_node,
    verify_challenge, verify_ticketed, verify_welcome,
};

const NODE: &str = "node-local-a";

fn naming(ticket: &Ticket) -> Hello {
    Hello { ticket_expires_at_s: ticket.expires_at_s, ..hello(NODE) }
}

/// The control plane's answer to this Hello.
async fn answer(node: &mut Node, hello: Hello) -> Said<Challenge> {
    node.send(hello).await;
    said_challenge(&node.next_frame().await).unwrap().unwrap()
}

async fn welcomed(node: &mut Node, check: Check<'_>, transcript: &Transcript) -> Welcomed {
    let welcome = said_welcome(&node.next_frame().await).unwrap().unwrap();
    verify_welcome(check, transcript, &welcome).unwrap()
}

/// Comes in by its key, whatever ticket it names; the ticket that it is given.
async fn by_key(fleet: &Fleet, hello: Hello, key: &SigningKey) -> (Node, Option<Ticket>) {
    let mut node = Node::dial(fleet);
    let challenge = answer(&mut node, hello.clone()).await;
    assert!(!challenge.by_ticket, "{hello:?}");
    let (control, transcript) = verify_challenge(&Said::by_us(hello), &challenge).unwrap();
    node.send(Proof {
        signature: sign_node(key, &transcript),
        public_key: key.verifying_key().as_bytes().to_vec(),
    })
    .await;
    let welcomed = welcomed(&mut node, Check::Key(&control), &transcript).await;
    (node, welcomed.ticket)
}

/// Comes in by this ticket; the one that it is given in its place.
async fn by_ticket(fleet: &Fleet, ticket: &Ticket) -> (Node, Option<Ticket>) {
    let mut node = Node::dial(fleet);
    let (challenge, hello) = (answer(&mut node, naming(ticket)).await, naming(ticket));
    assert!(challenge.by_ticket && challenge.control_key.is_empty(), "{challenge:?}");
    let transcript = verify_ticketed(ticket, &Said::by_us(hello), &challenge).unwrap();
    node.send(Proof { signature: sign_node(Seal::Ticket(ticket), &transcript), ..Proof::default() }).await;
    let welcomed = welcomed(&mut node, Check::Ticket(ticket), &transcript).await;
    assert_eq!(welcomed.controller_generation, 3);
    (node, welcomed.ticket)
}

/// A fleet with a node that has enrolled, and the ticket that it was given when it came back.
async fn fleet_with_ticket() -> (Fleet, Ticket) {
    let mut fleet = fleet();
    drop(enrolled(&mut fleet, NODE).await);
    let (_, ticket) = by_key(&fleet, hello(NODE), &key(7)).await;
    (fleet, ticket.unwrap())
}

#[tokio::test]
async fn who_has_proven_its_key_comes_back_by_a_ticket_also_to_a_control_plane_that_began_anew() {
    let (mut fleet, ticket) = fleet_with_ticket().await;
    let (_node, newer) = by_ticket(&fleet, &ticket).await;
    assert_eq!(newer, None, "the one that it has stands for long");
    // Nothing of it is kept anywhere: another hub of the same key honours it too.
    fleet.begin_anew();
    let (_node, _) = by_ticket(&fleet, &ticket).await;
    while !matches!(fleet.event().await, NodeEvent::Connected { .. }) {}
    let seen = fleet.hub.node(&id(NODE)).unwrap();
    assert!(seen.connected && seen.by_ticket);
    assert_eq!(seen.key, Some(key(7).verifying_key().to_bytes()));
}

#[tokio::test]
async fn a_ticket_that_is_over_and_one_from_before_the_clock_was_set_back_lead_to_a_proof_by_key() {
    let (fleet, ticket) = fleet_with_ticket().await;
    fleet.clock.set(TICKET_LASTS_S);
    let (_, fresh) = by_key(&fleet, naming(&ticket), &key(7)).await;
    let fresh = fresh.unwrap();
    by_ticket(&fleet, &fresh).await;
    fleet.clock.set(TICKET_LASTS_S - 1);
    let (_, again) = by_key(&fleet, naming(&fresh), &key(7)).await;
    by_ticket(&fleet, &again.unwrap()).await;
}

#[tokio::test]
async fn past_half_of_its_life_a_ticket_is_replaced_at_a_link_and_on_one() {
    let (fleet, ticket) = fleet_with_ticket().await;
    let (mut node, _) = by_ticket(&fleet, &ticket).await;
    node.send(Heartbeat { at_ms: 1, ..Heartbeat::default() }).await;
    fleet.clock.set(TICKET_LASTS_S / 2 + 1);
    node.send(Heartbeat { at_ms: 2, ..Heartbeat::default() }).await;
    let envelope::Body::Ticket(on_the_way) = node.next().await else { panic!("no ticket") };
    assert!(on_the_way.expires_at_s > ticket.expires_at_s);
    let (_, at_the_link) = by_ticket(&fleet, &ticket).await;
    assert_eq!(at_the_link, Some(on_the_way.clone()));
    assert_eq!(by_ticket(&fleet, &on_the_way).await.1, None);
}

#[tokio::test]
async fn a_ticket_is_void_with_the_key_that_it_was_given_to() {
    let (fleet, ticket) = fleet_with_ticket().await;
    // Its node was enrolled anew, with another key; whoever has the old ticket proves nothing by it.
    fleet.registry.know(id(NODE), key(8).verifying_key());
    let mut thief = Node::dial(&fleet);
    let (challenge, hello) = (answer(&mut thief, naming(&ticket)).await, naming(&ticket));
    let refused = verify_ticketed(&ticket, &Said::by_us(hello), &challenge);
    assert!(refused.is_err(), "the secret of another key is the same");
    thief.send(Proof { signature: vec![0; 32], ..Proof::default() }).await;
    assert_eq!(thief.goodbye().await.reason(), GoodbyeReason::BadSignature);
    // The rightful one, which has no ticket of its own yet.
    by_key(&fleet, crate::node::hello(NODE), &key(8)).await;
}

#[tokio::test]
async fn a_key_that_is_replaced_in_the_middle_of_a_handshake_voids_the_ticket_too() {
    let (fleet, ticket) = fleet_with_ticket().await;
    let mut node = Node::dial(&fleet);
    let (challenge, hello) = (answer(&mut node, naming(&ticket)).await, naming(&ticket));
    let transcript = verify_ticketed(&ticket, &Said::by_us(hello), &challenge).unwrap();
    fleet.registry.know(id(NODE), key(8).verifying_key());
    node.send(Proof { signature: sign_node(Seal::Ticket(&ticket), &transcript), ..Proof::default() }).await;
    assert_eq!(node.goodbye().await.reason(), GoodbyeReason::BadSignature);
}

#[tokio::test]
async fn another_nodes_ticket_and_a_guess_are_refused() {
    let (fleet, ticket) = fleet_with_ticket().await;
    // Of the same key even.
    fleet.registry.know(id("node-local-b"), key(7).verifying_key());
    let guess = Ticket { secret: vec![0; 32], ..ticket.clone() };
    for (name, ticket) in [("node-local-b", &ticket), (NODE, &guess)] {
        let mut thief = Node::dial(&fleet);
        let hello = Hello { node_id: name.into(), ..naming(ticket) };
        let challenge = answer(&mut thief, hello.clone()).await;
        assert!(verify_ticketed(ticket, &Said::by_us(hello.clone()), &challenge).is_err());
        // It goes on all the same, with a MAC by what it has.
        let (_, transcript) = gf_node_proto::sign_challenge(
            Seal::Ticket(ticket),
            &Said::by_us(hello),
            challenge.protocol,
            challenge.nonce.clone().try_into().unwrap(),
        )
        .unwrap();
        thief
            .send(Proof { signature: sign_node(Seal::Ticket(ticket), &transcript), ..Proof::default() })
            .await;
        assert_eq!(thief.goodbye().await.reason(), GoodbyeReason::BadSignature, "{name}");
    }
}

#[tokio::test]
async fn a_proof_that_was_heard_before_lets_nobody_in() {
    let (fleet, ticket) = fleet_with_ticket().await;
    let mut node = Node::dial(&fleet);
    let (challenge, hello) = (answer(&mut node, naming(&ticket)).await, naming(&ticket));
    let transcript = verify_ticketed(&ticket, &Said::by_us(hello), &challenge).unwrap();
    let proof = Proof { signature: sign_node(Seal::Ticket(&ticket), &transcript), ..Proof::default() };
    node.send(proof.clone()).await;
    node.welcome().await;
    let mut thief = Node::dial(&fleet);
    assert!(answer(&mut thief, naming(&ticket)).await.by_ticket);
    thief.send(proof).await;
    assert_eq!(thief.goodbye().await.reason(), GoodbyeReason::BadSignature);
}

#[tokio::test]
async fn nobody_enrols_by_a_ticket() {
    let (fleet, ticket) = fleet_with_ticket().await;
    let token = fleet.token_for(NODE);
    let mut node = Node::dial(&fleet);
    let (challenge, hello) = (answer(&mut node, naming(&ticket)).await, naming(&ticket));
    let transcript = verify_ticketed(&ticket, &Said::by_us(hello), &challenge).unwrap();
    node.send(Enrol {
        token: Some(token.secret_text().into()),
        public_key: key(9).verifying_key().as_bytes().to_vec(),
        signature: sign_node(&key(9), &transcript),
    })
    .await;
    assert_eq!(node.goodbye().await.reason(), GoodbyeReason::UnexpectedFrame);
}

#[tokio::test]
async fn a_stranger_is_given_no_ticket_and_nobody_honours_one_of_a_node_that_is_not_known() {
    let (mut fleet, ticket) = fleet_with_ticket().await;
    fleet.lose_the_list();
    // The list of nodes is lost and the fleet is adopted: it is heard by its key, and is part of nothing.
    let (mut node, given) = by_key(&fleet, naming(&ticket), &key(7)).await;
    assert_eq!(given, None);
    fleet.clock.set(TICKET_LASTS_S);
    node.send(Heartbeat { at_ms: 1, ..Heartbeat::default() }).await;
    while !matches!(fleet.event().await, NodeEvent::Changed { .. }) {}
    fleet.hub.shut_down();
    assert_eq!(node.goodbye().await.reason(), GoodbyeReason::ShuttingDown, "a ticket came before it");
}

#[tokio::test]
async fn a_control_plane_that_follows_honours_no_ticket() {
    let (mut fleet, ticket) = fleet_with_ticket().await;
    fleet.follow();
    let mut node = Node::dial(&fleet);
    let (challenge, hello) = (answer(&mut node, naming(&ticket)).await, naming(&ticket));
    let (_, transcript) = verify_challenge(&Said::by_us(hello), &challenge).unwrap();
    node.send(Proof { signature: sign_node(&key(7), &transcript), ..Proof::default() }).await;
    assert_eq!(node.goodbye().await.reason(), GoodbyeReason::Unavailable);
}

#[tokio::test]
async fn a_node_of_the_version_before_is_given_no_ticket() {
    let (mut fleet, ticket) = fleet_with_ticket().await;
    let older = Hello { protocol_max: PROTOCOL_MIN, ..naming(&ticket) };
    let (mut node, given) = by_key(&fleet, older, &key(7)).await;
    assert_eq!(given, None);
    fleet.clock.set(TICKET_LASTS_S);
    node.send(Heartbeat { at_ms: 1, ..Heartbeat::default() }).await;
    while !matches!(fleet.event().await, NodeEvent::Changed { .. }) {}
    fleet.hub.shut_down();
    assert_eq!(node.goodbye().await.reason(), GoodbyeReason::ShuttingDown, "a ticket came before it");
}
