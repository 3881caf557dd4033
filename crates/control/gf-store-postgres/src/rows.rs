//! What is read besides the audit trail: everything at once, at a start, and sealed rows.

use crate::{
    audit, lease,
    schema::{self, WRITTEN},
    text,
};
use gf_model::fleet::{Change, Fleet};
use gf_store::{CopyWriter, Head, Loaded, SealedRow, StoreError, Written};
use std::path::Path;
use tokio_postgres::{Client, Error, types::Type};

/// All there is, as of one commit, and not made into a fleet yet: that takes its time and needs no connection.
pub struct Raw {
    objects: Vec<(String, String, String)>,
    head: Head,
    number: u64,
    generation: u64,
    written: Written,
}

pub async fn everything(client: &Client) -> Result<Raw, Error> {
    // A commit of ours whose answer never came may still be under way; what is read now must not be older than its end.
    lease::settle(client).await?;
    as_it_is(client).await
}

/// The same for whoever writes nothing and so waits for nothing.
pub async fn as_it_is(client: &Client) -> Result<Raw, Error> {
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let raw = all(client).await?;
    client.batch_execute("COMMIT").await?;
    Ok(raw)
}

/// The same within a transaction.
pub async fn all(client: &Client) -> Result<Raw, Error> {
    let objects = client.query_typed("SELECT kind, id, json FROM objects", &[]).await?;
    let objects = objects
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))
        .collect::<Result<Vec<_>, Error>>()?;
    let head = audit::head(client).await?;
    let sql = format!("SELECT number, generation, {WRITTEN} FROM control");
    let row = client.query_typed_one(&sql, &[]).await?;
    let (number, generation): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let (number, generation) = (number.unsigned_abs(), generation.unsigned_abs());
    Ok(Raw { objects, head, number, generation, written: schema::written(&row, 2)? })
}

impl Raw {
    /// The objects; then the newest transaction's number, the generation, and who wrote them.
    pub fn copy_into(self, copy: &mut CopyWriter) -> Result<(u64, u64, Written), StoreError> {
        for (kind, id, json) in self.objects {
            copy.object(&kind, &text::read(id), &json)?;
        }
        Ok((self.number, self.generation, self.written))
    }

    pub fn parse(self, place: &str) -> Result<Loaded, StoreError> {
        let age = self.written.age(Path::new(place))?;
        let mut fleet = Fleet::default();
        for (kind, id, json) in self.objects {
            if let Some(record) = age.read(&kind, &text::read(id), &json)? {
                fleet.apply(Change::Put(record));
            }
        }
        Ok(Loaded { fleet, head: self.head, number: self.number, generation: self.generation })
    }
}

pub async fn sealed(client: &Client, prefix: &str) -> Result<Vec<SealedRow>, Error> {
    let prefix = text::write(prefix);
    let sql = "SELECT id, sealed FROM sealed WHERE id >= $1 AND starts_with(id, $1) ORDER BY id";
    let rows = client.query_typed(sql, &[(&prefix.as_ref(), Type::TEXT)]).await?;
    let mut found = rows
        .iter()
        .map(|row| Ok(SealedRow { id: text::read(row.try_get(0)?), sealed: text::read(row.try_get(1)?) }))
        .collect::<Result<Vec<_>, Error>>()?;
    // The order of what is written is not always that of what it stands for.
    found.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(found)
}
