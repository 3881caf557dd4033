//! What a simulated provider has, in a file, so that its machines outlive the control plane as real ones do.
//!
//! A file of JSON lines, each a whole machine as it is now, or that one is gone. A line that was cut by a kill
//! was never answered for, and is left out.

use crate::{
    machine::Saved,
    vault::{KEPT_PER_ACCOUNT, Kept},
};
use gf_model::NodeId;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// A file of so many lines is not worth writing anew.
const LEAST_LIMIT: usize = 4_096;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line<S> {
    Machine(S),
    Gone(NodeId),
    Kept(Kept),
}

pub(crate) struct Journal {
    path: PathBuf,
    open: Mutex<Open>,
}

struct Open {
    file: File,
    lines: usize,
    /// With so many lines the file is written anew.
    limit: usize,
}

/// A machine's line, read only so far.
#[derive(Deserialize)]
struct Named {
    node: NodeId,
}

/// What a file says when all of it was read.
#[derive(Default)]
struct Read {
    /// Each machine's last line as it stands, since thousands of parsed ones would be large.
    machines: BTreeMap<NodeId, Vec<u8>>,
    kept: BTreeMap<Box<str>, VecDeque<Kept>>,
}

pub(crate) struct Loaded {
    pub journal: Journal,
    pub machines: Vec<Saved>,
    pub kept: Vec<Kept>,
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

fn read(path: &Path) -> io::Result<Read> {
    let mut read = Read::default();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(read),
        Err(why) => return Err(why),
    };
    for line in BufReader::new(file).split(b'\n') {
        let line = line?;
        match serde_json::from_slice(&line) {
            Ok(Line::Machine(Named { node })) => drop(read.machines.insert(node, line)),
            Ok(Line::Gone(node)) => drop(read.machines.remove(&node)),
            Ok(Line::Kept(copy)) => {
                let shelf = read.kept.entry(copy.account.clone()).or_default();
                shelf.push_back(copy);
                if shelf.len() > KEPT_PER_ACCOUNT {
                    shelf.pop_front();
                }
            }
            Err(_) => tracing::debug!("a cut line of the simulation's file is left out"),
        }
    }
    Ok(read)
}

/// Puts a file with only what still holds in the place of another.
fn rewrite(path: &Path, read: &Read) -> io::Result<Open> {
    let beside = beside(path);
    let _ = fs::remove_file(&beside);
    let mut text = BufWriter::new(private(&beside)?);
    let kept = || read.kept.values().flatten();
    for line in read.machines.values() {
        text.write_all(line)?;
        text.write_all(b"\n")?;
    }
    for copy in kept() {
        append(&mut text, &Line::<()>::Kept(copy.clone()))?;
    }
    let file = text.into_inner().map_err(io::IntoInnerError::into_error)?;
    fs::rename(&beside, path)?;
    let lines = read.machines.len() + kept().count();
    Ok(Open { file, lines, limit: 4 * lines + LEAST_LIMIT })
}

fn append(to: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    to.write_all(&text)
}

impl Journal {
    /// Reads the file, if there is one, and writes it anew without what has passed.
    pub(crate) fn open(path: &Path) -> io::Result<Loaded> {
        let mut read = read(path)?;
        // Before anything is rewritten: what cannot be understood would be lost by it.
        let mut machines = Vec::with_capacity(read.machines.len());
        for line in read.machines.values() {
            if let Line::Machine(saved) = serde_json::from_slice(line)? {
                machines.push(saved);
            }
        }
        let open = rewrite(path, &read)?;
        let kept = std::mem::take(&mut read.kept).into_values().flatten().collect();
        Ok(Loaded { journal: Self { path: path.to_owned(), open: Mutex::new(open) }, machines, kept })
    }

    pub(crate) fn machine(&self, saved: &Saved) -> io::Result<()> {
        self.write(&Line::Machine(saved))
    }

    pub(crate) fn gone(&self, node: &NodeId) -> io::Result<()> {
        self.write(&Line::<()>::Gone(node.clone()))
    }

    pub(crate) fn kept(&self, kept: &Kept) -> io::Result<()> {
        self.write(&Line::<()>::Kept(kept.clone()))
    }

    fn write(&self, line: &impl Serialize) -> io::Result<()> {
        let mut open = self.open.lock();
        append(&mut open.file, line)?;
        open.lines += 1;
        if open.lines > open.limit {
            *open = rewrite(&self.path, &read(&self.path)?)?;
        }
        Ok(())
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// Frames as base64, since JSON holds no bytes.
macro_rules! frames_as_text {
    ($name:ident, $key:ty) => {
        pub(crate) mod $name {
            use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
            use bytes::Bytes;
            use serde::{Deserialize, Deserializer, Serializer, de::Error};
            use std::collections::VecDeque;

            pub(crate) fn serialize<S: Serializer>(
                kept: &VecDeque<($key, Bytes)>,
                to: S,
            ) -> Result<S::Ok, S::Error> {
                to.collect_seq(kept.iter().map(|(key, frame)| (key, STANDARD_NO_PAD.encode(frame))))
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                from: D,
            ) -> Result<VecDeque<($key, Bytes)>, D::Error> {
                let kept = Vec::<($key, String)>::deserialize(from)?;
                let frame =
                    |text: &String| STANDARD_NO_PAD.decode(text).map(Bytes::from).map_err(D::Error::custom);
                kept.into_iter().map(|(key, text)| Ok((key, frame(&text)?))).collect()
            }
        }
    };
}

frames_as_text!(frames, u64);
frames_as_text!(answers, Box<str>);
