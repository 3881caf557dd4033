//! Who asks too often is told when to ask again, and is the only one who waits.

use crate::support::{Door, code, fleet};
use gf_api::limits::Limits;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::num::NonZeroU32;

/// Five reads, or one change, at once; one more read in twelve seconds.
async fn narrow() -> Door {
    let few = NonZeroU32::new(5).unwrap();
    let limits = Limits { person_per_minute: few, agent_per_minute: few, ..Limits::default() };
    Door::with_limits(fleet::of(2), gf_policy_cedar::standard(), limits).await
}

#[tokio::test]
async fn a_flood_is_told_when_to_ask_again_and_starves_nobody_else() {
    let door = narrow().await;
    let read =
        async |key: &str| door.http.get(door.url("/v1/fleet/status")).bearer_auth(key).send().await.unwrap();
    for _ in 0..5 {
        assert_eq!(read("viewer-key").await.status(), 200);
    }
    let refused = read("viewer-key").await;
    assert_eq!(refused.status(), 429);
    let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=12).contains(&seconds), "{seconds}");
    let body: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], "too_many_requests", "{body}");

    // An agent floods; the person beside it is answered.
    let commander = |call: u32| json!({"agent": "commander", "sessionKey": "agent:commander:main", "runId": "r", "callId": format!("c{call}")});
    let mut refused = 0;
    for call in 0..20 {
        let answer = door.signed(commander(call), "GET", "/v1/fleet/status", "").await;
        refused += u32::from(code(&answer) == "too_many_requests");
    }
    assert_eq!(refused, 15);
    assert_eq!(read("operator-key").await.status(), 200);
    let (status, limits) = door.ask("operator-key", "GET", "/v1/limits", None).await;
    assert_eq!((status, limits["agentPerMinute"].as_u64()), (200, Some(5)), "{limits}");
}

#[tokio::test]
async fn a_request_that_is_refused_changes_nothing() {
    let door = narrow().await;
    let silence = json!({"scope": "hetzner", "minutes": 5, "reason": "work"});
    assert_eq!(door.tool("gf_alerts_silence", silence.clone()).await.0, 200);
    let before = door.kept();
    let refused = door.tool("gf_alerts_silence", silence).await;
    assert_eq!((refused.0, code(&refused)), (429, "too_many_requests"));
    assert_eq!(door.kept(), before);
}

#[tokio::test]
async fn nobody_is_buried_in_questions_of_one_asker() {
    let door = Door::open(fleet::of(60)).await;
    let ask = async |n: u32| {
        let session = json!({"agent": "commander", "sessionKey": "agent:commander:cli-person-admin", "runId": "r", "callId": format!("c{n}")});
        let body = json!({"accountIds": [format!("acct-{n:04}")], "newTier": "pro"}).to_string();
        door.signed(session, "POST", "/v1/tools/gf_tier_resize", &body).await
    };
    for n in 1..=50 {
        let (status, asked) = ask(n).await;
        assert!(status == 200 && asked["approval"]["code"].is_string(), "{n}: {asked}");
    }
    let more = ask(51).await;
    assert_eq!((more.0, code(&more)), (429, "too_many_questions"), "{more:?}");
    let open = door.store.read(|fleet| fleet.approvals.keys().next().cloned()).unwrap();
    let deny = format!("/v1/approvals/{open}/deny");
    assert_eq!(door.ask("admin-key", "POST", &deny, None).await.0, 200);
    assert_eq!(ask(52).await.0, 200);
}

#[tokio::test]
async fn a_caller_has_so_many_streams_of_events_and_gets_one_back_for_each_that_ends() {
    let limits = Limits { streams_at_once: 2, ..Limits::default() };
    let door = Door::with_limits(fleet::of(1), gf_policy_cedar::standard(), limits).await;
    let open = async |key: &str| door.http.get(door.url("/v1/events")).bearer_auth(key).send().await.unwrap();
    let first = open("viewer-key").await;
    let second = open("viewer-key").await;
    assert_eq!((first.status(), second.status()), (StatusCode::OK, StatusCode::OK));
    let third = open("viewer-key").await;
    assert_eq!(third.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(third.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    let body: Value = third.json().await.unwrap();
    assert_eq!(body["error"]["code"], "too_many_streams");
    assert_eq!(open("operator-key").await.status(), 200, "it is another one's");
    drop(first);
    // The server hears of the end when it next writes to it, or when the connection is closed.
    let freed = async {
        while open("viewer-key").await.status() != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), freed).await.expect("it was given back");
}

#[tokio::test]
async fn whoever_asks_without_a_key_is_stopped_and_whoever_has_one_is_not() {
    let few = NonZeroU32::new(5).unwrap();
    let limits = Limits { strangers_per_minute: few, ..Limits::default() };
    let door = Door::with_limits(fleet::of(1), gf_policy_cedar::standard(), limits).await;
    let ask = async |key: Option<&str>, path: &str| {
        let request = door.http.get(door.url(path));
        key.map_or(request.try_clone().unwrap(), |key| request.bearer_auth(key)).send().await.unwrap()
    };
    let mut told = Vec::new();
    for n in 0..8 {
        let key = (n % 2 == 0).then_some("a key that nobody has");
        told.push(ask(key, "/v1/fleet/status").await.status().as_u16());
    }
    assert_eq!(told[..5], [401; 5]);
    assert!(told[5..].contains(&429), "{told:?}");
    let open = ask(None, "/healthz").await;
    assert_eq!(open.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(open.headers().contains_key("retry-after"));
    assert_eq!(ask(Some("viewer-key"), "/v1/fleet/status").await.status(), StatusCode::OK);
}
