//! gf-clawnode becomes another release while an instance runs: one that is fine, ones that are not, ones that nobody signed.
//! A release here is a short script that runs this very program, or does not.

use crate::rig::{PATIENCE, Rig, create, free_port, is_alive, node_id, stand_in_runtime};
use gf_node_hub::{CommandError, CommandMeta};
use gf_node_proto::{
    FailureCode, InstanceState, NodeStage, NodeUpdate, Release, SigningKey, VpsInfo, reply, sign_release,
};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};

const INSTANCE: &str = "i-7f3a";

struct Staged {
    rig: Rig,
    openclaw: u32,
    port: u16,
    _runtime: tempfile::TempDir,
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn runs_this_program() -> String {
    format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_gf-clawnode"))
}

fn release(version: &str, program: &str) -> Release {
    let plain = Release {
        version: version.into(),
        sha256: Sha256::digest(program).to_vec(),
        size: program.len() as u64,
        signature: Vec::new(),
    };
    sign_release(&key(9), plain)
}

impl Staged {
    /// A node that believes key 9, with an instance that serves.
    async fn start() -> Self {
        let runtime = tempfile::tempdir().unwrap();
        let mut rig = Rig::without_node(&stand_in_runtime(runtime.path())).await;
        rig.more = vec!["--release-key".into(), hex::encode(key(9).verifying_key().as_bytes())];
        rig.launch();
        rig.connected().await;
        let port = free_port();
        rig.summary(create(INSTANCE, port)).await;
        let openclaw = rig.seen(INSTANCE, |seen| seen.state() == InstanceState::Active).await.pid;
        Self { rig, openclaw, port, _runtime: runtime }
    }

    async fn stage(&self, release: &Release, program: &str) -> Result<u64, CommandError> {
        let half = program.len() / 2;
        let mut here = 0;
        for piece in [&program.as_bytes()[..half], &program.as_bytes()[half..]] {
            let chunk = piece.to_vec();
            let order = NodeStage { release: Some(release.clone()), offset: here, chunk };
            match self.rig.command(order).await?.body {
                Some(reply::Body::Staged(staged)) => here = staged.bytes,
                other => panic!("it was not said how much is there: {other:?}"),
            }
        }
        Ok(here)
    }

    async fn update(
        &self,
        key: &str,
        release: &Release,
        rollback: bool,
    ) -> Result<(String, String), CommandError> {
        let order = NodeUpdate { release: Some(release.clone()), rollback, within_ms: 3_000 };
        let reply = self.rig.hub.command(&node_id(), order, CommandMeta::new(key, PATIENCE)).await?;
        match reply.body {
            Some(reply::Body::Updated(updated)) => Ok((updated.version, updated.previous)),
            other => panic!("it was not said what runs: {other:?}"),
        }
    }

    async fn version(&self) -> String {
        match self.rig.command(VpsInfo {}).await.unwrap().body {
            Some(reply::Body::Info(info)) => info.software_version,
            other => panic!("no information: {other:?}"),
        }
    }

    /// The same gateway in the same process, adopted and answering.
    async fn nothing_happened_to_the_instance(&mut self) {
        assert!(is_alive(self.openclaw), "OpenClaw was ended for an update of its node");
        let order = gf_node_proto::OpenclawHealth { instance_id: INSTANCE.into() };
        let Some(reply::Body::Health(health)) = self.rig.command(order).await.unwrap().body else {
            panic!("no health")
        };
        let summary = health.instance.unwrap();
        assert_eq!((summary.pid, summary.port), (self.openclaw, self.port.into()));
        assert_eq!(health.http_status, 200);
    }
}

fn why(refused: Result<(String, String), CommandError>) -> (FailureCode, String) {
    let error = refused.unwrap_err();
    let failure = error.failure().unwrap_or_else(|| panic!("{error}"));
    (failure.code(), failure.message.clone())
}

#[tokio::test]
async fn a_node_becomes_another_release_and_goes_back_and_its_openclaw_runs_on() {
    let mut node = Staged::start().await;
    let first = node.version().await;
    let (pid, began) = (node.rig.node_pid(), Instant::now());
    let (next, program) = (release("0.2.0", &runs_this_program()), runs_this_program());
    assert_eq!(node.stage(&next, &program).await.unwrap(), next.size);
    assert_eq!(node.update("u1", &next, false).await.unwrap(), ("0.2.0".into(), first.clone()));
    println!("updated after {:?}", began.elapsed());
    assert_eq!(node.version().await, "0.2.0");
    assert!(is_alive(pid), "whoever watches the node's process saw it end");
    node.nothing_happened_to_the_instance().await;
    assert_eq!(node.update("u1", &next, false).await.unwrap().0, "0.2.0", "the same order again");

    // What was installed starts the release, also after the machine's end.
    node.rig.kill_node();
    node.rig.lost().await;
    node.rig.launch();
    node.rig.connected().await;
    assert_eq!(node.version().await, "0.2.0");
    node.nothing_happened_to_the_instance().await;

    let old = release("0.1.9", &program);
    node.stage(&old, &program).await.unwrap();
    let (code, said) = why(node.update("u2", &old, false).await);
    assert_eq!(code, FailureCode::Refused);
    assert!(said.contains("only a rollback goes back"), "{said}");
    let never = Release { version: "0.1.5".into(), ..Release::default() };
    assert_eq!(why(node.update("u3", &never, true).await).0, FailureCode::Refused);

    let before = Release { version: first.clone(), ..Release::default() };
    assert_eq!(node.update("u4", &before, true).await.unwrap().0, first);
    assert_eq!(node.version().await, first);
    node.nothing_happened_to_the_instance().await;
}

#[tokio::test]
async fn a_release_that_does_not_come_up_is_put_back_by_the_node_itself() {
    let mut node = Staged::start().await;
    let first = node.version().await;
    let cases = [
        ("0.2.0", "#!/bin/sh\nexit 3\n", "it ended before it had shaken hands (exit status: 3)"),
        ("0.3.0", "#!/bin/sh\nexec sleep 1000\n", "it has not shaken hands within 3s"),
        ("0.4.0", "no program at all", "it could not be started"),
    ];
    for (version, program, said) in cases {
        let bad = release(version, program);
        node.stage(&bad, program).await.unwrap();
        let (code, message) = why(node.update(version, &bad, false).await);
        assert_eq!(code, FailureCode::Program);
        assert!(message.contains(said), "{message}");
        assert_eq!(node.version().await, first);
        node.nothing_happened_to_the_instance().await;
    }
}

#[tokio::test]
async fn a_node_that_ends_in_the_middle_of_a_trial_comes_back_as_it_was() {
    let mut node = Staged::start().await;
    let first = node.version().await;
    let program = "#!/bin/sh\nexec sleep 1000\n";
    let hanging = release("0.2.0", program);
    node.stage(&hanging, program).await.unwrap();
    let order = NodeUpdate { release: Some(hanging.clone()), rollback: false, within_ms: 15_000 };
    let meta = CommandMeta::new("u1", Duration::from_secs(60));
    let pending = node.rig.hub.start(&node_id(), order, meta).unwrap();
    node.rig.lost().await;
    // It is written down which process is tried.
    let state = node.rig.home().join("programs/state.json");
    let is_tried = || std::fs::read_to_string(&state).unwrap().contains("\"pid\"");
    while !is_tried() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    node.rig.kill_node();
    node.rig.launch();
    let failed = pending.answer().await.unwrap_err();
    assert!(failed.to_string().contains("ended before the new program had shaken hands"), "{failed}");
    assert_eq!(node.version().await, first);
    node.nothing_happened_to_the_instance().await;
}

#[tokio::test]
async fn what_no_release_key_signed_is_not_kept_and_does_not_run() {
    let mut node = Staged::start().await;
    let program = runs_this_program();
    let by_somebody = sign_release(&key(8), release("0.2.0", &program));
    let renamed = Release { version: "0.3.0".into(), ..release("0.2.0", &program) };
    for bad in [by_somebody, renamed] {
        let refused = node.stage(&bad, &program).await.unwrap_err();
        assert!(refused.to_string().contains("not signed by a release key"), "{refused}");
        assert_eq!(why(node.update("u1", &bad, false).await).0, FailureCode::Refused);
    }
    // Signed, and then something else is sent.
    let fine = release("0.2.0", &program);
    let other = program.replace("exec", "EXEC");
    let spoilt = node.stage(&fine, &other).await.unwrap_err();
    assert!(spoilt.to_string().contains("does not have the digest"), "{spoilt}");
    assert_eq!(why(node.update("u2", &fine, false).await).0, FailureCode::NotInstalled);
    node.nothing_happened_to_the_instance().await;
}
