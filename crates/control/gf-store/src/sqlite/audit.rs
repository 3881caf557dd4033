//! Audit rows in SQLite: the exact bytes that are hashed, and columns beside them to find rows by.
//!
//! What the columns say is derived from the entry and checked against it on a scan: changing only a column,
//! so that a row is no longer found, is seen too.

use crate::{
    AuditQuery, Index,
    backend::{Head, StoredRow},
};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Value};
use std::ops::ControlFlow;

fn index_of(entry_json: &str) -> rusqlite::Result<Index> {
    Index::of(entry_json).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

pub fn put(tx: &Connection, row: &StoredRow) -> rusqlite::Result<()> {
    let columns = index_of(&row.entry_json)?;
    tx.prepare_cached("INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?.execute(params![
        row.seq,
        row.entry_json,
        row.previous,
        row.hash,
        columns.at,
        columns.actor,
        columns.action
    ])?;
    let mut put = tx.prepare_cached("INSERT INTO audit_targets VALUES (?1, ?2)")?;
    for target in columns.targets {
        put.execute(params![target, row.seq])?;
    }
    Ok(())
}

pub fn head(connection: &Connection) -> rusqlite::Result<Head> {
    let newest = connection
        .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok(Head { seq: row.get::<_, i64>(0)?.unsigned_abs(), hash: row.get(1)? }))
        .optional()?;
    Ok(newest.unwrap_or_default())
}

pub fn find(connection: &Connection, query: &AuditQuery) -> rusqlite::Result<Vec<StoredRow>> {
    let mut sql = String::from("SELECT seq, entry_json, previous, hash FROM audit WHERE 1");
    let mut values: Vec<Value> = Vec::new();
    let mut and = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            sql.push_str(" AND ");
            sql.push_str(condition);
            values.push(value);
        }
    };
    let number = |value: Option<u64>| value.map(|n| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX)));
    let text = |value: &Option<String>| value.clone().map(Value::Text);
    and("seq > ?", number(query.after));
    and("seq < ?", number(query.before));
    and("actor = ?", text(&query.actor));
    and("action = ?", text(&query.action));
    and("json_extract(entry_json, '$.trace') = ?", text(&query.trace));
    and("at >= ?", query.from.map(|at| Value::Integer(at.as_microsecond())));
    and("at < ?", query.to.map(|at| Value::Integer(at.as_microsecond())));
    and("seq IN (SELECT seq FROM audit_targets WHERE target = ?)", text(&query.target));
    sql.push_str(if query.oldest_first() { " ORDER BY seq" } else { " ORDER BY seq DESC" });
    sql.push_str(&format!(" LIMIT {}", query.limit()));
    connection
        .prepare_cached(&sql)?
        .query_map(rusqlite::params_from_iter(values), |row| stored(row, true))?
        .collect()
}

pub fn scan(
    connection: &Connection,
    visit: &mut dyn FnMut(StoredRow) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let tx = connection.unchecked_transaction()?;
    let mut all =
        tx.prepare("SELECT seq, entry_json, previous, hash, at, actor, action FROM audit ORDER BY seq")?;
    let mut targets = tx.prepare("SELECT target FROM audit_targets WHERE seq = ?1")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let columns = Index {
            at: row.get(4)?,
            actor: row.get(5)?,
            action: row.get(6)?,
            targets: targets.query_map([seq], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?,
        };
        let entry_json: String = row.get(1)?;
        let fits = Index::of(&entry_json).is_ok_and(|expected| expected == columns);
        if visit(stored(row, fits)?).is_break() {
            break;
        }
    }
    Ok(())
}

fn stored(row: &Row<'_>, index_fits: bool) -> rusqlite::Result<StoredRow> {
    Ok(StoredRow {
        seq: row.get(0)?,
        entry_json: row.get(1)?,
        previous: row.get(2)?,
        hash: row.get(3)?,
        index_fits,
    })
}
