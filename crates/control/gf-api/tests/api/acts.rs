//! Changes over HTTP: asked for, agreed to, done once, and followed.

use crate::support::{Door, Events, code, fleet};
use gf_model::instance::{InstanceState, Role};
use serde_json::{Value, json};

const CLI: &str = "cli:person-approver";

fn commander_of(person: &str) -> Value {
    json!({"agent": "commander", "sessionKey": format!("agent:commander:cli-{person}"), "runId": "r1", "callId": "c1"})
}

#[tokio::test]
async fn what_an_agent_asks_for_waits_for_the_person_who_was_asked() {
    let door = Door::open(fleet::of(1)).await;
    let provision = r#"{"count":2,"tier":"standard"}"#;
    let (status, reply) =
        door.signed(commander_of("person-approver"), "POST", "/v1/tools/gf_provision", provision).await;
    assert_eq!(status, 200, "{reply}");
    let approval = reply["approval"]["code"].as_str().unwrap().to_owned();
    assert!(reply["summary"].as_str().unwrap().starts_with("Nothing was done yet"), "{reply}");
    assert_eq!(reply["pairs"], 2);
    assert_eq!(reply["monthlyCostCents"], 2400, "two pairs at the providers' own prices");
    assert_eq!(door.store.read(|fleet| fleet.gateways.len()), 1, "nothing exists yet");

    // The question stands in that conversation, and is granted by a whole yes only after it was shown there.
    let questions = format!("/v1/questions?conversation={CLI}");
    let open = door.ask("approver-key", "GET", &questions, None).await.1;
    assert_eq!(open["questions"][0]["approval"], approval);
    let say = async |key: &str, text: &str| {
        let line = json!({"conversation": CLI, "text": text});
        door.ask(key, "POST", "/v1/conversations/answer", Some(line)).await
    };
    assert_ne!(say("approver-key", "Go.").await.1["decision"], "granted", "it was not shown yet");
    let shown = json!({"approval": approval, "conversation": CLI, "messageId": null, "success": true});
    assert_eq!(door.ask("operator-key", "POST", "/v1/evidence/shown", Some(shown.clone())).await.0, 403);
    assert_eq!(door.ask("approver-key", "POST", "/v1/evidence/shown", Some(shown)).await.0, 200);
    assert_eq!(say("operator-key", "Go.").await.0, 403, "it is another person's conversation");
    assert_eq!(say("approver-key", "go, but only 1").await.1["decision"], "none");
    let (_, answered) = say("approver-key", "Go.").await;
    assert_eq!(answered["decision"], "granted", "{answered}");
    let id = answered["operationId"].as_str().unwrap();
    let seen = door.ask("viewer-key", "GET", &format!("/v1/operations/{id}"), None).await.1;
    assert_eq!(seen["progress"]["accountIds"].as_array().unwrap().len(), 2, "{seen}");
    assert_eq!(seen["approval"], approval);
}

#[tokio::test]
async fn a_person_confirms_in_the_same_act_and_a_dry_run_changes_nothing() {
    let door = Door::open(fleet::of(1)).await;
    let ask = async |query: &str| {
        let path = format!("/v1/tools/gf_provision{query}");
        door.ask("approver-key", "POST", &path, Some(json!({"count": 1, "tier": "nano"}))).await.1
    };
    let planned = ask("?dryRun=true").await;
    assert!(planned["summary"].as_str().unwrap().contains("dry run"), "{planned}");
    assert!(door.store.read(|fleet| fleet.approvals.is_empty() && fleet.operations.is_empty()));
    let waiting = ask("").await;
    let code = waiting["approval"]["code"].as_str().unwrap();
    let denied = door.ask("approver-key", "POST", &format!("/v1/approvals/{code}/deny"), None).await.1;
    assert_eq!(denied["approval"]["state"], "denied", "{denied}");
    let get = json!({"id": code, "action": "get"});
    assert_eq!(door.tool("gf_operation", get).await.1["state"], "DENIED");
    let started = ask("?confirm=true").await;
    assert!(started["operationId"].is_string(), "{started}");
}

#[tokio::test]
async fn the_same_key_has_its_effect_once() {
    let door = Door::open(fleet::of(1)).await;
    let send = async |key: &str, body: Value| {
        let request = door
            .http
            .post(door.url("/v1/tools/gf_provision"))
            .bearer_auth("operator-key")
            .header("idempotency-key", key)
            .body(body.to_string());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let first = send("k1", json!({"count": 1, "tier": "nano"})).await;
    let again = send("k1", json!({"count": 1, "tier": "nano"})).await;
    assert_eq!(first, again);
    let other = send("k1", json!({"count": 3, "tier": "nano"})).await;
    assert_eq!((other.0, code(&other)), (422, "idempotency_key_reused"));
    assert_eq!(door.store.read(|fleet| fleet.approvals.len()), 1);
    let bad = send("", json!({"count": 1, "tier": "nano"})).await;
    assert_eq!((bad.0, code(&bad)), (400, "bad_idempotency_key"));

    // A key that was shown once is not shown again, and not made twice.
    let person = async || {
        let request = door
            .http
            .post(door.url("/v1/people"))
            .bearer_auth("admin-key")
            .header("idempotency-key", "p1")
            .body(r#"{"firstName":"Bo","role":"viewer"}"#);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!(person().await.0, 200);
    let twice = person().await;
    assert_eq!((twice.0, code(&twice)), (409, "shown_once"));
    let kept = door.store.read(|fleet| format!("{:?}", fleet.once));
    assert!(!kept.contains("gfk_"), "no key is kept");
}

#[tokio::test]
async fn a_push_shows_its_diff_and_its_reach() {
    let door = Door::open(fleet::of(120)).await;
    let push = json!({"targets": "all", "patch": {"tts": {"auto": "tagged"}}, "description": "voices", "batchSize": 50});
    let reply = door.tool("gf_config_push", push.clone()).await.1;
    assert_eq!(
        (&reply["gateways"], &reply["batches"], &reply["lastBatch"]),
        (&json!(120), &json!(3), &json!(20)),
        "{reply}"
    );
    assert_eq!(reply["diff"][0]["path"], "tts.auto");
    assert_eq!(reply["diff"][0]["gateways"], 120);
    assert!(reply["approval"]["code"].is_string());
    let mut at_once = push;
    at_once["strategy"] = json!("immediate");
    let refused = door.tool("gf_config_push", at_once).await;
    assert!((400..500).contains(&refused.0), "more than 100 at once: {refused:?}");
    let explained =
        json!({"tool": "gf_teardown", "arguments": {"accountIds": ["acct-0001"], "reason": "idle"}});
    let explained = door.ask("viewer-key", "POST", "/v1/policy/explain", Some(explained)).await.1;
    assert!(explained["decision"].is_string() && explained["summary"].is_string(), "{explained}");
}

#[tokio::test]
async fn an_operation_is_followed_to_its_end() {
    let door = Door::open([fleet::of(1), fleet::running_provision()].concat()).await;
    let url = door.url("/v1/operations/op-91c2/events");
    let answer = door.http.get(url).bearer_auth("viewer-key").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut events = Events::of(answer);
    let first = events.until("event: progress").await;
    assert!(first.contains("op-91c2"), "{first}");
    door.store
        .update(|fleet, tx| {
            let mut operation = fleet.operations.values().next().unwrap().clone();
            operation.state = gf_model::operation::OperationState::Done;
            operation.finished_at = Some(fleet::at(30));
            tx.put(operation);
        })
        .await
        .unwrap();
    let end = events.until("event: end").await;
    assert!(end.contains("DONE"), "{end}");
}

#[tokio::test]
async fn the_fleet_tells_its_changes() {
    let door = Door::open(fleet::of(1)).await;
    let answer = door.http.get(door.url("/v1/events")).bearer_auth("viewer-key").send().await.unwrap();
    let mut events = Events::of(answer);
    events.until("event: status").await;
    door.store
        .update(|_, tx| {
            fleet::pair(
                7,
                gf_model::instance::InstanceState::Active,
                gf_model::instance::InstanceState::Active,
            )
            .into_iter()
            .for_each(|change| tx.put(change))
        })
        .await
        .unwrap();
    events.until("acct-0007").await;
    events.until("2 pairs").await;
}

#[tokio::test]
async fn how_much_memory_a_failover_lost_is_unknown_unless_it_is_known() {
    let door = Door::open(fleet::of(1)).await;
    let moved = async |rpo_seconds: Option<u64>| {
        door.store
            .update(|fleet, tx| {
                let mut gateway = fleet.gateways[&fleet::account(1)].clone();
                gateway.last_failover = Some(gf_model::gateway::Failover {
                    at: fleet::at(700),
                    from: fleet::instance_id(1, gf_model::instance::Role::Standby),
                    to: fleet::instance_id(1, gf_model::instance::Role::Primary),
                    generation: gf_model::gateway::Generation(1),
                    reason: "a test".to_owned(),
                    took_ms: 900,
                    rpo_seconds,
                });
                tx.put(gateway);
            })
            .await
            .unwrap();
        door.tool("gf_pair_status", json!({"accountId": "acct-0001"})).await.1
    };
    let unknown = moved(None).await;
    assert!(unknown["lastFailover"].get("rpoSeconds").is_none(), "{unknown}");
    assert!(unknown["summary"].as_str().unwrap().contains("memory lost: unknown"), "{unknown}");
    let known = moved(Some(0)).await;
    assert_eq!(known["lastFailover"]["rpoSeconds"], 0.0, "nothing lost is known: {known}");
}

/// Eleven need a person; the twelfth goes away by itself.
#[tokio::test]
async fn the_question_of_a_restart_counts_what_is_restarted() {
    let mut changes = fleet::of(6);
    let going = fleet::instance(6, Role::Standby, InstanceState::TearingDown);
    let id = going.id.to_string();
    changes.push(going.into());
    let door = Door::open(changes).await;
    let all = json!({"filter": {"tier": "standard"}, "reason": "a leak"});
    let claims = commander_of("person-approver");
    let (status, asked) = door.signed(claims, "POST", "/v1/tools/gf_bulk_restart", &all.to_string()).await;
    assert_eq!(status, 200, "{asked}");
    assert_eq!(asked["matched"], 11, "{asked}");
    let question = asked["approval"]["question"].as_str().unwrap_or_else(|| panic!("{asked}"));
    let headline = question.lines().next().unwrap();
    assert!(headline.starts_with("Restart 11 instances: ") && !headline.contains(&id), "{headline}");
    assert!(question.contains(&format!("1 instance left out, being made or torn down: {id}")), "{question}");
    assert!(!asked["running"].to_string().contains(&id), "{asked}");

    // Without the one that goes there are ten, which need nobody.
    let ten = json!({"filter": {"accountIds": (1..=4).chain([6]).map(fleet::account).collect::<Vec<_>>()}, "reason": "a leak"});
    let (_, started) = door.tool("gf_bulk_restart", ten).await;
    assert_eq!((&started["matched"], started["operationId"].is_string()), (&json!(9), true), "{started}");
}
