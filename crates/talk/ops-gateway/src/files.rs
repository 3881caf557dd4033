//! Files that only their owner may read, written so that a crash leaves the old or the new one, never half of one.

use crate::{Error, Result};
use serde_json::Value;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

fn cannot(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::File { action, path: path.into(), source }
}

pub fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(cannot("read", path))
}

pub fn private_dir(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(cannot("create", path))
}

/// Replaces `path`, unless it already holds just that.
pub fn write(path: &Path, content: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    let fresh = path.with_extension("new");
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    write().map_err(cannot("write", path))
}

/// The key of that name, made on first use.
pub fn key(keys: &Path, name: &str) -> Result<String> {
    let path = keys.join(name);
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|e| cannot("create", &path)(io::Error::other(e)))?;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            let key = hex::encode(random);
            file.write_all(key.as_bytes()).and_then(|()| file.sync_all()).map_err(cannot("write", &path))?;
            Ok(key)
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            let key = read(&path)?.trim().to_owned();
            if key.len() < 16 {
                return Err(Error::malformed(path, "it holds no key; delete it and a new one is made"));
            }
            Ok(key)
        }
        Err(e) => Err(cannot("create", &path)(e)),
    }
}

/// Writes the gateway's configuration. OpenClaw adds `meta` to its file; taking it away would look like damage to it.
pub fn write_config(path: &Path, document: &Value) -> Result<()> {
    let mut document = document.clone();
    if let Ok(old) = fs::read_to_string(path)
        && let Ok(old) = serde_json::from_str::<Value>(&old)
        && let Some(meta) = old.get("meta")
    {
        document["meta"] = meta.clone();
        if document == old {
            return Ok(());
        }
    }
    write(path, &format!("{document:#}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = key(dir.path(), "plugin.key").unwrap();
        assert_eq!(first.len(), 64);
        assert_eq!(key(dir.path(), "plugin.key").unwrap(), first);
        let mode = fs::metadata(dir.path().join("plugin.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(dir.path().join("empty.key"), "\n").unwrap();
        assert!(key(dir.path(), "empty.key").is_err());
    }

    #[test]
    fn writing_the_configuration_again_keeps_what_openclaw_added() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("openclaw.json");
        write_config(&path, &json!({ "a": 1 })).unwrap();
        fs::write(&path, r#"{"a":1,"meta":{"lastTouchedVersion":"2026.9.6"}}"#).unwrap();
        let untouched = fs::metadata(&path).unwrap().modified().unwrap();
        write_config(&path, &json!({ "a": 1 })).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), untouched);
        write_config(&path, &json!({ "a": 2 })).unwrap();
        let now: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(now, json!({ "a": 2, "meta": { "lastTouchedVersion": "2026.9.6" } }));
    }
}
