//! Why an instance cannot run: each reason by its name, without a gateway.

use crate::rig::{Rig, create, free_port, is_alive, pid_of, scripted_runtime};
use gf_node_hub::CommandError;
use gf_node_proto::{
    FailureCode, FailureReason, InstanceCreate, InstanceDelete, InstanceExited, InstanceFailed, InstanceList,
    InstanceStart, InstanceState, InstanceStop, event, reply,
};
use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::Path,
};

fn failed(kind: &event::Kind) -> Option<InstanceFailed> {
    match kind {
        event::Kind::Failed(failed) => Some(failed.clone()),
        _ => None,
    }
}

fn exited(kind: &event::Kind) -> Option<InstanceExited> {
    match kind {
        event::Kind::Exited(exited) => Some(exited.clone()),
        _ => None,
    }
}

fn started(kind: &event::Kind) -> Option<(u32, bool)> {
    match kind {
        event::Kind::Started(started) => Some((started.pid, started.adopted)),
        _ => None,
    }
}

fn start(id: &str) -> InstanceStart {
    InstanceStart { instance_id: id.into(), wait_ready: true }
}

#[tokio::test]
async fn what_exits_at_once_is_given_up_with_what_it_said() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(&scripted_runtime(scripts.path(), "echo cannot find my mind >&2; exit 3")).await;
    rig.command(create("i-1", free_port())).await.unwrap();
    let failed = rig.kind("i-1", failed).await;
    assert_eq!(failed.reason(), FailureReason::ExitsAtOnce);
    assert!(failed.detail.contains("code 3"), "{}", failed.detail);
    assert_eq!(failed.issues, ["cannot find my mind"]);
}

#[tokio::test]
async fn a_refused_configuration_is_given_up_at_once() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig =
        Rig::start(&scripted_runtime(scripts.path(), "echo 'agent: Unrecognized key' >&2; exit 78")).await;
    rig.command(create("i-1", free_port())).await.unwrap();
    let failed = rig.kind("i-1", failed).await;
    assert_eq!(failed.reason(), FailureReason::InvalidConfig);
    assert_eq!(failed.issues, ["agent: Unrecognized key"]);
}

#[tokio::test]
async fn a_taken_port_a_missing_program_a_locked_state_and_a_wrong_version_are_named() {
    let scripts = tempfile::tempdir().unwrap();
    let runtime = scripted_runtime(scripts.path(), "exec sleep 1000");
    let mut rig = Rig::start(&runtime).await;

    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    rig.command(create("i-1", taken.local_addr().unwrap().port())).await.unwrap();
    assert_eq!(rig.kind("i-1", failed).await.reason(), FailureReason::PortTaken);
    drop(taken);

    let wanted = InstanceCreate { openclaw_version: "2027.1.1".into(), ..create("i-2", free_port()) };
    rig.command(wanted).await.unwrap();
    let failure = rig.kind("i-2", failed).await;
    assert_eq!(failure.reason(), FailureReason::WrongVersion);
    assert!(failure.detail.contains("2026.9.6") && failure.detail.contains("2027.1.1"), "{}", failure.detail);

    let state = rig.instance_dir("i-1").join("state");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o000)).unwrap();
    let why = rig.command(start("i-1")).await.unwrap_err();
    assert_eq!(why.failure().unwrap().reason(), FailureReason::StateUnreadable);
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();

    fs::remove_file(runtime.join("node/node_modules/.bin/node")).unwrap();
    let why = rig.command(start("i-1")).await.unwrap_err();
    assert_eq!(why.failure().unwrap().reason(), FailureReason::BinaryMissing);
}

#[tokio::test]
async fn a_killed_process_is_restarted_three_times_and_then_left_to_the_control_plane() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(&scripted_runtime(scripts.path(), "exec sleep 1000")).await;
    rig.command(create("i-1", free_port())).await.unwrap();
    for restarts in 1..=4 {
        let (pid, _) = rig.kind("i-1", started).await;
        let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        let exited = rig.kind("i-1", exited).await;
        assert_eq!((exited.reason(), exited.signal), (FailureReason::Killed, Some(9)));
        assert_eq!(exited.restarting, restarts <= 3);
    }
    let failed = rig.kind("i-1", failed).await;
    assert!(failed.detail.contains("3 times"), "{}", failed.detail);
}

#[tokio::test]
async fn an_instance_outlives_gf_clawnode_and_is_adopted_and_its_later_end_is_noticed() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(&scripted_runtime(scripts.path(), "exec sleep 1000")).await;
    rig.command(create("i-1", free_port())).await.unwrap();
    let (pid, adopted) = rig.kind("i-1", started).await;
    assert!(!adopted);
    rig.kill_node();
    rig.lost().await;
    assert!(is_alive(pid), "the instance ended with gf-clawnode");

    rig.launch();
    assert_eq!(rig.kind("i-1", started).await, (pid, true));
    let killed = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::kill_process(killed, rustix::process::Signal::KILL).unwrap();
    let exited = rig.kind("i-1", exited).await;
    assert_eq!(exited.pid, pid);
    assert!(exited.restarting);
}

#[tokio::test]
async fn what_ended_while_gf_clawnode_was_away_is_reported_and_started_again() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(&scripted_runtime(scripts.path(), "exec sleep 1000")).await;
    rig.command(create("i-1", free_port())).await.unwrap();
    let (pid, _) = rig.kind("i-1", started).await;
    rig.kill_node();
    rig.lost().await;
    let killed = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::kill_process(killed, rustix::process::Signal::KILL).unwrap();

    rig.launch();
    assert_eq!(rig.kind("i-1", exited).await.pid, pid);
    let (again, adopted) = rig.kind("i-1", started).await;
    assert!(again != pid && !adopted);
}

#[tokio::test]
async fn orders_are_idempotent_and_a_deleted_instance_leaves_nothing() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(&scripted_runtime(scripts.path(), "sleep 1000 & exec sleep 1000")).await;
    let port = free_port();
    let first = rig.summary(create("i-1", port)).await;
    let again = rig.summary(create("i-1", port)).await;
    assert_eq!(first.instance_id, again.instance_id);
    let other = InstanceCreate { account: "acct-0043".into(), ..create("i-1", port) };
    let CommandError::Failed(why) = rig.command(other).await.unwrap_err() else { panic!("not refused") };
    assert_eq!(why.code(), FailureCode::AlreadyExists);

    let (pid, _) = rig.kind("i-1", started).await;
    assert_eq!(pid_of(&rig.instance_dir("i-1")), Some(pid));
    rig.command(InstanceStop { instance_id: "i-1".into(), drain: false }).await.unwrap();
    assert!(!is_alive(pid));

    for _ in 0..2 {
        rig.command(InstanceDelete { instance_id: "i-1".into() }).await.unwrap();
    }
    assert!(!rig.instance_dir("i-1").exists());
    let reply = rig.command(InstanceList {}).await.unwrap();
    let Some(reply::Body::Listing(listing)) = reply.body else { panic!("no listing") };
    assert!(listing.instances.is_empty());
    let why = rig.command(start("i-1")).await.unwrap_err();
    assert_eq!(why.failure().unwrap().code(), FailureCode::UnknownInstance);
}

#[tokio::test]
async fn a_command_of_a_generation_that_is_over_is_refused() {
    let scripts = tempfile::tempdir().unwrap();
    let rig = Rig::start(&scripted_runtime(scripts.path(), "exec sleep 1000")).await;
    let newer = InstanceCreate { generation: 5, ..create("i-1", free_port()) };
    rig.command(newer).await.unwrap();
    let mut meta = gf_node_hub::CommandMeta::new("old", crate::rig::PATIENCE);
    meta.generation = 4;
    let stop = InstanceStop { instance_id: "i-1".into(), drain: false };
    let why = rig.hub.command(&crate::rig::node_id(), stop, meta).await.unwrap_err();
    assert_eq!(why.failure().unwrap().code(), FailureCode::StaleGeneration);
}

/// Other gateways of this machine boot, as many as it lets boot at once.
fn all_places(runtime: &Path) -> Vec<fs::File> {
    let places = runtime.join("boots");
    fs::create_dir_all(&places).unwrap();
    fs::set_permissions(&places, fs::Permissions::from_mode(0o700)).unwrap();
    let cores = std::thread::available_parallelism().unwrap().get();
    // One more than there are cores, for those who are urgent.
    (0..=cores)
        .map(|place| {
            let file = fs::File::create(places.join(format!("place-{place}"))).unwrap();
            file.try_lock().unwrap();
            file
        })
        .collect()
}

#[tokio::test]
async fn what_waits_for_a_place_to_boot_says_so_until_it_has_one() {
    let scripts = tempfile::tempdir().unwrap();
    let runtime = scripted_runtime(scripts.path(), "exec sleep 1000");
    let places = all_places(&runtime);
    let mut rig = Rig::start(&runtime).await;
    rig.command(create("i-1", free_port())).await.unwrap();
    let waiting = rig.seen("i-1", |seen| seen.waits_to_boot).await;
    assert_eq!((waiting.state(), waiting.pid), (InstanceState::Bootstrapping, 0));
    drop(places);
    let booting = rig.seen("i-1", |seen| !seen.waits_to_boot && seen.pid != 0).await;
    assert_eq!(booting.state(), InstanceState::Bootstrapping);
}
