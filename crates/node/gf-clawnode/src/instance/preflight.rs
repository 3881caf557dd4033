//! What is looked at before OpenClaw is started, so that a start that cannot work is named and not tried.

use crate::{host::Runtime, instance::Layout};
use gf_node_proto::FailureReason;
use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::Path,
};

/// Less than this and SQLite fails in the middle of a write.
const LEAST_DISK_BYTES: u64 = 64 * 1024 * 1024;

/// Why an instance cannot be started, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Obstacle {
    pub reason: FailureReason,
    pub detail: String,
}

impl Obstacle {
    pub fn new(reason: FailureReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

pub fn check(runtime: &Runtime, layout: &Layout, port: u16, version: &str) -> Result<(), Obstacle> {
    binaries(runtime, version)?;
    state(&layout.state())?;
    readable(&layout.config())?;
    disk(&layout.state())?;
    free(port)
}

fn binaries(runtime: &Runtime, wanted: &str) -> Result<(), Obstacle> {
    let missing = |path: &Path| {
        let detail = format!("{} is not there; install the runtime again", path.display());
        Obstacle::new(FailureReason::BinaryMissing, detail)
    };
    for path in [runtime.node(), runtime.openclaw()] {
        if !path.is_file() {
            return Err(missing(&path));
        }
    }
    let found = runtime.openclaw_version().ok_or_else(|| missing(&runtime.openclaw_package()))?;
    if !wanted.is_empty() && found != wanted {
        let detail = format!("OpenClaw {found} is installed, this instance needs {wanted}");
        return Err(Obstacle::new(FailureReason::WrongVersion, detail));
    }
    Ok(())
}

/// The mode counts even for root, who could read on: somebody locked it, and OpenClaw must not guess why.
fn state(path: &Path) -> Result<(), Obstacle> {
    let unreadable = |why: &dyn std::fmt::Display| {
        Obstacle::new(
            FailureReason::StateUnreadable,
            format!("the state directory {}: {why}", path.display()),
        )
    };
    let meta = fs::symlink_metadata(path).map_err(|why| unreadable(&why))?;
    if !meta.is_dir() {
        return Err(unreadable(&"it is not a directory"));
    }
    let mode = meta.permissions().mode();
    if mode & 0o700 != 0o700 {
        return Err(unreadable(&format!("its mode is {:03o}, the owner needs 700", mode & 0o777)));
    }
    fs::read_dir(path).map(drop).map_err(|why| unreadable(&why))
}

fn readable(config: &Path) -> Result<(), Obstacle> {
    fs::read(config).map(drop).map_err(|why| {
        let detail = format!("{}: {why}", config.display());
        Obstacle::new(FailureReason::StateUnreadable, detail)
    })
}

fn disk(path: &Path) -> Result<(), Obstacle> {
    let free = rustix::fs::statvfs(path).map_or(u64::MAX, |fs| fs.f_bavail * fs.f_frsize);
    if free < LEAST_DISK_BYTES {
        let detail = format!("{} MB are free at {}, at least 64 are needed", free >> 20, path.display());
        return Err(Obstacle::new(FailureReason::DiskFull, detail));
    }
    Ok(())
}

fn free(port: u16) -> Result<(), Obstacle> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Err(why) if why.kind() == io::ErrorKind::AddrInUse => {
            let detail = format!("port {port} is taken by another program");
            Err(Obstacle::new(FailureReason::PortTaken, detail))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_or_replaced_state_directory_is_unreadable_even_for_root() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(state(dir.path()), Ok(()));
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o000)).unwrap();
        let locked = state(dir.path()).unwrap_err();
        assert_eq!(locked.reason, FailureReason::StateUnreadable);
        assert!(locked.detail.contains("000"), "{locked}");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();

        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(state(&file).is_err());
        assert!(state(&dir.path().join("absent")).is_err());
    }

    #[test]
    fn a_taken_port_is_named() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let obstacle = free(port).unwrap_err();
        assert_eq!(obstacle.reason, FailureReason::PortTaken);
        assert!(obstacle.detail.contains(&port.to_string()));
        drop(taken);
        assert_eq!(free(port), Ok(()));
    }
}
