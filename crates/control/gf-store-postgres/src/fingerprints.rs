//! By which keys a fleet is known: a control plane with others could neither open its secrets nor be trusted by its nodes.

use crate::{PostgresBackend, link::within};
use gf_store::StoreError;
use std::collections::BTreeMap;
use tokio_postgres::{Client, Error, types::Type};

impl PostgresBackend {
    pub fn fingerprints(&self) -> Result<BTreeMap<String, String>, StoreError> {
        self.wait(|leader| async move {
            let link = leader.connect().await?;
            within(&leader.place(), leader.options.patience, read(&link.client)).await
        })
    }

    /// Notes those that are not known yet, and answers with all that are: whoever came first is right.
    pub fn note_fingerprints(
        &self,
        own: impl IntoIterator<Item = (String, String)>,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let own = own.into_iter().collect();
        self.wait(|leader| async move {
            let link = leader.connect().await?;
            let noting = async {
                write(&link.client, own).await?;
                read(&link.client).await
            };
            within(&leader.place(), leader.options.patience, noting).await
        })
    }
}

/// Those that are not known yet.
pub async fn write(client: &Client, own: BTreeMap<String, String>) -> Result<(), Error> {
    let (names, fingerprints): (Vec<String>, Vec<String>) = own.into_iter().unzip();
    let sql = "INSERT INTO keys SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING";
    client
        .execute_typed(sql, &[(&names, Type::TEXT_ARRAY), (&fingerprints, Type::TEXT_ARRAY)])
        .await
        .map(drop)
}

async fn read(client: &Client) -> Result<BTreeMap<String, String>, Error> {
    let rows = client.query_typed("SELECT name, fingerprint FROM keys", &[]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
