//! The Ed25519 key that signs audit heads. It never leaves this process and is never printed.

use crate::StoreError;
use ed25519_dalek::SigningKey;
use gf_model::ambient::Entropy;
use std::{
    fmt, fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

pub struct AuditKey(pub(crate) SigningKey);

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey([secret])")
    }
}

impl AuditKey {
    /// Reads the key, or makes one where nothing has been signed yet.
    pub fn open_or_create(path: &Path, heads: &Path, entropy: &dyn Entropy) -> Result<Self, StoreError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A new key would make every signature so far look forged.
                if fs::metadata(heads).is_ok_and(|file| file.len() > 0) {
                    return Err(StoreError::BadKey {
                        path: path.to_owned(),
                        why: format!(
                            "the file is gone, but {} was signed with it; put it back from a copy, \
                             or move that file away to begin anew",
                            heads.display()
                        ),
                    });
                }
                Self::create(path, entropy)
            }
            Err(error) => Err(StoreError::io(path, "reading the audit key", error)),
        }
    }

    /// Reads the key; `None` where there is none.
    pub fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io(path, "reading the audit key", error)),
        }
    }

    pub fn from_entropy(entropy: &dyn Entropy) -> Self {
        let mut seed = [0; 32];
        entropy.fill(&mut seed);
        Self(SigningKey::from_bytes(&seed))
    }

    fn parse(path: &Path, text: &str) -> Result<Self, StoreError> {
        let mut seed = [0; 32];
        hex::decode_to_slice(text.trim(), &mut seed).map_err(|_| StoreError::BadKey {
            path: path.to_owned(),
            why: "it should be 64 hex digits; put it back from a copy".into(),
        })?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    fn create(path: &Path, entropy: &dyn Entropy) -> Result<Self, StoreError> {
        let key = Self::from_entropy(entropy);
        private_parent(path)?;
        let write = || {
            // Written aside and renamed, so that a crash leaves a whole key or none.
            let aside = path.with_extension("new");
            let mut file =
                fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
            file.write_all(format!("{}\n", hex::encode(key.0.to_bytes())).as_bytes())?;
            file.sync_all()?;
            fs::rename(&aside, path)?;
            sync_parent(path)
        };
        write().map_err(|source| StoreError::io(path, "making the audit key", source))?;
        Ok(key)
    }
}

/// Makes the directory of a file, for this user alone.
pub(crate) fn private_parent(path: &Path) -> Result<(), StoreError> {
    let Some(parent) = path.parent() else { return Ok(()) };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(parent)
        .map_err(|source| StoreError::io(parent, "making the directory", source))
}

/// A new name is durable only when its directory is.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => fs::File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
