//! Who proves what to whom, within one version and across two.

use super::*;
use crate::{PROTOCOL_MAX, decode, encode, envelope, said_challenge, said_hello, said_welcome};
use prost::Message;

fn hello() -> Said<Hello> {
    Said::by_us(Hello { node_id: "node-local-a".into(), nonce: vec![1; NONCE_BYTES], ..Hello::default() })
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// As it arrives.
fn sent<M: Message + Default>(message: M) -> Said<M> {
    Said::by_us(message)
}

/// The same with a field that no build knows today, at its end.
fn grown<M: Message + Default + Into<envelope::Body>>(message: M) -> Vec<u8> {
    let mut bytes = message.encode_to_vec();
    // Field 99, a text of two letters.
    bytes.extend([0x9a, 0x06, 0x02, b'h', b'i']);
    let number = crate::said::first_field(&encode(message).unwrap()).unwrap();
    let mut frame = Vec::new();
    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, &mut frame);
    prost::encoding::encode_varint(bytes.len() as u64, &mut frame);
    frame.extend(bytes);
    frame
}

#[test]
fn both_sides_prove_their_keys() {
    for protocol in 1..=PROTOCOL_MAX {
        let (control, node) = (key(1), key(2));
        let (challenge, there) = sign_challenge(&control, &hello(), protocol, [3; 32]).unwrap();
        let (shown, here) = verify_challenge(&hello(), &sent(challenge)).unwrap();
        assert_eq!((shown, here), (control.verifying_key(), there));

        let proof = sign_node(&node, &here);
        assert_eq!(verify_node(&node.verifying_key(), &there, &proof), Ok(()));
        assert_eq!(verify_node(&control.verifying_key(), &there, &proof), Err(SignatureError::Signature));

        let welcomed = Welcomed {
            controller_generation: 4,
            events_acknowledged: 9,
            heartbeat_interval_ms: 1000,
            ticket: None,
        };
        let welcome = sign_welcome(&control, &there, welcomed.clone()).unwrap();
        assert_eq!(verify_welcome(&shown, &here, &sent(welcome.clone())), Ok(welcomed));
        let forged = sent(Welcome { controller_generation: 5, ..welcome });
        assert_eq!(verify_welcome(&shown, &here, &forged), Err(SignatureError::Signature));
    }
}

#[test]
fn a_signature_of_another_connection_is_worth_nothing() {
    let (control, node) = (key(1), key(2));
    let (_, first) = sign_challenge(&control, &hello(), 2, [3; 32]).unwrap();
    let (_, second) = sign_challenge(&control, &hello(), 2, [4; 32]).unwrap();
    let proof = sign_node(&node, &first);
    assert_eq!(verify_node(&node.verifying_key(), &second, &proof), Err(SignatureError::Signature));
}

#[test]
fn a_changed_hello_is_noticed_by_the_node() {
    let (challenge, _) = sign_challenge(&key(1), &hello(), 2, [3; 32]).unwrap();
    let other = Said::by_us(Hello { node_id: "node-local-b".into(), ..hello().into_message() });
    assert_eq!(verify_challenge(&other, &sent(challenge)), Err(SignatureError::Signature));
}

#[test]
fn a_short_nonce_and_a_version_that_was_not_offered_are_refused() {
    let short = Said::by_us(Hello { nonce: vec![1; 8], ..hello().into_message() });
    let refused = sign_challenge(&key(1), &short, 2, [3; 32]);
    assert_eq!(refused.map(|_| ()), Err(SignatureError::Nonce(8)));
    let (challenge, _) = sign_challenge(&key(1), &hello(), PROTOCOL_MAX + 1, [3; 32]).unwrap();
    let refused = verify_challenge(&hello(), &sent(challenge)).map(|_| ());
    assert_eq!(refused, Err(SignatureError::NotOffered(PROTOCOL_MAX + 1)));
}

/// Each message of the handshake gets a field that the other side has never heard of; both still agree, and whoever
/// changes that field on the way is found out.
#[test]
fn fields_that_one_side_does_not_know_are_signed_all_the_same() {
    let (control, node) = (key(1), key(2));
    let ours = grown(hello().into_message());
    let hello_here = said_hello(&ours).unwrap().unwrap();
    let (challenge, _) = sign_challenge(&control, &hello_here, 2, [3; 32]).unwrap();

    // A newer control plane: it signs what it sends, the new field included.
    let newer = |challenge: Challenge| {
        let unsigned = Challenge { signature: Vec::new(), ..challenge.clone() };
        let transcript =
            Transcript::of(&hello_here, &said_challenge(&grown(unsigned)).unwrap().unwrap()).unwrap();
        let signature = control.sign(&transcript.message(CHALLENGE, &[])).to_vec();
        (said_challenge(&grown(Challenge { signature, ..challenge })).unwrap().unwrap(), transcript)
    };
    let (challenged, there) = newer(challenge);
    let (shown, here) = verify_challenge(&hello_here, &challenged).unwrap();
    assert_eq!(here, there);
    assert_eq!(verify_node(&node.verifying_key(), &there, &sign_node(&node, &here)), Ok(()));

    let mut changed = ours.clone();
    *changed.last_mut().unwrap() = b'o';
    let changed = said_hello(&changed).unwrap().unwrap();
    assert_eq!(*changed, *hello_here, "what is known of it is the same");
    assert_eq!(verify_challenge(&changed, &challenged), Err(SignatureError::Signature));

    let welcomed = Welcomed {
        controller_generation: 4,
        events_acknowledged: 9,
        heartbeat_interval_ms: 1000,
        ticket: None,
    };
    let welcome = sign_welcome(&control, &there, welcomed.clone()).unwrap();
    let unsigned = Welcome { signature: Vec::new(), ..welcome.clone() };
    let said = said_welcome(&grown(unsigned)).unwrap().unwrap();
    let signed = there.message(WELCOME, &there.welcomed(&said).unwrap());
    let signature = control.sign(&signed).to_vec();
    let grown_welcome = said_welcome(&grown(Welcome { signature, ..welcome })).unwrap().unwrap();
    assert_eq!(verify_welcome(&shown, &here, &grown_welcome), Ok(welcomed));
}

/// A control plane from before signs a Hello as it understands it; a node that says more to it is still believed.
#[test]
fn a_control_plane_of_the_version_before_is_told_more_than_it_knows() {
    let control = key(1);
    let more = said_hello(&grown(hello().into_message())).unwrap().unwrap();
    let (challenge, as_before) = sign_challenge(&control, &hello(), 1, [3; 32]).unwrap();
    let (_, transcript) = verify_challenge(&more, &sent(challenge)).unwrap();
    assert_eq!(transcript, as_before);
}

/// Recorded from the build before versions were counted: what it signed is believed, and what is signed for it is,
/// byte by byte, what it signed itself.
#[test]
fn frames_of_the_version_before_are_signed_alike() {
    let recorded = |name: &str| {
        let lines = include_str!("../testdata/protocol-1.txt").lines();
        let frame = lines.filter_map(|line| line.split_once(' ')).find(|(found, _)| *found == name);
        hex::decode(frame.unwrap().1).unwrap()
    };
    let hello = said_hello(&recorded("hello")).unwrap().unwrap();
    let challenge = said_challenge(&recorded("challenge")).unwrap().unwrap();
    let (control, transcript) = verify_challenge(&hello, &challenge).unwrap();
    let envelope::Body::Proof(proof) = decode(&recorded("proof")).unwrap() else { panic!("no proof") };
    assert_eq!(verify_node(&key(7).verifying_key(), &transcript, &proof.signature), Ok(()));
    let welcome = said_welcome(&recorded("welcome")).unwrap().unwrap();
    let welcomed = verify_welcome(&control, &transcript, &welcome).unwrap();

    let (again, there) = sign_challenge(&key(42), &hello, 1, [3; 32]).unwrap();
    assert_eq!(encode(again).unwrap(), recorded("challenge"));
    assert_eq!(encode(sign_welcome(&key(42), &there, welcomed).unwrap()).unwrap(), recorded("welcome"));
}
