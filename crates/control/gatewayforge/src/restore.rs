//! From a copy to a home whose control plane can be started: checked as a whole first, made aside, and put in place last.
//!
//! It never writes over a fleet, and what it makes holds still: until a person has looked at what the nodes and providers
//! have now (`clawops adopt`), nothing is decided on what the copy says.

use crate::{
    ambient::{SystemClock, SystemEntropy},
    keys, store,
};
use anyhow::{Context, Result, bail};
use gf_model::{ambient::Clock, audit::AuditEntry, person::Principal};
use gf_requests::adopt;
use gf_store::{
    AuditKey, FleetStore, Inspected, Owner, SqliteBackend, StoreOptions, inspect, settle, unpack,
};
use gf_store_postgres::{Address, PostgresBackend, PostgresOptions};
use serde_json::json;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

const DATABASE: &str = "store/gatewayforge.db";
const HEADS: &str = "audit/heads.jsonl";
/// What shows that a home holds a fleet. The last two belong to a database that was written to at the end.
const HELD: [&str; 6] = [
    DATABASE,
    HEADS,
    "store/elsewhere",
    "store/known.json",
    "store/gatewayforge.db-wal",
    "store/gatewayforge.db-shm",
];

/// What a person asked for.
pub struct Asked<'a> {
    pub home: &'a Path,
    /// The copy.
    pub from: &'a Path,
    pub keys: Option<&'a Path>,
    pub replace: bool,
    /// The database that the fleet is put into; a file of the home by default.
    pub into: Option<Address>,
}

pub async fn run(asked: Asked<'_>) -> Result<()> {
    let Asked { home, from, keys: keys_from, replace, into } = asked;
    let home = std::path::absolute(home).context("the home directory has no absolute path")?;
    for room in ["", "store", "audit", "keys"] {
        keys::private_directory(&home.join(room))?;
    }
    // A control plane that runs on it is named, and nothing is touched.
    let owner = Owner::take(&home.join(DATABASE))?;
    let held: Vec<&str> = HELD.into_iter().filter(|name| home.join(name).exists()).collect();
    if !held.is_empty() && !replace {
        bail!(
            "{} holds a fleet ({}); give a --home without one, or --replace, which moves it aside",
            home.display(),
            held.join(", ")
        );
    }
    let into = into.map(Empty::open).transpose()?;
    if let Some(from) = keys_from {
        keys::join(&home, from)?;
    }
    let keys_dir = home.join("keys");
    let before = inspect(from, None).with_context(|| format!("{} cannot be restored", from.display()))?;
    keys::agree(&keys_dir, &keys::fingerprints(&keys_dir), &before.note.keys)?;
    let audit_key =
        || AuditKey::open_or_create(&keys_dir.join("audit.key"), &home.join(HEADS), &SystemEntropy);
    let copy = inspect(from, Some(&audit_key()?))?;
    if let Some(first) = copy.trail.findings.first() {
        bail!("the audit trail in {} is not whole: {}; nothing was restored", from.display(), first.text);
    }

    let aside = home.join("store/restoring");
    match fs::remove_dir_all(&aside) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => {
            return Err(why).with_context(|| format!("{} cannot be removed", aside.display()));
        }
        _ => {}
    }
    let (database, heads) = (aside.join("gatewayforge.db"), aside.join("heads.jsonl"));
    let now = SystemClock.now();
    unpack(from, &database, &heads, now)?;
    note(&copy, from, &database, heads.clone(), audit_key()?).await?;
    settle(&database)?;
    if let Some(into) = &into {
        into.backend.fill(&database, keys::fingerprints(&keys_dir))?;
    }
    if !held.is_empty() {
        let old = home.join(format!("store/replaced-{}", now.as_second()));
        keys::private_directory(&old)?;
        for name in &held {
            let kept = old.join(Path::new(name).file_name().unwrap_or_default());
            moved(&home.join(name), &kept)?;
        }
        println!("What was there is in {}.", old.display());
    }
    moved(&heads, &home.join(HEADS))?;
    match &into {
        None => moved(&database, &home.join(DATABASE))?,
        Some(into) => store::remember(&home, &into.place)?,
    }
    let _ = fs::remove_dir_all(&aside);
    drop(owner);
    tell(&copy, &home, into.as_ref().map(|into| into.place.as_str()));
    Ok(())
}

/// A database that holds nothing yet.
struct Empty {
    place: String,
    backend: PostgresBackend,
}

impl Empty {
    fn open(address: Address) -> Result<Self> {
        let place = address.place();
        let holder = "gatewayforge restore".to_owned();
        let backend = PostgresBackend::open(address, holder, PostgresOptions::default())?;
        if !backend.is_empty()? {
            bail!(
                "{place} holds a fleet, and nothing is written over; give an empty database (CREATE DATABASE)"
            );
        }
        Ok(Self { place, backend })
    }
}

/// The restored trail begins with who restored it, and the state with the word that it holds still.
async fn note(copy: &Inspected, from: &Path, database: &Path, heads: PathBuf, key: AuditKey) -> Result<()> {
    let backend = Arc::new(SqliteBackend::open(database)?);
    let options = StoreOptions { heads: Some((heads, key)), ..StoreOptions::default() };
    let store = FleetStore::open(backend, options)?;
    let now = SystemClock.now();
    let detail = json!({
        "copy": from.display().to_string(), "madeAt": copy.note.made_at, "transaction": copy.number,
        "generation": {"copied": copy.generation, "now": store.generation()},
    });
    let me = Principal::Service("gatewayforge".to_owned());
    let row = AuditEntry::noted(now, me, "store.restore", vec!["store".to_owned()], detail.clone());
    let written = store.update(|_, tx| {
        tx.audit(row);
        tx.put(adopt::open(now, adopt::Why::Restored, detail));
    });
    written.await.context("the restored state could not be written")?;
    store.sign_head(now).await?;
    store.close().await;
    Ok(())
}

fn moved(from: &Path, to: &Path) -> Result<()> {
    let parent = to.parent().unwrap_or(to);
    fs::rename(from, to)
        .and_then(|()| fs::File::open(parent)?.sync_all())
        .with_context(|| format!("{} cannot be moved to {}", from.display(), to.display()))
}

fn tell(copy: &Inspected, home: &Path, place: Option<&str>) {
    println!(
        "Restored {} as of {}: {} accounts, {} instances, {} sealed, {} audit rows, all chained and {} signed.",
        place.map_or_else(|| home.display().to_string(), |place| format!("{} in {place}", home.display())),
        copy.note.made_at,
        copy.fleet.accounts.len(),
        copy.fleet.live_instances().count(),
        copy.sealed,
        copy.trail.rows,
        copy.trail.signed_up_to,
    );
    let start = if place.is_some() { "start it with the same --store" } else { "`clawops up`" };
    println!(
        "It holds still until what the nodes and providers have now was looked at: {start}, then `clawops adopt`."
    );
}
