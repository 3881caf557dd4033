//! Moments at which a process is killed, or from which on its disk cannot be written: just before one of its calls to the
//! kernel is carried out, counted from when this was asked for. `strace` counts, kills, and answers in the disk's place.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

/// Calls that are counted.
pub struct Calls {
    /// What they are, for whoever reads along.
    pub what: &'static str,
    names: &'static str,
    /// Only those on this file of the home.
    file: Option<&'static str>,
}

/// Between any two of these, what SQLite has written is what a kill leaves behind.
pub const DATABASE_FILE: Calls = Calls {
    what: "writes of its database's file",
    names: "pwrite64,fsync,fdatasync",
    file: Some("store/gatewayforge.db-wal"),
};
/// What a provider or a node was told to do, just before it is done. That it was done, and its answer was not heard, is
/// the moment of the next write of the database.
pub const MACHINES: Calls =
    Calls { what: "changes of its machines", names: "write", file: Some("sim/world.json") };
/// Before it is sent.
pub const QUESTIONS: Calls = Calls { what: "questions to its database", names: "sendto,sendmsg", file: None };
/// What was asked is done, and its answer was not read.
pub const ANSWERS: Calls = Calls { what: "answers of its database", names: "recvfrom,recvmsg", file: None };

/// `strace` on a running process. It lets go of the process when this is dropped.
pub struct Watch {
    strace: Child,
    /// What it says of each call that it let fail.
    failed: Receiver<()>,
}

impl Watch {
    /// Kills the process at its so-manieth such call; returns when the counting has begun.
    pub fn kill_at(pid: u32, home: &Path, calls: &Calls, nth: u32) -> Self {
        Self::attach(pid, home, calls, &["-e", &format!("inject={}:signal=KILL:when={nth}", calls.names)])
    }

    /// Carries its so-manieth such call out, and keeps it from hearing so: what was done cannot be answered for. It is to be
    /// killed then.
    pub fn hold_after(pid: u32, home: &Path, calls: &Calls, nth: u32) -> Self {
        // In microseconds: longer than anybody waits here.
        let held = format!("inject={}:delay_exit=600000000:when={nth}", calls.names);
        Self::attach(pid, home, calls, &["-e", &held])
    }

    /// Lets its so-manieth such call fail with this error, and all after it.
    pub fn fail_from(pid: u32, home: &Path, calls: &Calls, nth: u32, error: &str) -> Self {
        Self::attach(pid, home, calls, &["-e", &format!("inject={}:error={error}:when={nth}+", calls.names)])
    }

    /// Ends the watch at once. Whoever was held is dead or goes on; asked to let go, `strace` would first hold them to the end.
    pub fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.strace.kill();
    }

    /// Whether a call has failed by now, or does within a moment.
    pub fn has_failed(&self) -> bool {
        self.failed.recv_timeout(Duration::from_millis(20)).is_ok()
    }

    /// Writes the calls down, so that they can be counted.
    pub fn count(pid: u32, home: &Path, calls: &Calls, to: &Path) -> Self {
        Self::attach(pid, home, calls, &["-o", to.to_str().unwrap()])
    }

    fn attach(pid: u32, home: &Path, calls: &Calls, arguments: &[&str]) -> Self {
        let mut command = Command::new("strace");
        command.args(["-f", "-e", &format!("trace={}", calls.names), "-p", &pid.to_string()]).args(arguments);
        if let Some(file) = calls.file {
            command.arg("-P").arg(home.join(file));
        }
        let mut strace = command.stderr(Stdio::piped()).spawn().expect("strace is installed");
        let mut said = String::new();
        let mut lines = BufReader::new(strace.stderr.take().unwrap());
        lines.read_line(&mut said).unwrap();
        assert!(said.contains("attached"), "{said}");
        let (say, failed) = channel();
        // What it says later must be read to its end, or it would stop the process that it watches.
        std::thread::spawn(move || {
            for _ in lines.lines().map_while(Result::ok).filter(|line| line.contains("(INJECTED)")) {
                let _ = say.send(());
            }
        });
        Self { strace, failed }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-s", "INT", &self.strace.id().to_string()]).status();
        let _ = self.strace.wait();
    }
}

/// The most calls that one thread made: each thread is counted by itself.
pub fn counted(written: &Path) -> u32 {
    let text = fs::read_to_string(written).unwrap();
    let mut threads = std::collections::BTreeMap::<&str, u32>::new();
    for line in text.lines().filter(|line| line.contains('(')) {
        *threads.entry(line.split(' ').next().unwrap_or_default()).or_default() += 1;
    }
    threads.into_values().max().unwrap_or_default()
}
