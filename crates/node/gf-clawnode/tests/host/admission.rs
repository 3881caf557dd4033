//! Being taken in, and coming back.

use crate::rig::{Rig, node_id, scripted_runtime};
use gf_node_proto::{SshExec, VpsInfo, reply};
use std::{fs, os::unix::fs::PermissionsExt};

#[tokio::test]
async fn a_node_enrols_and_comes_back_by_its_key_after_being_killed() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(&scripted_runtime(scripts.path(), "exit 1")).await;
    let identity = rig.home().join("node.json");
    assert_eq!(fs::metadata(&identity).unwrap().permissions().mode() & 0o777, 0o600);

    rig.kill_node();
    rig.lost().await;
    fs::remove_file(rig.dir.path().join("token")).unwrap();
    rig.launch();
    rig.connected().await;

    let reply = rig.command(VpsInfo {}).await.unwrap();
    let Some(reply::Body::Info(info)) = reply.body else { panic!("no info") };
    assert_eq!(info.openclaw_version, "2026.9.6");
    assert!(info.cpu_count > 0);
}

#[tokio::test]
async fn a_token_that_was_used_by_another_ends_the_newcomer_with_a_reason() {
    let scripts = tempfile::tempdir().unwrap();
    let runtime = scripted_runtime(scripts.path(), "exit 1");
    let rig = Rig::start(&runtime).await;
    let thief = rig.node_command(&rig.dir.path().join("thief"));
    let output = tokio::process::Command::from(thief).output().await.unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("TOKEN_USED") && said.contains("ask for a new one"), "{said}");
    assert!(rig.hub.is_connected(&node_id()), "the rightful node was pushed out");
}

#[tokio::test]
async fn a_second_node_on_the_same_home_is_refused() {
    let scripts = tempfile::tempdir().unwrap();
    let rig = Rig::start(&scripted_runtime(scripts.path(), "exit 1")).await;
    let output = tokio::process::Command::from(rig.node_command(&rig.home())).output().await.unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("another gf-clawnode serves"), "{said}");
}

#[tokio::test]
async fn only_listed_programs_are_run() {
    let scripts = tempfile::tempdir().unwrap();
    let rig = Rig::start(&scripted_runtime(scripts.path(), "exit 1")).await;
    let run = |argv: &[&str]| SshExec { argv: argv.iter().map(|arg| (*arg).to_owned()).collect() };
    let reply = rig.command(run(&["uname", "-a"])).await.unwrap();
    let Some(reply::Body::Exec(output)) = reply.body else { panic!("no output") };
    assert_eq!(output.exit_code, 0);
    for refused in [
        &["docker", "run", "-v", "/:/h", "alpine"][..],
        &["systemctl", "stop", "docker"],
        &["uname", "-a;id"],
    ] {
        let why = rig.command(run(refused)).await.unwrap_err();
        assert_eq!(why.failure().unwrap().code(), gf_node_proto::FailureCode::Refused, "{refused:?}");
    }
}
