//! Signed heads of the audit chain, one JSON line each, outside the database.
//!
//! The chain alone shows that a row in its middle was touched. Only what is kept elsewhere, under a key that
//! the database does not hold, shows that its end was cut off or that all of it was written anew.

use crate::{
    AuditKey, StoreError,
    backend::Head,
    key::{private_parent, sync_parent},
};
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use gf_model::Timestamp;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

/// After how many rows or seconds, whichever comes first, a head is signed.
#[derive(Debug, Clone, Copy)]
pub struct HeadPolicy {
    pub rows: u64,
    pub seconds: i64,
}

impl Default for HeadPolicy {
    fn default() -> Self {
        Self { rows: 200, seconds: 60 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedHead {
    pub seq: u64,
    pub hash: String,
    pub at: Timestamp,
    /// Ed25519 over number, hash and time, hex.
    pub signature: String,
}

/// A line of the file, as far as it can be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeadLine {
    Good(SignedHead),
    /// Its signature is not of this fleet's key.
    Forged(SignedHead),
    /// It is no signed head at all; the number counts lines from 1.
    Garbage(usize),
}

pub(crate) struct Heads {
    path: PathBuf,
    key: AuditKey,
    last: Mutex<Option<SignedHead>>,
}

impl Heads {
    pub fn open(path: PathBuf, key: AuditKey) -> Result<Self, StoreError> {
        private_parent(&path)?;
        let heads = Self { path, key, last: Mutex::new(None) };
        heads
            .drop_torn_line()
            .map_err(|source| StoreError::io(&heads.path, "opening the signed heads", source))?;
        let last = heads.read()?.into_iter().rev().find_map(|line| match line {
            HeadLine::Good(head) => Some(head),
            HeadLine::Forged(_) | HeadLine::Garbage(_) => None,
        });
        *heads.last.lock() = last;
        Ok(heads)
    }

    /// For whoever only reads what was signed; half a line that a crash left is not taken away.
    pub fn only_reading(path: PathBuf, key: AuditKey) -> Self {
        Self { path, key, last: Mutex::new(None) }
    }

    pub fn is_due(&self, head: &Head, now: Timestamp, policy: HeadPolicy) -> bool {
        match &*self.last.lock() {
            None => head.seq > 0,
            Some(last) => {
                head.seq > last.seq
                    && (head.seq - last.seq >= policy.rows
                        || now.as_second() - last.at.as_second() >= policy.seconds)
            }
        }
    }

    pub fn sign(&self, head: &Head, at: Timestamp) -> Result<Option<SignedHead>, StoreError> {
        let mut last = self.last.lock();
        if head.seq == 0 || last.as_ref().is_some_and(|last| last.seq == head.seq && last.hash == head.hash) {
            return Ok(None);
        }
        let signature = self.key.0.sign(&message(head.seq, &head.hash, at));
        let signed = SignedHead {
            seq: head.seq,
            hash: head.hash.clone(),
            at,
            signature: hex::encode(signature.to_bytes()),
        };
        let mut line = serde_json::to_string(&signed).map_err(StoreError::Unwritable)?;
        line.push('\n');
        self.append(line.as_bytes())
            .map_err(|source| StoreError::io(&self.path, "writing a signed head", source))?;
        *last = Some(signed.clone());
        Ok(Some(signed))
    }

    pub fn read(&self) -> Result<Vec<HeadLine>, StoreError> {
        Ok(judged(&self.text()?, &self.key))
    }

    /// All lines as they lie there.
    pub fn text(&self) -> Result<String, StoreError> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(StoreError::io(&self.path, "reading the signed heads", error)),
        }
    }

    pub fn key(&self) -> &AuditKey {
        &self.key
    }

    /// Keeps what was signed up to a row, and moves the rest, with it, into a file beside.
    pub fn set_aside(&self, seq: u64) -> Result<(), StoreError> {
        let mut last = self.last.lock();
        let kept: Vec<SignedHead> = self
            .read()?
            .into_iter()
            .filter_map(|line| match line {
                HeadLine::Good(head) if head.seq <= seq => Some(head),
                _ => None,
            })
            .collect();
        if last.as_ref() == kept.last() {
            return Ok(());
        }
        let beyond = last.as_ref().map_or(0, |head| head.seq);
        let aside = self.path.with_extension(format!("lost-{}-{beyond}.jsonl", seq + 1));
        fs::rename(&self.path, aside)
            .map_err(|source| StoreError::io(&self.path, "putting signed heads aside", source))?;
        for head in &kept {
            let mut line = serde_json::to_string(head).map_err(StoreError::Unwritable)?;
            line.push('\n');
            self.append(line.as_bytes())
                .map_err(|source| StoreError::io(&self.path, "writing a signed head", source))?;
        }
        *last = kept.into_iter().next_back();
        Ok(())
    }

    fn append(&self, line: &[u8]) -> io::Result<()> {
        let is_new = !self.path.exists();
        let mut file = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        let before = file.metadata()?.len();
        if let Err(error) = file.write_all(line).and_then(|()| file.sync_all()) {
            // Half a line would spoil the next one; that it cannot be taken back is the lesser trouble.
            let _ = file.set_len(before);
            return Err(error);
        }
        if is_new { sync_parent(&self.path) } else { Ok(()) }
    }

    /// A crash in the middle of an append leaves a line without an end that nobody was told of.
    fn drop_torn_line(&self) -> io::Result<()> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < bytes.len() {
            fs::OpenOptions::new().write(true).open(&self.path)?.set_len(whole as u64)?;
        }
        Ok(())
    }
}

/// Each line, as far as it can be trusted.
pub(crate) fn judged(text: &str, key: &AuditKey) -> Vec<HeadLine> {
    let key = key.0.verifying_key();
    let judge = |(at, line): (usize, &str)| match serde_json::from_str::<SignedHead>(line) {
        Err(_) => HeadLine::Garbage(at + 1),
        Ok(head) if is_signed(&head, &key) => HeadLine::Good(head),
        Ok(head) => HeadLine::Forged(head),
    };
    // What has no end was never told to anybody: a crash in the middle of an append left it.
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    whole.lines().enumerate().map(judge).collect()
}

fn message(seq: u64, hash: &str, at: Timestamp) -> Vec<u8> {
    format!("clawops audit head\n{seq}\n{hash}\n{at}").into_bytes()
}

fn is_signed(head: &SignedHead, key: &VerifyingKey) -> bool {
    let mut bytes = [0; 64];
    hex::decode_to_slice(&head.signature, &mut bytes).is_ok()
        && key.verify_strict(&message(head.seq, &head.hash, head.at), &Signature::from_bytes(&bytes)).is_ok()
}
