//! The reference for everything that involves a boot: one stock OpenClaw with a minimal configuration.
//!
//! It has held a conversation before, as every gateway has that is started again: an OpenClaw with an agent's database
//! looks through it at each start, which takes two seconds. [`Reference::unused`] is one that nobody ever talked to.

use clawops_e2e::{processes, wait};
use openclaw_client::{Client, Endpoint, Token, lean, probe};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const BOOT_WITHIN: Duration = Duration::from_secs(240);
const PROBE: Duration = Duration::from_secs(2);
const TOKEN: &str = "a-token-for-this-bench-only";
const CONNECT_WITHIN: Duration = Duration::from_secs(20);
/// The agent of a gateway that was told of none.
const AGENT: &str = "main";

pub struct Reference {
    dir: tempfile::TempDir,
    addr: SocketAddr,
}

impl Reference {
    /// Boots once and opens a conversation, so that the measured boots find what a restarted gateway finds.
    pub fn prepare(runtime: &Path) -> Self {
        let reference = Self::configured();
        let endpoint = Endpoint { addr: reference.addr, token: Token::new(TOKEN.to_owned()) };
        reference.run(runtime, |asking| {
            asking.block_on(async {
                let client = Client::connect(&endpoint, CONNECT_WITHIN).await.expect("a connection");
                client.tools_effective(AGENT).await.expect("a conversation of the reference");
            });
        });
        reference
    }

    /// One that has only ever been started.
    pub fn unused(runtime: &Path) -> Self {
        let reference = Self::configured();
        reference.boot(runtime);
        reference
    }

    fn configured() -> Self {
        let dir = tempfile::Builder::new().prefix("clawops-bench-").tempdir().expect("a temporary directory");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let reference = Self { dir, addr: free.expect("a free port") };
        let mut config = lean::lean_defaults();
        lean::merge(
            &mut config,
            json!({ "gateway": {
                "mode": "local", "port": reference.addr.port(), "bind": "loopback",
                "auth": { "mode": "token", "token": TOKEN },
            } }),
        );
        let path = reference.dir.path().join("openclaw.json");
        std::fs::write(&path, config.to_string()).expect("a configuration");
        reference
    }

    /// From start to `/readyz`.
    pub fn boot(&self, runtime: &Path) -> Duration {
        self.run(runtime, |_| {})
    }

    /// Starts it, does `with_it` once it is ready, and ends it. How long it took to be ready.
    fn run(&self, runtime: &Path, with_it: impl FnOnce(&tokio::runtime::Runtime)) -> Duration {
        let began = Instant::now();
        let child = self.spawn(runtime);
        let asking = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        wait::until("the reference OpenClaw is ready", BOOT_WITHIN, || {
            asking.block_on(probe::readiness(self.addr, PROBE)).is_ok_and(|page| page.ready).then_some(())
        });
        let took = began.elapsed();
        with_it(&asking);
        end(child);
        took
    }

    fn spawn(&self, runtime: &Path) -> Child {
        let packages = runtime.join("openclaw/node_modules");
        let cache = runtime.join("compile-cache");
        Command::new(runtime.join("node/node_modules/.bin/node"))
            .args(lean::node_arguments())
            .arg(packages.join("openclaw/openclaw.mjs"))
            .args(["gateway", "run"])
            .env("HOME", self.dir.path())
            .envs(lean::environment(self.dir.path(), &self.dir.path().join("openclaw.json"), &cache))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the reference OpenClaw starts")
    }
}

fn end(mut child: Child) {
    processes::signal(i32::try_from(child.id()).unwrap_or_default(), rustix::process::Signal::TERM);
    let _ = child.wait();
}
