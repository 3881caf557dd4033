//! Which database keeps the fleet of this home, and that it stays that one.
//!
//! A control plane that began with an empty store on a home that has a fleet would take everything that runs for
//! something nobody knows of, and reap it. So a home remembers where its fleet is, and nothing is carried over unasked.

use crate::{args::Args, keys, known};
use anyhow::{Context, Result, bail};
use gf_model::{
    Timestamp,
    ambient::{Clock, Entropy},
    audit::AuditEntry,
    person::Principal,
};
use gf_requests::adopt;
use gf_store::{FleetStore, Owner};
use gf_store_postgres::{Address, Known, Lost, Password, PostgresBackend, PostgresOptions};
use std::{
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

/// The embedded default.
const FILE: &str = "store/gatewayforge.db";
/// Names the database of a home whose fleet is elsewhere.
const ELSEWHERE: &str = "store/elsewhere";

pub struct Opened {
    pub store: FleetStore,
    /// Where the fleet is, if others may lead it.
    pub shared: Option<Arc<PostgresBackend>>,
    /// What this home knew to be acknowledged when it was last up.
    known: Option<Known>,
    /// The database is empty, and this home has the keys of a fleet.
    pub lost: bool,
    /// A home serves one control plane, wherever its fleet is kept.
    _owner: Option<Owner>,
}

/// A database that was asked for, and that this home may use.
pub struct Claim {
    address: Address,
    remembered: bool,
    owner: Owner,
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

/// The database that a home remembers to have its fleet in.
fn remembered(home: &Path) -> Result<Option<String>> {
    let note = home.join(ELSEWHERE);
    match fs::read_to_string(&note) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(None),
        Err(why) => Err(why).with_context(|| format!("{} cannot be read", note.display())),
    }
}

/// Why this home's fleet is not where it was asked for.
pub fn elsewhere(home: &Path, asked: Option<&Address>) -> Result<Option<String>> {
    let place = asked.map(Address::place);
    Ok(mismatch(remembered(home)?.as_deref(), home.join(FILE).exists(), place.as_deref()))
}

/// Whether this home's fleet is where it was asked for; a claim where that is a database.
pub fn claim(asked: Option<Address>, home: &Path) -> Result<Option<Claim>> {
    if let Some(why) = elsewhere(home, asked.as_ref())? {
        bail!("{}: {why}", home.display());
    }
    let Some(address) = asked else { return Ok(None) };
    let owner = Owner::take(&home.join(FILE))?;
    Ok(Some(Claim { address, remembered: remembered(home)?.is_some(), owner }))
}

/// The fleet in a file of the home.
pub async fn open_file(home: &Path, entropy: &dyn Entropy, clock: &dyn Clock) -> Result<Opened> {
    // Nodes know the key, so that there was a fleet.
    let lost = !home.join(FILE).exists() && home.join("keys/control.key").exists();
    if !lost {
        let store = FleetStore::open_home(home, entropy)?;
        return Ok(Opened { store, shared: None, known: None, lost: false, _owner: None });
    }
    tracing::error!("{} is gone, and the keys of its fleet are there: what is left of it is adopted", FILE);
    let now = clock.now();
    let store = FleetStore::open_home_from(home, entropy, now.as_second().unsigned_abs())?;
    tell_lost(&store, now, FILE).await?;
    Ok(Opened { store, shared: None, known: None, lost: false, _owner: None })
}

/// Nodes and providers know a fleet, and the store does not: nothing is decided before a person has looked.
pub async fn tell_lost(store: &FleetStore, now: Timestamp, missing: &str) -> Result<()> {
    // Signed of rows that are gone.
    store.set_heads_aside().await?;
    let detail = serde_json::json!({ "missing": missing, "generation": store.generation() });
    let me = Principal::Service("gatewayforge".to_owned());
    let row = AuditEntry::noted(now, me, "store.lost", vec!["store".to_owned()], detail.clone());
    let written = store.update(|_, tx| {
        tx.audit(row);
        tx.put(adopt::open(now, adopt::Why::Lost, detail));
    });
    written.await.context("the new store could not be written")?;
    Ok(())
}

impl Claim {
    /// Reads the fleet, which another control plane may lead. `reached` says where this one is.
    pub fn open(
        self,
        home: &Path,
        entropy: &dyn Entropy,
        clock: &dyn Clock,
        reached: Reached,
    ) -> Result<Opened> {
        let place = self.address.place();
        let backend = Arc::new(PostgresBackend::open(self.address, holder(), PostgresOptions::default())?);
        // Nodes know the key, so that there was a fleet. Asked before one is made.
        let now = clock.now().as_second().unsigned_abs();
        let lost = home.join("keys/control.key").exists() && backend.begins_after_a_loss(now)?;
        keys::check(&backend, &home.join("keys"), entropy)?;
        backend.announce(reached.api, reached.nodes);
        let store = FleetStore::follow_home_on(backend.clone(), home, entropy)?;
        if !self.remembered {
            remember(home, &place)?;
        }
        let known = known::read(home)?;
        Ok(Opened { store, shared: Some(backend), known, lost, _owner: Some(self.owner) })
    }
}

/// Where a control plane is reached by others.
pub struct Reached {
    pub api: String,
    pub nodes: Vec<String>,
}

impl Opened {
    /// Ends the process in order when it must not lead any more: what it believes is no longer so.
    pub fn end_when_lost(&self, home: &Path, ending: CancellationToken) {
        let Some(backend) = &self.shared else { return };
        let (mut lost, store, home) = (backend.lost(), self.store.clone(), home.to_owned());
        tokio::spawn(async move {
            if lost.wait_for(Option::is_some).await.is_err() {
                return;
            }
            tracing::error!("this control plane must not lead any more: it ends");
            if let Err(why) = known::write(&home, &store) {
                tracing::error!(%why, "what was acknowledged could not be written down");
            }
            ending.cancel();
        });
    }

    /// Follows the one that leads, and resolves when this one does. At once where there can be no other.
    pub async fn leads(&self, clock: Arc<dyn Clock>) -> Result<()> {
        let Some(backend) = &self.shared else { return Ok(()) };
        backend.follow(self.store.clone(), self.known.clone(), clock).await?;
        Ok(())
    }

    pub fn lost(&self) -> Option<Lost> {
        self.shared.as_ref().and_then(|backend| *backend.lost().borrow())
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

/// Notes where the fleet of a home is that has none yet.
pub fn remember(home: &Path, place: &str) -> Result<()> {
    let note = home.join(ELSEWHERE);
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&note)?;
        writeln!(file, "{place}")?;
        file.sync_all()
    };
    write().with_context(|| format!("{} cannot be written", note.display()))
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
