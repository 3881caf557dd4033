//! What this machine's own programs are asked for, through the link and the real binary.

use crate::rig::{Rig, create, free_port, scripted_runtime};
use gf_node_proto::{
    DockerRestart, FailureCode, FirewallStatus, InstancePark, InstanceWake, OpenclawUpdate, SshAudit,
    TailscaleStatus, VpsReboot, command,
};
use std::path::Path;

async fn refusal(rig: &Rig, body: impl Into<command::Body>) -> (FailureCode, String) {
    let why = rig.command(body).await.unwrap_err();
    let failure = why.failure().unwrap_or_else(|| panic!("no answer: {why}")).clone();
    (failure.code(), failure.message)
}

/// Where this machine has a program, the tests of `exec` say what becomes of its words.
fn is_installed(program: &str) -> bool {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"]
        .iter()
        .any(|directory| Path::new(directory).join(program).exists())
}

#[tokio::test]
async fn what_is_not_installed_is_said_and_nothing_is_invented() {
    let scripts = tempfile::tempdir().unwrap();
    let rig = Rig::start(&scripted_runtime(scripts.path(), "exit 1")).await;
    let asked: [(&str, command::Body); 3] = [
        ("sshd", SshAudit {}.into()),
        ("tailscale", TailscaleStatus {}.into()),
        ("docker", DockerRestart { container: "nobody-has-this".into() }.into()),
    ];
    for (program, body) in asked {
        match is_installed(program) {
            false => {
                let (code, message) = refusal(&rig, body).await;
                assert_eq!(code, FailureCode::NotInstalled, "{program}: {message}");
                assert!(message.contains(program), "{message}");
            }
            // Whatever it says, it is an answer or the program's own refusal.
            true => {
                if let Err(why) = rig.command(body).await {
                    assert_eq!(why.failure().unwrap().code(), FailureCode::Program, "{program}: {why}");
                }
            }
        }
    }
    if !["ufw", "nft", "iptables"].iter().any(|program| is_installed(program)) {
        assert_eq!(refusal(&rig, FirewallStatus {}).await.0, FailureCode::NotInstalled);
    }
}

#[tokio::test]
async fn names_that_are_options_and_a_reboot_without_leave_are_refused() {
    let scripts = tempfile::tempdir().unwrap();
    let rig = Rig::start(&scripted_runtime(scripts.path(), "exit 1")).await;
    let (code, _) = refusal(&rig, DockerRestart { container: "--all".into() }).await;
    assert_eq!(code, FailureCode::Refused);
    let (code, message) = refusal(&rig, VpsReboot {}).await;
    assert_eq!(code, FailureCode::Refused);
    assert!(message.contains("--may-reboot"), "{message}");
}

#[tokio::test]
async fn only_an_installed_release_and_only_a_serving_instance_are_taken() {
    let scripts = tempfile::tempdir().unwrap();
    let rig = Rig::start(&scripted_runtime(scripts.path(), "exec sleep 1000")).await;
    rig.command(create("i-1", free_port())).await.unwrap();
    let update = |version: &str| OpenclawUpdate {
        instance_id: "i-1".into(),
        version: version.into(),
        ..OpenclawUpdate::default()
    };
    let (code, message) = refusal(&rig, update("2027.1.1")).await;
    assert_eq!(code, FailureCode::NotInstalled);
    assert!(message.contains("2027.1.1") && message.contains("2026.9.6"), "{message}");
    assert_eq!(refusal(&rig, update("")).await.0, FailureCode::InvalidArgument);

    let (code, message) = refusal(&rig, InstancePark { instance_id: "i-1".into() }).await;
    assert_eq!(code, FailureCode::NotRunning, "{message}");
    // Who was never parked is awake already.
    rig.command(InstanceWake { instance_id: "i-1".into() }).await.unwrap();
}
