//! The processes of one universe, found by the environment that they were started with: nobody else's are ever seen.

use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone)]
pub struct Process {
    pub pid: i32,
    pub command: Vec<String>,
}

impl Process {
    pub fn is(&self, part: &str) -> bool {
        self.command.iter().any(|word| word.contains(part))
    }

    pub fn kill(&self) {
        signal(self.pid, Signal::KILL);
    }
}

pub fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may have ended by itself in the meantime.
        let _ = kill_process(pid, signal);
    }
}

/// Everything that runs with this home anywhere in its environment or arguments.
pub fn of(home: &Path) -> Vec<Process> {
    let needle = home.as_os_str().as_encoded_bytes();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if pid == std::process::id() as i32 {
            continue;
        }
        let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
        let command = read("cmdline");
        if contains(&read("environ"), needle) || contains(&command, needle) {
            let words = command.split(|byte| *byte == 0).filter(|word| !word.is_empty());
            let command = words.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
            found.push(Process { pid, command });
        }
    }
    found
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

pub fn resident_bytes(pid: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// User and system time so far, in clock ticks of a hundredth of a second.
pub fn cpu_ticks(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// Whether a process lives; one that only waits to be reaped does not.
pub fn lives(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z') && !rest.starts_with('X'))
}

/// A program that cargo built beside the one that runs.
pub fn built(name: &str) -> PathBuf {
    let me = std::env::current_exe().unwrap_or_default();
    let mut dir = me.parent().unwrap_or(Path::new(".")).to_owned();
    if dir.ends_with("deps") {
        dir.pop();
    }
    dir.join(name)
}
