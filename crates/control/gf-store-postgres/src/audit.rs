//! Audit rows in PostgreSQL: the exact bytes that are hashed, and columns beside them to find rows by.
//!
//! As in the embedded store, what the columns say is derived from the entry and compared with it on a walk.

use crate::text;
use gf_store::{AuditQuery, Head, Index, StoredRow};
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::{
    Client, Error, Row,
    types::{ToSql, Type},
};

/// How many rows a walk takes at a time.
const PAGE: i64 = 2000;

/// The columns of rows that are to be written.
pub struct Columns {
    at: Vec<i64>,
    actors: Vec<String>,
    actions: Vec<String>,
    targets: Vec<String>,
    target_of: Vec<i64>,
}

impl Columns {
    pub fn of(rows: &[StoredRow]) -> Result<Self, serde_json::Error> {
        let mut columns =
            Self { at: vec![], actors: vec![], actions: vec![], targets: vec![], target_of: vec![] };
        for row in rows {
            let index = Index::of(&row.entry_json)?;
            columns.at.push(index.at);
            columns.actors.push(text::write(&index.actor).into_owned());
            columns.actions.push(text::write(&index.action).into_owned());
            for target in index.targets {
                columns.targets.push(text::write(&target).into_owned());
                columns.target_of.push(row.seq);
            }
        }
        Ok(columns)
    }

    pub async fn put(&self, client: &Client, rows: &[StoredRow]) -> Result<(), Error> {
        let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
        let entries: Vec<&str> = rows.iter().map(|row| row.entry_json.as_str()).collect();
        let previous: Vec<&str> = rows.iter().map(|row| row.previous.as_str()).collect();
        let hashes: Vec<&str> = rows.iter().map(|row| row.hash.as_str()).collect();
        let sql = "INSERT INTO audit SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], \
                   $5::bigint[], $6::text[], $7::text[])";
        client
            .execute_typed(
                sql,
                &[
                    (&seqs, Type::INT8_ARRAY),
                    (&entries, Type::TEXT_ARRAY),
                    (&previous, Type::TEXT_ARRAY),
                    (&hashes, Type::TEXT_ARRAY),
                    (&self.at, Type::INT8_ARRAY),
                    (&self.actors, Type::TEXT_ARRAY),
                    (&self.actions, Type::TEXT_ARRAY),
                ],
            )
            .await?;
        let sql = "INSERT INTO audit_targets SELECT * FROM unnest($1::text[], $2::bigint[])";
        let targets: [(&(dyn ToSql + Sync), Type); 2] =
            [(&self.targets, Type::TEXT_ARRAY), (&self.target_of, Type::INT8_ARRAY)];
        client.execute_typed(sql, &targets).await.map(|_| ())
    }
}

pub async fn head(client: &Client) -> Result<Head, Error> {
    let newest = client.query_typed_opt("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", &[]).await?;
    match newest {
        Some(row) => Ok(Head { seq: row.try_get::<_, i64>(0)?.unsigned_abs(), hash: row.try_get(1)? }),
        None => Ok(Head::default()),
    }
}

pub async fn find(client: &Client, query: &AuditQuery) -> Result<Vec<StoredRow>, Error> {
    let mut sql = String::from("SELECT seq, entry_json, previous, hash FROM audit WHERE true");
    let mut values: Vec<(Box<dyn ToSql + Sync + Send>, Type)> = Vec::new();
    let mut and = |condition: &str, value: Option<(Box<dyn ToSql + Sync + Send>, Type)>| {
        if let Some(value) = value {
            values.push(value);
            sql.push_str(" AND ");
            sql.push_str(&condition.replace('?', &format!("${}", values.len())));
        }
    };
    let number = |value: Option<u64>| {
        let value = value.map(|n| i64::try_from(n).unwrap_or(i64::MAX))?;
        Some((Box::new(value) as Box<dyn ToSql + Sync + Send>, Type::INT8))
    };
    let moment = |value: Option<i64>| Some((Box::new(value?) as Box<dyn ToSql + Sync + Send>, Type::INT8));
    let words = |value: &Option<String>| {
        let value = text::write(value.as_ref()?).into_owned();
        Some((Box::new(value) as Box<dyn ToSql + Sync + Send>, Type::TEXT))
    };
    and("seq > ?", number(query.after));
    and("seq < ?", number(query.before));
    and("left(actor, 100) = left(?, 100) AND actor = ?", words(&query.actor));
    and("left(action, 100) = left(?, 100) AND action = ?", words(&query.action));
    and("entry_json::json ->> 'trace' = ?", words(&query.trace));
    and("at >= ?", moment(query.from.map(|at| at.as_microsecond())));
    and("at < ?", moment(query.to.map(|at| at.as_microsecond())));
    and(
        "seq IN (SELECT seq FROM audit_targets WHERE left(target, 100) = left(?, 100) AND target = ?)",
        words(&query.target),
    );
    sql.push_str(if query.oldest_first() { " ORDER BY seq" } else { " ORDER BY seq DESC" });
    sql.push_str(&format!(" LIMIT {}", query.limit()));
    let parameters: Vec<(&(dyn ToSql + Sync), Type)> =
        values.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect();
    client.query_typed(&sql, &parameters).await?.iter().map(|row| stored(row, true)).collect()
}

/// The next rows of a walk after `after`, each compared with its columns; empty at the end.
pub async fn page(client: &Client, after: i64) -> Result<Vec<StoredRow>, Error> {
    let sql = "SELECT seq, entry_json, previous, hash, at, actor, action FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2";
    let rows = client.query_typed(sql, &[(&after, Type::INT8), (&PAGE, Type::INT8)]).await?;
    let Some(last) = rows.last() else { return Ok(Vec::new()) };
    let last: i64 = last.try_get(0)?;
    let sql = "SELECT seq, target FROM audit_targets WHERE seq > $1 AND seq <= $2";
    let mut targets: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for row in client.query_typed(sql, &[(&after, Type::INT8), (&last, Type::INT8)]).await? {
        targets.entry(row.try_get(0)?).or_default().insert(text::read(row.try_get(1)?));
    }
    rows.iter()
        .map(|row| {
            let found = Index {
                at: row.try_get(4)?,
                actor: text::read(row.try_get(5)?),
                action: text::read(row.try_get(6)?),
                targets: targets.remove(&row.try_get(0)?).unwrap_or_default(),
            };
            let entry_json: &str = row.try_get(1)?;
            let fits = Index::of(entry_json).is_ok_and(|expected| expected == found);
            stored(row, fits)
        })
        .collect()
}

fn stored(row: &Row, index_fits: bool) -> Result<StoredRow, Error> {
    Ok(StoredRow {
        seq: row.try_get(0)?,
        entry_json: row.try_get(1)?,
        previous: row.try_get(2)?,
        hash: row.try_get(3)?,
        index_fits,
    })
}
