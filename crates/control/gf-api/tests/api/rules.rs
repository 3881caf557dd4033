//! Other rules: planned by anybody who may look, put in force by an admin for exactly the text that was shown.

use crate::support::{Door, code, fleet};
use serde_json::{Value, json};

async fn in_force(door: &Door) -> Value {
    door.ask("viewer-key", "GET", "/v1/policy/rules", None).await.1
}

/// The rules in force, with agents doing nothing alone.
fn stricter(rules: &Value) -> Value {
    let mut files = rules["files"].clone();
    files["night.cedar"] = json!(
        "@id(\"night\")@says(\"not at night\")@fix(\"ask a person\")
         forbid (principal, action == Action::\"silence\", resource);"
    );
    files
}

async fn plan(door: &Door, files: &Value) -> Value {
    let (status, plan) =
        door.ask("viewer-key", "POST", "/v1/policy/plan", Some(json!({ "files": files }))).await;
    assert_eq!(status, 200, "{plan}");
    plan
}

async fn apply(door: &Door, key: &str, files: &Value, plan: &Value) -> (u16, Value) {
    let body = json!({ "files": files, "digest": plan["digest"], "replaces": plan["replaces"] });
    door.ask(key, "POST", "/v1/policy/apply", Some(body)).await
}

async fn silence(door: &Door) -> (u16, Value) {
    let body = json!({ "scope": "hetzner", "minutes": 10, "reason": "maintenance" });
    door.ask("admin-key", "POST", "/v1/tools/gf_alerts_silence", Some(body)).await
}

#[tokio::test]
async fn an_admin_puts_in_force_what_the_plan_showed() {
    let door = Door::open(fleet::of(2)).await;
    let before = in_force(&door).await;
    let files = stricter(&before);
    let shown = plan(&door, &files).await;
    assert_eq!(
        (shown["replaces"].clone(), shown["added"][0]["rule"].clone()),
        (before["digest"].clone(), json!("night"))
    );
    assert!(
        shown["decidedOtherwise"].as_array().unwrap().iter().any(|case| case["after"] == "refuse"),
        "{shown}"
    );
    assert_eq!(in_force(&door).await, before, "a plan changes nothing");
    for key in ["viewer-key", "operator-key", "approver-key"] {
        assert_eq!(apply(&door, key, &files, &shown).await.0, 403, "{key}");
    }
    let applied = apply(&door, "admin-key", &files, &shown).await;
    assert_eq!(applied.0, 200, "{applied:?}");
    let after = in_force(&door).await;
    assert_eq!(
        (&after["digest"], after["appliedBy"]["id"].as_str()),
        (&shown["digest"], Some("person-admin"))
    );
    let refused = silence(&door).await;
    assert_eq!((refused.0, code(&refused)), (403, "night"), "{refused:?}");
    assert_eq!(refused.1["error"]["fix"], "ask a person");
    let (_, trail) = door.ask("viewer-key", "GET", "/v1/audit?limit=50", None).await;
    assert!(
        trail.to_string().contains("policy.apply")
            && trail.to_string().contains(shown["digest"].as_str().unwrap())
    );
    // Agreed to twice: the second time it replaces something else than what was shown.
    let again = apply(&door, "admin-key", &files, &shown).await;
    assert_eq!((again.0, code(&again)), (409, "rules_changed"), "{again:?}");
}

#[tokio::test]
async fn what_was_not_shown_is_not_put_in_force() {
    let door = Door::open(fleet::of(2)).await;
    let before = in_force(&door).await;
    let files = stricter(&before);
    let shown = plan(&door, &files).await;
    let mut other = files.clone();
    other["night.cedar"] = json!("@id(\"day\") permit (principal, action, resource);");
    let refused = apply(&door, "admin-key", &other, &shown).await;
    assert_eq!((refused.0, code(&refused)), (409, "rules_changed"), "{refused:?}");
    let bad = door
        .ask(
            "viewer-key",
            "POST",
            "/v1/policy/plan",
            Some(json!({ "files": {"a.cedar": "permit everything"} })),
        )
        .await;
    assert_eq!((bad.0, code(&bad)), (422, "bad_rules"), "{bad:?}");
    assert!(bad.1["error"]["message"].as_str().unwrap().contains("a.cedar:1"), "{bad:?}");
    assert_eq!(in_force(&door).await, before);
}

#[tokio::test]
async fn rules_are_tried_before() {
    let door = Door::open(fleet::of(2)).await;
    let (status, tried) = door.ask("viewer-key", "POST", "/v1/policy/test", Some(json!({}))).await;
    assert_eq!((status, tried["ok"].clone()), (200, json!(true)), "{tried}");
    let files = stricter(&in_force(&door).await);
    let (_, tried) = door.ask("viewer-key", "POST", "/v1/policy/test", Some(json!({ "files": files }))).await;
    assert_eq!(tried["ok"], false, "{tried}");
    let cases = "[[case]]\nname = \"mine\"\nwho = \"person admin\"\nverb = \"silence\"\nexpect = \"refuse\"\nrules = [\"night\"]";
    let body = json!({ "files": files, "cases": cases });
    let (_, tried) = door.ask("viewer-key", "POST", "/v1/policy/test", Some(body)).await;
    assert_eq!(
        (tried["ok"].clone(), tried["results"].as_array().unwrap().len()),
        (json!(true), 1),
        "{tried}"
    );
    let bad = door.ask("viewer-key", "POST", "/v1/policy/test", Some(json!({ "cases": "[[case" }))).await;
    assert_eq!((bad.0, code(&bad)), (422, "bad_cases"), "{bad:?}");
}

/// Rules that a newer program cannot read any more: nothing but healing goes on, and an admin gets out of it.
#[tokio::test]
async fn unreadable_rules_are_replaced() {
    let files: std::collections::BTreeMap<_, _> =
        [("old.cedar".to_owned(), "permit everything".to_owned())].into();
    let broken = gf_model::rules::RuleSet {
        digest: gf_model::rules::digest(&files),
        files,
        applied_at: gf_model::Timestamp::UNIX_EPOCH,
        applied_by: gf_model::person::Principal::Person("person-admin".parse().unwrap()),
    };
    let door = Door::open(fleet::of(2).into_iter().chain([broken.into()]).collect()).await;
    let refused = silence(&door).await;
    assert_eq!((refused.0, code(&refused)), (403, "rules_unreadable"), "{refused:?}");
    let files = json!(gf_policy_cedar::shipped());
    let shown = plan(&door, &files).await;
    assert_eq!(apply(&door, "admin-key", &files, &shown).await.0, 200);
    let silenced = silence(&door).await;
    assert_eq!(silenced.0, 200, "{silenced:?}");
}

/// Each alone is six users and needs nobody; together they are twelve, whoever comes first.
#[tokio::test]
async fn two_requests_do_not_find_the_same_room() {
    use gf_model::instance::Role;
    let door = Door::open(fleet::of(12)).await;
    let restart = |from: u32| {
        let ids: Vec<_> =
            (from..from + 6).map(|n| fleet::instance_id(n, Role::Standby).to_string()).collect();
        let body = json!({ "instanceIds": ids, "reason": "maintenance" });
        door.ask("operator-key", "POST", "/v1/tools/gf_bulk_restart", Some(body))
    };
    let (one, other) = tokio::join!(restart(1), restart(7));
    let counts = door.store.read(|fleet| (fleet.operations.len(), fleet.approvals.len()));
    assert_eq!(counts, (1, 1), "{one:?} {other:?}");
    let approval = door.store.read(|fleet| fleet.approvals.values().next().unwrap().question.clone());
    assert!(approval.contains("affects 12 users"), "{approval}");
}
