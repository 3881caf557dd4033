//! Who may write: one row, by the database's own clock. See the crate's first words for why.
//!
//! That a lease is over only lets another one in. What keeps the old one out is the generation, on every commit; a lease
//! that is over and that nobody took is simply renewed.

use crate::schema::{self, WRITTEN};
use gf_store::{SCHEMA, Written};
use std::time::Duration;
use tokio_postgres::{Client, Error, types::Type};

pub enum Taking {
    Taken {
        generation: u64,
        /// Who wrote the records.
        written: Written,
    },
    Held {
        holder: String,
        /// Until when, in microseconds since 1970: differs as soon as it is renewed.
        expires: i64,
        /// How much of it is left.
        left: Duration,
    },
}

/// Takes the lease where it is over, or is `mine` already; the generation rises by one. Whoever takes it writes records as
/// this program does: an older one is kept from them from now on.
pub async fn take(
    client: &Client,
    mine: u64,
    holder: &str,
    addresses: &str,
    lease: Duration,
) -> Result<Taking, Error> {
    client.batch_execute("BEGIN").await?;
    let raise = format!(
        "UPDATE control SET generation = generation + 1, holder = $1, addresses = $4, schema = greatest(schema, {SCHEMA}),
         expires = clock_timestamp() + make_interval(secs => $2)
         WHERE expires <= clock_timestamp() OR generation = $3 RETURNING generation, number, {WRITTEN}"
    );
    let seconds = lease.as_secs_f64();
    let parameters: &[(&(dyn tokio_postgres::types::ToSql + Sync), Type)] = &[
        (&holder, Type::TEXT),
        (&seconds, Type::FLOAT8),
        (&(mine as i64), Type::INT8),
        (&addresses, Type::TEXT),
    ];
    let taken = client.query_typed_opt(&raise, parameters).await?;
    let Some(row) = taken else {
        let sql = "SELECT holder, (extract(epoch FROM expires) * 1000000)::bigint,
                   extract(epoch FROM expires - clock_timestamp())::float8 FROM control";
        let row = client.query_typed_one(sql, &[]).await?;
        client.batch_execute("COMMIT").await?;
        let left = Duration::try_from_secs_f64(row.try_get(2)?).unwrap_or_default();
        return Ok(Taking::Held { holder: row.try_get(0)?, expires: row.try_get(1)?, left });
    };
    let (generation, number): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let written = schema::written(&row, 2)?;
    let note = "INSERT INTO terms VALUES ($1, $2, clock_timestamp(), $3)";
    client
        .execute_typed(note, &[(&generation, Type::INT8), (&holder, Type::TEXT), (&number, Type::INT8)])
        .await?;
    client.batch_execute("COMMIT").await?;
    Ok(Taking::Taken { generation: generation.unsigned_abs(), written })
}

pub enum Renewal {
    /// For another while; and the newest transaction that is stored.
    Ours {
        number: u64,
    },
    Theirs {
        generation: u64,
        number: u64,
    },
}

/// The holder is compared too: a database that went back may give a generation a second time.
pub async fn renew(client: &Client, mine: u64, holder: &str, lease: Duration) -> Result<Renewal, Error> {
    let sql = "UPDATE control SET expires = clock_timestamp() + make_interval(secs => $2) \
               WHERE generation = $1 AND holder = $3 RETURNING number";
    let seconds = lease.as_secs_f64();
    let parameters: &[(&(dyn tokio_postgres::types::ToSql + Sync), Type)] =
        &[(&(mine as i64), Type::INT8), (&seconds, Type::FLOAT8), (&holder, Type::TEXT)];
    if let Some(row) = client.query_typed_opt(sql, parameters).await? {
        return Ok(Renewal::Ours { number: row.try_get::<_, i64>(0)?.unsigned_abs() });
    }
    let row = client.query_typed_one("SELECT generation, number FROM control", &[]).await?;
    let (generation, number): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Renewal::Theirs { generation: generation.unsigned_abs(), number: number.unsigned_abs() })
}

/// Lets the next one in at once.
pub async fn release(client: &Client, mine: u64) -> Result<(), Error> {
    let sql = "WITH released AS (UPDATE control SET expires = clock_timestamp() WHERE generation = $1) \
               SELECT pg_notify('gatewayforge_log', '')";
    client.query_typed(sql, &[(&(mine as i64), Type::INT8)]).await.map(drop)
}

/// Waits until no commit is under way any more, and until all that can be seen is as durable as a commit is: the row that
/// every commit begins with is written, and that waits for whoever holds it.
pub async fn settle(client: &Client) -> Result<(), Error> {
    client.batch_execute("UPDATE control SET number = number").await
}

/// Whether the transaction `number` of a generation was kept; exact once [`settle`] has returned.
pub async fn was_kept(client: &Client, generation: u64, number: u64) -> Result<bool, Error> {
    let sql = "SELECT coalesce((SELECT after_number FROM terms WHERE generation = $1 + 1),
                               (SELECT number FROM control WHERE generation = $1), -1)";
    let row = client.query_typed_one(sql, &[(&(generation as i64), Type::INT8)]).await?;
    Ok(row.try_get::<_, i64>(0)? >= number as i64)
}
