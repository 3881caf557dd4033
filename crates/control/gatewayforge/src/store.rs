//! Which database keeps the fleet of this home, and that it stays that one.
//!
//! A control plane that began with an empty store on a home that has a fleet would take everything that runs for
//! something nobody knows of, and reap it. So a home remembers where its fleet is, and nothing is carried over unasked.

use crate::args::Args;
use anyhow::{Context, Result, bail};
use gf_model::ambient::Entropy;
use gf_store::{FleetStore, Owner};
use gf_store_postgres::{Address, Password, PostgresBackend, PostgresOptions};
use std::{
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The embedded default.
const FILE: &str = "store/gatewayforge.db";
/// Names the database of a home whose fleet is elsewhere.
const ELSEWHERE: &str = "store/elsewhere";

pub struct Opened {
    pub store: FleetStore,
    /// Turns true when another control plane has taken over.
    lost: Option<watch::Receiver<bool>>,
    /// A home serves one control plane, wherever its fleet is kept.
    _owner: Option<Owner>,
}

/// The database that was asked for, with its password; `None` for the default.
pub fn asked(args: &Args) -> Result<Option<Address>> {
    let Some(url) = args.store.as_deref().filter(|url| !url.is_empty()) else { return Ok(None) };
    let address = Address::parse(url)?;
    let set = |path: Option<PathBuf>| path.filter(|path| !path.as_os_str().is_empty());
    let password = match set(args.store_password_file.clone()) {
        Some(path) => Some(Password::from_file(&path)?),
        None => match set(std::env::var_os("PGPASSFILE").map(PathBuf::from)) {
            Some(path) => Password::from_pgpass(&path, &address)?,
            None => None,
        },
    };
    Ok(Some(match password {
        Some(password) => address.with_password(&password),
        None => address,
    }))
}

/// Opens the store, and refuses a second control plane and a home whose fleet is elsewhere.
pub fn open(asked: Option<Address>, home: &Path, entropy: &dyn Entropy) -> Result<Opened> {
    let note = home.join(ELSEWHERE);
    let remembered = match fs::read_to_string(&note) {
        Ok(text) => Some(text.trim().to_owned()),
        Err(why) if why.kind() == ErrorKind::NotFound => None,
        Err(why) => return Err(why).with_context(|| format!("{} cannot be read", note.display())),
    };
    let place = asked.as_ref().map(Address::place);
    if let Some(why) = mismatch(remembered.as_deref(), home.join(FILE).exists(), place.as_deref()) {
        bail!("{}: {why}", home.display());
    }
    let (Some(address), Some(place)) = (asked, place) else {
        return Ok(Opened { store: FleetStore::open_home(home, entropy)?, lost: None, _owner: None });
    };
    let owner = Owner::take(&home.join(FILE))?;
    let backend = Arc::new(PostgresBackend::open(address, holder(), PostgresOptions::default())?);
    let lost = backend.lost();
    let store = FleetStore::open_home_on(backend, home, entropy)?;
    if remembered.is_none() {
        remember(&note, &place).with_context(|| format!("{} cannot be written", note.display()))?;
    }
    Ok(Opened { store, lost: Some(lost), _owner: Some(owner) })
}

impl Opened {
    /// Ends the process in order when another control plane has taken over: what it believes is no longer so.
    pub fn end_when_lost(&self, ending: CancellationToken) {
        let Some(mut lost) = self.lost.clone() else { return };
        tokio::spawn(async move {
            if lost.wait_for(|lost| *lost).await.is_ok() {
                tracing::error!("another control plane has taken over the fleet: this one ends");
                ending.cancel();
            }
        });
    }

    pub fn was_lost(&self) -> bool {
        self.lost.as_ref().is_some_and(|lost| *lost.borrow())
    }
}

/// Why a fleet is not kept where it was asked for.
fn mismatch(remembered: Option<&str>, has_file: bool, asked: Option<&str>) -> Option<String> {
    match (remembered, asked) {
        (Some(kept), None) => Some(format!(
            "its fleet is kept in {kept}; start with --store and that address, or set CLAWOPS_STORE"
        )),
        (Some(kept), Some(asked)) if kept != asked => Some(format!(
            "its fleet is kept in {kept} and not in {asked}; if the database has moved, write its new address into \
             {ELSEWHERE}"
        )),
        (None, Some(_)) if has_file => Some(format!(
            "its fleet is kept in {FILE} and is not carried over to another database; start without --store, or give \
             this one another --home"
        )),
        _ => None,
    }
}

fn remember(note: &Path, place: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(note)?;
    writeln!(file, "{place}")?;
    file.sync_all()
}

/// Who this is, for somebody who is kept out by it.
fn holder() -> String {
    let machine = rustix::system::uname();
    format!("pid {} on {}", std::process::id(), machine.nodename().to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_keeps_its_fleet_where_it_began() {
        let (here, there) = (Some("postgres://gf@a:1/b"), Some("postgres://gf@c:1/b"));
        for (remembered, has_file, asked) in [(None, false, None), (None, true, None), (None, false, here)] {
            assert_eq!(mismatch(remembered, has_file, asked), None);
        }
        // The lock of a home leaves no database behind; a database beside the note is an older fleet.
        assert_eq!(mismatch(here, false, here), None);
        let why = |remembered, has_file, asked| mismatch(remembered, has_file, asked).unwrap();
        assert!(why(here, false, None).contains("--store"));
        assert!(why(here, false, there).contains("has moved"));
        assert!(why(None, true, here).contains("is not carried over"));
    }
}
