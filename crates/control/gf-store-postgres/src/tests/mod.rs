//! Real servers, real processes: the contract that every backend keeps, who may write, and what a lost server means.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod address;
mod contract;
mod filled;
mod follow;
mod lease;
mod lost;
mod newer;
mod opening;
mod replica;
mod tls;
mod trail;
mod wire;

use crate::{Address, PostgresBackend, PostgresOptions};
use gf_postgres_cluster::Cluster;
use gf_store::{FleetStore, StoreError, StoreOptions};
use std::{sync::Arc, time::Duration};

/// Nothing here depends on how long a server may take; a busy machine must not be taken for a dead one.
const OPTIONS: PostgresOptions = PostgresOptions {
    lease: Duration::from_secs(2),
    patience: Duration::from_secs(60),
    locks: Duration::from_secs(30),
    only_reading: false,
};

fn open(url: &str) -> Result<PostgresBackend, StoreError> {
    PostgresBackend::open(Address::parse(url).unwrap(), "a test".to_owned(), OPTIONS)
}

fn backend(url: &str) -> Arc<PostgresBackend> {
    Arc::new(open(url).unwrap())
}

fn store(url: &str) -> FleetStore {
    FleetStore::open(backend(url), StoreOptions::default()).unwrap()
}

/// A server with one empty database.
fn server() -> (Cluster, String) {
    let cluster = Cluster::start();
    let url = cluster.database("fleet");
    (cluster, url)
}
