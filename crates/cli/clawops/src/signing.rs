//! A person's signing key: made here, kept in a file of their own, and never sent anywhere. What it signs is a yes to one
//! question; the control plane keeps the signature with the audit row.

use crate::home::Home;
use crate::problem::{Problem, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Where the key is: the file that `CLAWOPS_SIGNING_KEY` names, such as one on a stick, else one in the home.
pub fn file(home: &Home) -> PathBuf {
    match std::env::var_os("CLAWOPS_SIGNING_KEY").filter(|path| !path.is_empty()) {
        Some(path) => PathBuf::from(path),
        None => home.key("signing.key"),
    }
}

/// The public half, base64; makes a key where there is none.
pub fn public_key(path: &Path) -> Result<String> {
    let key = match read(path)? {
        Some(key) => key,
        None => make(path)?,
    };
    Ok(STANDARD.encode(key.verifying_key().as_bytes()))
}

/// Signs a yes to the question that was shown, for the body of a grant.
pub fn sign(path: &Path, approval: &Value) -> Result<Value> {
    let Some(key) = read(path)? else {
        return Err(Problem::Bad {
            what: "the signing key",
            value: path.display().to_string(),
            fix: "make one with `clawops people signing-key`, and let an admin add it to you".into(),
        });
    };
    let statement = approval["statement"].as_str().unwrap_or_default();
    let question = hex::encode(Sha256::digest(approval["question"].as_str().unwrap_or_default()));
    // Whoever serves the statement must not get a yes to another question than the one that was read.
    if !statement.ends_with(&format!("\nquestion sha256 {question}")) {
        return Err(Problem::Failed("what would be signed is not the question that was shown".into()));
    }
    let id = hex::encode(&Sha256::digest(key.verifying_key().as_bytes())[..8]);
    let signature = STANDARD.encode(key.sign(statement.as_bytes()).to_bytes());
    Ok(json!({ "signature": { "key": id, "signature": signature } }))
}

fn read(path: &Path) -> Result<Option<SigningKey>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Problem::file(path, e)),
    };
    let bad = |fix: &str| Problem::Bad {
        what: "the signing key",
        value: path.display().to_string(),
        fix: fix.to_owned(),
    };
    if fs::metadata(path).map_err(|e| Problem::file(path, e))?.mode() & 0o077 != 0 {
        return Err(bad("others can read it; withdraw it, and make another one"));
    }
    let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let bytes = bytes.ok_or_else(|| bad("it is no key of 32 bytes in base64"))?;
    Ok(Some(SigningKey::from_bytes(&bytes)))
}

fn make(path: &Path) -> Result<SigningKey> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| Problem::Failed(format!("there is no randomness: {e}")))?;
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|e| Problem::file(dir, e))?;
    }
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(|e| Problem::file(path, e))?;
    let written = writeln!(file, "{}", STANDARD.encode(bytes)).and_then(|()| file.sync_all());
    written.map_err(|e| Problem::file(path, e))?;
    Ok(SigningKey::from_bytes(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn approval(question: &str) -> Value {
        let digest = hex::encode(Sha256::digest("Restart i-1?"));
        json!({ "question": question, "statement": format!("ClawOps approval 1\nquestion sha256 {digest}") })
    }

    #[test]
    fn a_key_is_made_once_and_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/signing.key");
        let public = public_key(&path).unwrap();
        assert_eq!(public_key(&path).unwrap(), public);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(public_key(&path).unwrap_err().to_string().contains("others can read it"));
    }

    #[test]
    fn only_the_question_that_was_shown_is_signed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("signing.key");
        assert!(sign(&path, &approval("Restart i-1?")).is_err(), "there is no key");
        public_key(&path).unwrap();
        assert!(sign(&path, &approval("Restart i-1?")).unwrap()["signature"]["key"].is_string());
        assert!(sign(&path, &approval("Restart i-2?")).is_err());
    }
}
