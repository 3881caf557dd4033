//! What happened here, kept on disk until the control plane has taken care of it.
//!
//! A file of length-delimited events. An event without a kind is a mark: everything up to its number is done.

use crate::files;
use gf_node_proto::{Event, event};
use prost::Message;
use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// While nobody listens, the oldest reports give way: states are reported anew on connecting anyway.
const MOST_KEPT: usize = 4096;
/// How much done work may lie in the file before it is rewritten.
const REWRITE_AFTER: usize = 512;

#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    open: VecDeque<Event>,
    last: u64,
    done_in_file: usize,
    unsynced: bool,
}

impl Journal {
    pub fn open(path: &Path) -> io::Result<Self> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(why) if why.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(why) => return Err(why),
        };
        let (mut open, mut last, mut records) = (VecDeque::new(), 0, 0);
        let mut rest = bytes.as_slice();
        // A torn record at the end is what a crash in the middle of a write leaves; it was never announced.
        while let Ok(event) = Event::decode_length_delimited(&mut rest) {
            records += 1;
            last = last.max(event.seq);
            match event.kind {
                Some(_) => open.push_back(event),
                None => open.retain(|earlier: &Event| earlier.seq > event.seq),
            }
        }
        let mut journal = Self {
            path: path.to_owned(),
            file: files::append_private(path)?,
            done_in_file: records - open.len(),
            open,
            last,
            unsynced: false,
        };
        journal.rewrite()?;
        Ok(journal)
    }

    /// Writes an event down and gives it its number. It survives the death of this process from here on, and
    /// that of the machine once [`Self::unsynced`] was synced: nobody waits for a disk to hear of a crash.
    pub fn record(
        &mut self,
        instance_id: &str,
        generation: u64,
        at_ms: i64,
        kind: event::Kind,
    ) -> io::Result<u64> {
        let instance_id = instance_id.to_owned();
        let event = Event { seq: self.last + 1, at_ms, instance_id, generation, kind: Some(kind) };
        self.append(&event)?;
        self.last = event.seq;
        self.open.push_back(event);
        if self.open.len() > MOST_KEPT {
            self.open.pop_front();
        }
        Ok(self.last)
    }

    /// Everything up to `seq` was taken care of.
    pub fn acknowledge(&mut self, seq: u64) -> io::Result<()> {
        let before = self.open.len();
        while self.open.front().is_some_and(|event| event.seq <= seq) {
            self.open.pop_front();
        }
        if before == self.open.len() {
            return Ok(());
        }
        self.done_in_file += before - self.open.len() + 1;
        // Not synced: a lost mark only means that something is told again.
        self.file.write_all(&Event { seq, ..Event::default() }.encode_length_delimited_to_vec())?;
        if self.done_in_file > REWRITE_AFTER { self.rewrite() } else { Ok(()) }
    }

    /// The open events after `seq`, oldest first.
    pub fn after(&self, seq: u64) -> impl Iterator<Item = &Event> {
        self.open.iter().filter(move |event| event.seq > seq)
    }

    fn append(&mut self, event: &Event) -> io::Result<()> {
        self.file.write_all(&event.encode_length_delimited_to_vec())?;
        self.unsynced = true;
        Ok(())
    }

    /// A handle to make what was recorded durable with, if something is not yet.
    pub fn unsynced(&mut self) -> Option<File> {
        std::mem::take(&mut self.unsynced).then(|| self.file.try_clone().ok())?
    }

    fn rewrite(&mut self) -> io::Result<()> {
        // The mark keeps the numbers going up even when nothing is open.
        let done = self.open.front().map_or(self.last, |first| first.seq - 1);
        let mut bytes = Event { seq: done, ..Event::default() }.encode_length_delimited_to_vec();
        for event in &self.open {
            bytes.extend(event.encode_length_delimited_to_vec());
        }
        files::write_private(&self.path, &bytes)?;
        self.file = files::append_private(&self.path)?;
        self.done_in_file = 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_node_proto::InstanceDeleted;

    fn record(journal: &mut Journal) -> u64 {
        journal.record("i-1", 1, 0, InstanceDeleted {}.into()).unwrap()
    }

    fn open_numbers(journal: &Journal) -> Vec<u64> {
        journal.after(0).map(|event| event.seq).collect()
    }

    #[test]
    fn events_survive_until_they_are_acknowledged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        let mut journal = Journal::open(&path).unwrap();
        for wanted in 1..=3 {
            assert_eq!(record(&mut journal), wanted);
        }
        journal.acknowledge(2).unwrap();
        drop(journal);

        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(open_numbers(&journal), [3]);
        journal.acknowledge(3).unwrap();
        drop(journal);

        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(record(&mut journal), 4, "a number was used twice");
    }

    #[test]
    fn a_torn_record_is_dropped_and_the_rest_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        let mut journal = Journal::open(&path).unwrap();
        record(&mut journal);
        record(&mut journal);
        drop(journal);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(open_numbers(&journal), [1]);
        assert_eq!(record(&mut journal), 2);
    }

    #[test]
    fn a_long_life_does_not_grow_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        let mut journal = Journal::open(&path).unwrap();
        for _ in 0..2 * REWRITE_AFTER {
            let seq = record(&mut journal);
            journal.acknowledge(seq).unwrap();
        }
        assert!(fs::metadata(&path).unwrap().len() < 64 * REWRITE_AFTER as u64);
    }
}
