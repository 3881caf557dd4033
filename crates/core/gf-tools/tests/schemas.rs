//! The schemas are what a model sees: complete, plain, and strict where the types are strict.

use gf_tools::{TOOLS, schema_document, tool};
use serde_json::{Value, json};

#[test]
fn there_are_eighteen_tools_and_each_has_parameters_and_a_summary() {
    assert_eq!(TOOLS.len(), 18);
    for spec in TOOLS {
        let parameters = (spec.parameters)();
        assert_eq!(parameters["type"], "object", "{}", spec.name);
        assert_eq!(parameters["additionalProperties"], json!(false), "{}", spec.name);
        assert!((spec.reply)()["properties"]["summary"].is_object(), "{}", spec.name);
        assert!(spec.used_by.contains(&"commander"), "{}: the operator's face knows every tool", spec.name);
        assert!(spec.description.len() < 320, "{}", spec.name);
    }
}

#[test]
fn nothing_in_a_schema_is_nullable_or_a_reference() {
    fn walk(value: &Value, at: &str) {
        assert!(value.get("$ref").is_none(), "{at}");
        assert!(value != &json!("null"), "{at}");
        match value {
            Value::Object(map) => map.iter().for_each(|(k, v)| walk(v, &format!("{at}.{k}"))),
            Value::Array(items) => items.iter().for_each(|v| walk(v, at)),
            _ => {}
        }
    }
    for entry in schema_document()["tools"].as_array().unwrap() {
        walk(&entry["parameters"], entry["name"].as_str().unwrap());
    }
}

#[test]
fn an_incident_keeps_its_title_property() {
    assert_eq!((tool("gf_incident_report").unwrap().parameters)()["properties"]["title"]["type"], "string");
}

#[test]
fn required_and_unknown_parameters_are_refused() {
    use gf_tools::{ProvisionParams, TeardownParams};
    assert!(serde_json::from_value::<ProvisionParams>(json!({"count": 2})).is_err());
    assert!(
        serde_json::from_value::<ProvisionParams>(json!({"count": 2, "tier": "nano", "actor": "me"}))
            .is_err()
    );
    assert!(serde_json::from_value::<TeardownParams>(json!({"accountIds": ["acct-0042"]})).is_err());
    let fine: ProvisionParams =
        serde_json::from_value(json!({"count": 2, "tier": "standard", "primaryProvider": "local-a"}))
            .unwrap();
    assert_eq!(fine.primary_provider.as_deref(), Some("local-a"));
}

#[test]
fn push_targets_are_a_word_a_list_or_a_filter() {
    use gf_tools::{ConfigPushParams, Targets};
    let push = |targets: Value| {
        serde_json::from_value::<ConfigPushParams>(
            json!({"targets": targets, "patch": {}, "description": "d"}),
        )
        .map(|p| p.targets)
    };
    assert_eq!(push(json!("all")).unwrap(), Targets::Word("all".into()));
    assert_eq!(push(json!(["acct-1"])).unwrap(), Targets::Ids(vec!["acct-1".into()]));
    assert!(matches!(push(json!({"provider": "hetzner"})).unwrap(), Targets::Filter(_)));
    assert!(push(json!({"everything": true})).is_err());
}

#[test]
fn reading_actions_of_a_mixed_tool_only_read() {
    let operation = tool("gf_operation").unwrap();
    assert!(operation.only_reads(&json!({"id": "op-1", "action": "get"})));
    assert!(!operation.only_reads(&json!({"id": "op-1", "action": "rollback"})));
    assert!(!operation.only_reads(&json!({"id": "op-1"})));
    assert!(tool("gf_fleet_status").unwrap().only_reads(&json!({})));
}
