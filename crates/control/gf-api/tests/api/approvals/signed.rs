//! Questions that take a signed yes: whose signature counts, for what, and that it can be checked from its audit row.

use super::{SIGNED_PUSH, a_push, act, asked, is, policy, push, show};
use crate::support::{Door, fleet};
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer, SigningKey, Verifier};
use serde_json::{Value, json};

async fn trust(door: &Door, person: &str, key: &SigningKey) -> Value {
    let body = json!({"publicKey": STANDARD.encode(key.verifying_key().as_bytes())});
    let path = format!("/v1/people/{person}/signing-keys");
    let (status, told) = door.ask("admin-key", "POST", &path, Some(body)).await;
    assert_eq!(status, 200, "{told}");
    told["signingKeys"].as_array().unwrap().last().unwrap()["id"].clone()
}

fn signature(key: &SigningKey, id: &Value, statement: &str) -> Value {
    json!({"signature": {"key": id, "signature": STANDARD.encode(key.sign(statement.as_bytes()).to_bytes())}})
}

#[tokio::test]
async fn a_signed_yes_is_the_persons_own_for_this_question_and_is_kept() {
    let door = Door::with_policy(fleet::of(3), policy("signed.cedar", SIGNED_PUSH)).await;
    let asked = a_push(&door).await;
    let shown = show(&door, &asked).await;
    assert!(shown["question"].as_str().unwrap().contains("signed with your own signing key"), "{shown}");
    let statement = shown["statement"].as_str().unwrap();
    let (own, others) = (SigningKey::from_bytes(&[3; 32]), SigningKey::from_bytes(&[4; 32]));
    let (id, others_id) =
        (trust(&door, "person-approver", &own).await, trust(&door, "person-admin", &others).await);
    let grant = async |body: Value| act(&door, "approver-key", &asked, "grant", body).await;

    is(&grant(json!({})).await, 403, "signature_needed");
    is(&grant(signature(&others, &others_id, statement)).await, 403, "not_your_signing_key");
    is(&grant(signature(&others, &id, statement)).await, 403, "bad_approval_signature");
    is(&grant(signature(&own, &id, &format!("{statement} "))).await, 403, "bad_approval_signature");
    is(&grant(json!({"signature": {"key": id, "signature": "AAAA"}})).await, 403, "bad_approval_signature");
    // The signature of another question is none of this one.
    let other = asked_other(&door).await;
    let theirs = show(&door, &other).await["statement"].as_str().unwrap().to_owned();
    is(&grant(signature(&own, &id, &theirs)).await, 403, "bad_approval_signature");
    assert!(door.store.read(|fleet| fleet.operations.is_empty()));

    let (status, granted) = grant(signature(&own, &id, statement)).await;
    assert_eq!(status, 200, "{granted}");
    let (_, audit) = door.ask("viewer-key", "GET", "/v1/audit?limit=500", None).await;
    let row =
        audit["items"].as_array().unwrap().iter().find(|row| row["entry"]["action"] == "approval.grant");
    let kept = &row.unwrap()["entry"]["detail"]["evidence"]["signature"];
    assert_eq!(kept["statement"], statement, "{audit}");
    // Whoever keeps the row can check it by itself.
    let public: [u8; 32] = STANDARD.decode(kept["publicKey"].as_str().unwrap()).unwrap().try_into().unwrap();
    let bytes = STANDARD.decode(kept["signature"].as_str().unwrap()).unwrap();
    let signature = ed25519_dalek::Signature::from_slice(&bytes).unwrap();
    ed25519_dalek::VerifyingKey::from_bytes(&public)
        .unwrap()
        .verify(kept["statement"].as_str().unwrap().as_bytes(), &signature)
        .unwrap();
}

#[tokio::test]
async fn a_word_in_a_conversation_is_no_signature() {
    let door = Door::with_policy(fleet::of(3), policy("signed.cedar", SIGNED_PUSH)).await;
    let asked = asked(&door, "cli-person-approver", "c1", "gf_config_push", &push("low")).await;
    let here = "cli:person-approver";
    let shown = json!({"approval": asked["code"], "conversation": here, "messageId": null, "success": true});
    assert_eq!(door.ask("approver-key", "POST", "/v1/evidence/shown", Some(shown)).await.0, 200);
    let say = async |text: &str| {
        let line = json!({"conversation": here, "text": text});
        door.ask("approver-key", "POST", "/v1/conversations/answer", Some(line)).await.1
    };
    let said = say("go").await;
    assert_eq!(said["decision"], "ambiguous", "{said}");
    assert!(said["why"].as_str().unwrap().contains("must be signed"), "{said}");
    // To want it otherwise takes no signature, and nobody needs to be told what they said themselves.
    let said = say("change: only acct-0001").await;
    assert_eq!(said["decision"], "changes", "{said}");
    assert!(door.store.read(|fleet| fleet.notices.is_empty() && fleet.operations.is_empty()));
}

#[tokio::test]
async fn a_signing_key_is_one_persons_and_a_real_key() {
    let door = Door::open(fleet::of(1)).await;
    let key = SigningKey::from_bytes(&[3; 32]);
    let id = trust(&door, "person-approver", &key).await;
    let add = async |who: &str, person: &str, public: &str| {
        let path = format!("/v1/people/{person}/signing-keys");
        door.ask(who, "POST", &path, Some(json!({"publicKey": public}))).await
    };
    let public = STANDARD.encode(key.verifying_key().as_bytes());
    is(&add("admin-key", "person-admin", &public).await, 409, "signing_key_taken");
    assert_eq!(add("approver-key", "person-approver", &public).await.0, 403, "only an admin adds keys");
    // Keys of small order verify what nobody signed.
    let weak = STANDARD.encode([0; 32]);
    for bad in ["", "AAAA", "not base64", &weak, &STANDARD.encode([0xff; 33])] {
        is(&add("admin-key", "person-admin", bad).await, 400, "bad_signing_key");
    }
    let path = format!("/v1/people/person-approver/signing-keys/{}", id.as_str().unwrap());
    let (status, told) = door.ask("admin-key", "DELETE", &path, None).await;
    assert_eq!((status, told["signingKeys"].as_array().unwrap().len()), (200, 0), "{told}");
    assert_eq!(door.ask("admin-key", "DELETE", &path, None).await.0, 404);
}

async fn asked_other(door: &Door) -> String {
    let body = json!({"targets": ["acct-0003"], "patch": {"agents": {"defaults": {"thinkingDefault": "off"}}},
        "description": "other"});
    let asked = asked(door, "telegram:group:-100", "other", "gf_config_push", &body).await;
    asked["code"].as_str().unwrap().to_owned()
}
