//! Who this node is: its key, and the control plane that it belongs to.

use crate::files;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gf_node_proto::{SigningKey, Ticket, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("{} cannot be read or written", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} does not hold a node's identity; remove it to enrol anew", path.display())]
    Malformed { path: PathBuf },
    #[error("{} belongs to {found}, not to {wanted}; give each node its own --home", path.display())]
    OtherNode { path: PathBuf, found: String, wanted: String },
    #[error("this system gives no random numbers: {0}")]
    Entropy(getrandom::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    node: String,
    /// The Ed25519 seed, base64url.
    key: String,
    #[serde(default)]
    control_key: Option<String>,
    #[serde(default)]
    controller_generation: u64,
}

pub struct Identity {
    path: PathBuf,
    pub node: String,
    pub key: SigningKey,
    /// The control plane that took this node in; nobody else is obeyed.
    pub control: Option<VerifyingKey>,
    /// The highest controller generation seen: an older leader is refused.
    pub controller_generation: u64,
    /// What this node comes back by. In memory only: what is on no disk is on no copy of one, a fleet's nodes do not all start
    /// anew in one moment, and one that does proves its key once.
    pub ticket: Option<Ticket>,
}

impl Identity {
    /// Reads the identity, or makes one.
    pub fn open(path: &Path, node: &str) -> Result<Self, IdentityError> {
        let io = |source| IdentityError::Io { path: path.to_owned(), source };
        match fs::read(path) {
            Ok(text) => Self::parse(path, node, &text),
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                let mut seed = [0; 32];
                getrandom::fill(&mut seed).map_err(IdentityError::Entropy)?;
                let identity = Self {
                    path: path.to_owned(),
                    node: node.to_owned(),
                    key: SigningKey::from_bytes(&seed),
                    control: None,
                    controller_generation: 0,
                    ticket: None,
                };
                identity.save().map_err(io)?;
                Ok(identity)
            }
            Err(why) => Err(io(why)),
        }
    }

    fn parse(path: &Path, node: &str, text: &[u8]) -> Result<Self, IdentityError> {
        let malformed = || IdentityError::Malformed { path: path.to_owned() };
        let stored: Stored = serde_json::from_slice(text).map_err(|_| malformed())?;
        if stored.node != node {
            let (found, wanted) = (stored.node, node.to_owned());
            return Err(IdentityError::OtherNode { path: path.to_owned(), found, wanted });
        }
        let bytes = |text: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())?;
            <[u8; 32]>::try_from(bytes).map_err(|_| malformed())
        };
        let control = match &stored.control_key {
            Some(key) => Some(VerifyingKey::from_bytes(&bytes(key)?).map_err(|_| malformed())?),
            None => None,
        };
        Ok(Self {
            path: path.to_owned(),
            node: stored.node,
            key: SigningKey::from_bytes(&bytes(&stored.key)?),
            control,
            controller_generation: stored.controller_generation,
            ticket: None,
        })
    }

    pub fn is_enrolled(&self) -> bool {
        self.control.is_some()
    }

    /// Remembers who took this node in, and under which generation.
    pub fn belongs_to(&mut self, control: VerifyingKey, generation: u64) -> io::Result<()> {
        if self.control == Some(control) && self.controller_generation == generation {
            return Ok(());
        }
        self.control = Some(control);
        self.controller_generation = generation;
        self.save()
    }

    fn save(&self) -> io::Result<()> {
        let stored = Stored {
            node: self.node.clone(),
            key: URL_SAFE_NO_PAD.encode(self.key.to_bytes()),
            control_key: self.control.map(|key| URL_SAFE_NO_PAD.encode(key.as_bytes())),
            controller_generation: self.controller_generation,
        };
        files::write_private(&self.path, &serde_json::to_vec_pretty(&stored)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_identity_is_kept_in_a_file_that_only_its_owner_reads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.json");
        let mut first = Identity::open(&path, "node-a").unwrap();
        first.belongs_to(SigningKey::from_bytes(&[1; 32]).verifying_key(), 4).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let again = Identity::open(&path, "node-a").unwrap();
        assert_eq!(again.key.to_bytes(), first.key.to_bytes());
        assert_eq!((again.control, again.controller_generation), (first.control, 4));
        assert!(matches!(Identity::open(&path, "node-b"), Err(IdentityError::OtherNode { .. })));
        fs::write(&path, "{").unwrap();
        assert!(matches!(Identity::open(&path, "node-a"), Err(IdentityError::Malformed { .. })));
    }
}
