//! The change log: which objects each transaction touched, written in the same transaction, for those who follow.
//!
//! A row names objects and does not repeat them: a follower reads what they are now, as of one moment, and so an object
//! that changed a hundred times is read once. Rows that are old go; who lags behind the oldest reads everything anew, as
//! does who finds a number left out (a version before the log wrote it). Nothing here decides who leads.

use crate::{
    audit, rows,
    schema::{self, WRITTEN},
    text,
};
use gf_model::fleet::{Change, Key, Record};
use gf_store::{
    Batch, Committed, Head, Leader, News, Position, StoreError, Written, id_of, is_of_a_later_kind,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path, time::Duration};
use tokio_postgres::{
    Client, Error,
    types::{ToSql, Type},
};

/// The channel that followers listen on.
pub const CHANNEL: &str = "gatewayforge_log";

/// How many transactions are kept: minutes of a busy fleet.
const KEPT: i64 = 20_000;
/// Reading everything is quicker than so many rows.
const MOST: u64 = 5_000;

/// The log's rows of one commit, column by column.
pub struct Rows {
    numbers: Vec<i64>,
    keys: Vec<String>,
    first: Vec<i64>,
    next: Vec<i64>,
}

impl Rows {
    pub fn of(batches: &[Batch]) -> Result<Self, StoreError> {
        let mut rows = Self { numbers: vec![], keys: vec![], first: vec![], next: vec![] };
        for batch in batches {
            let keys: Vec<Key> = batch.changes.iter().map(key_of).collect();
            let keys = serde_json::to_string(&keys).map_err(StoreError::Unwritable)?;
            rows.numbers.push(batch.number as i64);
            rows.keys.push(text::write(&keys).into_owned());
            let first = batch.rows.first().map_or(0, |row| row.seq);
            rows.first.push(first);
            rows.next.push(first + batch.rows.len() as i64);
        }
        Ok(rows)
    }

    /// Writes them and wakes those who follow, once the transaction is committed.
    pub async fn put(&self, client: &Client) -> Result<(), Error> {
        let sql = "WITH logged AS (INSERT INTO log SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], \
                   $4::bigint[])) SELECT pg_notify('gatewayforge_log', '')";
        client
            .query_typed(
                sql,
                &[
                    (&self.numbers, Type::INT8_ARRAY),
                    (&self.keys, Type::TEXT_ARRAY),
                    (&self.first, Type::INT8_ARRAY),
                    (&self.next, Type::INT8_ARRAY),
                ],
            )
            .await
            .map(drop)
    }
}

fn key_of(change: &Change) -> Key {
    match change {
        Change::Put(record) => Record::key(record),
        Change::Delete(key) => key.clone(),
    }
}

/// Lets the oldest rows go.
pub async fn prune(client: &Client) -> Result<(), Error> {
    let sql = "DELETE FROM log WHERE number <= (SELECT number FROM control) - $1";
    client.execute_typed(sql, &[(&KEPT, Type::INT8)]).await.map(drop)
}

/// Where a leader is reached, as it stands in the row of the lease.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Addresses {
    #[serde(default)]
    pub api: String,
    #[serde(default)]
    pub nodes: Vec<String>,
}

/// The row that says who leads, at one moment.
#[derive(Debug)]
pub struct Control {
    pub number: u64,
    pub generation: u64,
    pub leader: Leader,
    /// How much of the lease is left; nothing where it is over.
    pub left: Duration,
    /// The hash of the audit row that was asked for; `None` where there is none of that number.
    pub hash: Option<String>,
    /// Who wrote the records.
    pub written: Written,
}

/// Who leads now, and what the trail has at `seq`.
pub async fn look(client: &Client, seq: u64) -> Result<Control, Error> {
    let sql = format!(
        "SELECT number, generation, holder, addresses,
         CASE WHEN expires > clock_timestamp() THEN extract(epoch FROM expires - clock_timestamp())::float8 ELSE 0 END,
         (SELECT hash FROM audit WHERE seq = $1), {WRITTEN} FROM control"
    );
    let row = client.query_typed_one(&sql, &[(&(seq as i64), Type::INT8)]).await?;
    let (number, generation): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let addresses: Addresses = serde_json::from_str(row.try_get(3)?).unwrap_or_default();
    Ok(Control {
        number: number.unsigned_abs(),
        generation: generation.unsigned_abs(),
        leader: Leader { holder: row.try_get(2)?, api: addresses.api, nodes: addresses.nodes },
        left: Duration::try_from_secs_f64(row.try_get(4)?).unwrap_or(Duration::MAX),
        hash: row.try_get(5)?,
        written: schema::written(&row, 6)?,
    })
}

/// What was read after a position, and not made into a fleet yet.
pub enum Raw {
    Rows(RawRows),
    Whole(rows::Raw),
}

pub struct RawRows {
    /// The newest transaction.
    number: u64,
    log: Vec<(i64, String, i64, i64)>,
    objects: BTreeMap<(String, String), String>,
    head: Head,
    written: Written,
}

/// Everything after `seen`, as of one moment.
pub async fn since(client: &Client, seen: &Position) -> Result<Raw, Error> {
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let raw = match rows_since(client, seen.number).await? {
        Some(raw) => Raw::Rows(raw),
        None => Raw::Whole(rows::all(client).await?),
    };
    client.batch_execute("COMMIT").await?;
    Ok(raw)
}

/// `None` where the log does not hold every transaction after `number`.
async fn rows_since(client: &Client, number: u64) -> Result<Option<RawRows>, Error> {
    let control = client.query_typed_one(&format!("SELECT number, {WRITTEN} FROM control"), &[]).await?;
    let (newest, written): (i64, Written) = (control.try_get(0)?, schema::written(&control, 1)?);
    let behind = newest - number as i64;
    if !(0..=MOST as i64).contains(&behind) {
        return Ok(None);
    }
    let sql = "SELECT number, keys, first_row, next_row FROM log WHERE number > $1 ORDER BY number";
    let log = client.query_typed(sql, &[(&(number as i64), Type::INT8)]).await?;
    let log = log
        .iter()
        .map(|row| Ok((row.try_get(0)?, text::read(row.try_get(1)?), row.try_get(2)?, row.try_get(3)?)))
        .collect::<Result<Vec<(i64, String, i64, i64)>, Error>>()?;
    let is_whole = log.len() as i64 == behind && log.last().is_none_or(|(last, ..)| *last == newest);
    if !is_whole {
        return Ok(None);
    }
    let Some((kinds, ids)) = names(&log) else { return Ok(None) };
    let objects = objects(client, &kinds, &ids).await?;
    Ok(Some(RawRows {
        number: newest.unsigned_abs(),
        log,
        objects,
        head: audit::head(client).await?,
        written,
    }))
}

/// These objects as they are stored, by kind and id.
pub async fn objects(
    client: &Client,
    kinds: &[impl ToSql + Sync],
    ids: &[impl ToSql + Sync],
) -> Result<BTreeMap<(String, String), String>, Error> {
    let sql = "SELECT objects.kind, objects.id, json FROM objects JOIN unnest($1::text[], $2::text[]) AS asked (kind, id) \
               ON objects.kind = asked.kind AND objects.id = asked.id";
    let found = client.query_typed(sql, &[(&kinds, Type::TEXT_ARRAY), (&ids, Type::TEXT_ARRAY)]).await?;
    found.iter().map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?))).collect()
}

/// What a row of the log names. What a newer program names and this one has no kind for is passed over: it is not read either.
fn keys_of(row: &str) -> Result<Vec<Key>, serde_json::Error> {
    let named: Vec<Value> = serde_json::from_str(row)?;
    let known = named.into_iter().filter_map(|key| match serde_json::from_value(key) {
        Err(error) if is_of_a_later_kind(&error) => None,
        read => Some(read),
    });
    known.collect()
}

/// What the objects of a log's rows are stored as; `None` where a row cannot be read.
fn names(log: &[(i64, String, i64, i64)]) -> Option<(Vec<String>, Vec<String>)> {
    let mut names = std::collections::BTreeSet::new();
    for (_, keys, ..) in log {
        for key in keys_of(keys).ok()? {
            names.insert((key.kind().to_owned(), text::write(&id_of(&key).ok()?).into_owned()));
        }
    }
    Some(names.into_iter().unzip())
}

impl Raw {
    pub fn parse(self, place: &str) -> Result<News, StoreError> {
        match self {
            Self::Whole(raw) => raw.parse(place).map(Box::new).map(News::Whole),
            Self::Rows(raw) => raw.parse(place),
        }
    }
}

impl RawRows {
    fn parse(self, place: &str) -> Result<News, StoreError> {
        let age = self.written.age(Path::new(place))?;
        let mut touched = BTreeMap::new();
        let mut commits = Vec::new();
        for (of, keys, first, next) in self.log {
            let unreadable =
                |source| StoreError::Unreadable { kind: "log row".into(), id: of.to_string(), source };
            let keys = keys_of(&keys).map_err(unreadable)?;
            for key in &keys {
                touched.insert((key.kind(), text::write(&id_of(key)?).into_owned()), key.clone());
            }
            let audit = first.unsigned_abs()..next.unsigned_abs();
            commits.push(Committed { number: of.unsigned_abs(), keys, audit, missed: false });
        }
        let mut changes = Vec::new();
        for ((kind, id), key) in touched {
            match self.objects.get(&(kind.to_owned(), id)) {
                None => changes.push(Change::Delete(key)),
                Some(json) => changes.extend(age.read(kind, &format!("{key:?}"), json)?.map(Change::Put)),
            }
        }
        Ok(News::Changes { changes, commits, position: Position { head: self.head, number: self.number } })
    }
}
