//! Copies a state directory while its owner stands still: as little work as possible, sharing blocks where the
//! file system can.

use super::SnapshotError;
use std::{
    fs, io,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

/// Set to stop a copy at the next file.
pub type Cancel = AtomicBool;

/// Copies everything that is memory. `from` must not change meanwhile.
pub fn copy_tree(from: &Path, to: &Path, cancel: &Cancel) -> Result<(), SnapshotError> {
    copy_directory(from, to, "", cancel)
}

fn copy_directory(from: &Path, to: &Path, prefix: &str, cancel: &Cancel) -> Result<(), SnapshotError> {
    crate::files::make_private_dir(to)?;
    for entry in fs::read_dir(from)? {
        if cancel.load(Ordering::Relaxed) {
            return Err(SnapshotError::Cancelled);
        }
        let entry = entry?;
        let name = entry.file_name();
        let path = format!("{prefix}{}", name.to_string_lossy());
        if !is_memory(&path) {
            continue;
        }
        let kind = entry.file_type()?;
        let target = to.join(&name);
        if kind.is_dir() {
            copy_directory(&entry.path(), &target, &format!("{path}/"), cancel)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, &target)?;
        } else if kind.is_file() {
            copy_file(&entry.path(), &target)?;
        }
        // Sockets and pipes belong to the process that made them.
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let source = fs::File::open(from)?;
    let target = fs::File::create(to)?;
    target.set_permissions(source.metadata()?.permissions())?;
    // Sharing blocks is instant where it works; copying uses `copy_file_range` below this call.
    if rustix::fs::ioctl_ficlone(&target, &source).is_err() {
        io::copy(&mut &source, &mut &target)?;
    }
    Ok(())
}

/// What a copy must hold. Left out: locks, logs, caches, scratch files, older configurations with other credentials in
/// them, and channel credentials that may exist only once.
fn is_memory(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let directories = ["tmp", "logs", "cache", "home/.npm", "home/.cache", "credentials/whatsapp"];
    let below = directories
        .iter()
        .any(|dir| path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    let older_config = name != "openclaw.json" && path.starts_with("openclaw.json.");
    let scratch =
        [".lock", ".pid", ".sock", ".lock.sqlite", "-shm", ".tmp"].iter().any(|end| name.ends_with(end));
    !below && !older_config && !scratch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_kept_and_the_rest_is_not() {
        for kept in [
            "openclaw.json",
            "state/openclaw.sqlite",
            "state/openclaw.sqlite-wal",
            "agents/main/agent/openclaw-agent.sqlite",
            "workspace/MEMORY.md",
            "credentials/telegram.json",
            "logsbook/x",
        ] {
            assert!(is_memory(kept), "{kept}");
        }
        for dropped in [
            "tmp",
            "tmp/openclaw-0/gateway.state.lock",
            "logs/x.log",
            "cache/control-ui-assets/a.js",
            "openclaw.json.last-good",
            "openclaw.json.bak.1",
            "credentials/whatsapp/default/creds.json",
            "state/openclaw.sqlite-shm",
            "gateway.lock",
            "home/.npm/_logs/a.log",
        ] {
            assert!(!is_memory(dropped), "{dropped}");
        }
    }

    #[test]
    fn a_tree_is_copied_with_its_modes_and_links() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("from");
        fs::create_dir_all(from.join("workspace")).unwrap();
        fs::write(from.join("workspace/a"), "memory").unwrap();
        std::os::unix::fs::symlink("a", from.join("workspace/link")).unwrap();
        fs::write(from.join("gateway.lock"), "").unwrap();
        let to = dir.path().join("to");
        copy_tree(&from, &to, &Cancel::default()).unwrap();
        assert_eq!(fs::read_to_string(to.join("workspace/link")).unwrap(), "memory");
        assert!(!to.join("gateway.lock").exists());

        let cancelled = copy_tree(&from, &dir.path().join("other"), &Cancel::new(true));
        assert!(matches!(cancelled, Err(SnapshotError::Cancelled)));
    }
}
