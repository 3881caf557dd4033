//! Key files: made once, readable by their owner alone, never replaced.

use anyhow::{Context, Result, bail};
use gf_model::ambient::Entropy;
use gf_store_postgres::PostgresBackend;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
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

/// Those that every control plane of a fleet must hold, under the names of their files.
const SHARED: [&str; 6] =
    ["master.key", "control.key", "audit.key", "plugin.key", "webhook.key", "brain.key"];
/// What else a home is given by another one: the first admin's key, so that `clawops` works there.
const ALSO: [&str; 1] = ["operator.key"];

/// Refuses keys that are not the fleet's. Where the fleet has none yet they are made.
pub fn check(backend: &PostgresBackend, keys: &Path, entropy: &dyn Entropy) -> Result<()> {
    let known = backend.fingerprints()?;
    let mut own = BTreeMap::new();
    for name in SHARED {
        let path = keys.join(name);
        let key = match known.contains_key(name) {
            // One that was made now would not be the fleet's.
            true => fs::read_to_string(&path).ok().map(|key| key.trim().to_owned()),
            false => Some(open_or_create(&path, entropy)?),
        };
        own.extend(key.map(|key| (name.to_owned(), fingerprint(name, &key))));
    }
    agree(keys, &own, &known)
}

/// Of the keys of a fleet that are in this directory.
pub fn fingerprints(keys: &Path) -> BTreeMap<String, String> {
    let read = |name: &str| fs::read_to_string(keys.join(name)).ok();
    SHARED
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), fingerprint(name, read(name)?.trim()))))
        .collect()
}

/// Makes this home's keys the fleet's, where it has none: only for the one that leads, after it has opened what is sealed.
pub fn note(backend: &PostgresBackend, keys: &Path) -> Result<()> {
    let own = fingerprints(keys);
    let known = backend.note_fingerprints(own.clone())?;
    agree(keys, &own, &known)
}

pub fn agree(keys: &Path, own: &BTreeMap<String, String>, fleets: &BTreeMap<String, String>) -> Result<()> {
    let differs: Vec<&str> = fleets
        .iter()
        .filter(|(name, key)| own.get(*name) != Some(key))
        .map(|(name, _)| name.as_str())
        .collect();
    if differs.is_empty() {
        return Ok(());
    }
    bail!(
        "{} does not hold the keys of this fleet ({} missing or different): bring them from the home of another of its \
         control planes, with `gatewayforge join --from THAT-HOME`",
        keys.display(),
        differs.join(", ")
    )
}

/// What tells two keys apart and gives neither away: the keys are random, so that none can be guessed from it.
fn fingerprint(name: &str, key: &str) -> String {
    hex::encode(Sha256::digest(format!("clawops key {name}\n{key}")))
}

/// Copies a fleet's keys from the home of another of its control planes, or from a copy of that home's directory `keys`.
/// Nothing is replaced.
pub fn join(home: &Path, from: &Path) -> Result<()> {
    let source = if from.join("keys").is_dir() { from.join("keys") } else { from.to_owned() };
    let keys = home.join("keys");
    private_directory(home)?;
    private_directory(&keys)?;
    let mut copies = Vec::new();
    for name in SHARED.into_iter().chain(ALSO) {
        let path = source.join(name);
        let key = match fs::read_to_string(&path) {
            Ok(key) => key.trim().to_owned(),
            Err(why) if why.kind() == ErrorKind::NotFound && ALSO.contains(&name) => continue,
            Err(why) => {
                return Err(why).with_context(|| {
                    format!(
                        "{} cannot be read: give the home of a control plane that \
                                                         has led this fleet, or a copy of its keys",
                        path.display()
                    )
                });
            }
        };
        let own = keys.join(name);
        match fs::read_to_string(&own) {
            Ok(kept) if kept.trim() == key => {}
            Ok(_) => bail!(
                "{} is another key than {}: this home belongs to another fleet; give an empty --home",
                own.display(),
                path.display()
            ),
            Err(_) => copies.push((own, key)),
        }
    }
    for (path, key) in copies {
        create_private(&path, &key)?;
    }
    Ok(())
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
