//! Rows of nodes on loopback sockets: how many, what each takes, how soon all answer, and a crowd that comes back at once.

use crate::{
    Better, Measured,
    process::Role,
    stats::{median, percentile},
};
use anyhow::{Context, Result};
use std::{
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const MANY: u32 = 9_000;
const COMMANDED: u32 = 1_000;
const COMMAND_ROUNDS: usize = 31;
/// What a process holds differs from one to the next.
const MEMORY_RUNS: usize = 3;
const SIZES: [u32; 2] = [1_000, MANY];
/// Beside the crowd that comes and goes, one node stays.
const STEADY: u32 = MANY;

struct Controller {
    role: Role,
    plain: String,
    encrypted: String,
}

impl Controller {
    fn start() -> Result<Self> {
        let mut role = Role::start(&["links", "controller", &(MANY + 1).to_string()])?;
        let said = role.hear()?;
        let (plain, encrypted) = said.split_once(' ').context("two addresses")?;
        Ok(Self { plain: plain.to_owned(), encrypted: encrypted.to_owned(), role })
    }

    fn nodes(&self, kind: &str, first: u32, count: u32) -> Result<Role> {
        let at = if kind == "tls" { &self.encrypted } else { &self.plain };
        Role::start(&["links", "nodes", kind, at, &first.to_string(), &count.to_string()])
    }
}

pub fn rows() -> Result<Measured> {
    let mut measured = Measured::default();
    for (kind, limit) in [("plain", 8.0), ("tls", 24.0)] {
        for size in SIZES {
            eprintln!("  {size} nodes on sockets, {kind} …");
            let mut runs = (0..MEMORY_RUNS).map(|_| memory(kind, size)).collect::<Result<Vec<_>>>()?;
            runs.sort_by(|one, other| one.0.total_cmp(&other.0));
            let (bytes, seconds, connected) = runs[MEMORY_RUNS / 2];
            let name = format!("memory per connected node, {kind} socket");
            measured.point(&name, "B", size as usize, bytes);
            if size != MANY {
                continue;
            }
            let how = format!(
                "{MANY} of another process on loopback; RSS of the hub's process before and after, kernel's buffers excepted; \
                 the middle one of {MEMORY_RUNS} processes, {:.1} to {:.1} KiB",
                runs[0].0 / 1024.0,
                runs[MEMORY_RUNS - 1].0 / 1024.0
            );
            measured.row(&name, bytes / 1024.0, "KiB", (Better::Less, limit), how);
            if kind == "tls" {
                let how = format!("real handshakes with a key each; all in after {seconds:.1} s");
                measured.row(
                    "connected nodes in one controller, loopback sockets with TLS",
                    connected,
                    "",
                    (Better::More, f64::from(MANY)),
                    how,
                );
            }
        }
    }
    measured.add(commands()?);
    measured.add(crowd_at_the_door()?);
    Ok(measured)
}

/// Bytes for each node, seconds until all were in, and how many then are.
fn memory(kind: &str, size: u32) -> Result<(f64, f64, f64)> {
    let mut controller = Controller::start()?;
    let before = controller.role.number("resident")?;
    let mut nodes = controller.nodes(kind, 0, size)?;
    let seconds = nodes.number("up")?;
    while controller.role.number("told")? < f64::from(size) {
        thread::sleep(Duration::from_millis(20));
    }
    let after = controller.role.number("resident")?;
    let connected = controller.role.number("connected")?;
    Ok(((after - before) / f64::from(size), seconds, connected))
}

struct Nats(Child);

impl Nats {
    fn start() -> Result<(Self, SocketAddr)> {
        let at = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new("nats-server");
        command.args(["--addr", "127.0.0.1", "--port", &at.port().to_string()]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let nats = Self(child.context("nats-server could not be started")?);
        let began = Instant::now();
        while std::net::TcpStream::connect(at).is_err() {
            anyhow::ensure!(began.elapsed() < Duration::from_secs(10), "nats-server does not listen on {at}");
            thread::sleep(Duration::from_millis(20));
        }
        Ok((nats, at))
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn commands() -> Result<Measured> {
    eprintln!("  a command to {COMMANDED} nodes, against nats-server …");
    let (_nats, at) = Nats::start()?;
    let (count, at) = (COMMANDED.to_string(), at.to_string());
    let mut controller = Controller::start()?;
    let mut nodes = controller.nodes("plain", 0, COMMANDED)?;
    let mut responders = Role::start(&["links", "nodes", "nats", &at, "0", &count])?;
    nodes.number("up")?;
    responders.number("up")?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..=COMMAND_ROUNDS {
        let (mine, other) = (
            controller.role.number(&format!("command {count}"))?,
            controller.role.number(&format!("nats {at} {count}"))?,
        );
        // The first round warms both up.
        if round > 0 {
            ours.push(mine);
            theirs.push(other);
        }
    }
    let mut measured = Measured::default();
    let how = format!(
        "{COMMAND_ROUNDS} rounds each, interleaved; {:.1} ms against {:.1} ms of request and reply with the same bytes",
        median(&ours),
        median(&theirs)
    );
    let ratio = median(&ours) / median(&theirs);
    measured.row(
        "a command to 1,000 nodes and all answers, ÷ nats-server",
        ratio,
        "×",
        (Better::Less, 1.5),
        how,
    );
    Ok(measured)
}

/// All nodes but one lose their links in the same moment and come back; the one that stays is commanded meanwhile.
fn crowd_at_the_door() -> Result<Measured> {
    eprintln!("  {MANY} nodes come back in the same second …");
    let mut controller = Controller::start()?;
    let mut steady = controller.nodes("tls", STEADY, 1)?;
    let mut crowd = controller.nodes("tls", 0, MANY)?;
    steady.number("up")?;
    crowd.number("up")?;
    let worked = controller.role.number("processor")?;
    let attempts = crowd.number("attempts")?;
    let coming_back = thread::spawn(move || -> Result<(f64, f64, Role)> {
        let seconds = crowd.number("drop")?;
        Ok((seconds, crowd.number("attempts")?, crowd))
    });
    let mut took = Vec::new();
    while !coming_back.is_finished() {
        let said = controller.role.ask(&format!("probe {STEADY} 0.2"))?;
        took.extend(said.split(' ').filter_map(|one| one.parse::<f64>().ok()));
    }
    let (seconds, attempts_after, _crowd) = coming_back.join().ok().context("the crowd's thread")??;
    let worked = controller.role.number("processor")? - worked;
    let connected = controller.role.number("connected")?;
    let mut measured = Measured::default();
    let how = format!(
        "TLS; {connected} connected then, {:.2} attempts each, {worked:.1} s of processor time here; nodes of this machine too",
        (attempts_after - attempts) / f64::from(MANY)
    );
    measured.row(
        "9,000 nodes reconnect in the same second: until all are in",
        seconds,
        "s",
        (Better::Less, 30.0),
        how,
    );
    let how = format!(
        "{} commands, p50 {:.1} ms, slowest {:.0} ms",
        took.len(),
        median(&took),
        percentile(&took, 100.0)
    );
    measured.row(
        "a command to a node that stayed, meanwhile, p99",
        percentile(&took, 99.0),
        "ms",
        (Better::Less, 1_000.0),
        how,
    );
    Ok(measured)
}
