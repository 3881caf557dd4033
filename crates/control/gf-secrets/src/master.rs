//! The fleet's master key: one private file, made on first use, that wraps every data key.

use crate::SecretsError;
use gf_model::ambient::Entropy;
use std::{
    fmt, fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

pub struct MasterKey {
    path: PathBuf,
    bytes: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, [secret])", self.path.display())
    }
}

impl MasterKey {
    /// Reads the key, or makes one. `in_use` says that something is encrypted already, so that a new key
    /// would only hide that the right one is lost.
    pub fn open_or_create(path: &Path, in_use: bool, entropy: &dyn Entropy) -> Result<Self, SecretsError> {
        let failed = |doing| move |source| SecretsError::Io { path: path.to_owned(), doing, source };
        match fs::metadata(path) {
            Ok(file) if file.mode() & 0o077 != 0 => {
                Err(SecretsError::KeyIsOpen { path: path.to_owned(), mode: file.mode() & 0o777 })
            }
            Ok(_) => {
                let text = Zeroizing::new(fs::read(path).map_err(failed("reading the master key"))?);
                let mut bytes = Zeroizing::new([0; 32]);
                hex::decode_to_slice(text.trim_ascii(), &mut *bytes)
                    .map_err(|_| SecretsError::BadKey { path: path.to_owned() })?;
                Ok(Self { path: path.to_owned(), bytes })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && in_use => {
                Err(SecretsError::KeyGone { path: path.to_owned() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut bytes = Zeroizing::new([0; 32]);
                entropy.fill(&mut *bytes);
                let key = Self { path: path.to_owned(), bytes };
                key.write().map_err(failed("making the master key"))?;
                Ok(key)
            }
            Err(source) => Err(failed("reading the master key")(source)),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    fn write(&self) -> io::Result<()> {
        let parent = self.path.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        // Written aside and renamed, so that a crash leaves a whole key or none.
        let aside = self.path.with_extension("new");
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        let mut line = Zeroizing::new(hex::encode(*self.bytes));
        line.push('\n');
        file.write_all(line.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, &self.path)?;
        fs::File::open(parent)?.sync_all()
    }
}
