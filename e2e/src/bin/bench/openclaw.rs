//! The reference for everything that involves a boot: one stock OpenClaw with a minimal configuration.

use clawops_e2e::{processes, wait};
use openclaw_client::{lean, probe};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const BOOT_WITHIN: Duration = Duration::from_secs(240);
const PROBE: Duration = Duration::from_secs(2);

pub struct Reference {
    dir: tempfile::TempDir,
    addr: SocketAddr,
}

impl Reference {
    /// Boots once, so that the measured boots find a state directory, as a restarted gateway does.
    pub fn prepare(runtime: &Path) -> Self {
        let dir = tempfile::Builder::new().prefix("clawops-bench-").tempdir().expect("a temporary directory");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let reference = Self { dir, addr: free.expect("a free port") };
        let mut config = lean::lean_defaults();
        lean::merge(
            &mut config,
            json!({ "gateway": {
                "mode": "local", "port": reference.addr.port(), "bind": "loopback",
                "auth": { "mode": "token", "token": "a-token-for-this-bench-only" },
            } }),
        );
        let path = reference.dir.path().join("openclaw.json");
        std::fs::write(&path, config.to_string()).expect("a configuration");
        reference.boot(runtime);
        reference
    }

    /// From start to `/readyz`.
    pub fn boot(&self, runtime: &Path) -> Duration {
        let began = Instant::now();
        let child = self.spawn(runtime);
        let asking = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        wait::until("the reference OpenClaw is ready", BOOT_WITHIN, || {
            asking.block_on(probe::readiness(self.addr, PROBE)).is_ok_and(|page| page.ready).then_some(())
        });
        let took = began.elapsed();
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
