//! A change says what it changes: of two who saw the same only one changes it, and the other is told what it is now.

use crate::support::{Door, fleet};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const BOB: &str = "/v1/people/person-operator";

async fn send(
    door: &Door,
    method: Method,
    path: &str,
    header: Option<(&str, &str)>,
    body: Value,
) -> Response {
    let mut request = door.http.request(method, door.url(path)).bearer_auth("admin-key");
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    request.body(body.to_string()).send().await.unwrap()
}

fn tag(answer: &Response) -> String {
    answer.headers()["etag"].to_str().unwrap().to_owned()
}

async fn code(answer: Response) -> String {
    answer.json::<Value>().await.unwrap()["error"]["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_change_of_what_somebody_else_changed_is_refused_with_what_it_is_now() {
    let door = Door::open(fleet::of(1)).await;
    let seen = tag(&send(&door, Method::GET, BOB, None, json!({})).await);
    let zone = |zone: &str| json!({"zone": zone});
    let first = send(&door, Method::PATCH, BOB, Some(("if-match", &seen)), zone("Europe/Berlin")).await;
    assert_eq!(first.status(), 200);
    let now = tag(&first);
    assert_ne!(now, seen);
    let late = send(&door, Method::PATCH, BOB, Some(("if-match", &seen)), zone("UTC")).await;
    assert_eq!((late.status(), tag(&late)), (StatusCode::PRECONDITION_FAILED, now.clone()));
    assert_eq!(code(late).await, "not_as_seen");
    let either = format!("\"other\", {now}");
    let again = send(&door, Method::PATCH, BOB, Some(("if-match", &either)), zone("UTC")).await;
    assert_eq!(again.status(), 200);
    let any = send(&door, Method::PATCH, BOB, Some(("if-match", "*")), zone("Asia/Tokyo")).await;
    assert_eq!(any.status(), 200);

    let blind = send(&door, Method::PATCH, BOB, None, zone("UTC")).await;
    assert_eq!(blind.status(), StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(code(blind).await, "must_match");
    // Nobody is told by 428 what there is not.
    let nobody = send(&door, Method::PATCH, "/v1/people/person-zoe", None, zone("UTC")).await;
    assert_eq!(nobody.status(), 404);
    let zone = door.store.read(|fleet| fleet.people[&"person-operator".parse().unwrap()].zone.clone());
    assert_eq!(zone.as_deref(), Some("Asia/Tokyo"));
}

#[tokio::test]
async fn of_many_at_once_who_saw_the_same_one_changes_it() {
    let door = Door::open(fleet::of(1)).await;
    let seen = tag(&send(&door, Method::GET, BOB, None, json!({})).await);
    let change = async |n: u32| {
        let identity = json!({"channel": "telegram", "sender": n.to_string()});
        send(&door, Method::POST, &format!("{BOB}/identities"), Some(("if-match", &seen)), identity)
            .await
            .status()
    };
    let all = futures_util::future::join_all((0..12).map(change)).await;
    assert_eq!(all.iter().filter(|status| **status == 200).count(), 1, "{all:?}");
    assert!(all.iter().all(|status| matches!(status.as_u16(), 200 | 412)));
    let known = door.store.read(|fleet| fleet.people[&"person-operator".parse().unwrap()].identities.len());
    assert_eq!(known, 1);
}

#[tokio::test]
async fn what_was_decided_and_is_not_durable_yet_is_a_change_too() {
    let slow = Arc::new(AtomicBool::new(false));
    let is_slow = Arc::clone(&slow);
    // The next commit ends only after the change that must not rest on what was before it. Where it ends sooner, it is seen
    // to have changed as well.
    let pace = move || Duration::from_secs(if is_slow.swap(false, Ordering::Relaxed) { 3 } else { 0 });
    let door = Door::on_a_disk(fleet::of(1), Arc::new(pace)).await;
    let seen = tag(&send(&door, Method::GET, BOB, None, json!({})).await);
    slow.store(true, Ordering::Relaxed);
    let other = door.store.update(|fleet, tx| {
        let mut bob = fleet.people[&"person-operator".parse().unwrap()].clone();
        bob.zone = Some("Asia/Tokyo".into());
        tx.put(bob);
    });
    let mut other = std::pin::pin!(other);
    assert!(futures_util::poll!(&mut other).is_pending(), "it is decided and on its way to the disk");
    let late = json!({"zone": "UTC"});
    let late = send(&door, Method::PATCH, BOB, Some(("if-match", &seen)), late).await;
    assert_eq!(late.status(), StatusCode::PRECONDITION_FAILED);
    assert_eq!(code(late).await, "not_as_seen");
    other.await.unwrap();
    let zone = door.store.read(|fleet| fleet.people[&"person-operator".parse().unwrap()].zone.clone());
    assert_eq!(zone.as_deref(), Some("Asia/Tokyo"));
}

#[tokio::test]
async fn questions_operations_and_rules_have_tags_too() {
    let door = Door::open(fleet::running_provision()).await;
    for path in ["/v1/operations/op-91c2", "/v1/policy/rules", BOB] {
        let read = send(&door, Method::GET, path, None, json!({})).await;
        let known = tag(&read);
        assert!(known.starts_with('"') && known.ends_with('"'), "{known}");
        let again = send(&door, Method::GET, path, Some(("if-none-match", &known)), json!({})).await;
        assert_eq!((again.status(), tag(&again)), (StatusCode::NOT_MODIFIED, known));
    }
    let act = "/v1/operations/op-91c2/pause";
    let seen = tag(&send(&door, Method::GET, "/v1/operations/op-91c2", None, json!({})).await);
    let other = send(&door, Method::POST, act, Some(("if-match", "\"seen-long-ago\"")), json!({})).await;
    assert_eq!(other.status(), StatusCode::PRECONDITION_FAILED);
    let paused = send(&door, Method::POST, act, Some(("if-match", &seen)), json!({})).await;
    assert_eq!(paused.status(), 200, "{}", paused.text().await.unwrap());
    let late = send(&door, Method::POST, act, Some(("if-match", &seen)), json!({})).await;
    assert_eq!(late.status(), StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn a_secret_is_changed_as_it_was_seen_and_one_that_is_gone_is_not_made_anew() {
    let door = Door::open(fleet::of(1)).await;
    let path = "/v1/accounts/acct-0001/secrets/telegram/token";
    let value = |text: &str| json!({ "value": text });
    let made = send(&door, Method::PUT, path, None, value("first")).await;
    assert_eq!(made.status(), 200, "{}", made.text().await.unwrap());
    let read = send(&door, Method::GET, path, None, json!({})).await;
    let seen = tag(&read);
    assert_eq!(seen, tag(&made));
    let body = read.text().await.unwrap();
    assert!(body.contains("\"version\":1") && !body.contains("first"), "{body}");
    assert_eq!(
        send(&door, Method::PUT, path, Some(("if-match", &seen)), value("second")).await.status(),
        200
    );
    let late = send(&door, Method::PUT, path, Some(("if-match", &seen)), value("third")).await;
    assert_eq!((late.status(), code(late).await.as_str()), (StatusCode::PRECONDITION_FAILED, "not_as_seen"));
    let late = send(&door, Method::DELETE, path, Some(("if-match", &seen)), json!({})).await;
    assert_eq!(late.status(), StatusCode::PRECONDITION_FAILED);
    let now = tag(&send(&door, Method::GET, path, None, json!({})).await);
    assert_eq!(send(&door, Method::DELETE, path, Some(("if-match", &now)), json!({})).await.status(), 200);
    let gone = send(&door, Method::PUT, path, Some(("if-match", &now)), value("fourth")).await;
    assert_eq!(gone.status(), StatusCode::PRECONDITION_FAILED, "what was seen is gone");
    assert_eq!(send(&door, Method::GET, path, None, json!({})).await.status(), 404);
}

#[tokio::test]
async fn an_incident_and_a_scheduled_report_are_changed_as_they_were_seen() {
    let door = Door::open(fleet::of(1)).await;
    let opened = json!({"action": "create", "title": "slow", "entry": "it is slow"});
    let incident = door.tool("gf_incident_report", opened).await.1["incidents"][0]["id"].clone();
    let path = format!("/v1/incidents/{}", incident.as_str().unwrap());
    let seen = tag(&send(&door, Method::GET, &path, None, json!({})).await);
    let solved = json!({"status": "resolved", "rootCause": "a cable"});
    let first = send(&door, Method::PATCH, &path, Some(("if-match", &seen)), solved.clone()).await;
    assert_eq!(first.status(), 200, "{}", first.text().await.unwrap());
    let late = send(&door, Method::PATCH, &path, Some(("if-match", &seen)), json!({"status": "open"})).await;
    assert_eq!(late.status(), StatusCode::PRECONDITION_FAILED);
    let now: Value = send(&door, Method::GET, &path, None, json!({})).await.json().await.unwrap();
    assert_eq!((&now["state"], &now["rootCause"]), (&json!("resolved"), &json!("a cable")), "{now}");
    let bad = send(&door, Method::PATCH, &path, None, json!({"status": "gone"})).await;
    assert_eq!(code(bad).await, "unknown_status");

    let added = json!({"action": "add", "what": "briefing", "when": "daily 07:00"});
    let entry = door.tool("gf_schedule", added).await.1["entries"][0]["id"].clone();
    let path = format!("/v1/schedules/{}", entry.as_str().unwrap());
    let seen = tag(&send(&door, Method::GET, &path, None, json!({})).await);
    let other = send(&door, Method::DELETE, &path, Some(("if-match", "\"seen-long-ago\"")), json!({})).await;
    assert_eq!(other.status(), StatusCode::PRECONDITION_FAILED);
    assert_eq!(send(&door, Method::DELETE, &path, Some(("if-match", &seen)), json!({})).await.status(), 200);
    assert_eq!(send(&door, Method::GET, &path, None, json!({})).await.status(), 404);
    let left: Value = send(&door, Method::GET, "/v1/schedules", None, json!({})).await.json().await.unwrap();
    assert_eq!(left["total"], 0, "{left}");
}
