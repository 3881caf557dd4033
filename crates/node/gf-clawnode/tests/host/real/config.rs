//! What the real OpenClaw makes of configuration: taken, read back, taken back, and refused where it is malformed.

use super::{ID, on_disk};
use crate::rig::{Rig, spec};
use gf_node_proto::{ConfigDiff, ConfigGet, ConfigPush, ConfigRollback, ConfigValidate, FailureCode, reply};
use serde_json::{Value, json};
use std::{fs, path::Path};

pub(super) fn push(revision: &str, patch: Value) -> ConfigPush {
    ConfigPush {
        instance_id: ID.into(),
        revision: revision.into(),
        patch: Some(patch.to_string().into()),
        ..ConfigPush::default()
    }
}

pub(super) async fn takes_configuration(rig: &Rig) {
    let original = on_disk(rig, ID)["agents"]["defaults"]["model"]["primary"].clone();
    let patch = json!({"messages": {"responsePrefix": "[bot]"}, "session": {"dmScope": "per-channel-peer"}});
    let diff = ConfigDiff { instance_id: ID.into(), patch: Some(patch.to_string().into()) };
    let Some(reply::Body::Changes(diff)) = rig.command(diff).await.unwrap().body else { panic!("no diff") };
    assert_eq!(diff.changes.len(), 2);

    let Some(reply::Body::Applied(applied)) = rig.command(push("v2", patch)).await.unwrap().body else {
        panic!("not applied")
    };
    assert!(applied.applied && applied.changes.len() == 2, "{applied:?}");
    assert_eq!(on_disk(rig, ID)["messages"]["responsePrefix"], "[bot]");

    rig.command(push("v3", json!({"messages": {"responsePrefix": "[v3]"}}))).await.unwrap();
    let back = |revision: &str| ConfigRollback { instance_id: ID.into(), revision: revision.into() };
    let why = rig.command(back("v2")).await.unwrap_err();
    assert_eq!(why.failure().unwrap().code(), FailureCode::Conflict);
    rig.command(back("v3")).await.unwrap();
    assert_eq!(on_disk(rig, ID)["messages"]["responsePrefix"], "[bot]", "its own previous value");
    rig.command(back("v2")).await.unwrap();
    let now = on_disk(rig, ID);
    assert!(now["messages"].get("responsePrefix").is_none(), "what was absent is removed");
    assert_eq!(now["agents"]["defaults"]["model"]["primary"], original, "what nobody pushed is left alone");

    let document = rig.command(ConfigGet { instance_id: ID.into(), owned: false }).await.unwrap();
    let Some(reply::Body::Config(document)) = document.body else { panic!("no document") };
    let token = spec(&rig.instance_dir(ID))["gatewayToken"].as_str().unwrap().to_owned();
    assert!(!document.json.contains(&token) && !document.hash.is_empty());
}

pub(super) async fn flags_what_is_malformed(rig: &Rig) {
    let before = on_disk(rig, ID);
    for refused in [json!({"noSuchKey": {"a": 1}}), json!({"session": {"dmScope": "nonsense"}})] {
        let why = rig.command(push("v4", refused.clone())).await.unwrap_err();
        let failure = why.failure().unwrap();
        assert_eq!(failure.code(), FailureCode::ConfigFlagged, "{refused}: {failure:?}");
        assert!(!failure.issues.is_empty());
    }
    let why = rig.command(push("v4", json!({"gateway": {"port": 1}}))).await.unwrap_err();
    assert_eq!(why.failure().unwrap().code(), FailureCode::InvalidArgument);
    assert_eq!(on_disk(rig, ID), before, "something was written");

    let invalid = ConfigValidate { instance_id: ID.into(), patch: Some(r#"{"noSuchKey":1}"#.into()) };
    let Some(reply::Body::Changes(judged)) = rig.command(invalid).await.unwrap().body else {
        panic!("no verdict")
    };
    assert!(!judged.valid && !judged.issues.is_empty(), "{judged:?}");

    let path = rig.instance_dir(ID).join("state/openclaw.json");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, "{ this is no JSON").unwrap();
    let why = rig.command(push("v4", json!({"session": {"dmScope": "main"}}))).await.unwrap_err();
    assert_eq!(why.failure().unwrap().code(), FailureCode::ConfigFlagged);
    assert_eq!(fs::read_to_string(&path).unwrap(), "{ this is no JSON", "a malformed file was overwritten");
    fs::write(&path, &whole).unwrap();
    assert_eq!(
        rig.summary(gf_node_proto::InstanceStart { instance_id: ID.into(), wait_ready: true }).await.revision,
        ""
    );
    is_judged_as_the_file_stands(rig, &path, &whole).await;
}

/// OpenClaw answers from memory for a moment after its file changed; what it remembers must not be held against the
/// file, whichever of the two is the better one.
async fn is_judged_as_the_file_stands(rig: &Rig, path: &Path, whole: &[u8]) {
    let scope = |scope: &str| push("v5", json!({"session": {"dmScope": scope}}));
    let mut malformed: Value = serde_json::from_slice(whole).unwrap();
    malformed["noSuchKey"] = json!(1);
    for other in ["main", "per-channel-peer"] {
        fs::write(path, malformed.to_string()).unwrap();
        let why = rig.command(scope(other)).await.unwrap_err();
        assert_eq!(why.failure().unwrap().code(), FailureCode::ConfigFlagged);
        assert!(!why.failure().unwrap().issues.is_empty());
        fs::write(path, whole).unwrap();
        rig.command(scope(other)).await.expect("what was put right is still called malformed");
        assert_eq!(on_disk(rig, ID)["session"]["dmScope"], other);
    }
    let mut edited = on_disk(rig, ID);
    edited["messages"]["responsePrefix"] = json!("[by hand]");
    fs::write(path, edited.to_string()).unwrap();
    rig.command(scope("main")).await.expect("a file that somebody edited is called malformed");
    let now = on_disk(rig, ID);
    assert_eq!(
        (&now["session"]["dmScope"], &now["messages"]["responsePrefix"]),
        (&json!("main"), &json!("[by hand]"))
    );
    let whole = |revision: &str, owned: Value| ConfigPush { whole: true, ..push(revision, owned) };
    rig.command(whole("v6", json!({"logging": {"consoleLevel": "warn"}}))).await.unwrap();
    let now = on_disk(rig, ID);
    assert_eq!(now["logging"]["consoleLevel"], "warn");
    assert!(now["session"].get("dmScope").is_none(), "it owns this key no more: {now}");
    assert_eq!(now["messages"]["responsePrefix"], "[by hand]", "nobody's key was touched");
    rig.command(whole("", json!({}))).await.unwrap();
    assert!(on_disk(rig, ID)["logging"].get("consoleLevel").is_none());
}
