//! Key files: made once, readable by their owner alone, never replaced.

use anyhow::{Context, Result, bail};
use gf_model::ambient::Entropy;
use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Makes a directory for this user alone, with those above it, and takes others' rights away where it exists.
pub fn private_directory(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o700)))
        .with_context(|| format!("{} cannot be made a directory for this user alone", path.display()))
}

/// The key in a file, made there if the file does not exist: 64 hexadecimal digits.
pub fn open_or_create(path: &Path, entropy: &dyn Entropy) -> Result<String> {
    let mut secret = [0; 32];
    entropy.fill(&mut secret);
    if create_private(path, &hex::encode(secret))? {
        return Ok(hex::encode(secret));
    }
    let kept = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let kept = kept.trim();
    if kept.len() < 16 {
        bail!(
            "{} holds no key: it must hold at least 16 characters; put it back from a copy",
            path.display()
        );
    }
    Ok(kept.to_owned())
}

/// Writes a file that only its owner can read, whole or not at all; `false` where one exists already.
pub fn create_private(path: &Path, text: &str) -> Result<bool> {
    let aside = path.with_extension(format!("new-{}", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        file.write_all(format!("{text}\n").as_bytes())?;
        file.sync_all()?;
        // A link cannot replace what is there, also when two processes do this at once.
        fs::hard_link(&aside, path)
    };
    let made = write();
    let _ = fs::remove_file(&aside);
    match made {
        Ok(()) => Ok(true),
        Err(why) if why.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(why) => Err(why).with_context(|| format!("{} cannot be written", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;

    #[test]
    fn a_key_is_made_once_and_is_nobody_elses() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("plugin.key");
        let made = open_or_create(&path, &SystemEntropy).unwrap();
        assert_eq!(made.len(), 64);
        assert_eq!(open_or_create(&path, &SystemEntropy).unwrap(), made);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn an_emptied_key_file_is_an_error_and_is_not_replaced() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("plugin.key");
        fs::write(&path, "").unwrap();
        assert!(open_or_create(&path, &SystemEntropy).unwrap_err().to_string().contains("holds no key"));
    }
}
