//! An empty database becomes the fleet that a copy was made of, in one transaction: all of it, or nothing.
//!
//! Nothing is ever written over: a database in which a control plane has begun is refused.

use crate::{
    PostgresBackend, audit, fingerprints,
    leader::Leader,
    link::{Link, within},
    text,
};
use gf_store::{KeptReader, StoreError};
use std::{collections::BTreeMap, path::Path, sync::Arc};
use tokio_postgres::{
    Client, Error,
    types::{ToSql, Type},
};

/// Rows that are sent at a time.
const PAGE: u32 = 2_000;

/// Nobody has led here, nothing was written, and no key is known.
const IS_EMPTY: &str = "SELECT number = 0 AND generation = 0 AND NOT EXISTS (SELECT FROM objects) \
                        AND NOT EXISTS (SELECT FROM audit) AND NOT EXISTS (SELECT FROM sealed) \
                        AND NOT EXISTS (SELECT FROM keys) AND NOT EXISTS (SELECT FROM terms) FROM control";

impl PostgresBackend {
    /// Whether a fleet can be put here.
    pub fn is_empty(&self) -> Result<bool, StoreError> {
        self.wait(|leader| async move {
            let link = leader.connect().await?;
            within(&leader.place(), leader.options.patience, is_empty(&link.client)).await
        })
    }

    /// Whether the fleet that nodes and providers have known is not here, and nobody has begun another one: then whoever leads
    /// first is newer than any that they have heard of. `now` is in seconds since 1970.
    pub fn begins_after_a_loss(&self, now: u64) -> Result<bool, StoreError> {
        self.wait(move |leader| async move {
            let link = leader.connect().await?;
            within(&leader.place(), leader.options.patience, after_a_loss(&link.client, now)).await
        })
    }

    /// Takes in a database that was made out of a copy. `keys` are the fingerprints of the fleet's keys: nobody with others
    /// may lead it.
    pub fn fill(&self, from: &Path, keys: BTreeMap<String, String>) -> Result<(), StoreError> {
        let kept = KeptReader::open(from)?;
        self.wait(|leader| async move { fill(leader, kept, keys).await })
    }
}

/// Far more starts than any fleet has seen, and far fewer than seconds have passed since 1970: told apart by this, a
/// generation that was given by the time is not taken for one that was counted.
const BY_THE_TIME: i64 = 1 << 30;

async fn after_a_loss(client: &Client, now: u64) -> Result<bool, Error> {
    let raise = "UPDATE control SET generation = $1 WHERE number = 0 AND generation = 0";
    client.execute_typed(raise, &[(&(now as i64), Type::INT8)]).await?;
    // Also where whoever raised it ended before it could say why.
    let sql = "SELECT number = 0 AND generation > $1 FROM control";
    client.query_typed_one(sql, &[(&BY_THE_TIME, Type::INT8)]).await?.try_get(0)
}

async fn is_empty(client: &Client) -> Result<bool, Error> {
    client.query_typed_one(IS_EMPTY, &[]).await?.try_get(0)
}

async fn fill(
    leader: Arc<Leader>,
    kept: KeptReader,
    keys: BTreeMap<String, String>,
) -> Result<(), StoreError> {
    let link = leader.connect().await?;
    let (place, patience) = (leader.place(), leader.options.patience);
    // Whoever wants to lead meanwhile waits for this row.
    let begin = "BEGIN; SELECT FROM control FOR UPDATE";
    within(&place, patience, link.client.batch_execute(begin)).await?;
    if !within(&place, patience, is_empty(&link.client)).await? {
        let why =
            "it holds a fleet, and nothing is written over; give an empty one (CREATE DATABASE)".to_owned();
        return Err(StoreError::Unfit { place, why });
    }
    objects(&leader, &link, &kept).await?;
    trail(&leader, &link, &kept).await?;
    let sealed = kept.sealed()?;
    within(&place, patience, put_sealed(&link.client, &sealed)).await?;
    within(&place, patience, fingerprints::write(&link.client, keys)).await?;
    let (number, generation, written) = kept.says()?;
    let sql = "UPDATE control SET number = $1, generation = $2, schema = $3, schema_from = $4";
    let from = written.from.map(|from| from as i64);
    let numbers = [number as i64, generation as i64, written.schema as i64];
    let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
        (&numbers[0], Type::INT8),
        (&numbers[1], Type::INT8),
        (&numbers[2], Type::INT8),
        (&from, Type::INT8),
    ];
    within(&place, patience, link.client.execute_typed(sql, &parameters)).await?;
    within(&place, patience, link.client.batch_execute("COMMIT")).await
}

async fn objects(leader: &Leader, link: &Link, kept: &KeptReader) -> Result<(), StoreError> {
    let mut page = kept.objects(("", ""), PAGE)?;
    while let Some((kind, id, _)) = page.last() {
        let next = kept.objects((kind, id), PAGE)?;
        let kinds: Vec<&str> = page.iter().map(|(kind, ..)| kind.as_str()).collect();
        let ids: Vec<_> = page.iter().map(|(_, id, _)| text::write(id)).collect();
        let jsons: Vec<&str> = page.iter().map(|(_, _, json)| json.as_str()).collect();
        let sql = "INSERT INTO objects SELECT * FROM unnest($1::text[], $2::text[], $3::text[])";
        let lists: [(&(dyn ToSql + Sync), Type); 3] =
            [(&kinds, Type::TEXT_ARRAY), (&ids, Type::TEXT_ARRAY), (&jsons, Type::TEXT_ARRAY)];
        let putting = link.client.execute_typed(sql, &lists);
        within(&leader.place(), leader.options.patience, putting).await?;
        page = next;
    }
    Ok(())
}

async fn trail(leader: &Leader, link: &Link, kept: &KeptReader) -> Result<(), StoreError> {
    let mut page = kept.rows(0, PAGE)?;
    while let Some(last) = page.last() {
        let next = kept.rows(last.seq, PAGE)?;
        let columns = audit::Columns::of(&page).map_err(StoreError::Unwritable)?;
        within(&leader.place(), leader.options.patience, columns.put(&link.client, &page)).await?;
        page = next;
    }
    Ok(())
}

async fn put_sealed(client: &Client, sealed: &[gf_store::SealedRow]) -> Result<(), Error> {
    let ids: Vec<_> = sealed.iter().map(|row| text::write(&row.id)).collect();
    let texts: Vec<_> = sealed.iter().map(|row| text::write(&row.sealed)).collect();
    let sql = "INSERT INTO sealed SELECT * FROM unnest($1::text[], $2::text[])";
    client.execute_typed(sql, &[(&ids, Type::TEXT_ARRAY), (&texts, Type::TEXT_ARRAY)]).await.map(drop)
}
