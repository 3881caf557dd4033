//! What stands in the store, told by a process that only reads it: for when no control plane answers.
//!
//! It must never write into the home or the database, and says nothing that a reader of the API would not be told.

use crate::{args::Args, store};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use gf_api::view::{progress, status, tally::Tally, trail};
use gf_model::{Timestamp, fleet::Fleet, operation::Operation};
use gf_store::{AuditQuery, Look, Owned};
use gf_store_postgres::{PostgresBackend, PostgresOptions};
use gf_tools::FleetStatusParams;
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Counts, cost and alerts.
    Fleet,
    /// Every pair with its two instances.
    Pairs,
    /// Operations, newest first.
    Operations,
    /// Incidents, newest first.
    Incidents,
    /// Rows of the audit trail, newest first.
    Audit,
    /// Whether the trail is whole.
    Verify,
}

/// Prints one JSON object to standard output.
pub fn run(args: &Args, what: What, limit: usize) -> Result<()> {
    let home = args.home()?;
    let look = open(args, &home)?;
    let store = json!({
        "home": home,
        "number": look.loaded.number,
        "generation": look.loaded.generation,
        "auditRows": look.loaded.head.seq,
        "serverRuns": look.owned == Owned::ByARunningOne,
    });
    let now = Timestamp::now();
    let fleet = &look.loaded.fleet;
    let found = match what {
        What::Fleet => status_of(fleet, "summary", now)?,
        What::Pairs => status_of(fleet, "full", now)?["gateways"].take(),
        What::Operations => {
            let mut all: Vec<&Operation> = fleet.operations.values().collect();
            all.sort_by_key(|operation| std::cmp::Reverse((operation.created_at, operation.audit_seq)));
            all.iter().take(limit).map(|operation| json!(progress::reply(fleet, operation, now))).collect()
        }
        What::Incidents => {
            let mut all: Vec<_> = fleet.incidents.values().collect();
            all.sort_by_key(|incident| std::cmp::Reverse(incident.opened_at));
            json!(all.into_iter().take(limit).collect::<Vec<_>>())
        }
        What::Audit => json!(look.audit(&AuditQuery { limit: Some(limit), ..AuditQuery::default() })?),
        What::Verify => json!(trail::Verified::of(look.verify()?)),
    };
    println!("{}", json!({ "store": store, "found": found }));
    Ok(())
}

fn open(args: &Args, home: &Path) -> Result<Look> {
    let asked = store::asked(args)?;
    if let Some(why) = store::elsewhere(home, asked.as_ref())? {
        bail!("{}: {why}", home.display());
    }
    let Some(address) = asked else { return Ok(Look::at_file(home)?) };
    let place = address.place();
    let backend = PostgresBackend::look(address, PostgresOptions::default())
        .with_context(|| format!("{place} cannot be read"))?;
    Ok(Look::through(Arc::new(backend), home)?)
}

fn status_of(fleet: &Fleet, detail: &str, now: Timestamp) -> Result<Value> {
    let params = FleetStatusParams { detail: Some(detail.to_owned()), ..FleetStatusParams::default() };
    let reply = status::fleet_status(fleet, &Tally::of(fleet), &params, now)?;
    Ok(json!(reply))
}
