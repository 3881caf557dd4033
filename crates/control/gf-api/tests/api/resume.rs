//! A stream that was cut off goes on where it was: what was missed comes once, and nothing is left out in silence.

use crate::support::{Door, Events, fleet};
use gf_model::fleet::Once;
use serde_json::json;

async fn events(door: &Door, seen: Option<&str>) -> Events {
    let mut request = door.http.get(door.url("/v1/events")).bearer_auth("viewer-key");
    if let Some(seen) = seen {
        request = request.header("last-event-id", seen);
    }
    Events::of(request.send().await.unwrap())
}

async fn touch(door: &Door, n: u32) {
    let account =
        fleet::pair(n, gf_model::instance::InstanceState::Active, gf_model::instance::InstanceState::Active);
    door.store.update(|_, tx| account.into_iter().for_each(|change| tx.put(change))).await.unwrap();
}

/// The ids of the changes in a text, in their order.
fn ids(text: &str) -> Vec<u64> {
    let ids = text.lines().filter_map(|line| line.strip_prefix("id:"));
    ids.map(|id| id.trim().parse().unwrap()).collect()
}

#[tokio::test]
async fn what_was_missed_is_told_once_and_then_what_comes() {
    let door = Door::open(fleet::of(1)).await;
    let mut first = events(&door, None).await;
    first.until("event: status").await;
    touch(&door, 11).await;
    let seen = *ids(&first.until("acct-0011").await).last().unwrap();
    drop(first);
    touch(&door, 12).await;
    touch(&door, 13).await;
    let mut again = events(&door, Some(&seen.to_string())).await;
    again.until("acct-0013").await;
    touch(&door, 14).await;
    let text = again.until("acct-0014").await;
    assert_eq!(ids(&text), [seen + 1, seen + 2, seen + 3], "{text}");
    assert!(!text.contains("\"missed\":true"), "{text}");
    let newest = seen + 3;
    let mut nothing_missed = events(&door, Some(&newest.to_string())).await;
    touch(&door, 15).await;
    assert_eq!(ids(&nothing_missed.until("acct-0015").await), [newest + 1]);
}

#[tokio::test]
async fn who_was_away_for_too_long_is_told_to_look_at_everything() {
    let door = Door::open(fleet::of(1)).await;
    for n in 0..1100 {
        let once = Once { key: format!("n{}", n % 10), at: fleet::at(n), answer: json!(n) };
        door.store.update(|_, tx| tx.put(once)).await.unwrap();
    }
    // Also one from another life of the database, which this one has not reached.
    for seen in ["1", "999999999"] {
        let text = events(&door, Some(seen)).await.until("\"missed\":true").await;
        assert_eq!(ids(&text), [door.store.changed().newest()], "{seen}: {text}");
    }
    let refused = door.http.get(door.url("/v1/events")).bearer_auth("viewer-key");
    let refused = refused.header("last-event-id", "yesterday").send().await.unwrap();
    assert_eq!(refused.status(), 400);
}
