//! The committed tool table of the plugin is the one that the Rust types generate.

#![allow(clippy::unwrap_used, reason = "a test may")]

use serde_json::Value;
use std::path::{Path, PathBuf};

fn plugin(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../plugin/openclaw-clawops").join(file)
}

fn read(file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(plugin(file)).unwrap()).unwrap()
}

/// `CLAWOPS_WRITE_TOOLS=1 cargo test -p ops-gateway --test plugin_files` writes the table anew.
#[test]
fn the_tool_table_is_the_generated_one() {
    let generated = gf_tools::schema_document();
    if std::env::var_os("CLAWOPS_WRITE_TOOLS").is_some() {
        std::fs::write(plugin("tools.json"), format!("{generated:#}\n")).unwrap();
    }
    assert_eq!(read("tools.json"), generated, "plugin/openclaw-clawops/tools.json is stale");
}

#[test]
fn the_manifest_declares_exactly_the_generated_tools() {
    let declared = read("openclaw.plugin.json")["contracts"]["tools"].clone();
    let mut declared: Vec<String> = serde_json::from_value(declared).unwrap();
    let mut generated: Vec<String> = gf_tools::TOOLS.iter().map(|tool| tool.name.to_owned()).collect();
    declared.sort();
    generated.sort();
    assert_eq!(declared, generated);
}
