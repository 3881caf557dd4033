//! `clawops support-bundle`: one file that says how a ClawOps stands, to be shown to somebody who helps.
//!
//! It needs no control plane. It must never hold a secret, nor what users or operators said: keys, memories, gateways'
//! own logs and conversations are never read into it, and everything else goes through [`secrets`].

mod secrets;

use crate::args::DebugWhat;
use crate::debug;
use crate::home::Home;
use crate::output;
use crate::problem::{Problem, Result};
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use secrets::Secrets;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The end of a log is what tells.
const LONGEST_LOG: u64 = 2 << 20;
const ROWS: u32 = 500;
/// How deep the list of the home's files goes.
const DEPTH: usize = 3;

/// What stands in the manifest of each file.
#[derive(Debug, Serialize)]
struct Held {
    name: String,
    bytes: usize,
    sha256: String,
    /// Words that were taken out of it.
    removed: usize,
}

struct Bundle {
    tar: tar::Builder<GzEncoder<File>>,
    secrets: Secrets,
    made_at: Timestamp,
    held: Vec<Held>,
    /// What could not be had, and why.
    missing: Vec<String>,
}

pub fn make(home: &Home, to: Option<PathBuf>, as_json: bool) -> Result<()> {
    if !home.exists() {
        return Err(Problem::Bad {
            what: "the home",
            value: home.dir.display().to_string(),
            fix: "there is no ClawOps in it; give --home DIR".into(),
        });
    }
    let made_at = Timestamp::now();
    let path =
        to.unwrap_or_else(|| made_at.strftime("clawops-support-%Y%m%d-%H%M%S.tar.gz").to_string().into());
    // For this user alone from its first byte on, and never over something else.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let file = file.map_err(|why| Problem::file(&path, why))?;
    let gzip = GzEncoder::new(file, Compression::default());
    let secrets = Secrets::of(home);
    let mut bundle =
        Bundle { tar: tar::Builder::new(gzip), secrets, made_at, held: Vec::new(), missing: Vec::new() };
    let written = bundle.fill(home).and_then(|()| bundle.finish());
    let (held, missing) = written.map_err(|why| {
        // Half a bundle helps nobody.
        let _ = fs::remove_file(&path);
        Problem::file(&path, why)
    })?;
    if as_json {
        output::json(&json!({ "path": path, "files": held, "missing": missing }));
    } else {
        let removed: usize = held.iter().map(|file| file.removed).sum();
        output::print(&format!(
            "{} holds {} and no secret ({removed} words were taken out). Look into it before you hand it on.",
            path.display(),
            output::count(held.len() as u64, "file")
        ));
        missing.iter().for_each(|why| output::print(&format!("missing: {why}")));
    }
    Ok(())
}

impl Bundle {
    fn fill(&mut self, home: &Home) -> io::Result<()> {
        for (name, what) in [
            ("fleet", DebugWhat::Fleet),
            ("pairs", DebugWhat::Pairs),
            ("operations", DebugWhat::Operations),
            ("incidents", DebugWhat::Incidents),
            ("audit", DebugWhat::Audit),
            ("verify", DebugWhat::Verify),
        ] {
            match debug::read_store(home, what, ROWS) {
                Ok(found) => {
                    self.add(&format!("store/{name}.json"), &serde_json::to_string_pretty(&found)?)?;
                }
                Err(why) => self.missing.push(format!("store/{name}.json: {why}")),
            }
        }
        self.add_file("settings.json", &home.dir.join("settings.json"))?;
        let mut files = String::new();
        list(&home.dir, &home.dir, DEPTH, &mut files);
        self.add("files.txt", &files)?;
        let mut logs: Vec<PathBuf> = fs::read_dir(home.dir.join("logs"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        logs.sort();
        // What people say to an OpenClaw stands in its own log.
        for log in logs.iter().filter(|log| !log.to_string_lossy().contains(".openclaw.")) {
            let name = log.file_name().unwrap_or_default().to_string_lossy().into_owned();
            self.add_file(&format!("logs/{name}"), log)?;
        }
        Ok(())
    }

    fn add_file(&mut self, name: &str, path: &Path) -> io::Result<()> {
        match end_of(path) {
            Ok(text) => self.add(name, &text),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(why) => {
                self.missing.push(format!("{name}: {why}"));
                Ok(())
            }
        }
    }

    fn add(&mut self, name: &str, text: &str) -> io::Result<()> {
        let (text, removed) = self.secrets.removed_from(text);
        let sha256 = hex::encode(Sha256::digest(text.as_bytes()));
        self.held.push(Held { name: name.to_owned(), bytes: text.len(), sha256, removed });
        self.append(name, text.as_bytes())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(self.made_at.as_second().unsigned_abs());
        self.tar.append_data(&mut header, format!("clawops-support/{name}"), bytes)
    }

    fn finish(mut self) -> io::Result<(Vec<Held>, Vec<String>)> {
        let manifest = json!({
            "madeAt": self.made_at,
            "version": env!("CARGO_PKG_VERSION"),
            "files": self.held,
            "missing": self.missing,
            "leftOut": ["keys", "memories, snapshots and archives", "logs and state of gateways", "conversations"],
        });
        self.append("manifest.json", serde_json::to_string_pretty(&manifest)?.as_bytes())?;
        let mut file = self.tar.into_inner()?.finish()?;
        file.flush()?;
        file.sync_all()?;
        Ok((self.held, self.missing))
    }
}

/// The last of a file, from the beginning of a line.
fn end_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LONGEST_LOG);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(LONGEST_LOG).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(match (from, text.split_once('\n')) {
        (1.., Some((_, whole))) => format!("[{from} bytes before this]\n{whole}"),
        _ => text,
    })
}

/// What lies in the home, and for whom: mode, size and name, never what it holds.
fn list(root: &Path, directory: &Path, depth: usize, out: &mut String) {
    let mut entries: Vec<_> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        let name = path.strip_prefix(root).unwrap_or(&path).display();
        out.push_str(&format!("{:o} {:>12} {name}\n", meta.mode() & 0o7777, meta.len()));
        if meta.is_dir() && depth > 1 {
            list(root, &path, depth - 1, out);
        }
    }
}
