//! Instances that wait for a place to boot are told from those that boot.

use crate::support::{Door, fleet};
use gf_model::instance::{Instance, InstanceState, Role};
use serde_json::json;

#[tokio::test]
async fn what_waits_for_a_place_to_boot_is_counted_named_and_shown() {
    let mut changes = fleet::of(1);
    for n in [2, 3] {
        changes.extend(fleet::pair(n, InstanceState::Bootstrapping, InstanceState::Creating));
    }
    let waits = |n: u32, state: InstanceState| Instance {
        waits_to_boot: true,
        ..fleet::instance(n, Role::Primary, state)
    };
    // The first serves, whatever its node said long ago.
    changes.push(waits(1, InstanceState::Active).into());
    changes.push(waits(2, InstanceState::Bootstrapping).into());
    let door = Door::open(changes).await;

    let status = door.tool("gf_fleet_status", json!({"detail": "full"})).await.1;
    assert_eq!(status["waitingToBoot"], 1, "{status}");
    let counted = "2 BOOTSTRAPPING, 2 CREATING (1 waits for a place to boot).";
    assert!(status["summary"].as_str().unwrap().contains(counted), "{}", status["summary"]);
    let line = |n: usize| status["gateways"][n]["primary"]["waitsToBoot"].clone();
    assert_eq!([line(0), line(1), line(2)], [json!(null), json!(true), json!(null)]);

    let id = fleet::instance_id(2, Role::Primary);
    let health = door.tool("gf_instance_health", json!({"instanceId": id})).await.1;
    assert_eq!(
        (&health["instance"]["waitsToBoot"], &health["recommendedAction"]),
        (&json!(true), &json!("wait"))
    );
    let said = "is BOOTSTRAPPING and waits for a place to boot, and no score";
    assert!(health["summary"].as_str().unwrap().contains(said), "{}", health["summary"]);
    let other = fleet::instance_id(3, Role::Primary);
    let boots = door.tool("gf_instance_health", json!({"instanceId": other})).await.1;
    assert!(!boots["summary"].as_str().unwrap().contains("place"), "{}", boots["summary"]);

    let stored = door.ask("viewer-key", "GET", &format!("/v1/instances/{id}"), None).await.1;
    assert_eq!(stored["waitsToBoot"], true, "{stored}");
    let page = door.http.get(door.url("/")).bearer_auth("viewer-key").send().await.unwrap();
    let page = page.text().await.unwrap();
    assert_eq!(page.matches(">waits for a place to boot<").count(), 1, "{page}");
}
