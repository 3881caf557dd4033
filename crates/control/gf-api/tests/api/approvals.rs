//! Questions at each of their boundaries: answered twice, too late, against each other, for what changed, otherwise,
//! by two people, and with a signature.

mod signed;

use crate::support::{Door, code, fleet};
use gf_model::{
    ApprovalCode, Timestamp,
    fleet::Key,
    instance::{InstanceState, Role},
};
use serde_json::{Value, json};

fn push(description: &str) -> Value {
    json!({"targets": ["acct-0001", "acct-0002"], "patch": {"agents": {"defaults": {"thinkingDefault": description}}},
        "description": description})
}

/// A session of commander, in Ada's own conversation or in a group.
fn commander(session: &str, call: &str) -> Value {
    json!({"agent": "commander", "sessionKey": format!("agent:commander:{session}"), "runId": "r1", "callId": call})
}

async fn asked(door: &Door, session: &str, call: &str, tool: &str, body: &Value) -> Value {
    let path = format!("/v1/tools/{tool}");
    let (status, reply) = door.signed(commander(session, call), "POST", &path, &body.to_string()).await;
    assert!(status == 200 && reply["approval"]["code"].is_string(), "{status} {reply}");
    reply["approval"].clone()
}

async fn a_push(door: &Door) -> String {
    asked(door, "telegram:group:-100", "c1", "gf_config_push", &push("low")).await["code"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn act(door: &Door, key: &str, code: &str, act: &str, body: Value) -> (u16, Value) {
    door.ask(key, "POST", &format!("/v1/approvals/{code}/{act}"), Some(body)).await
}

async fn show(door: &Door, code: &str) -> Value {
    door.ask("viewer-key", "GET", &format!("/v1/approvals/{code}"), None).await.1
}

fn is(answer: &(u16, Value), status: u16, wanted: &str) {
    assert_eq!((answer.0, code(answer)), (status, wanted), "{answer:?}");
    assert!(answer.1["error"]["fix"].is_string(), "it says what to do: {answer:?}");
}

#[tokio::test]
async fn a_second_answer_is_told_what_became_of_the_question() {
    let door = Door::open(fleet::of(3)).await;
    let granted = a_push(&door).await;
    assert_eq!(act(&door, "approver-key", &granted, "grant", json!({})).await.0, 200);
    let again = act(&door, "approver-key", &granted, "grant", json!({})).await;
    is(&again, 409, "already_granted");
    assert!(again.1["error"]["message"].as_str().unwrap().contains("by person-approver at 20"), "{again:?}");
    let no = act(&door, "admin-key", &granted, "deny", json!({})).await;
    is(&no, 409, "already_granted");
    assert!(no.1["error"]["fix"].as_str().unwrap().contains("cancel it"), "{no:?}");
    is(&act(&door, "admin-key", &granted, "changes", json!({"text": "less"})).await, 409, "already_granted");

    let denied = asked(&door, "telegram:group:-100", "c2", "gf_config_push", &push("high")).await;
    let denied = denied["code"].as_str().unwrap();
    assert_eq!(act(&door, "approver-key", denied, "deny", json!({})).await.0, 200);
    is(&act(&door, "admin-key", denied, "grant", json!({})).await, 409, "already_denied");
    assert_eq!(door.store.read(|fleet| fleet.operations.len()), 1);
}

#[tokio::test]
async fn a_yes_that_comes_too_late_starts_nothing() {
    let door = Door::open(fleet::of(3)).await;
    let asked = a_push(&door).await;
    let id: ApprovalCode = asked.parse().unwrap();
    let mut approval = door.store.read(|fleet| fleet.approvals[&id].clone());
    approval.expires_at = Timestamp::now();
    door.store.update(|_, tx| tx.put(approval)).await.unwrap();
    for (how, body) in [("grant", json!({})), ("deny", json!({})), ("changes", json!({"text": "less"}))] {
        is(&act(&door, "approver-key", &asked, how, body).await, 409, "approval_expired");
    }
    assert!(door.store.read(|fleet| fleet.operations.is_empty()));
    let anew = self::asked(&door, "telegram:group:-100", "c2", "gf_config_push", &push("low")).await;
    assert_ne!(anew["code"], asked, "asked for again it is another question");
}

#[tokio::test]
async fn of_two_at_once_with_opposite_wishes_one_counts_and_the_other_is_told() {
    let door = Door::open(fleet::of(3)).await;
    for round in 0..6 {
        let body = push(&format!("round {round}"));
        let asked = asked(&door, "telegram:group:-100", &format!("c{round}"), "gf_config_push", &body).await;
        let asked = asked["code"].as_str().unwrap();
        let (yes, no) = tokio::join!(
            act(&door, "approver-key", asked, "grant", json!({})),
            act(&door, "admin-key", asked, "deny", json!({}))
        );
        let state = show(&door, asked).await["state"].clone();
        let operations: Vec<_> = door.store.read(|fleet| fleet.operations.keys().cloned().collect());
        match (yes.0, no.0) {
            (200, 409) => {
                is(&no, 409, "already_granted");
                assert_eq!((state, operations.len()), (json!("granted"), 1));
            }
            (409, 200) => {
                is(&yes, 409, "already_denied");
                assert_eq!((state, operations.len()), (json!("denied"), 0));
            }
            other => panic!("{other:?}: {yes:?} {no:?}"),
        }
        // The next round's push is free to start.
        door.store
            .update(|fleet, tx| {
                fleet.lanes.keys().for_each(|id| tx.delete(Key::Lane(id.clone())));
                fleet.operations.keys().for_each(|id| tx.delete(Key::Operation(id.clone())));
            })
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn what_is_wanted_otherwise_is_asked_anew_in_place_of_the_first_question() {
    let door = Door::open(fleet::of(3)).await;
    let first = a_push(&door).await;
    let wish = json!({"text": "only acct-0001"});
    let (status, told) = act(&door, "approver-key", &first, "changes", wish).await;
    assert_eq!((status, told["approval"]["state"].as_str()), (200, Some("open")), "{told}");
    let granted = act(&door, "admin-key", &first, "grant", json!({})).await;
    is(&granted, 409, "changes_asked");
    assert!(granted.1["error"]["message"].as_str().unwrap().contains("only acct-0001"), "{granted:?}");

    // The asker is told in the person's words: where they asked, and when they look.
    let notices: Vec<_> = door.store.read(|fleet| fleet.notices.values().cloned().collect());
    assert!(
        notices.iter().any(|notice| notice.text.contains("person-approver asks for changes")
            && notice.text.contains("only acct-0001")
            && format!("{:?}", notice.recipient).contains("telegram:default:-100")),
        "{notices:?}"
    );
    let looked = json!({"id": first, "action": "get"}).to_string();
    let session = commander("telegram:group:-100", "c2");
    let (_, looked) = door.signed(session, "POST", "/v1/tools/gf_operation", &looked).await;
    assert!(looked["summary"].as_str().unwrap().contains("\"only acct-0001\""), "{looked}");

    // The same once more is not what was wanted.
    let same = door
        .signed(
            commander("telegram:group:-100", "c3"),
            "POST",
            "/v1/tools/gf_config_push",
            &push("low").to_string(),
        )
        .await;
    is(&same, 409, "changes_asked");

    let mut less = push("low");
    less["targets"] = json!(["acct-0001"]);
    let second = asked(&door, "telegram:group:-100", "c4", "gf_config_push", &less).await;
    let question = second["question"].as_str().unwrap();
    assert!(question.contains(&format!("takes the place of {first}")) && question.contains("only acct-0001"));
    let second = second["code"].as_str().unwrap();
    let (old, new) = (show(&door, &first).await, show(&door, second).await);
    assert_eq!((&old["state"], &old["supersededBy"]), (&json!("void"), &json!(second)));
    assert_eq!((&new["state"], &new["supersedes"]), (&json!("open"), &json!(first)));
    let late = act(&door, "approver-key", &first, "grant", json!({})).await;
    is(&late, 409, "approval_superseded");
    assert!(late.1["error"]["fix"].as_str().unwrap().contains(second), "{late:?}");
    assert_eq!(act(&door, "approver-key", second, "grant", json!({})).await.0, 200);
    let operations: Vec<_> = door.store.read(|fleet| fleet.operations.values().cloned().collect());
    assert_eq!(operations.len(), 1);
    assert_eq!(operations[0].verb.name(), "config_push");
    let (_, audit) = door.tool("gf_audit_log", json!({})).await;
    for action in ["approval.ask", "approval.changes", "approval.supersede", "approval.grant"] {
        assert!(audit.to_string().contains(action), "{action}: {audit}");
    }
}

#[tokio::test]
async fn a_wish_has_one_to_five_hundred_characters_and_comes_from_who_may_answer() {
    let door = Door::open(fleet::of(3)).await;
    let asked = a_push(&door).await;
    let wish = async |key: &str, text: &str| act(&door, key, &asked, "changes", json!({"text": text})).await;
    is(&wish("approver-key", " ").await, 400, "bad_text");
    is(&wish("approver-key", &"x".repeat(501)).await, 400, "bad_text");
    assert_eq!(wish("operator-key", "less").await.0, 403);
    assert!(show(&door, &asked).await["changes"].is_null());
    assert_eq!(wish("approver-key", &"x".repeat(500)).await.0, 200);
    // A no ends it all the same.
    assert_eq!(act(&door, "admin-key", &asked, "deny", json!({})).await.0, 200);
}

#[tokio::test]
async fn what_was_added_since_voids_it_and_what_dropped_out_is_reported() {
    let door = Door::open(fleet::of(3)).await;
    let gone = a_push(&door).await;
    let standby = fleet::instance_id(2, Role::Standby);
    door.store
        .update(|fleet, tx| {
            let mut gateway = fleet.gateways[&fleet::account(2)].clone();
            gateway.standby = None;
            tx.put(gateway);
            tx.delete(Key::Instance(standby.clone()));
        })
        .await
        .unwrap();
    let (status, granted) = act(&door, "approver-key", &gone, "grant", json!({})).await;
    assert_eq!(status, 200, "{granted}");
    assert!(granted["summary"].as_str().unwrap().contains(&format!("left out: {standby}")), "{granted}");
    assert_eq!(granted["approval"]["dropped"], json!([standby]));
    assert_eq!(show(&door, &gone).await["dropped"], json!([standby]));
    let (_, audit) = door.ask("viewer-key", "GET", "/v1/audit?limit=500", None).await;
    let grant =
        audit["items"].as_array().unwrap().iter().find(|row| row["entry"]["action"] == "approval.grant");
    assert_eq!(grant.unwrap()["entry"]["detail"]["dropped"], json!([standby]), "{audit}");

    let more = json!({"targets": ["acct-0003"], "patch": {"agents": {"defaults": {"thinkingDefault": "off"}}},
        "description": "off"});
    let more = asked(&door, "telegram:group:-100", "c9", "gf_config_push", &more).await;
    let more = more["code"].as_str().unwrap();
    let mut other = fleet::instance(3, Role::Standby, InstanceState::Active);
    other.id = "i-ffff".parse().unwrap();
    door.store
        .update(|fleet, tx| {
            let mut gateway = fleet.gateways[&fleet::account(3)].clone();
            gateway.standby = Some(other.id.clone());
            tx.put(gateway);
            tx.put(other.clone());
        })
        .await
        .unwrap();
    let void = act(&door, "approver-key", more, "grant", json!({})).await;
    is(&void, 409, "approval_void");
    assert!(void.1["error"]["message"].as_str().unwrap().contains("i-ffff was added"), "{void:?}");
    assert_eq!(show(&door, more).await["state"], "void");
    is(&act(&door, "admin-key", more, "grant", json!({})).await, 409, "approval_void");
    assert_eq!(door.store.read(|fleet| fleet.operations.len()), 1);
}

/// The shipped rules and one of a fleet's own.
fn policy(name: &str, text: &str) -> gf_policy_cedar::CedarPolicy {
    let mut files = gf_policy_cedar::shipped();
    files.insert(name.to_owned(), text.to_owned());
    gf_policy::Guarded(gf_policy_cedar::CedarRules::starting_with(files))
}

const TWO_PUSH: &str = r#"
@id("two_push")
@says("a push takes two people")
@fix("let another person agree")
forbid (principal, action == Action::"config_push", resource)
unless { context.agreedByAnother };
"#;

#[tokio::test]
async fn where_nobody_can_tell_who_asked_two_people_say_yes() {
    let door = Door::with_policy(fleet::of(3), policy("two.cedar", TWO_PUSH)).await;
    let asked = a_push(&door).await;
    let (status, first) = act(&door, "approver-key", &asked, "grant", json!({})).await;
    assert_eq!((status, first["approval"]["state"].as_str()), (200, Some("open")), "{first}");
    assert!(first.get("operationId").is_none(), "{first}");
    is(&act(&door, "approver-key", &asked, "grant", json!({})).await, 403, "second_person_needed");
    assert!(door.store.read(|fleet| fleet.operations.is_empty()));
    let (status, second) = act(&door, "admin-key", &asked, "grant", json!({})).await;
    assert!(status == 200 && second["operationId"].is_string(), "{second}");
    assert_eq!(second["approval"]["agreed"][0]["person"], "person-approver");
    assert_eq!(second["approval"]["answeredBy"], "person-admin");
}

#[tokio::test]
async fn two_first_yeses_at_once_are_two_people() {
    let door = Door::with_policy(fleet::of(3), policy("two.cedar", TWO_PUSH)).await;
    let asked = a_push(&door).await;
    let (one, other) = tokio::join!(
        act(&door, "approver-key", &asked, "grant", json!({})),
        act(&door, "admin-key", &asked, "grant", json!({}))
    );
    let started = |answer: &(u16, Value)| answer.1["operationId"].is_string();
    if !started(&one) && !started(&other) {
        let (late, key) = if one.0 == 409 { (&one, "approver-key") } else { (&other, "admin-key") };
        is(late, 409, "answered_meanwhile");
        let again = act(&door, key, &asked, "grant", json!({})).await;
        assert!(started(&again), "{again:?}");
    }
    assert_eq!(door.store.read(|fleet| fleet.operations.len()), 1);
}

const SIGNED_PUSH: &str = r#"
@id("signed_push")
@says("a push takes a signed yes")
@fix("sign it: clawops approvals approve CODE")
forbid (principal, action == Action::"config_push", resource)
unless { context.agreedSigned };
"#;

#[tokio::test]
async fn a_yes_counts_by_the_rules_in_force_when_it_is_said() {
    let door = Door::open(fleet::of(3)).await;
    let asked = a_push(&door).await;
    let mut files = door.ask("viewer-key", "GET", "/v1/policy/rules", None).await.1["files"].clone();
    files["signed.cedar"] = json!(SIGNED_PUSH);
    let plan = door.ask("viewer-key", "POST", "/v1/policy/plan", Some(json!({ "files": files }))).await.1;
    let body = json!({ "files": files, "digest": plan["digest"], "replaces": plan["replaces"] });
    assert_eq!(door.ask("admin-key", "POST", "/v1/policy/apply", Some(body)).await.0, 200);
    let granted = act(&door, "approver-key", &asked, "grant", json!({})).await;
    is(&granted, 409, "approval_void");
    assert!(granted.1["error"]["message"].as_str().unwrap().contains("a signed yes"), "{granted:?}");
    assert!(door.store.read(|fleet| fleet.operations.is_empty()));
}

#[tokio::test]
async fn what_somebody_else_wrote_begins_no_line_of_a_question() {
    let door = Door::open(fleet::of(3)).await;
    let hostile = "beta\n\nApproved by Ada.\u{1b}[2K\u{202e}";
    let body = json!({"count": 1, "tier": "nano", "purpose": hostile});
    let question = asked(&door, "telegram:group:-100", "c1", "gf_provision", &body).await["question"].clone();
    let question = question.as_str().unwrap();
    assert!(question.lines().next().unwrap().contains("for beta Approved by Ada. [2K:"), "{question}");
    assert!(!question.contains(['\u{1b}', '\u{202e}']), "{question:?}");

    let keys: serde_json::Map<_, _> = (0..30).map(|n| (format!("key{n:02}"), json!(n))).collect();
    let body = json!({"targets": ["acct-0001"], "patch": {"ui": keys}, "description": "many"});
    let question =
        asked(&door, "telegram:group:-100", "c2", "gf_config_push", &body).await["question"].clone();
    assert!((0..30).all(|n| question.as_str().unwrap().contains(&format!("ui.key{n:02}"))), "{question}");
}
