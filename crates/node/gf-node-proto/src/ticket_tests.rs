//! What a ticket proves, to whom, and what it does not.

use super::*;
use crate::{
    Challenge, Check, NONCE_BYTES, Said, Seal, Transcript, Welcome, Welcomed, sign_challenge, sign_node,
    sign_welcome, verify_challenge, verify_node, verify_ticketed, verify_welcome,
};
use proptest::prelude::*;

const NOW_S: u64 = 1_767_225_600;
const NODE_KEY: [u8; 32] = [2; 32];

fn office(seed: u8) -> TicketKey {
    TicketKey::of(&SigningKey::from_bytes(&[seed; 32]))
}

fn hello(ticket: &Ticket) -> Said<Hello> {
    Said::by_us(Hello {
        node_id: "node-local-a".into(),
        nonce: vec![1; NONCE_BYTES],
        ticket_expires_at_s: ticket.expires_at_s,
        ..Hello::default()
    })
}

fn challenged(ticket: &Ticket, nonce: u8) -> (Said<Hello>, Challenge, Transcript) {
    let hello = hello(ticket);
    let (challenge, transcript) =
        sign_challenge(Seal::Ticket(ticket), &hello, 2, [nonce; NONCE_BYTES]).unwrap();
    (hello, challenge, transcript)
}

fn fresh() -> Ticket {
    office(1).fresh("node-local-a", &NODE_KEY, NOW_S)
}

#[test]
fn both_sides_prove_that_they_know_the_secret() {
    let ticket = fresh();
    let (hello, challenge, there) = challenged(&ticket, 3);
    let here = verify_ticketed(&ticket, &hello, &Said::by_us(challenge)).unwrap();
    assert_eq!(here, there);
    let again = office(1).named(&hello, &NODE_KEY, NOW_S + 1).unwrap();
    let proof = sign_node(Seal::Ticket(&ticket), &here);
    assert_eq!(verify_node(Check::Ticket(&again), &there, &proof), Ok(()));

    let next = office(1).fresh("node-local-a", &NODE_KEY, NOW_S + 60);
    let said = Welcomed { controller_generation: 4, ticket: Some(next.clone()), ..Welcomed::default() };
    let welcome = sign_welcome(Seal::Ticket(&again), &there, said.clone()).unwrap();
    assert_eq!(verify_welcome(Check::Ticket(&ticket), &here, &Said::by_us(welcome.clone())), Ok(said));
    let other = Welcome { ticket: Some(Ticket { secret: vec![9; 32], ..next }), ..welcome };
    let refused = verify_welcome(Check::Ticket(&ticket), &here, &Said::by_us(other));
    assert_eq!(refused, Err(SignatureError::Signature), "a ticket that was put in on the way");
}

/// One message of a handshake sent back, or sent as another one, is worth nothing: each direction has a domain of its own.
#[test]
fn nothing_that_one_side_said_is_believed_of_the_other() {
    let ticket = fresh();
    let (hello, challenge, transcript) = challenged(&ticket, 3);
    let proof = sign_node(Seal::Ticket(&ticket), &transcript);
    let welcome = sign_welcome(Seal::Ticket(&ticket), &transcript, Welcomed::default()).unwrap();
    for reflected in [&challenge.signature, &welcome.signature] {
        let refused = verify_node(Check::Ticket(&ticket), &transcript, reflected);
        assert_eq!(refused, Err(SignatureError::Signature));
    }
    let by_the_node = Challenge { signature: proof.clone(), ..challenge };
    let refused = verify_ticketed(&ticket, &hello, &Said::by_us(by_the_node));
    assert_eq!(refused, Err(SignatureError::Signature));
    let by_the_node = Welcome { signature: proof, ..welcome };
    let refused = verify_welcome(Check::Ticket(&ticket), &transcript, &Said::by_us(by_the_node));
    assert_eq!(refused, Err(SignatureError::Signature));
}

#[test]
fn what_was_said_on_another_connection_is_worth_nothing() {
    let ticket = fresh();
    let (hello, challenge, first) = challenged(&ticket, 3);
    let (_, _, second) = challenged(&ticket, 4);
    let proof = sign_node(Seal::Ticket(&ticket), &first);
    let refused = verify_node(Check::Ticket(&ticket), &second, &proof);
    assert_eq!(refused, Err(SignatureError::Signature));
    let later = Said::by_us(Hello { nonce: vec![8; NONCE_BYTES], ..hello.into_message() });
    let refused = verify_ticketed(&ticket, &later, &Said::by_us(challenge));
    assert_eq!(refused, Err(SignatureError::Signature));
}

/// A ticket is an answer to what was named, under a protocol that covers it; a challenge by a key is no answer by a ticket
/// and the other way round.
#[test]
fn a_ticket_that_was_not_named_and_a_kind_of_proof_that_was_not_said_are_refused() {
    let ticket = fresh();
    let (hello, challenge, _) = challenged(&ticket, 3);
    let unnamed = Said::by_us(Hello { ticket_expires_at_s: 0, ..(*hello).clone() });
    let refused = |hello: &Said<Hello>, challenge: &Challenge| {
        verify_ticketed(&ticket, hello, &Said::by_us(challenge.clone())).map(|_| ())
    };
    assert_eq!(refused(&unnamed, &challenge), Err(SignatureError::Ticket));
    let as_a_key = Challenge { by_ticket: false, ..challenge.clone() };
    assert_eq!(refused(&hello, &as_a_key), Err(SignatureError::Ticket));
    assert_eq!(
        verify_challenge(&hello, &Said::by_us(challenge)).map(|_| ()),
        Err(SignatureError::Ticket),
        "whoever holds no ticket believes nobody by one"
    );
    let (older, _) = sign_challenge(Seal::Ticket(&ticket), &hello, 1, [3; NONCE_BYTES]).unwrap();
    assert_eq!(refused(&hello, &older), Err(SignatureError::Ticket), "protocol 1 covers no ticket");

    let key = SigningKey::from_bytes(&[1; 32]);
    let (by_key, _) = sign_challenge(&key, &hello, 2, [3; NONCE_BYTES]).unwrap();
    let turned = Challenge { by_ticket: true, ..by_key };
    assert_eq!(refused(&hello, &turned), Err(SignatureError::Signature));
}

#[test]
fn under_the_protocol_before_no_ticket_is_given_and_none_is_taken() {
    let key = SigningKey::from_bytes(&[1; 32]);
    let hello = hello(&fresh());
    let (_, transcript) = sign_challenge(&key, &hello, 1, [3; NONCE_BYTES]).unwrap();
    let said = Welcomed { ticket: Some(fresh()), ..Welcomed::default() };
    let welcome = sign_welcome(&key, &transcript, said).unwrap();
    assert_eq!(welcome.ticket, None);
    // Nothing covers it there: somebody on the way may have put it in.
    let with = Said::by_us(Welcome { ticket: Some(fresh()), ..welcome });
    let taken = verify_welcome(&key.verifying_key(), &transcript, &with).unwrap();
    assert_eq!(taken.ticket, None);
}

#[test]
fn a_ticket_that_nothing_can_be_proven_by_is_not_kept() {
    let key = SigningKey::from_bytes(&[1; 32]);
    let (_, transcript) = sign_challenge(&key, &hello(&fresh()), 2, [3; NONCE_BYTES]).unwrap();
    for empty in [Ticket::default(), Ticket { secret: Vec::new(), ..fresh() }] {
        let said = Welcomed { ticket: Some(empty), ..Welcomed::default() };
        let welcome = sign_welcome(&key, &transcript, said).unwrap();
        let taken = verify_welcome(&key.verifying_key(), &transcript, &Said::by_us(welcome)).unwrap();
        assert_eq!(taken.ticket, None);
    }
}

#[test]
fn half_way_through_its_life_a_ticket_is_ageing() {
    let until = fresh().expires_at_s;
    assert!(!Ticket::is_ageing(until, NOW_S) && !Ticket::is_ageing(until, NOW_S + TICKET_LASTS_S / 2));
    assert!(Ticket::is_ageing(until, NOW_S + TICKET_LASTS_S / 2 + 1) && Ticket::is_ageing(until, until + 5));
}

proptest! {
    /// Whatever differs (the control plane's key, the node's name or key, the moment), the secret is another one.
    #[test]
    fn a_secret_is_of_one_node_one_key_and_one_moment(
        first in ("[a-z]{0,4}", any::<[u8; 2]>(), 0..4u64, 0..3u8),
        second in ("[a-z]{0,4}", any::<[u8; 2]>(), 0..4u64, 0..3u8),
    ) {
        let of = |(name, key, until, control): &(String, [u8; 2], u64, u8)| {
            let mut whole = [0; 32];
            whole[..2].copy_from_slice(key);
            office(*control).ticket(name, &whole, NOW_S + until).secret
        };
        prop_assert_eq!(of(&first) == of(&second), first == second);
    }

    /// A ticket stands from the moment it is given until it is over, however the clock is set.
    #[test]
    fn a_ticket_stands_for_a_day_and_for_no_moment_before_it_was_given(
        given in 100_000..200_000u64,
        looked in 0..400_000u64,
    ) {
        let ticket = office(1).fresh("node-local-a", &NODE_KEY, given);
        let named = office(1).named(&hello(&ticket), &NODE_KEY, looked);
        let stands = (given..given + TICKET_LASTS_S).contains(&looked);
        prop_assert_eq!(named, stands.then_some(ticket));
    }

    /// Any change of any byte of a MAC, or of its length, is found out.
    #[test]
    fn a_changed_mac_is_refused(at in 0..32usize, by in 1..=255u8, length in 0..64usize) {
        let ticket = fresh();
        let (_, _, transcript) = challenged(&ticket, 3);
        let proof = sign_node(Seal::Ticket(&ticket), &transcript);
        let mut changed = proof.clone();
        changed[at] ^= by;
        let mut cut = proof.clone();
        cut.resize(length, 0);
        let judged = |proof: &[u8]| verify_node(Check::Ticket(&ticket), &transcript, proof).is_ok();
        prop_assert!(!judged(&changed));
        prop_assert_eq!(judged(&cut), length == proof.len());
    }
}
