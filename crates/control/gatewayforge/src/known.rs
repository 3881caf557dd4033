//! What this control plane knows to have been acknowledged, beside the database that keeps it: a database that was failed
//! over to a replica that lagged has forgotten some of it, and says nothing.
//!
//! Written every second while there is something new. It decides nothing but that a person is asked.

use anyhow::{Context, Result};
use gf_store::{FleetStore, Head, Position, Standing};
use gf_store_postgres::Known;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

const FILE: &str = "store/known.json";
const OFTEN: Duration = Duration::from_secs(1);

#[derive(Serialize, Deserialize)]
struct Written {
    number: u64,
    generation: u64,
    row: u64,
    hash: String,
}

pub fn read(home: &Path) -> Result<Option<Known>> {
    let path = home.join(FILE);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(why).with_context(|| format!("{} cannot be read", path.display())),
    };
    let Written { number, generation, row, hash } = serde_json::from_slice(&text).with_context(|| {
        format!("{} cannot be read; remove it if the database is known to be whole", path.display())
    })?;
    Ok(Some(Known { position: Position { head: Head { seq: row, hash }, number }, generation }))
}

pub fn write(home: &Path, store: &FleetStore) -> io::Result<()> {
    let Position { head, number } = store.position();
    let generation = match store.standing() {
        Standing::Leads => store.generation(),
        Standing::Follows(following) => following.generation,
    };
    let written = Written { number, generation, row: head.seq, hash: head.hash };
    let path = home.join(FILE);
    let half = path.with_extension("half");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
    file.write_all(serde_json::to_string(&written)?.as_bytes())?;
    fs::rename(&half, &path)
}

/// Writes it down for as long as the store changes, and signs the trail's head here too.
pub async fn keep(
    home: std::path::PathBuf,
    store: FleetStore,
    clock: std::sync::Arc<dyn gf_model::ambient::Clock>,
) {
    let mut changed = store.changed();
    loop {
        // While a loss waits for a word, what is known is more than what the store shows.
        let is_halted =
            matches!(store.standing(), Standing::Follows(following) if following.halted.is_some());
        if !is_halted {
            if let Err(why) = write(&home, &store) {
                tracing::warn!(%why, "what was acknowledged could not be written down");
            }
            if let Err(why) = store.sign_head_if_due(clock.now()).await {
                tracing::warn!(%why, "the end of the audit trail could not be signed");
            }
        }
        tokio::time::sleep(OFTEN).await;
        if changed.changed().await.is_err() {
            return;
        }
    }
}
