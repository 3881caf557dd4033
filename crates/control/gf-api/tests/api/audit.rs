//! What is said of the audit trail to people: counts and times as people read them.

use crate::support::{Door, fleet};
use gf_model::Timestamp;
use serde_json::json;

#[tokio::test]
async fn times_are_utc_to_the_second_with_the_readers_zone_beside_and_one_row_is_one_row() {
    let door = Door::open(fleet::of(1)).await;
    let zone = json!({"zone": "Asia/Tokyo"});
    assert_eq!(door.ask("admin-key", "PATCH", "/v1/people/person-operator", Some(zone)).await.0, 200);
    let exact = door.ask("viewer-key", "GET", "/v1/audit", None).await.1["items"][0].clone();
    let exact: Timestamp = exact["entry"]["at"].as_str().unwrap().parse().unwrap();

    let log = door.tool("gf_audit_log", json!({})).await.1;
    let summary = log["summary"].as_str().unwrap();
    assert!(summary.starts_with("1 row matches, 1 shown."), "{summary}");
    let utc = exact.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let tokyo = (exact + jiff::SignedDuration::from_hours(9)).strftime("%Y-%m-%d %H:%M");
    let newest = format!(" at {utc} ({tokyo} Asia/Tokyo). ");
    assert!(summary.contains(&newest), "{summary} lacks {newest:?}");
    assert_eq!(log["rows"][0]["at"], exact.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "{log}");

    let nobodys_zone = door.ask("viewer-key", "POST", "/v1/tools/gf_audit_log", Some(json!({}))).await.1;
    let summary = nobodys_zone["summary"].as_str().unwrap_or_else(|| panic!("{nobodys_zone}"));
    assert!(summary.contains(&format!(" at {utc}. ")), "{summary}");

    let whole = door.ask("viewer-key", "GET", "/v1/audit/verify", None).await.1;
    let summary = whole["summary"].as_str().unwrap_or_else(|| panic!("{whole}"));
    assert!(summary.starts_with("The trail is whole: 1 row, signed"), "{summary}");
}
