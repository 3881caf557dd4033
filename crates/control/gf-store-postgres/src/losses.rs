//! What a failover lost, and that a person said to go on without it.
//!
//! A row says: whatever was known after one transaction and up to another is gone. Nobody is covered by it who knows of
//! more than the one who was asked.

use crate::Known;
use tokio_postgres::{Client, Error, Row, types::Type};

/// A loss that a person accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The newest transaction and audit row that were left.
    pub after_number: u64,
    pub after_row: u64,
    /// The newest that were known.
    pub lost_number: u64,
    pub lost_row: u64,
    pub by: String,
}

pub async fn all(client: &Client) -> Result<Vec<Loss>, Error> {
    let sql =
        "SELECT after_number, after_row, lost_number, lost_row, by_whom FROM losses ORDER BY after_number";
    let rows = client.query_typed(sql, &[]).await?;
    let number = |row: &Row, at: usize| row.try_get::<_, i64>(at).map(i64::unsigned_abs);
    rows.iter()
        .map(|row| {
            Ok(Loss {
                after_number: number(row, 0)?,
                after_row: number(row, 1)?,
                lost_number: number(row, 2)?,
                lost_row: number(row, 3)?,
                by: row.try_get(4)?,
            })
        })
        .collect()
}

/// Whether it was accepted that what is known up to `number` is gone.
pub async fn covers(client: &Client, number: u64) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT FROM losses WHERE after_number < $1 AND lost_number >= $1)";
    client.query_typed_one(sql, &[(&(number as i64), Type::INT8)]).await?.try_get(0)
}

/// Notes that what is `known` and not stored is given up. The generation becomes higher than any that was given before, so
/// that none is given a second time.
pub async fn accept(client: &Client, known: &Known, by: &str) -> Result<(), Error> {
    client.batch_execute("BEGIN").await?;
    let raise = "UPDATE control SET generation = greatest(generation, $1)";
    client.execute_typed(raise, &[(&(known.generation as i64), Type::INT8)]).await?;
    let note = "INSERT INTO losses SELECT least(number, $1 - 1), (SELECT coalesce(max(seq), 0) FROM audit), $1, $2, \
                clock_timestamp(), $3 FROM control \
                ON CONFLICT (after_number) DO UPDATE SET lost_number = greatest(losses.lost_number, excluded.lost_number), \
                lost_row = greatest(losses.lost_row, excluded.lost_row)";
    let (number, row) = (known.position.number as i64, known.position.head.seq as i64);
    client.execute_typed(note, &[(&number, Type::INT8), (&row, Type::INT8), (&by, Type::TEXT)]).await?;
    client.batch_execute("SELECT pg_notify('gatewayforge_log', ''); COMMIT").await
}
