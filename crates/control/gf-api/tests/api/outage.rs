//! What must be asked before a place is called dark or left, and what is at stake there.

use crate::support::{Door, code, fleet};
use serde_json::json;

#[tokio::test]
async fn nothing_is_declared_widespread_and_nobody_leaves_before_the_provider_was_asked() {
    let door = Door::open(fleet::of(3)).await;
    let declare = json!({"action": "create", "title": "Nuremberg is dark", "subjects": ["nbg1"]});
    let leave = json!({"provider": "hetzner", "region": "Nuremberg", "reason": "outage"});
    let refused = door.tool("gf_incident_report", declare.clone()).await;
    assert_eq!((refused.0, code(&refused)), (409, "provider_not_asked"));
    let refused = door.tool("gf_failover", leave.clone()).await;
    assert_eq!((refused.0, code(&refused)), (409, "provider_not_asked"), "{}", refused.1);
    // One account is nobody's outage.
    let single = json!({"action": "create", "title": "one", "subjects": ["acct-0001"]});
    assert_eq!(door.tool("gf_incident_report", single).await.0, 200);

    for provider in ["hetzner", "vultr"] {
        let (status, health) = door.tool("gf_provider_health", json!({ "provider": provider })).await;
        assert_eq!(status, 200, "{health}");
        assert!(health["providers"][0]["statusAskedAt"].is_string(), "{health}");
    }
    let declared = door.tool("gf_incident_report", declare).await;
    assert_eq!(declared.0, 200, "{}", declared.1);
    let left = door.tool("gf_failover", leave).await;
    assert_ne!(code(&left), "provider_not_asked", "{}", left.1);
}

#[tokio::test]
async fn exposure_is_counted_by_role_and_by_who_could_leave() {
    let door = Door::open(fleet::of(3)).await;
    let (status, seen) =
        door.tool("gf_fleet_status", json!({"provider": "hetzner", "region": "nuremberg"})).await;
    assert_eq!(status, 200, "{seen}");
    let exposure = &seen["exposure"];
    assert_eq!(
        (&exposure["accounts"], &exposure["primaries"], &exposure["standbys"]),
        (&json!(3), &json!(3), &json!(0))
    );
    assert_eq!(exposure["canMove"].as_u64().unwrap() + exposure["stay"].as_u64().unwrap(), 3);
    assert_eq!(exposure["shareThePlace"], 3, "both halves are in Nuremberg");
    assert!(seen["summary"].as_str().unwrap().starts_with("Exposure at hetzner nbg1: 3 accounts"), "{seen}");
    assert!(door.tool("gf_fleet_status", json!({})).await.1["exposure"].is_null());
}
