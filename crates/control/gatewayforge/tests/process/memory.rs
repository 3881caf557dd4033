//! What a control plane still knows after it was killed.

use crate::run::{Running, home, start, start_with};
use rusqlite::Connection;
use serde_json::{Value, json};

/// The instance that serves each of the first accounts.
fn primaries(running: &Running, count: usize) -> Vec<Value> {
    let listed = running.ask("GET", "/v1/gateways", json!(null)).1;
    listed["items"].as_array().unwrap().iter().take(count).map(|pair| pair["primary"].clone()).collect()
}

#[test]
fn users_that_were_touched_before_a_kill_are_counted_after_it() {
    let (_directory, home) = home();
    let running = start_with(&home, &["--sim-pairs", "12"]);
    running.until("every pair is protected", || {
        let status = running.tool("gf_fleet_status", json!({}));
        (status["instancesByState"]["ACTIVE"] == 24).then_some(status)
    });
    let all = primaries(&running, 12);
    let restart = |running: &Running, ids: &[Value]| {
        running.tool("gf_bulk_restart", json!({"instanceIds": ids, "reason": "a test"}))
    };
    let first = restart(&running, &all[..6]);
    assert!(first["operationId"].is_string(), "six users need nobody: {first}");
    running.kill();

    let again = start(&home);
    let second = restart(&again, &all[6..11]);
    assert!(second["operationId"].is_null(), "eleven users within 15 minutes: {second}");
    let question = second["approval"]["question"].as_str().unwrap_or_default();
    assert!(question.contains("11 users"), "{second}");
}

#[test]
fn reports_stay_scheduled_and_a_missed_one_is_made_up_once() {
    let (_directory, home) = home();
    let running = start(&home);
    let added =
        running.tool("gf_schedule", json!({"action": "add", "what": "briefing", "when": "daily 07:00"}));
    let id = added["entries"][0]["id"].as_str().unwrap().to_owned();
    assert!(added["entries"][0]["nextRun"].as_str().unwrap().ends_with("T07:00:00Z"), "{added}");
    running.kill();

    // Three days pass while nobody is there.
    let store = Connection::open(home.join("store/gatewayforge.db")).unwrap();
    let json: String =
        store.query_row("SELECT json FROM objects WHERE kind = 'Schedule'", [], |row| row.get(0)).unwrap();
    let next = added["entries"][0]["nextRun"].as_str().unwrap();
    assert!(json.contains(next), "{json}");
    let moved = json.replace(next, "2026-01-01T07:00:00Z");
    store.execute("UPDATE objects SET json = ?1 WHERE kind = 'Schedule'", [moved]).unwrap();
    store.close().unwrap();

    let again = start(&home);
    let ran = again.until("the missed report was sent", || {
        let listed = again.tool("gf_schedule", json!({"action": "list"}));
        listed["entries"][0]["lastRun"].is_string().then_some(listed)
    });
    assert_eq!(ran["entries"][0]["nextRun"], next, "{ran}");
    let rows = again.tool("gf_audit_log", json!({"action": "schedule.run"}));
    assert_eq!(rows["rows"].as_array().unwrap().len(), 1, "{rows}");
    again.kill();
    let third = start(&home);
    let rows = third.tool("gf_audit_log", json!({"action": "schedule.run"}));
    assert_eq!(rows["rows"].as_array().unwrap().len(), 1, "not once more after another start: {rows}");
    let removed = third.tool("gf_schedule", json!({"action": "remove", "id": id}));
    assert_eq!(removed["entries"], json!([]));
}
