//! What is wrong with a request is said with the field, the value and what would be right; and nothing was changed.

use crate::support::{Door, code, fleet};
use serde_json::{Value, json};

/// Calls a tool with bad arguments and checks the refusal: field, value, what would be right, and nothing changed.
async fn refused(door: &Door, tool: &str, arguments: Value, wanted: &str, field: &str) {
    let before = door.kept();
    let answer = door.tool(tool, arguments.clone()).await;
    is_refusal(&answer, wanted, field, &format!("{tool} {arguments}"));
    assert_eq!(door.kept(), before, "{tool} {arguments} changed something");
}

fn is_refusal(answer: &(u16, Value), wanted: &str, field: &str, what: &str) {
    assert!((400..500).contains(&answer.0), "{what}: {answer:?}");
    assert_eq!(code(answer), wanted, "{what}: {answer:?}");
    let error = &answer.1["error"];
    assert_eq!(error["field"].as_str().unwrap_or_default(), field, "{what}: {error}");
    assert!(!error["message"].as_str().unwrap().is_empty());
    assert!(error["fix"].is_string(), "{what} says no fix: {error}");
    // Tools are for models; who gave the name of one is told the names that there are.
    let names_a_tool =
        error["message"].to_string().contains("gf_") || error["fix"].to_string().contains("gf_");
    assert!(!names_a_tool || wanted == "unknown_tool", "{what} names a tool to a person: {error}");
    // What is missing or unknown as a whole has no value.
    let has_none = matches!(wanted, "missing_field" | "unknown_field" | "empty_filter");
    assert!(has_none || error["value"].is_string(), "{what} says no value: {error}");
}

#[tokio::test]
async fn a_provision_that_makes_no_sense() {
    let door = Door::open(fleet::of(2)).await;
    let with = |extra: Value| {
        let mut arguments = json!({"count": 2, "tier": "standard"});
        extra.as_object().unwrap().iter().for_each(|(k, v)| arguments[k] = v.clone());
        arguments
    };
    let cases = [
        (with(json!({"tier": "gold"})), "unknown_tier", "tier"),
        (with(json!({"count": 0})), "out_of_range", "count"),
        (with(json!({"count": -1})), "out_of_range", "count"),
        (with(json!({"count": 1_000_000_000})), "out_of_range", "count"),
        (with(json!({"primaryProvider": "nowhere"})), "unknown_provider", "provider"),
        (
            with(json!({"primaryProvider": "hetzner", "standbyProvider": "hetzner"})),
            "same_provider",
            "standbyProvider",
        ),
        (with(json!({"regions": ["atlantis"]})), "unknown_region", "region"),
        (with(json!({"colour": "red"})), "unknown_field", "colour"),
        (with(json!({"accountIds": ["acct-9"]})), "too_many_fields", "count"),
        (json!({"tier": "nano"}), "missing_field", "count"),
        (json!({"count": 2}), "missing_field", "tier"),
        (json!({"tier": "nano", "accountIds": ["../etc"]}), "malformed_id", "accountIds"),
        (json!({"tier": "nano", "accountIds": ["acct-0001"]}), "already_served", "accountIds"),
    ];
    for (arguments, wanted, field) in cases {
        refused(&door, "gf_provision", arguments, wanted, field).await;
    }
}

#[tokio::test]
async fn things_that_are_not_there() {
    let door = Door::open(fleet::of(2)).await;
    let why = "because";
    let cases = [
        ("gf_pair_status", json!({"accountId": "acct-0009"}), "unknown_account", "account"),
        ("gf_pair_status", json!({"accountId": "a b"}), "malformed_id", "accountId"),
        ("gf_instance_health", json!({"instanceId": "i-ffff"}), "unknown_instance", "instance"),
        (
            "gf_teardown",
            json!({"accountIds": ["acct-0002", "acct-0009"], "reason": "idle"}),
            "unknown_account",
            "account",
        ),
        (
            "gf_teardown",
            json!({"accountIds": ["acct-0002"], "reason": "boredom"}),
            "unknown_reason",
            "reason",
        ),
        ("gf_teardown", json!({"accountIds": [], "reason": "idle"}), "missing_field", "accountIds"),
        ("gf_failover", json!({"accountId": "acct-0009", "reason": why}), "unknown_account", "account"),
        ("gf_failover", json!({"accountId": "acct-0001", "reason": " "}), "bad_reason", "reason"),
        (
            "gf_tier_resize",
            json!({"accountIds": ["acct-0001"], "newTier": "gold"}),
            "unknown_tier",
            "newTier",
        ),
        ("gf_bulk_restart", json!({"reason": why}), "missing_field", "instanceIds"),
        ("gf_bulk_restart", json!({"filter": {}, "reason": why}), "empty_filter", "filter"),
        (
            "gf_bulk_restart",
            json!({"instanceIds": ["i-1002"], "reason": why, "concurrency": 0}),
            "out_of_range",
            "concurrency",
        ),
        (
            "gf_provider_policy",
            json!({"provider": "hetzner", "pool": "deep", "reason": why}),
            "unknown_pool",
            "pool",
        ),
        (
            "gf_alerts_silence",
            json!({"scope": "moon", "minutes": 5, "reason": why}),
            "unknown_scope",
            "scope",
        ),
        (
            "gf_alerts_silence",
            json!({"scope": "hetzner", "minutes": -5, "reason": why}),
            "out_of_range",
            "minutes",
        ),
        ("gf_operation", json!({"id": "op-ffff", "action": "get"}), "unknown_operation", "operation"),
        ("gf_operation", json!({"id": "op-ffff", "action": "rollback"}), "unknown_operation", "operation"),
        ("gf_restore", json!({"accountId": "acct-0009", "reason": why}), "unknown_account", "account"),
        ("gf_fleet_status", json!({"status": "SLEEPY"}), "unknown_status", "status"),
        ("gf_fleet_status", json!({"provider": "nowhere"}), "unknown_provider", "provider"),
        ("gf_audit_log", json!({"limit": 501}), "bad_limit", "limit"),
        ("gf_audit_log", json!({"from": "yesterday"}), "malformed_time", "from"),
        ("gf_cost_report", json!({"period": "decade"}), "unknown_period", "period"),
        ("gf_incident_report", json!({"action": "get"}), "missing_field", "id"),
        ("gf_schedule", json!({"action": "dance"}), "unknown_action", "action"),
        ("gf_schedule", json!({"action": "add"}), "missing_field", "what"),
        ("gf_schedule", json!({"action": "add", "what": "novel"}), "unknown_report", "what"),
        (
            "gf_schedule",
            json!({"action": "add", "what": "briefing", "when": "hourly"}),
            "malformed_when",
            "when",
        ),
        ("gf_schedule", json!({"action": "remove"}), "missing_field", "id"),
        ("gf_schedule", json!({"action": "remove", "id": "sched-ffff"}), "unknown_schedule", "schedule"),
        ("gf_schedule", json!({"action": "remove", "what": "briefing"}), "unknown_schedule", "what"),
        (
            "gf_tier_resize",
            json!({"accountIds": ["acct-0009"], "newTier": "nano"}),
            "unknown_account",
            "account",
        ),
        (
            "gf_bulk_restart",
            json!({"instanceIds": ["i-ffff"], "reason": why}),
            "unknown_instance",
            "instance",
        ),
        (
            "gf_provider_policy",
            json!({"provider": "nowhere", "pool": "paused", "reason": why}),
            "unknown_provider",
            "provider",
        ),
        ("gf_provider_health", json!({"provider": "nowhere"}), "unknown_provider", "provider"),
        ("gf_cost_report", json!({"minSavings": -1}), "out_of_range", "minSavings"),
        ("gf_pair_status", json!({"accountId": "acct-0001", "colour": 1}), "unknown_field", "colour"),
        (
            "gf_pair_status",
            json!({"accountId": "acct-0001", "operationId": "op-ffff"}),
            "unknown_operation",
            "operation",
        ),
        ("gf_no_such_tool", json!({}), "unknown_tool", "tool"),
    ];
    for (tool, arguments, wanted, field) in cases {
        refused(&door, tool, arguments, wanted, field).await;
    }
}

/// An agent passes on to people what it is told, and has no command line.
#[tokio::test]
async fn what_there_is_instead_is_found_by_a_verb_of_the_cli_or_in_an_agents_own_words() {
    let door = Door::open(fleet::of(2)).await;
    let why = "because";
    for (tool, arguments, verb) in [
        ("gf_instance_health", json!({"instanceId": "i-7f3a"}), "`clawops instances`"),
        ("gf_bulk_restart", json!({"filter": {"status": "PARKED"}, "reason": why}), "`clawops instances`"),
        ("gf_failover", json!({"accountId": "acct-7777777", "reason": why}), "`clawops pairs`"),
        ("gf_pair_status", json!({"accountId": "acct-0001", "operationId": "op-ffff"}), "`clawops op list`"),
        ("gf_incident_report", json!({"action": "get", "id": "inc-ffff"}), "GET /v1/incidents"),
        ("gf_schedule", json!({"action": "remove", "id": "sched-ffff"}), "`clawops chat"),
    ] {
        let person = door.tool(tool, arguments.clone()).await;
        let fix = person.1["error"]["fix"].as_str().unwrap_or_default();
        assert!(fix.contains(verb), "{tool} tells a person: {person:?}");

        let claims = json!({"agent": "commander", "sessionKey": "agent:commander:cli-person-operator",
            "runId": "r1", "callId": tool});
        let path = format!("/v1/tools/{tool}");
        let agent = door.signed(claims, "POST", &path, &arguments.to_string()).await;
        assert_eq!((agent.0, code(&agent)), (person.0, code(&person)), "{agent:?}");
        let fix = agent.1["error"]["fix"].as_str().unwrap_or_default();
        assert!(!fix.is_empty(), "{tool} tells an agent nothing: {agent:?}");
        for word in ["gf_", "clawops", "/v1/"] {
            assert!(!fix.contains(word), "{tool} tells an agent of {word}: {fix}");
        }
    }
}

#[tokio::test]
async fn a_configuration_that_cannot_be_pushed() {
    let door = Door::open(fleet::of(2)).await;
    let push = |patch: Value| json!({"targets": "all", "patch": patch, "description": "quieter"});
    refused(&door, "gf_config_push", push(json!({})), "bad_patch", "patch").await;
    for batch in [0, -1, 1_000_000_000] {
        let mut batched = push(json!({"tts": {"auto": "off"}}));
        batched["batchSize"] = json!(batch);
        refused(&door, "gf_config_push", batched, "out_of_range", "batchSize").await;
    }
    let mut unheard = push(json!({"tts": {"auto": "off"}}));
    unheard["strategy"] = json!("sneaky");
    refused(&door, "gf_config_push", unheard, "unknown_strategy", "strategy").await;
    let mut undescribed = push(json!({"tts": {"auto": "off"}}));
    undescribed["description"] = json!("");
    refused(&door, "gf_config_push", undescribed, "bad_description", "description").await;
    refused(&door, "gf_config_push", push(json!({"gateway": {"port": 1}})), "bad_patch", "patch").await;
    refused(&door, "gf_config_push", push(json!({"tts": {"x": "y".repeat(70_000)}})), "bad_patch", "patch")
        .await;
    for patch in [json!([]), json!("all"), json!(null)] {
        let answer = door.tool("gf_config_push", push(patch)).await;
        assert_eq!((answer.0, code(&answer)), (400, "wrong_type"));
    }
    let mut to_nobody = push(json!({"tts": {"auto": "off"}}));
    to_nobody["targets"] = json!(["acct-0009"]);
    refused(&door, "gf_config_push", to_nobody, "unknown_account", "account").await;
}

#[tokio::test]
async fn a_node_that_could_stand_nowhere_is_not_expected() {
    let door = Door::open(fleet::of(1)).await;
    for (body, wanted, field) in [
        (json!({"id": "node a b", "provider": "hetzner", "region": "nbg1"}), "malformed_id", "id"),
        (json!({"id": "node-a", "provider": "nowhere", "region": "nbg1"}), "unknown_provider", "provider"),
        (json!({"id": "node-a", "provider": "hetzner", "region": "local"}), "unknown_region", "region"),
        (json!({"id": "node-a", "provider": "hetzner"}), "missing_field", "region"),
    ] {
        let before = door.kept();
        let answer = door.ask("admin-key", "POST", "/v1/nodes", Some(body.clone())).await;
        is_refusal(&answer, wanted, field, &body.to_string());
        assert_eq!(door.kept(), before, "{body} changed something");
    }
}

#[tokio::test]
async fn bodies_queries_and_paths_that_are_not_what_they_should_be() {
    let door = Door::open(fleet::of(1)).await;
    let raw = async |path: &str, body: Vec<u8>| {
        let answer =
            door.http.post(door.url(path)).bearer_auth("operator-key").body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap_or_default())
    };
    let broken = raw("/v1/tools/gf_fleet_status", b"{".to_vec()).await;
    assert_eq!((broken.0, code(&broken)), (400, "malformed_json"));
    let text = raw("/v1/tools/gf_fleet_status", b"hello \xff".to_vec()).await;
    assert_eq!((text.0, code(&text)), (400, "malformed_json"));
    let large = raw("/v1/tools/gf_fleet_status", vec![b' '; (1 << 20) + 1]).await;
    assert_eq!((large.0, code(&large)), (413, "body_too_large"));

    for (path, status, wanted) in [
        ("/v1/gateways?limit=0", 400, "bad_limit"),
        ("/v1/gateways?limit=x", 400, "malformed_query"),
        ("/v1/gateways?colour=red", 400, "malformed_query"),
        ("/v1/gateways?after=acct-9999", 400, "unknown_cursor"),
        ("/v1/gateways/acct-9999", 404, "unknown_account"),
        ("/v1/instances/nothing%2F..", 400, "malformed_id"),
        ("/v1/operations/op-1/events", 404, "unknown_operation"),
        ("/v1/approvals/ABC", 400, "malformed_id"),
        ("/v1/approvals/A7K2", 404, "unknown_approval"),
        ("/v1/revisions/v9", 404, "unknown_revision"),
        ("/v1/nothing", 404, "no_such_path"),
    ] {
        let answer = door.ask("operator-key", "GET", path, None).await;
        assert_eq!((answer.0, code(&answer)), (status, wanted), "{path}: {answer:?}");
    }
    let wrong_method = door.ask("operator-key", "DELETE", "/v1/gateways", None).await;
    assert_eq!((wrong_method.0, code(&wrong_method)), (405, "method_not_allowed"));
    let elsewhere = door.http.get(door.url("/healthz")).header("host", "evil.example").send().await.unwrap();
    assert_eq!(elsewhere.status(), 421, "a name that was re-pointed at loopback is not answered");
}
