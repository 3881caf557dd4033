//! A control group per instance where the kernel allows it: freezing and killing that no child escapes.
//!
//! Without a writable cgroup v2 everything still works, by signals to the process group.

use rustix::process::Signal;
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::instance::process::signal_group;

/// How long a group may take until all of it stands still, or is gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// The place for this node's groups, if there is one.
#[derive(Debug, Clone)]
pub struct Cgroups {
    base: Option<PathBuf>,
}

impl Cgroups {
    /// Looks for a cgroup v2 that may be written to. `home` keeps two nodes of one name apart.
    pub fn discover(node: &str, home: &Path) -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let tag = hex::encode(&Sha256::digest(home.as_os_str().as_encoded_bytes())[..4]);
        let base = mounts.lines().filter_map(cgroup2_mount).find_map(|mount| {
            let base = mount.join("clawops").join(format!("{node}-{tag}"));
            let writable = fs::create_dir_all(&base).is_ok() && base.join("cgroup.freeze").exists();
            writable.then_some(base)
        });
        Self { base }
    }

    pub fn can_freeze(&self) -> bool {
        self.base.is_some()
    }

    pub fn group(&self, instance: &str) -> Cgroup {
        Cgroup { path: self.base.as_ref().map(|base| base.join(instance)) }
    }
}

/// One instance's group, or nothing.
#[derive(Debug, Clone)]
pub struct Cgroup {
    path: Option<PathBuf>,
}

impl Cgroup {
    /// Puts a process, and with it all that it starts from now on, into the group.
    pub fn add(&self, pid: u32) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        fs::create_dir_all(path)?;
        fs::write(path.join("cgroup.procs"), pid.to_string())
    }

    /// The processes of the group.
    pub fn processes(&self) -> Vec<u32> {
        let Some(path) = &self.path else { return Vec::new() };
        let text = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|pid| pid.parse().ok()).collect()
    }

    /// Stops all of it where it stands; blocks until it does. `leader` names the process group to fall back on.
    pub fn freeze(&self, leader: u32) -> io::Result<Frozen> {
        let frozen = Frozen { path: self.path.clone().filter(|path| path.exists()), leader };
        match &frozen.path {
            Some(path) => {
                fs::write(path.join("cgroup.freeze"), "1")?;
                wait_until(|| event(path, "frozen") == Some(1))?;
            }
            None => {
                signal_group(leader, Signal::STOP);
                wait_until(|| is_stopped(leader))?;
            }
        }
        Ok(frozen)
    }

    /// Kills all of it; blocks until nothing is left.
    pub fn kill(&self, leader: Option<u32>) -> io::Result<()> {
        if let Some(leader) = leader {
            signal_group(leader, Signal::KILL);
        }
        let Some(path) = self.path.as_ref().filter(|path| path.exists()) else { return Ok(()) };
        fs::write(path.join("cgroup.kill"), "1")?;
        wait_until(|| event(path, "populated") == Some(0))
    }

    /// Removes the group; it must be empty.
    pub fn remove(&self) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        match fs::remove_dir(path) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        // The node's own group goes with its last instance; while there are others it cannot.
        if let Some(base) = path.parent() {
            let _ = fs::remove_dir(base);
        }
        Ok(())
    }
}

/// Thaws when dropped, so that no failure on the way leaves an instance standing still.
#[derive(Debug)]
pub struct Frozen {
    path: Option<PathBuf>,
    leader: u32,
}

impl Drop for Frozen {
    fn drop(&mut self) {
        match &self.path {
            Some(path) => {
                if let Err(why) = fs::write(path.join("cgroup.freeze"), "0") {
                    tracing::error!(group = %path.display(), %why, "an instance could not be thawed");
                }
            }
            None => signal_group(self.leader, Signal::CONT),
        }
    }
}

fn wait_until(mut done: impl FnMut() -> bool) -> io::Result<()> {
    let begun = Instant::now();
    while !done() {
        if begun.elapsed() > PATIENCE {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "a control group did not settle"));
        }
        thread::sleep(Duration::from_micros(300));
    }
    Ok(())
}

fn event(path: &Path, key: &str) -> Option<u32> {
    let text = fs::read_to_string(path.join("cgroup.events")).ok()?;
    text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
}

fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rfind(')')
        .and_then(|end| stat.as_bytes().get(end + 2))
        .is_none_or(|state| matches!(state, b'T' | b'Z'))
}

/// The mount point, where a line of `mountinfo` is a cgroup v2.
fn cgroup2_mount(line: &str) -> Option<PathBuf> {
    let (mount, kind) = line.split_once(" - ")?;
    kind.starts_with("cgroup2 ").then(|| mount.split(' ').nth(4).map(PathBuf::from))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{os::unix::process::CommandExt, process::Command};

    #[test]
    fn only_cgroup2_mounts_are_found() {
        let v2 = "35 24 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";
        assert_eq!(cgroup2_mount(v2), Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(cgroup2_mount("36 24 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu"), None);
    }

    fn freezes_thaws_and_kills(group: &Cgroup) {
        let mut child = Command::new("sleep").arg("1000").process_group(0).spawn().unwrap();
        group.add(child.id()).unwrap();
        drop(group.freeze(child.id()).unwrap());
        assert!(!is_stopped(child.id()), "it was not thawed");
        group.kill(Some(child.id())).unwrap();
        child.wait().unwrap();
        group.remove().unwrap();
    }

    #[test]
    fn a_group_or_signals_do_the_same() {
        let home = tempfile::tempdir().unwrap();
        freezes_thaws_and_kills(&Cgroups::discover("node-test", home.path()).group("i-test"));
        freezes_thaws_and_kills(&Cgroup { path: None });
    }
}
