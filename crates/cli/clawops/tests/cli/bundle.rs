//! A support bundle of a home with a secret in every place where one could be.

use crate::server::Server;
use flate2::read::GzDecoder;
use std::{collections::BTreeMap, fs, io::Read, os::unix::fs::PermissionsExt, path::Path};

fn unpacked(path: &Path) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(GzDecoder::new(fs::File::open(path).unwrap()));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        files.insert(name.strip_prefix("clawops-support/").unwrap().to_owned(), text);
    }
    files
}

#[test]
fn a_bundle_says_how_things_stand_and_holds_no_secret() {
    let mut server = Server::start_with(&["--sim-pairs", "2"]);
    server.good(&["freeze", "--reason", "look into my password=planted-in-a-reason"]);
    let home = server.directory.path().join("home");
    let (token, model) = (server.directory.path().join("telegram"), server.directory.path().join("model"));
    fs::write(&token, "123456789:planted-telegram-token").unwrap();
    fs::write(&model, "planted-model-key-without-a-shape").unwrap();
    let settings = serde_json::json!({
        "model": format!("acme/large base-url=https://llm.example/v1 key-file={}", model.display()),
        "companionUrl": "http://user:planted-companion-pass@companion.example/hooks?token=planted-query-token",
        "telegram": {"tokenFile": token, "allowFrom": ["777"]},
    });
    fs::write(home.join("settings.json"), settings.to_string()).unwrap();
    let operator = fs::read_to_string(home.join("keys/operator.key")).unwrap().trim().to_owned();
    let plugin = fs::read_to_string(home.join("keys/plugin.key")).unwrap().trim().to_owned();
    fs::create_dir_all(home.join("hosts/node-local-a/instances/i-7f3a")).unwrap();
    fs::write(home.join("hosts/node-local-a/enrol.token"), "planted-enrolment-token\n").unwrap();
    fs::write(home.join("hosts/node-local-a/instances/i-7f3a/memory.txt"), "planted words of a user")
        .unwrap();
    fs::write(
        home.join("logs/gatewayforge.log"),
        format!(
            "begun operation=op-91c2\nkey {operator} was used\nplugin {plugin}\ncalling with planted-model-key-without-a-shape\n\
             authorization: Bearer planted-bearer\n{{\"botToken\":\"planted-bot-token\"}}\nsk-planted0planted0planted0\n\
             enrolled with planted-enrolment-token\npostgres://gf:planted-database-pass@127.0.0.1/fleet\n"
        ),
    )
    .unwrap();
    fs::write(home.join("logs/ops-gateway.openclaw.log"), "planted words of an operator").unwrap();
    server.kill();

    let path = server.directory.path().join("bundle.tar.gz");
    let said = server.json(&["support-bundle", "--to", &path.display().to_string()]);
    assert_eq!(said["missing"], serde_json::json!([]), "{said}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let files = unpacked(&path);
    for (name, text) in &files {
        for secret in ["planted", operator.as_str(), plugin.as_str(), "123456789:"] {
            assert!(!text.contains(secret), "{secret} is in {name}:\n{text}");
        }
    }
    assert!(
        files["store/fleet.json"].contains("\"pairsTotal\": 2")
            && files["store/fleet.json"].contains("frozen")
    );
    assert!(files["store/audit.json"].contains("automation.freeze"));
    assert!(files["logs/gatewayforge.log"].contains("begun operation=op-91c2"));
    assert!(files["files.txt"].contains("600") && files["files.txt"].contains("keys/operator.key"));
    assert!(
        !files.keys().any(|name| name.contains("openclaw") || name.contains("hosts")),
        "{:?}",
        files.keys()
    );
    let manifest: serde_json::Value = serde_json::from_str(&files["manifest.json"]).unwrap();
    assert_eq!(manifest["files"].as_array().unwrap().len(), files.len() - 1, "each is in the manifest");

    let again = server.run(&["support-bundle", "--to", &path.display().to_string()]);
    assert_eq!(again.code, 1, "nothing is written over: {}", again.out);
}
