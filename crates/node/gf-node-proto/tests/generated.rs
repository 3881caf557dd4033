//! The committed Rust code is what `proto/node.proto` says, so that building it needs no protobuf compiler.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{fs, path::Path};

/// Set to rewrite `src/generated.rs` after the protocol was changed.
const REWRITE: &str = "CLAWOPS_REWRITE_GENERATED";

fn generate() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = protox::compile([root.join("proto/node.proto")], [root.join("proto")]).unwrap();
    let out = tempfile::tempdir().unwrap();
    prost_build::Config::new()
        .out_dir(out.path())
        .skip_debug([".clawops.node.v1.Sensitive", ".clawops.node.v1.Ticket"])
        .compile_fds(files)
        .unwrap();
    fs::read_to_string(out.path().join("clawops.node.v1.rs")).unwrap()
}

#[test]
fn the_committed_code_is_what_the_protocol_says() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generated.rs");
    let fresh = format!(
        "//! Generated from `proto/node.proto`; run this crate's tests with `{REWRITE}=1` to renew it.\n#![allow(missing_docs, clippy::all)]\n#![cfg_attr(rustfmt, rustfmt_skip)]\n{}",
        generate()
    );
    if std::env::var_os(REWRITE).is_some() {
        fs::write(&committed, &fresh).unwrap();
    }
    assert!(
        fs::read_to_string(&committed).unwrap() == fresh,
        "src/generated.rs is stale: set {REWRITE}=1 and run again"
    );
}
