//! One commit: the lease first, then everything that the batches came to, as few statements as there are tables.

use crate::{audit, error::failure, log, text};
use gf_model::fleet::Change;
use gf_store::{Age, Batch, Head, SealedChange, StoreError, StoredRow, id_of, keeping};
use std::{borrow::Cow, collections::BTreeMap, time::Duration};
use tokio_postgres::{
    Client, Error,
    types::{ToSql, Type},
};

/// What batches come to, ready to be sent: of several changes to one object only the last is left.
pub struct Write {
    /// The number of the newest transaction before these, and with these.
    before: i64,
    pub number: u64,
    rows: Vec<StoredRow>,
    index: audit::Columns,
    log: log::Rows,
    objects: BTreeMap<(&'static str, String), Object>,
    sealed: BTreeMap<String, Option<String>>,
}

/// What becomes of an object.
struct Object {
    /// `None` where it is deleted.
    json: Option<String>,
    /// It was deleted on the way, so that it has nothing of what was stored before.
    is_new: bool,
}

/// As what a commit is sent.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    pub place: &'a str,
    pub generation: u64,
    pub holder: &'a str,
    pub lease: Duration,
}

/// Why a commit was not sent to its end.
enum Stopped {
    Asked(Error),
    Found(StoreError),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Asked(error)
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Found(error)
    }
}

impl Write {
    /// `None` where there is nothing to write.
    pub fn of(batches: &[Batch]) -> Result<Option<Self>, StoreError> {
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else { return Ok(None) };
        let mut objects: BTreeMap<_, Object> = BTreeMap::new();
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
                let name = (key.kind(), text::write(&id_of(&key)?).into_owned());
                let is_new = json.is_none() || objects.get(&name).is_some_and(|object| object.is_new);
                objects.insert(name, Object { json, is_new });
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
    pub async fn send(&self, client: &Client, terms: Terms<'_>, age: Age) -> Result<(), StoreError> {
        self.statements(client, terms, age).await.map_err(|stopped| match stopped {
            Stopped::Asked(error) => failure(terms.place, error),
            Stopped::Found(error) => error,
        })
    }

    async fn statements(&self, client: &Client, terms: Terms<'_>, age: Age) -> Result<(), Stopped> {
        client.batch_execute("BEGIN").await?;
        self.hold_lease(client, terms).await?;
        self.follow(&audit::head(client).await?)?;
        self.put_objects(client, age).await?;
        self.delete_objects(client).await?;
        if !self.rows.is_empty() {
            self.index.put(client, &self.rows).await?;
        }
        self.put_sealed(client).await?;
        Ok(self.log.put(client).await?)
    }

    /// The first statement of every commit: without the lease nothing else happens, and nobody can take it meanwhile.
    async fn hold_lease(&self, client: &Client, terms: Terms<'_>) -> Result<(), Stopped> {
        let sql = "UPDATE control SET number = $3, expires = clock_timestamp() + make_interval(secs => $4) \
                   WHERE generation = $1 AND number = $2 AND holder = $5";
        let Terms { place, generation, holder, lease } = terms;
        let (ours, number, seconds) = (generation as i64, self.number as i64, lease.as_secs_f64());
        let parameters: &[(&(dyn ToSql + Sync), Type)] = &[
            (&ours, Type::INT8),
            (&self.before, Type::INT8),
            (&number, Type::INT8),
            (&seconds, Type::FLOAT8),
            (&holder, Type::TEXT),
        ];
        if client.execute_typed(sql, parameters).await? == 1 {
            return Ok(());
        }
        let row = client.query_typed_one("SELECT generation, number, holder FROM control", &[]).await?;
        let (theirs, last, holds): (i64, i64, &str) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if last < self.before {
            let (stored, known) = (last.unsigned_abs(), self.before.unsigned_abs());
            return Err(StoreError::WentBack { place: place.to_owned(), stored, known }.into());
        }
        if theirs != ours || holds != holder {
            return Err(StoreError::Deposed { ours: generation, theirs: theirs.unsigned_abs() }.into());
        }
        let why = format!(
            "transaction {} was to follow {}, and the last one stored is {last}",
            number, self.before
        );
        Err(StoreError::Database { path: place.into(), source: why.into() }.into())
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

    async fn put_objects(&self, client: &Client, age: Age) -> Result<(), Stopped> {
        let kept = match age {
            Age::Own => BTreeMap::new(),
            Age::Expanded => self.stored(client).await?,
        };
        let mut kinds = Vec::new();
        let mut ids = Vec::new();
        let mut jsons: Vec<Cow<'_, str>> = Vec::new();
        for (name @ (kind, id), object) in &self.objects {
            let Some(json) = &object.json else { continue };
            kinds.push(*kind);
            ids.push(id.as_str());
            jsons.push(match kept.get(name) {
                None => Cow::Borrowed(json.as_str()),
                Some(stored) => Cow::Owned(keeping(json.clone(), Some(stored))?),
            });
        }
        if kinds.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO objects SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) \
                   ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json";
        let lists: [(&(dyn ToSql + Sync), Type); 3] =
            [(&kinds, Type::TEXT_ARRAY), (&ids, Type::TEXT_ARRAY), (&jsons, Type::TEXT_ARRAY)];
        client.execute_typed(sql, &lists).await?;
        Ok(())
    }

    /// The objects that are to be written over, as they are stored now.
    async fn stored(&self, client: &Client) -> Result<BTreeMap<(&'static str, String), String>, Error> {
        let names = self.names(|object| object.json.is_some() && !object.is_new);
        let (kinds, ids): (Vec<&str>, Vec<&str>) =
            names.iter().map(|(kind, id)| (*kind, id.as_str())).unzip();
        let rows = log::objects(client, &kinds, &ids).await?;
        let json =
            |(kind, id): &&(&'static str, String)| rows.get(&((*kind).to_owned(), id.clone())).cloned();
        Ok(names.iter().filter_map(|name| Some(((*name).clone(), json(name)?))).collect())
    }

    fn names(&self, which: impl Fn(&Object) -> bool) -> Vec<&(&'static str, String)> {
        self.objects.iter().filter(|(_, object)| which(object)).map(|(name, _)| name).collect()
    }

    async fn delete_objects(&self, client: &Client) -> Result<(), Error> {
        let names = self.names(|object| object.json.is_none());
        if names.is_empty() {
            return Ok(());
        }
        let sql = "DELETE FROM objects USING unnest($1::text[], $2::text[]) AS gone (kind, id) \
                   WHERE objects.kind = gone.kind AND objects.id = gone.id";
        let (kinds, ids): (Vec<&str>, Vec<&str>) =
            names.iter().map(|(kind, id)| (*kind, id.as_str())).unzip();
        client.execute_typed(sql, &[(&kinds, Type::TEXT_ARRAY), (&ids, Type::TEXT_ARRAY)]).await.map(drop)
    }

    async fn put_sealed(&self, client: &Client) -> Result<(), Error> {
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
