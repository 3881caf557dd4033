//! The tables, which versions of them this program can read, and which servers can keep them.

use crate::{
    error::failure,
    link::{Link, within},
};
use gf_store::{SCHEMA, StoreError, Written};
use std::{path::Path, time::Duration};
use tokio_postgres::{Client, Row};

/// The oldest major version whose behaviour everything here was written for.
const OLDEST: i32 = 14;

/// The version of the tables themselves; what the records in them are is [`SCHEMA`]. 1 brought the log, where a leader is
/// reached, the keys' fingerprints and accepted losses; 2 which programs can go on with the records.
///
/// A step only adds, so that a program from before it goes on: what it writes lacks a row in the log, and those who
/// follow read everything anew. A step that takes something away raises `tables_from`, the oldest program that can go on.
pub const TABLES_VERSION: i64 = 2;

/// Held while the tables are made, so that two who come at once make them once.
const MAKING: i64 = 0x6766_7374_6f72_6531;

/// `fillfactor`: the one row is rewritten with every commit, and stays on its page. An index over the first characters:
/// a long text fits no index, and must not keep a row out of the trail.
const TABLES: &str = r#"
CREATE TABLE control (
  one boolean PRIMARY KEY CHECK (one), schema bigint NOT NULL, number bigint NOT NULL,
  generation bigint NOT NULL, holder text NOT NULL, expires timestamptz NOT NULL
) WITH (fillfactor = 10);
CREATE TABLE terms (
  generation bigint PRIMARY KEY, holder text NOT NULL, began timestamptz NOT NULL, after_number bigint NOT NULL
);
CREATE TABLE objects (
  kind text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, json text NOT NULL, PRIMARY KEY (kind, id)
);
CREATE TABLE audit (
  seq bigint PRIMARY KEY, entry_json text NOT NULL, previous text NOT NULL, hash text NOT NULL,
  at bigint NOT NULL, actor text COLLATE "C" NOT NULL, action text COLLATE "C" NOT NULL
);
CREATE INDEX audit_actor ON audit (left(actor, 100), seq);
CREATE INDEX audit_action ON audit (left(action, 100), seq);
CREATE TABLE audit_targets (target text COLLATE "C" NOT NULL, seq bigint NOT NULL);
CREATE INDEX audit_targets_target ON audit_targets (left(target, 100), seq);
CREATE INDEX audit_targets_of ON audit_targets (seq);
CREATE TABLE sealed (id text COLLATE "C" PRIMARY KEY, sealed text NOT NULL);
"#;

/// What each version of the tables adds, from the first.
const STEPS: [&str; 2] = [
    r#"
ALTER TABLE control ADD COLUMN addresses text NOT NULL DEFAULT '{}',
  ADD COLUMN tables bigint NOT NULL DEFAULT 1, ADD COLUMN tables_from bigint NOT NULL DEFAULT 0;
CREATE TABLE log (number bigint PRIMARY KEY, keys text NOT NULL, first_row bigint NOT NULL, next_row bigint NOT NULL);
CREATE TABLE keys (name text PRIMARY KEY, fingerprint text NOT NULL);
CREATE TABLE losses (
  after_number bigint PRIMARY KEY, after_row bigint NOT NULL, lost_number bigint NOT NULL, lost_row bigint NOT NULL,
  accepted timestamptz NOT NULL, by_whom text NOT NULL
);
"#,
    "ALTER TABLE control ADD COLUMN schema_from bigint",
];

/// What a row of `control` says of the records, also where the tables are older than that: two columns.
pub const WRITTEN: &str = "schema, (to_jsonb(control) ->> 'schema_from')::bigint";

/// The two columns that [`WRITTEN`] gives, from this one on.
pub fn written(row: &Row, at: usize) -> Result<Written, tokio_postgres::Error> {
    let (schema, from): (i64, Option<i64>) = (row.try_get(at)?, row.try_get(at + 1)?);
    Ok(Written { schema: schema.unsigned_abs(), from: from.map(i64::unsigned_abs) })
}

/// What a server says of itself.
#[derive(Debug, Clone)]
pub struct Server {
    /// Such as 150004.
    pub version: i32,
    pub fsync: bool,
    pub full_page_writes: bool,
    pub is_replica: bool,
    pub encoding: String,
}

/// Why a server cannot keep a fleet.
pub fn unfit(server: &Server) -> Option<String> {
    if server.version < OLDEST * 10_000 {
        let found = server.version / 10_000;
        return Some(format!("it is PostgreSQL {found}, and {OLDEST} or newer is needed: upgrade it"));
    }
    if server.is_replica {
        return Some("it is a replica, which takes no writes: give the address of the primary".to_owned());
    }
    if !server.fsync || !server.full_page_writes {
        let off = if server.fsync { "full_page_writes" } else { "fsync" };
        return Some(format!(
            "its setting {off} is off, so that a power cut would lose what it acknowledged: turn it on"
        ));
    }
    if server.encoding != "UTF8" {
        return Some(format!("its encoding is {}: make the database with ENCODING 'UTF8'", server.encoding));
    }
    None
}

async fn ask(client: &Client) -> Result<Server, tokio_postgres::Error> {
    let sql = "SELECT current_setting('server_version_num')::int, current_setting('fsync') = 'on', \
               current_setting('full_page_writes') = 'on', pg_is_in_recovery(), current_setting('server_encoding')";
    let row = client.query_typed_one(sql, &[]).await?;
    Ok(Server {
        version: row.try_get(0)?,
        fsync: row.try_get(1)?,
        full_page_writes: row.try_get(2)?,
        is_replica: row.try_get(3)?,
        encoding: row.try_get(4)?,
    })
}

/// Makes the tables where there are none, and refuses what this program must not touch.
pub async fn prepare(link: &Link, place: &str, patience: Duration) -> Result<(), StoreError> {
    let server = within(place, patience, ask(&link.client)).await?;
    if let Some(why) = unfit(&server) {
        return Err(StoreError::Unfit { place: place.to_owned(), why });
    }
    let found = within(place, patience, tables(&link.client)).await?;
    match found {
        Found::Ours(written) => {
            written.age(Path::new(place))?;
            match within(place, patience, bring_up(&link.client)).await? {
                Some(needed) => {
                    Err(StoreError::Newer { path: place.into(), found: needed, known: TABLES_VERSION as u64 })
                }
                None => within(place, patience, link.client.batch_execute("COMMIT")).await,
            }
        }
        Found::Foreign => Err(damaged(place, "its schema gatewayforge holds something else".to_owned())),
        Found::Lacking(error) => {
            Err(StoreError::Damaged { path: place.into(), source: failure(place, error).into() })
        }
    }
}

/// Adds what the tables lack. The version of a program that is needed, where this one is too old for them.
async fn bring_up(client: &Client) -> Result<Option<u64>, tokio_postgres::Error> {
    let sql = "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'gatewayforge.control'::regclass \
               AND attname = 'tables' AND NOT attisdropped)";
    let versioned: bool = client.query_typed_one(sql, &[]).await?.try_get(0)?;
    let (mut version, mut from) = (0, 0);
    if versioned {
        let row = client.query_typed_one("SELECT tables, tables_from FROM control", &[]).await?;
        (version, from) = (row.try_get::<_, i64>(0)?, row.try_get::<_, i64>(1)?);
    }
    if from > TABLES_VERSION {
        return Ok(Some(from.unsigned_abs()));
    }
    for step in STEPS.iter().skip(usize::try_from(version).unwrap_or_default()) {
        client.batch_execute(step).await?;
        version += 1;
        client.batch_execute(&format!("UPDATE control SET tables = {version}")).await?;
    }
    Ok(None)
}

fn damaged(place: &str, why: String) -> StoreError {
    StoreError::Damaged { path: place.into(), source: why.into() }
}

enum Found {
    Ours(Written),
    Foreign,
    /// There is a table of that name, but not ours.
    Lacking(tokio_postgres::Error),
}

/// In a transaction that is still open afterwards.
async fn tables(client: &Client) -> Result<Found, tokio_postgres::Error> {
    client.batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock({MAKING})")).await?;
    let sql = "SELECT to_regclass('gatewayforge.control') IS NOT NULL, to_regnamespace('gatewayforge') IS NOT NULL, \
               EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace('gatewayforge'))";
    let row = client.query_typed_one(sql, &[]).await?;
    let (made, named, used): (bool, bool, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if !made && used {
        return Ok(Found::Foreign);
    }
    if !named {
        client.batch_execute("CREATE SCHEMA gatewayforge").await?;
    }
    if !made {
        client.batch_execute(TABLES).await?;
        let first = format!("INSERT INTO control VALUES (true, {SCHEMA}, 0, 0, '', '-infinity')");
        client.batch_execute(&first).await?;
    }
    match client.query_typed_one(&format!("SELECT {WRITTEN} FROM control"), &[]).await {
        Ok(row) => Ok(Found::Ours(written(&row, 0)?)),
        Err(error) if crate::error::refused_by(&error).is_some() => Ok(Found::Lacking(error)),
        Err(error) => Err(error),
    }
}
