//! Takes another process's claim out of a copied state.
//!
//! A running OpenClaw holds a lease on its state directory, renewed in the state's own database. A copy holds the
//! lease too, and while its owner lives OpenClaw refuses to start on the copy for five minutes. The copy is another
//! directory that nobody owns, so the claim is dropped from it, by the same SQLite that OpenClaw uses. Only fresh
//! copies come here, never a state that something may run on.

use crate::host::{Failure, Outcome, Runtime};
use gf_node_proto::FailureCode;
use std::{path::Path, process::Stdio, time::Duration};
use tokio::process::Command;

const DATABASE: &str = "state/openclaw.sqlite";
const WITHIN: Duration = Duration::from_secs(60);
const DROP_CLAIMS: &str = r#"
const { DatabaseSync } = require("node:sqlite");
const database = new DatabaseSync(process.argv[1]);
const tables = database.prepare("select name from sqlite_master where type = 'table'").all().map((row) => row.name);
if (tables.includes("state_leases")) database.exec("delete from state_leases where scope = 'gateway-owner'");
if (tables.includes("agent_database_leases")) database.exec("delete from agent_database_leases");
database.close();
"#;

/// Makes the copied state below `state` nobody's.
pub(super) async fn drop_claims(runtime: &Runtime, state: &Path) -> Outcome<()> {
    let database = state.join(DATABASE);
    if !database.exists() {
        return Ok(());
    }
    let mut script = Command::new(runtime.node());
    script
        .args(["--no-warnings", "-e", DROP_CLAIMS])
        .arg(&database)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let failed = |why: String| {
        Failure::new(
            FailureCode::Corrupt,
            format!("the copied state {} cannot be taken over: {why}", database.display()),
        )
    };
    let ended = tokio::time::timeout(WITHIN, script.output()).await;
    let output = ended.map_err(|_| failed(format!("not done within {} s", WITHIN.as_secs())))?;
    let output = output.map_err(|why| failed(why.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(failed(
        said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason was given").to_owned(),
    ))
}
