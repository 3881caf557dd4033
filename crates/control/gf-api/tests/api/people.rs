//! Two people where two must agree: a yes is never the asker's own, wherever they ask.

use crate::support::{Door, code, fleet};
use serde_json::{Value, json};

/// Provisions that raise the cost of a fleet of 20 pairs by more than a fifth need two people.
async fn door() -> Door {
    let policy = gf_policy_cedar::with_second_person_over_cost();
    Door::with_policy(fleet::of(20), policy).await
}

fn much() -> Value {
    json!({"count": 10, "tier": "standard"})
}

async fn grant(door: &Door, key: &str, code: &str) -> (u16, Value) {
    door.ask(key, "POST", &format!("/v1/approvals/{code}/grant"), None).await
}

#[tokio::test]
async fn the_asker_cannot_be_the_second_person() {
    let door = door().await;
    let (_, asked) = door.ask("admin-key", "POST", "/v1/tools/gf_provision?confirm=true", Some(much())).await;
    let approval = asked["approval"]["code"].as_str().unwrap_or_else(|| panic!("{asked}")).to_owned();
    let own = grant(&door, "admin-key", &approval).await;
    assert_eq!((own.0, code(&own)), (403, "second_person_needed"), "{own:?}");
    assert!(own.1["error"]["fix"].is_string() && own.1["error"]["field"] == "person", "{own:?}");
    assert!(door.store.read(|fleet| fleet.operations.is_empty()));
    let other = grant(&door, "approver-key", &approval).await;
    assert_eq!(other.0, 200, "{other:?}");
    assert_eq!(other.1["approval"]["askedBy"], "person-admin");
}

#[tokio::test]
async fn the_person_for_whom_an_agent_asks_is_the_asker() {
    let door = door().await;
    let commander = json!({"agent": "commander", "sessionKey": "agent:commander:cli-person-approver", "runId": "r1", "callId": "c1"});
    let (_, asked) = door.signed(commander, "POST", "/v1/tools/gf_provision", &much().to_string()).await;
    let approval = asked["approval"]["code"].as_str().unwrap_or_else(|| panic!("{asked}")).to_owned();
    let shown = json!({"approval": approval, "conversation": "cli:person-approver", "messageId": null, "success": true});
    assert_eq!(door.ask("approver-key", "POST", "/v1/evidence/shown", Some(shown)).await.0, 200);
    let go = json!({"conversation": "cli:person-approver", "text": "go"});
    let (_, said) = door.ask("approver-key", "POST", "/v1/conversations/answer", Some(go)).await;
    assert_eq!(said["decision"], "ambiguous", "{said}");
    assert!(said["why"].as_str().unwrap().contains("another person"), "{said}");
    assert_eq!(code(&grant(&door, "approver-key", &approval).await), "second_person_needed");
    assert_eq!(grant(&door, "admin-key", &approval).await.0, 200);
}

#[tokio::test]
async fn a_no_is_anybodys_who_may_answer() {
    let door = door().await;
    let (_, asked) = door.ask("admin-key", "POST", "/v1/tools/gf_provision?confirm=true", Some(much())).await;
    let approval = asked["approval"]["code"].as_str().unwrap();
    let (status, denied) =
        door.ask("admin-key", "POST", &format!("/v1/approvals/{approval}/deny"), None).await;
    assert_eq!((status, denied["approval"]["state"].as_str()), (200, Some("denied")), "{denied}");
}

#[tokio::test]
async fn two_who_ask_for_the_same_ask_two_questions() {
    let door = door().await;
    let ask = async |key: &str| {
        let (_, asked) = door.ask(key, "POST", "/v1/tools/gf_provision", Some(much())).await;
        asked["approval"]["code"].as_str().unwrap_or_else(|| panic!("{asked}")).to_owned()
    };
    let (first, again, other) = (ask("admin-key").await, ask("admin-key").await, ask("approver-key").await);
    assert_eq!(first, again, "one person's question is asked once");
    assert_ne!(first, other, "another one's answer must not be taken for their own question's");
}
