//! Reads all objects at once: one thread takes the rows from SQLite, all others make values of them.

use super::error::failure;
use crate::{StoreError, expand::Age};
use gf_model::fleet::{Fleet, Gathered};
use rusqlite::Connection;
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

/// Rows that are handed over at a time.
const HANDFUL: usize = 128;
/// Handfuls that may wait, so that a large fleet is not in memory twice as text.
const WAITING: usize = 32;
/// SQLite hands rows over no faster than this many can read them.
const MOST_READERS: usize = 8;

/// Rows one after the other in one text, since three allocations a row are a part of a start that is felt.
#[derive(Default)]
struct Handful {
    /// In the order in which they were read.
    number: usize,
    text: String,
    ends: Vec<[usize; COLUMNS]>,
}

const COLUMNS: usize = 3;

impl Handful {
    fn add(&mut self, row: &rusqlite::Row<'_>) -> rusqlite::Result<()> {
        let mut ends = [0; COLUMNS];
        for (column, end) in ends.iter_mut().enumerate() {
            self.text.push_str(row.get_ref(column)?.as_str()?);
            *end = self.text.len();
        }
        self.ends.push(ends);
        Ok(())
    }

    fn next(&self) -> Self {
        let text = String::with_capacity(self.text.len());
        Self { number: self.number + 1, text, ends: Vec::with_capacity(HANDFUL) }
    }

    /// Kind, id and text of each.
    fn rows(&self) -> impl Iterator<Item = [&str; COLUMNS]> {
        let mut begin = 0;
        self.ends.iter().map(move |ends| ends.map(|end| &self.text[std::mem::replace(&mut begin, end)..end]))
    }
}

pub fn fleet(connection: &Connection, path: &Path, age: Age) -> Result<Fleet, StoreError> {
    let (hand_over, handfuls) = sync_channel(WAITING);
    let handfuls = Arc::new(Mutex::new(handfuls));
    let readers = thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_READERS));
    thread::scope(|scope| {
        let parts: Vec<_> = (0..readers)
            .map(|_| {
                let handfuls = Arc::clone(&handfuls);
                scope.spawn(move || part(&handfuls, age))
            })
            .collect();
        drop(handfuls);
        let taken = take(connection, hand_over).map_err(|error| failure(path, error));
        let mut gathered = Vec::new();
        for part in parts {
            match part.join() {
                Ok(part) => gathered.extend(part?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        // Rows lie in the order of their ids, and what is in order is put together without looking for any place.
        gathered.sort_unstable_by_key(|(number, _)| *number);
        taken.map(|()| Fleet::of(gathered.into_iter().map(|(_, part)| part).collect()))
    })
}

fn take(connection: &Connection, hand_over: SyncSender<Handful>) -> rusqlite::Result<()> {
    let mut objects = connection.prepare("SELECT kind, id, json FROM objects")?;
    let mut rows = objects.query([])?;
    let mut handful = Handful::default();
    // An error of a hand-over only says that every reader has panicked, and that is told by them.
    while let Some(row) = rows.next()? {
        handful.add(row)?;
        if handful.ends.len() == HANDFUL {
            let next = handful.next();
            let _ = hand_over.send(std::mem::replace(&mut handful, next));
        }
    }
    let _ = hand_over.send(handful);
    Ok(())
}

/// The values of those rows that this reader got hold of. After one that cannot be read it only takes the rest away, so
/// that nobody waits to hand it over.
fn part(handfuls: &Mutex<Receiver<Handful>>, age: Age) -> Result<Vec<(usize, Gathered)>, StoreError> {
    let mut part = Ok(Vec::new());
    loop {
        let next = handfuls.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(handful) = next else { return part };
        let Ok(all) = &mut part else { continue };
        match gathered(&handful, age) {
            Ok(some) => all.push((handful.number, some)),
            Err(error) => part = Err(error),
        }
    }
}

fn gathered(handful: &Handful, age: Age) -> Result<Gathered, StoreError> {
    let mut some = Gathered::default();
    for [kind, id, json] in handful.rows() {
        if let Some(record) = age.read(kind, id, json)? {
            some.add(record);
        }
    }
    Ok(some)
}
