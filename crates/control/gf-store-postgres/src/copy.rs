//! Everything there is as of one moment, read into a copy: pages of rows within one transaction that only reads, so that
//! nobody who writes waits for it.

use crate::{
    audit,
    leader::Leader,
    link::{Link, within},
    rows,
};
use gf_store::{CopyWriter, StoreError};
use std::{path::Path, sync::Arc};

pub async fn write(leader: Arc<Leader>, file: &Path) -> Result<(), StoreError> {
    let link = leader.connect().await?;
    let (place, patience) = (leader.place(), leader.options.patience);
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    within(&place, patience, link.client.batch_execute(begin)).await?;
    let mut copy = CopyWriter::begin(file)?;
    let raw = within(&place, patience, rows::all(&link.client)).await?;
    let (number, generation, written) = raw.copy_into(&mut copy)?;
    trail(&leader, &link, &mut copy).await?;
    for row in within(&place, patience, rows::sealed(&link.client, "")).await? {
        copy.sealed(&row)?;
    }
    within(&place, patience, link.client.batch_execute("COMMIT")).await?;
    copy.finish(number, generation, written)
}

async fn trail(leader: &Leader, link: &Link, copy: &mut CopyWriter) -> Result<(), StoreError> {
    let mut after = i64::MIN;
    loop {
        let page = audit::page(&link.client, after);
        let page = within(&leader.place(), leader.options.patience, page).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        page.iter().try_for_each(|row| copy.row(row))?;
    }
}
