//! Who asks too often is told when to ask again, and is the only one who waits.

use crate::support::{Door, code, fleet};
use gf_api::limits::Limits;
use serde_json::json;
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
