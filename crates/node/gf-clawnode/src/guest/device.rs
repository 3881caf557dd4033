//! The identity that OpenClaw knows this node by: a key, and the token that the gateway gave for it.

use crate::files;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Both are closed sets of OpenClaw's.
const CLIENT_ID: &str = "node-host";
const CLIENT_MODE: &str = "node";
const ROLE: &str = "node";
const PLATFORM: &str = "linux";
const FAMILY: &str = "Linux";

#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    #[error("{} cannot be read or written", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} does not hold a device's identity; remove it to pair anew", path.display())]
    Malformed { path: PathBuf },
    #[error("this node is not paired yet: give --bootstrap-token-file")]
    NotPaired,
    #[error("this system gives no random numbers: {0}")]
    Entropy(getrandom::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    key: String,
    #[serde(default)]
    device_token: Option<String>,
}

pub struct Device {
    path: PathBuf,
    key: SigningKey,
    token: Option<String>,
}

/// What opens the gateway to this device.
pub enum Auth<'a> {
    Bootstrap(&'a str),
    Token(&'a str),
}

impl Device {
    pub fn open(path: &Path) -> Result<Self, DeviceError> {
        let io = |source| DeviceError::Io { path: path.to_owned(), source };
        let malformed = || DeviceError::Malformed { path: path.to_owned() };
        match fs::read(path) {
            Ok(text) => {
                let stored: Stored = serde_json::from_slice(&text).map_err(|_| malformed())?;
                let seed = URL_SAFE_NO_PAD.decode(&stored.key).map_err(|_| malformed())?;
                let seed = <[u8; 32]>::try_from(seed).map_err(|_| malformed())?;
                Ok(Self {
                    path: path.to_owned(),
                    key: SigningKey::from_bytes(&seed),
                    token: stored.device_token,
                })
            }
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                let mut seed = [0; 32];
                getrandom::fill(&mut seed).map_err(DeviceError::Entropy)?;
                let device = Self { path: path.to_owned(), key: SigningKey::from_bytes(&seed), token: None };
                device.save().map_err(io)?;
                Ok(device)
            }
            Err(why) => Err(io(why)),
        }
    }

    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The gateway's own token for this device; the bootstrap code is used up.
    pub fn was_given(&mut self, token: &str) -> Result<(), DeviceError> {
        self.token = Some(token.to_owned());
        self.save().map_err(|source| DeviceError::Io { path: self.path.clone(), source })
    }

    fn save(&self) -> io::Result<()> {
        let stored =
            Stored { key: URL_SAFE_NO_PAD.encode(self.key.to_bytes()), device_token: self.token.clone() };
        files::write_private(&self.path, &serde_json::to_vec(&stored)?)
    }

    fn id(&self) -> String {
        hex::encode(Sha256::digest(self.key.verifying_key().as_bytes()))
    }

    /// The parameters of `connect`, signed over the gateway's challenge.
    pub fn connect(&self, challenge: &Value, auth: &Auth<'_>, name: &str, commands: &[&str]) -> Value {
        let (nonce, at) =
            (challenge["nonce"].as_str().unwrap_or_default(), challenge["ts"].as_i64().unwrap_or(0));
        let (token, shown) = match auth {
            Auth::Bootstrap(code) => (*code, json!({"bootstrapToken": code})),
            Auth::Token(token) => (*token, json!({"token": token, "deviceToken": token})),
        };
        let id = self.id();
        let signed = format!(
            "v3|{id}|{CLIENT_ID}|{CLIENT_MODE}|{ROLE}||{at}|{token}|{nonce}|{PLATFORM}|{}",
            FAMILY.to_ascii_lowercase()
        );
        json!({
            "minProtocol": 4, "maxProtocol": 4,
            "client": {
                "id": CLIENT_ID, "mode": CLIENT_MODE, "version": env!("CARGO_PKG_VERSION"),
                "platform": PLATFORM, "deviceFamily": FAMILY, "displayName": name, "instanceId": id
            },
            "role": ROLE, "scopes": [], "caps": ["vps"], "commands": commands, "permissions": {},
            "auth": shown, "locale": "en-US", "userAgent": concat!("gf-clawnode/", env!("CARGO_PKG_VERSION")),
            "device": {
                "id": id, "signedAt": at, "nonce": nonce,
                "publicKey": URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes()),
                "signature": URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()).to_bytes())
            }
        })
    }
}
