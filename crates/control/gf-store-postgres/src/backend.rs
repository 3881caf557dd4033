//! The backend: calls that wait, on a runtime of their own, because whoever calls may stand on any thread.

use crate::{Address, audit, commit::Write, leader::Leader, link::within, rows, schema};
use gf_model::audit::AuditRow;
use gf_store::{AuditQuery, Backend, Batch, Loaded, SealedRow, StoreError, StoredRow};
use std::{
    future::Future,
    ops::ControlFlow,
    sync::{Arc, mpsc},
    time::Duration,
};
use tokio::{
    runtime::{Builder, Handle, Runtime, RuntimeFlavor},
    sync::{Mutex, watch},
};

#[derive(Debug, Clone, Copy)]
pub struct PostgresOptions {
    /// How long after its last sign of life a control plane can be replaced.
    pub lease: Duration,
    /// How long a server may take for anything before the connection is given up.
    pub patience: Duration,
    /// How long somebody else's lock in the database is waited for.
    pub locks: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(2),
            patience: Duration::from_secs(20),
            locks: Duration::from_secs(10),
        }
    }
}

pub struct PostgresBackend {
    leader: Arc<Leader>,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl Drop for PostgresBackend {
    fn drop(&mut self) {
        // Without waiting: this may happen on a thread of another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl PostgresBackend {
    /// Connects, makes the tables where there are none, and refuses a server or tables that do not fit.
    pub fn open(address: Address, holder: String, options: PostgresOptions) -> Result<Self, StoreError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("gf-store-postgres")
            .enable_all()
            .build()
            .map_err(|error| StoreError::Away { place: address.place(), source: error.into() })?;
        let leader = Arc::new(Leader {
            address,
            options,
            holder,
            writer: Mutex::default(),
            reader: Mutex::default(),
            lost: watch::Sender::new(false),
        });
        let backend = Self { leader, runtime: Some(runtime) };
        backend.wait(|leader| async move {
            let link = leader.connect().await?;
            schema::prepare(&link, &leader.place(), leader.options.patience).await?;
            leader.writer.lock().await.link = Some(link);
            Ok(())
        })?;
        Ok(backend)
    }

    /// Turns true when another control plane has taken over: this one must stop.
    pub fn lost(&self) -> watch::Receiver<bool> {
        self.leader.lost.subscribe()
    }

    fn wait<T, F>(&self, work: impl FnOnce(Arc<Leader>) -> F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let Some(runtime) = &self.runtime else { return Err(StoreError::Closed) };
        let (tell, told) = mpsc::sync_channel(1);
        let work = work(Arc::clone(&self.leader));
        runtime.spawn(async move {
            // Nobody hears it only when the caller's thread is gone.
            let _ = tell.send(work.await);
        });
        let hear = || told.recv().unwrap_or(Err(StoreError::Closed));
        match Handle::try_current().map(|handle| handle.runtime_flavor()) {
            // Others who stand behind this thread of the caller's runtime go on elsewhere.
            Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(hear),
            _ => hear(),
        }
    }
}

impl Backend for PostgresBackend {
    fn load(&self) -> Result<Loaded, StoreError> {
        let raw = self.wait(|leader| async move {
            let mut reader = leader.reader.lock().await;
            let link = leader.open_link(reader.take()).await?;
            let raw =
                within(&leader.place(), leader.options.patience, rows::everything(&link.client)).await?;
            *reader = Some(link);
            Ok(raw)
        })?;
        raw.parse()
    }

    fn take_over(&self) -> Result<u64, StoreError> {
        self.wait(Leader::take_over)
    }

    fn commit(&self, generation: u64, batches: &[Batch]) -> Result<(), StoreError> {
        match Write::of(batches)? {
            Some(write) => self.wait(|leader| leader.commit(generation, write)),
            None => Ok(()),
        }
    }

    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        let query = query.clone();
        let rows = self.wait(|leader| async move {
            let mut reader = leader.reader.lock().await;
            let link = leader.open_link(reader.take()).await?;
            let finding = audit::find(&link.client, &query);
            let rows = within(&leader.place(), leader.options.patience, finding).await?;
            *reader = Some(link);
            Ok(rows)
        })?;
        rows.iter().map(StoredRow::parse).collect()
    }

    fn scan_audit(&self, visit: &mut dyn FnMut(StoredRow) -> ControlFlow<()>) -> Result<(), StoreError> {
        // A connection of its own: a long walk must not hold up those who ask for a page of rows. Rows are only ever
        // added, so that each page may be as of its own moment.
        let link = Arc::new(self.wait(|leader| async move { leader.connect().await })?);
        let mut after = i64::MIN;
        loop {
            let link = Arc::clone(&link);
            let rows = self.wait(|leader| async move {
                within(&leader.place(), leader.options.patience, audit::page(&link.client, after)).await
            })?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.seq;
            for row in rows {
                if visit(row).is_break() {
                    return Ok(());
                }
            }
        }
    }

    fn sealed(&self, prefix: &str) -> Result<Vec<SealedRow>, StoreError> {
        let prefix = prefix.to_owned();
        self.wait(|leader| async move {
            let mut reader = leader.reader.lock().await;
            let link = leader.open_link(reader.take()).await?;
            let finding = rows::sealed(&link.client, &prefix);
            let rows = within(&leader.place(), leader.options.patience, finding).await?;
            *reader = Some(link);
            Ok(rows)
        })
    }

    fn blocks(&self) -> bool {
        true
    }

    fn close(&self) {
        let closed = self.wait(|leader| async move {
            leader.close().await;
            Ok(())
        });
        if let Err(error) = closed {
            tracing::warn!(%error, "the store was not closed");
        }
    }
}

#[cfg(test)]
impl PostgresBackend {
    /// What a setting is in the session that writes.
    pub(crate) fn setting_of_writer(&self, name: &str) -> String {
        let sql = format!("SELECT current_setting('{name}')");
        let asked = self.wait(|leader| async move {
            let mut writer = leader.writer.lock().await;
            let link = leader.open_link(writer.link.take()).await?;
            let row = link
                .client
                .query_typed_one(&sql, &[])
                .await
                .map_err(|error| crate::error::failure("here", error))?;
            writer.link = Some(link);
            Ok(row.get(0))
        });
        asked.expect("the session answers")
    }
}
