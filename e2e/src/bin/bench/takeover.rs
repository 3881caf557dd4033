//! How long nobody decides when the control plane that leads is killed while another one follows it, on a real PostgreSQL.

use crate::{report::Row, stats::median};
use clawops_e2e::{rest, wait};
use gf_postgres_cluster::Cluster;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const RUNS: usize = 7;
const WITHIN: Duration = Duration::from_secs(60);

struct Plane {
    process: Child,
    address: String,
    ready: Value,
}

impl Drop for Plane {
    fn drop(&mut self) {
        // It is killed in every run, and a second time where a run came to nothing.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> Command {
    let bench = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new(bench.with_file_name("gatewayforge"));
    command.env_remove("CLAWOPS_STORE").env_remove("CLAWOPS_HOME").stderr(Stdio::null());
    command
}

impl Plane {
    fn start(home: &Path, url: &str) -> Self {
        let mut command = program();
        command.arg("--home").arg(home).args(["--listen", "127.0.0.1:0", "--store", url]);
        let mut process = command.stdout(Stdio::piped()).spawn().expect("gatewayforge starts");
        let mut line = String::new();
        let said = process.stdout.take().expect("its output is read");
        BufReader::new(said).read_line(&mut line).expect("it says that it is ready");
        let ready: Value = serde_json::from_str(&line).expect("it says so in JSON");
        let address = ready["endpoint"].as_str().unwrap_or_default().replace("http://", "");
        Self { process, address, ready }
    }

    /// Whether a change was decided and kept.
    fn decides(&self, key: &str, name: &str) -> bool {
        let body = format!(r#"{{"firstName":"{name}","role":"viewer"}}"#);
        rest::exchange(&self.address, "POST /v1/people", key, &body).0 == 200
    }
}

pub fn leader_killed() -> Vec<Row> {
    let cluster = Cluster::start();
    let mut took = Vec::new();
    for run in 0..RUNS {
        let url = cluster.database(&format!("fleet_{run}"));
        let directory = tempfile::tempdir().expect("a directory can be made");
        let [one, other] = ["one", "other"].map(|name| directory.path().join(name));
        let mut leader = Plane::start(&one, &url);
        let joined = program().arg("join").arg("--home").arg(&other).arg("--from").arg(&one).status();
        assert!(joined.is_ok_and(|status| status.success()), "the second home has the keys");
        let follower = Plane::start(&other, &url);
        assert_eq!(follower.ready["role"], "follower");
        let key = std::fs::read_to_string(other.join("keys/operator.key")).expect("the admin's key is there");
        assert!(leader.decides(key.trim(), "Ada") && !follower.decides(key.trim(), "Bea"));
        leader.process.kill().expect("it is killed");
        let began = Instant::now();
        wait::until("the follower decides", WITHIN, || follower.decides(key.trim(), "Bea").then_some(()));
        took.push(began.elapsed().as_secs_f64());
    }
    let (least, most) =
        (took.iter().copied().fold(f64::MAX, f64::min), took.iter().copied().fold(0.0, f64::max));
    vec![Row {
        name: "leader killed → follower acts",
        value: median(&took),
        unit: "s",
        target: 3.0,
        how: format!(
            "{RUNS} kills of a real process, PostgreSQL, a lease of 2 s; until a change was decided by the follower and was on \
             disk; {least:.2} to {most:.2} s"
        ),
    }]
}
