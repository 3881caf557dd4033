//! Who may do what, and that nobody can be somebody else.

use crate::support::{Door, code, fleet, sign};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gf_model::Timestamp;
use serde_json::{Value, json};

const STATUS: &str = "/v1/tools/gf_fleet_status";

fn commander() -> Value {
    json!({"agent": "commander", "sessionKey": "agent:commander:cli-person-operator", "runId": "r1", "callId": "c1"})
}

#[tokio::test]
async fn a_role_is_enough_or_is_not() {
    let door = Door::open(fleet::of(1)).await;
    let none = door.http.get(door.url("/v1/fleet/status")).send().await.unwrap();
    assert_eq!(none.status(), 401);
    let provision = json!({"count": 1, "tier": "nano"});
    for (key, method, path, body, wanted) in [
        ("nobodys-key", "GET", "/v1/fleet/status", None, 401),
        ("viewer-key", "GET", "/v1/fleet/status", None, 200),
        ("viewer-key", "POST", STATUS, Some(json!({})), 200),
        ("viewer-key", "POST", "/v1/tools/gf_provision", Some(provision.clone()), 403),
        ("operator-key", "POST", "/v1/tools/gf_provision", Some(provision), 200),
        ("operator-key", "POST", "/v1/approvals/A7K2/grant", None, 403),
        ("approver-key", "POST", "/v1/approvals/A7K2/grant", None, 404),
        ("approver-key", "GET", "/v1/people", None, 403),
        ("admin-key", "GET", "/v1/people", None, 200),
        ("operator-key", "POST", "/v1/evidence/inbound", Some(json!({})), 403),
    ] {
        let answer = door.ask(key, method, path, body).await;
        assert_eq!(answer.0, wanted, "{key} {method} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn a_signature_is_good_once_fresh_and_for_what_was_signed() {
    let door = Door::open(fleet::of(1)).await;
    assert_eq!(door.signed(commander(), "POST", STATUS, "{}").await.0, 200);

    let mut claims = commander();
    claims["at"] = json!(Timestamp::now().to_string());
    claims["nonce"] = json!("mine");
    let caller = URL_SAFE_NO_PAD.encode(claims.to_string());
    let good = sign(crate::support::PLUGIN_KEY, "POST", STATUS, &caller, "{}");
    let bad = sign("another key", "POST", STATUS, &caller, "{}");
    let refused = door.send_signed("POST", STATUS, "{}", &caller, &bad).await;
    assert_eq!((refused.0, code(&refused)), (401, "bad_signature"));
    let changed = door.send_signed("POST", STATUS, r#"{"detail":"full"}"#, &caller, &good).await;
    assert_eq!((changed.0, code(&changed)), (401, "bad_signature"));
    let elsewhere = door.send_signed("POST", "/v1/tools/gf_provision", "{}", &caller, &good).await;
    assert_eq!((elsewhere.0, code(&elsewhere)), (401, "bad_signature"));
    assert_eq!(door.send_signed("POST", STATUS, "{}", &caller, &good).await.0, 200);
    let replayed = door.send_signed("POST", STATUS, "{}", &caller, &good).await;
    assert_eq!((replayed.0, code(&replayed)), (401, "replayed_signature"));

    let mut stale = commander();
    stale["at"] = json!("2026-01-01T00:00:00Z");
    let stale = door.signed(stale, "POST", STATUS, "{}").await;
    assert_eq!((stale.0, code(&stale)), (401, "stale_signature"));
}

#[tokio::test]
async fn who_called_is_never_a_parameter() {
    let door = Door::open(fleet::of(1)).await;
    for word in ["agent", "principal", "requestedBy", "senderIsOwner", "approvedBy"] {
        let mut body = json!({"count": 1, "tier": "nano"});
        body[word] = json!("commander");
        let answer = door.signed(commander(), "POST", "/v1/tools/gf_provision", &body.to_string()).await;
        assert_eq!((answer.0, code(&answer)), (400, "actor_in_body"), "{word}");
    }
    // The audit log is asked about an actor, which claims nothing.
    let log = door.signed(commander(), "POST", "/v1/tools/gf_audit_log", r#"{"actor":"commander"}"#).await;
    assert_eq!(log.0, 200, "{log:?}");
}

#[tokio::test]
async fn an_agent_has_its_row_of_tools_and_no_persons_powers() {
    let door = Door::open(fleet::of(1)).await;
    let provision = r#"{"count":1,"tier":"nano"}"#;
    let ledger = json!({"agent": "ledger", "sessionKey": "agent:ledger:main"});
    let answer = door.signed(ledger, "POST", "/v1/tools/gf_provision", provision).await;
    assert_eq!((answer.0, code(&answer)), (403, "forbidden"));
    let unknown = door.signed(json!({"agent": "intruder"}), "POST", STATUS, "{}").await;
    assert_eq!(unknown.0, 403, "an unknown agent has no tool");
    let confirmed = door.signed(commander(), "POST", "/v1/tools/gf_provision?confirm=true", provision).await;
    assert_eq!(confirmed.0, 403, "an agent cannot confirm");
    let guardian = json!({"agent": "guardian", "sessionKey": "agent:guardian:main"});
    let cancel =
        door.signed(guardian, "POST", "/v1/tools/gf_operation", r#"{"id":"op-1","action":"cancel"}"#).await;
    assert_eq!(cancel.0, 403);
    let plugin = json!({"agent": "plugin:clawops"});
    assert_eq!(door.signed(plugin.clone(), "POST", STATUS, "{}").await.0, 403, "the plugin is no agent");
    assert_eq!(door.signed(plugin, "GET", "/v1/fleet/status", "").await.0, 200);
    for path in ["/v1/approvals/A7K2/grant", "/v1/conversations/answer", "/v1/people", "/v1/page/link"] {
        assert_eq!(door.signed(commander(), "POST", path, "{}").await.0, 403, "{path}");
    }
    assert_eq!(
        door.signed(commander(), "GET", "/v1/questions?conversation=cli:person-operator", "").await.0,
        403
    );
}

#[tokio::test]
async fn people_are_managed_by_admins_and_keys_are_shown_once() {
    let door = Door::open(fleet::of(0)).await;
    let new = json!({"firstName": "Ada", "role": "operator", "zone": "Europe/Berlin"});
    let (status, made) = door.ask("admin-key", "POST", "/v1/people", Some(new.clone())).await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(made["id"], "person-ada");
    let key = made["key"].as_str().unwrap();
    assert_eq!(door.ask(key, "GET", "/v1/people/me", None).await.1["id"], "person-ada");
    let twice = door.ask("admin-key", "POST", "/v1/people", Some(new)).await;
    assert_eq!((twice.0, code(&twice)), (409, "person_exists"));

    let telegram = json!({"channel": "telegram", "sender": "777"});
    let path = "/v1/people/person-ada/identities";
    assert_eq!(door.ask("admin-key", "POST", path, Some(telegram.clone())).await.0, 200);
    let taken = door.ask("admin-key", "POST", "/v1/people/person-viewer/identities", Some(telegram)).await;
    assert_eq!((taken.0, code(&taken)), (409, "identity_taken"));

    let off = json!({"disabled": true});
    assert_eq!(door.ask("admin-key", "PATCH", "/v1/people/person-ada", Some(off.clone())).await.0, 200);
    assert_eq!(door.ask(key, "GET", "/v1/people/me", None).await.0, 401);
    let last = door.ask("admin-key", "PATCH", "/v1/people/person-admin", Some(off)).await;
    assert_eq!((last.0, code(&last)), (409, "last_admin"));
    let zone = json!({"zone": "Moon/Tycho"});
    let zone = door.ask("admin-key", "PATCH", "/v1/people/person-ada", Some(zone)).await;
    assert_eq!((zone.0, code(&zone)), (400, "unknown_zone"));
    // Every one of these acts has its row.
    let rows = door.ask("admin-key", "GET", "/v1/audit?target=person-ada", None).await.1;
    assert_eq!(rows["items"].as_array().unwrap().len(), 3, "{rows}");
    let text = door.ask("admin-key", "GET", "/v1/people", None).await.1.to_string();
    assert!(!text.contains(key) && !text.contains("sha256"), "{text}");
}

#[tokio::test]
async fn a_secret_goes_in_and_never_comes_out() {
    let door = Door::open(fleet::of(1)).await;
    let path = "/v1/accounts/acct-0001/secrets/telegram/bot-token";
    let set = door.ask("admin-key", "PUT", path, Some(json!({"value": "very secret"}))).await;
    assert_eq!(set.0, 200, "{set:?}");
    assert_eq!(door.ask("operator-key", "PUT", path, Some(json!({"value": "x"}))).await.0, 403);
    let listed = door.ask("admin-key", "GET", "/v1/accounts/acct-0001/secrets", None).await.1;
    assert_eq!(listed["items"][0]["name"], "telegram/bot-token");
    let everything = format!("{listed} {set:?} {}", door.ask("admin-key", "GET", "/v1/audit", None).await.1);
    assert!(!everything.contains("very secret"));
    let empty = door.ask("admin-key", "PUT", path, Some(json!({"value": ""}))).await;
    assert_eq!((empty.0, code(&empty)), (400, "bad_secret_size"));
    assert_eq!(door.ask("admin-key", "DELETE", path, None).await.1["erased"], 1);
    let gone = door.ask("admin-key", "DELETE", path, None).await;
    assert_eq!((gone.0, code(&gone)), (404, "unknown_secret"));
}
