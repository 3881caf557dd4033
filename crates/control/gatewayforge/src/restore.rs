//! From a copy to a home whose control plane can be started: checked as a whole first, made aside, and put in place last.
//!
//! It never writes over a fleet, and what it makes holds still: until a person has looked at what the nodes and providers
//! have now (`clawops adopt`), nothing is decided on what the copy says.

use crate::{
    ambient::{SystemClock, SystemEntropy},
    keys,
};
use anyhow::{Context, Result, bail};
use gf_model::{ambient::Clock, audit::AuditEntry, person::Principal};
use gf_requests::adopt;
use gf_store::{
    AuditKey, FleetStore, Inspected, Owner, SqliteBackend, StoreOptions, inspect, settle, unpack,
};
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

pub async fn run(home: &Path, from: &Path, keys_from: Option<&Path>, replace: bool) -> Result<()> {
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
    moved(&database, &home.join(DATABASE))?;
    let _ = fs::remove_dir_all(&aside);
    drop(owner);
    tell(&copy, &home);
    Ok(())
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

fn tell(copy: &Inspected, home: &Path) {
    println!(
        "Restored {} as of {}: {} accounts, {} instances, {} sealed, {} audit rows, all chained and {} signed.",
        home.display(),
        copy.note.made_at,
        copy.fleet.accounts.len(),
        copy.fleet.live_instances().count(),
        copy.sealed,
        copy.trail.rows,
        copy.trail.signed_up_to,
    );
    println!(
        "It holds still until what the nodes and providers have now was looked at: `clawops up`, then `clawops adopt`."
    );
}
