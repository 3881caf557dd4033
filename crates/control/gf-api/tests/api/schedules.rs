//! Reports that come by themselves, ordered and cancelled over HTTP.

use crate::support::{Door, code, fleet};
use serde_json::{Value, json};

async fn schedule(door: &Door, arguments: Value) -> Value {
    let (status, reply) = door.tool("gf_schedule", arguments).await;
    assert_eq!(status, 200, "{reply}");
    reply
}

#[tokio::test]
async fn a_report_is_added_listed_and_removed_and_each_is_in_the_audit_trail() {
    let door = Door::open(fleet::of(1)).await;
    assert_eq!(schedule(&door, json!({"action": "list"})).await["entries"], json!([]));
    let cost = json!({"action": "add", "what": "cost report", "when": "weekly monday 08:00"});
    let added = schedule(&door, cost.clone()).await;
    let entry = &added["entries"][0];
    assert_eq!((&entry["what"], &entry["when"]), (&json!("cost report"), &json!("weekly monday 08:00")));
    assert_eq!(entry["to"], "operators");
    assert!(entry["nextRun"].as_str().unwrap().ends_with("T08:00:00Z"), "{entry}");
    assert!(added["summary"].as_str().unwrap().starts_with("Scheduled the cost report"), "{added}");
    assert_eq!(schedule(&door, cost).await["entries"].as_array().unwrap().len(), 1, "the same is the same");

    let usual = schedule(&door, json!({"action": "add", "what": "briefing"})).await;
    let briefing = usual["entries"].as_array().unwrap().iter().find(|e| e["what"] == "briefing").unwrap();
    assert_eq!(briefing["when"], "daily 07:00");
    let removed = schedule(&door, json!({"action": "remove", "what": "briefing"})).await;
    assert_eq!(removed["entries"].as_array().unwrap().len(), 1);
    let by_id = schedule(&door, json!({"action": "remove", "id": entry["id"]})).await;
    assert_eq!(by_id["entries"], json!([]));

    for (action, rows) in [("schedule.add", 2), ("schedule.remove", 2)] {
        let found = door.tool("gf_audit_log", json!({"action": action})).await.1;
        assert_eq!(found["rows"].as_array().unwrap().len(), rows, "{action}: {found}");
    }
}

#[tokio::test]
async fn an_agent_orders_for_the_conversation_that_it_is_in_by_that_persons_clock() {
    let door = Door::open(fleet::of(1)).await;
    let zone = json!({"zone": "Asia/Tokyo"});
    assert_eq!(door.ask("admin-key", "PATCH", "/v1/people/person-approver", Some(zone)).await.0, 200);
    let commander = |call: &str| json!({"agent": "commander", "sessionKey": "agent:commander:cli-person-approver", "runId": "r1", "callId": call});
    let add = r#"{"action":"add","what":"briefing","when":"daily 07:00"}"#;
    let (status, added) = door.signed(commander("c1"), "POST", "/v1/tools/gf_schedule", add).await;
    assert_eq!(status, 200, "{added}");
    let entry = &added["entries"][0];
    assert_eq!(entry["to"], "cli:person-approver");
    assert!(entry["nextRunLocal"].as_str().unwrap().ends_with("16:00 Asia/Tokyo"), "{entry}");
    let (_, again) = door.signed(commander("c1"), "POST", "/v1/tools/gf_schedule", add).await;
    assert_eq!(again, added, "one call has its effect once");
    let guardian =
        json!({"agent": "guardian", "sessionKey": "agent:guardian:main", "runId": "r1", "callId": "c2"});
    assert_eq!(door.signed(guardian, "POST", "/v1/tools/gf_schedule", add).await.0, 403);
}

#[tokio::test]
async fn one_key_is_one_entry_and_another_entry_needs_another_key() {
    let door = Door::open(fleet::of(1)).await;
    let send = async |body: Value| {
        let request = door
            .http
            .post(door.url("/v1/tools/gf_schedule"))
            .bearer_auth("operator-key")
            .header("idempotency-key", "k1")
            .body(body.to_string());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let add = json!({"action": "add", "what": "briefing"});
    let first = send(add.clone()).await;
    assert_eq!(first.0, 200, "{first:?}");
    schedule(&door, json!({"action": "remove", "what": "briefing"})).await;
    assert_eq!(send(add).await, first, "it was done, and is not done again");
    assert!(door.store.read(|fleet| fleet.schedules.is_empty()));
    let other = send(json!({"action": "add", "what": "cost report"})).await;
    assert_eq!((other.0, code(&other)), (422, "idempotency_key_reused"));
}

#[tokio::test]
async fn a_viewer_lists_and_changes_nothing() {
    let door = Door::open(fleet::of(1)).await;
    let ask = async |body: Value| door.ask("viewer-key", "POST", "/v1/tools/gf_schedule", Some(body)).await;
    assert_eq!(ask(json!({"action": "list"})).await.0, 200);
    assert_eq!(ask(json!({"action": "add", "what": "briefing"})).await.0, 403);
    assert_eq!(ask(json!({"action": "remove", "what": "briefing"})).await.0, 403);
}
