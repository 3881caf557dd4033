//! One commit: the lease first, then everything that the batches came to, as few statements as there are tables.

use crate::{audit, error::failure, log, text};
use gf_model::fleet::Change;
use gf_store::{Batch, Head, SealedChange, StoreError, StoredRow, id_of};
use std::{collections::BTreeMap, time::Duration};
use tokio_postgres::{Client, types::Type};

/// What batches come to, ready to be sent: of several changes to one object only the last is left.
pub struct Write {
    /// The number of the newest transaction before these, and with these.
    before: i64,
    pub number: u64,
    rows: Vec<StoredRow>,
    index: audit::Columns,
    log: log::Rows,
    objects: BTreeMap<(&'static str, String), Option<String>>,
    sealed: BTreeMap<String, Option<String>>,
}

impl Write {
    /// `None` where there is nothing to write.
    pub fn of(batches: &[Batch]) -> Result<Option<Self>, StoreError> {
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else { return Ok(None) };
        let mut objects = BTreeMap::new();
        let mut sealed = BTreeMap::new();
        for batch in batches {
            for change in &batch.changes {
                let (key, json) = match change {
                    Change::Put(record) => {
                        let json = serde_json::to_string(record).map_err(StoreError::Unwritable)?;
                        (record.key(), Some(json))
                    }
                    Change::Delete(key) => (key.clone(), None),
                };
                objects.insert((key.kind(), text::write(&id_of(&key)?).into_owned()), json);
            }
            for change in &batch.sealed {
                let (id, bytes) = match change {
                    SealedChange::Put(row) => (&row.id, Some(text::write(&row.sealed).into_owned())),
                    SealedChange::Erase(id) => (id, None),
                };
                sealed.insert(text::write(id).into_owned(), bytes);
            }
        }
        let rows: Vec<StoredRow> = batches.iter().flat_map(|batch| batch.rows.iter().cloned()).collect();
        let index = audit::Columns::of(&rows).map_err(StoreError::Unwritable)?;
        let log = log::Rows::of(batches)?;
        let before = first.number as i64 - 1;
        Ok(Some(Self { before, number: last.number, rows, index, log, objects, sealed }))
    }

    /// Everything but the `COMMIT`. After an error the connection must be given up, which takes all of it back.
    pub async fn send(
        &self,
        client: &Client,
        place: &str,
        generation: u64,
        holder: &str,
        lease: Duration,
    ) -> Result<(), StoreError> {
        let fail = |error| failure(place, error);
        client.batch_execute("BEGIN").await.map_err(fail)?;
        self.hold_lease(client, place, generation, holder, lease).await?;
        self.follow(&audit::head(client).await.map_err(fail)?)?;
        let (puts, deletes): (Vec<_>, Vec<_>) = self.objects.iter().partition(|(_, json)| json.is_some());
        if !puts.is_empty() {
            let sql = "INSERT INTO objects SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) \
                       ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json";
            let kinds: Vec<&str> = puts.iter().map(|((kind, _), _)| *kind).collect();
            let ids: Vec<&str> = puts.iter().map(|((_, id), _)| id.as_str()).collect();
            let jsons: Vec<&str> = puts.iter().filter_map(|(_, json)| json.as_deref()).collect();
            let parameters =
                [(&kinds, Type::TEXT_ARRAY), (&ids, Type::TEXT_ARRAY), (&jsons, Type::TEXT_ARRAY)];
            client
                .execute_typed(sql, &parameters.map(|(list, kind)| (list as _, kind)))
                .await
                .map_err(fail)?;
        }
        if !deletes.is_empty() {
            let sql = "DELETE FROM objects USING unnest($1::text[], $2::text[]) AS gone (kind, id) \
                       WHERE objects.kind = gone.kind AND objects.id = gone.id";
            let kinds: Vec<&str> = deletes.iter().map(|((kind, _), _)| *kind).collect();
            let ids: Vec<&str> = deletes.iter().map(|((_, id), _)| id.as_str()).collect();
            let parameters = [(&kinds, Type::TEXT_ARRAY), (&ids, Type::TEXT_ARRAY)];
            client
                .execute_typed(sql, &parameters.map(|(list, kind)| (list as _, kind)))
                .await
                .map_err(fail)?;
        }
        if !self.rows.is_empty() {
            self.index.put(client, &self.rows).await.map_err(fail)?;
        }
        self.put_sealed(client).await.map_err(fail)?;
        self.log.put(client).await.map_err(fail)
    }

    /// The first statement of every commit: without the lease nothing else happens, and nobody can take it meanwhile.
    async fn hold_lease(
        &self,
        client: &Client,
        place: &str,
        generation: u64,
        holder: &str,
        lease: Duration,
    ) -> Result<(), StoreError> {
        let fail = |error| failure(place, error);
        let sql = "UPDATE control SET number = $3, expires = clock_timestamp() + make_interval(secs => $4) \
                   WHERE generation = $1 AND number = $2 AND holder = $5";
        let (ours, number, seconds) = (generation as i64, self.number as i64, lease.as_secs_f64());
        let held = client
            .execute_typed(
                sql,
                &[
                    (&ours, Type::INT8),
                    (&self.before, Type::INT8),
                    (&number, Type::INT8),
                    (&seconds, Type::FLOAT8),
                    (&holder, Type::TEXT),
                ],
            )
            .await
            .map_err(fail)?;
        if held == 1 {
            return Ok(());
        }
        let sql = "SELECT generation, number, holder FROM control";
        let row = client.query_typed_one(sql, &[]).await.map_err(fail)?;
        let (theirs, last): (i64, i64) = (row.try_get(0).map_err(fail)?, row.try_get(1).map_err(fail)?);
        let holds: &str = row.try_get(2).map_err(fail)?;
        if last < self.before {
            let (stored, known) = (last.unsigned_abs(), self.before.unsigned_abs());
            return Err(StoreError::WentBack { place: place.to_owned(), stored, known });
        }
        if theirs != ours || holds != holder {
            return Err(StoreError::Deposed { ours: generation, theirs: theirs.unsigned_abs() });
        }
        let why = format!(
            "transaction {} was to follow {}, and the last one stored is {last}",
            number, self.before
        );
        Err(StoreError::Database { path: place.into(), source: why.into() })
    }

    /// Whether the rows continue the chain.
    fn follow(&self, head: &Head) -> Result<(), StoreError> {
        let mut last = head.clone();
        for row in &self.rows {
            if row.seq != last.seq as i64 + 1 || row.previous != last.hash {
                return Err(StoreError::BrokenChain { given: row.seq.unsigned_abs(), last: last.seq });
            }
            last = Head { seq: row.seq.unsigned_abs(), hash: row.hash.clone() };
        }
        Ok(())
    }

    async fn put_sealed(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        let (puts, erased): (Vec<_>, Vec<_>) = self.sealed.iter().partition(|(_, sealed)| sealed.is_some());
        if !puts.is_empty() {
            let sql = "INSERT INTO sealed SELECT * FROM unnest($1::text[], $2::text[]) \
                       ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed";
            let ids: Vec<&str> = puts.iter().map(|(id, _)| id.as_str()).collect();
            let sealed: Vec<&str> = puts.iter().filter_map(|(_, sealed)| sealed.as_deref()).collect();
            client.execute_typed(sql, &[(&ids, Type::TEXT_ARRAY), (&sealed, Type::TEXT_ARRAY)]).await?;
        }
        if !erased.is_empty() {
            let ids: Vec<&str> = erased.iter().map(|(id, _)| id.as_str()).collect();
            let sql = "DELETE FROM sealed WHERE id = ANY ($1::text[])";
            client.execute_typed(sql, &[(&ids, Type::TEXT_ARRAY)]).await?;
        }
        Ok(())
    }
}
