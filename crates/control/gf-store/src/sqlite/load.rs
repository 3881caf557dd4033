//! Reads all objects at once: one thread takes the rows from SQLite, all others make values of them.

use super::error::failure;
use crate::{StoreError, expand::Age};
use gf_model::fleet::{Change, Fleet};
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
const HANDFUL: usize = 1024;
/// Handfuls that may wait, so that a large fleet is not in memory twice as text.
const WAITING: usize = 8;
/// SQLite hands rows over no faster than this many can read them.
const MOST_READERS: usize = 8;

struct Row {
    kind: String,
    id: String,
    json: String,
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
        let mut whole = Fleet::default();
        for part in parts {
            match part.join() {
                Ok(part) => whole.absorb(part?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        taken.map(|()| whole)
    })
}

fn take(connection: &Connection, hand_over: SyncSender<Vec<Row>>) -> rusqlite::Result<()> {
    let mut objects = connection.prepare("SELECT kind, id, json FROM objects")?;
    let mut rows = objects.query([])?;
    let mut handful = Vec::with_capacity(HANDFUL);
    // An error of a hand-over only says that every reader has panicked, and that is told by them.
    while let Some(row) = rows.next()? {
        handful.push(Row { kind: row.get(0)?, id: row.get(1)?, json: row.get(2)? });
        if handful.len() == HANDFUL {
            let _ = hand_over.send(std::mem::replace(&mut handful, Vec::with_capacity(HANDFUL)));
        }
    }
    let _ = hand_over.send(handful);
    Ok(())
}

/// The values of those rows that this reader got hold of. After one that cannot be read it only takes the rest away, so
/// that nobody waits to hand it over.
fn part(handfuls: &Mutex<Receiver<Vec<Row>>>, age: Age) -> Result<Fleet, StoreError> {
    let mut part = Ok(Fleet::default());
    loop {
        let next = handfuls.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(handful) = next else { return part };
        for Row { kind, id, json } in handful {
            let Ok(fleet) = &mut part else { break };
            match age.read(&kind, &id, &json) {
                Ok(Some(record)) => fleet.apply(Change::Put(record)),
                Ok(None) => {}
                Err(error) => part = Err(error),
            }
        }
    }
}
