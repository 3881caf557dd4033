//! The backend: calls that wait, on a runtime of their own, because whoever calls may stand on any thread.

use crate::{
    Address, audit,
    commit::Write,
    copy,
    leader::{Leader, Lost},
    link::within,
    log::Addresses,
    losses::{self, Loss},
    rows, schema,
    tenure::Tenure,
};
use gf_model::audit::AuditRow;
use gf_store::{AuditQuery, Backend, Batch, Loaded, SealedRow, StoreError, StoredRow};
use std::{
    future::Future,
    ops::ControlFlow,
    path::Path,
    sync::{Arc, PoisonError, mpsc},
    time::Duration,
};
use tokio::{
    runtime::{Builder, Handle, Runtime, RuntimeFlavor},
    sync::{Mutex, watch},
    task::JoinSet,
};

/// This part of a lease before its end nothing is sent to a provider or a node any more: what is sent must have left
/// before another control plane can begin.
const MARGIN: u32 = 4;

#[derive(Debug, Clone, Copy)]
pub struct PostgresOptions {
    /// How long after its last sign of life a control plane can be replaced.
    pub lease: Duration,
    /// How long a server may take for anything before the connection is given up.
    pub patience: Duration,
    /// How long somebody else's lock in the database is waited for.
    pub locks: Duration,
    /// The server refuses every write of this one's connections.
    pub only_reading: bool,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(2),
            patience: Duration::from_secs(20),
            locks: Duration::from_secs(10),
            only_reading: false,
        }
    }
}

pub struct PostgresBackend {
    pub(crate) leader: Arc<Leader>,
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
        let backend = Self::unconnected(address, holder, options)?;
        backend.wait(|leader| async move {
            let link = leader.connect().await?;
            schema::prepare(&link, &leader.place(), leader.options.patience).await?;
            leader.writer.lock().await.link = Some(link);
            Ok(())
        })?;
        Ok(backend)
    }

    /// Only reads: no table is made, no lease is asked for, and the server itself refuses this one's writes.
    pub fn look(address: Address, options: PostgresOptions) -> Result<Self, StoreError> {
        let options = PostgresOptions { only_reading: true, ..options };
        Self::unconnected(address, String::new(), options)
    }

    fn unconnected(address: Address, holder: String, options: PostgresOptions) -> Result<Self, StoreError> {
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
            addresses: std::sync::Mutex::default(),
            tenure: Tenure::default(),
            lost: watch::Sender::new(None),
            lacking: std::sync::Mutex::default(),
        });
        Ok(Self { leader, runtime: Some(runtime) })
    }

    /// Says why this control plane must stop: another one has taken over, or the database lost what it had acknowledged.
    pub fn lost(&self) -> watch::Receiver<Option<Lost>> {
        self.leader.lost.subscribe()
    }

    /// Where this control plane is reached, for those who follow it. Told with the next lease that is taken.
    pub fn announce(&self, api: String, nodes: Vec<String>) {
        *self.leader.addresses.lock().unwrap_or_else(PoisonError::into_inner) = Addresses { api, nodes };
    }

    /// Every loss that was accepted, so that the trail can say so.
    pub fn losses(&self) -> Result<Vec<Loss>, StoreError> {
        self.wait(|leader| async move {
            let link = leader.connect().await?;
            within(&leader.place(), leader.options.patience, losses::all(&link.client)).await
        })
    }

    pub(crate) async fn on_our_runtime<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let Some(runtime) = &self.runtime else { return Err(StoreError::Closed) };
        // Whoever gives up waiting gives up the work.
        let mut tasks = JoinSet::new();
        tasks.spawn_on(work, runtime.handle());
        tasks.join_next().await.and_then(Result::ok).unwrap_or(Err(StoreError::Closed))
    }

    pub(crate) fn wait<T, F>(&self, work: impl FnOnce(Arc<Leader>) -> F) -> Result<T, StoreError>
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
            let reading = async {
                match leader.options.only_reading {
                    true => rows::as_it_is(&link.client).await,
                    false => rows::everything(&link.client).await,
                }
            };
            let raw = within(&leader.place(), leader.options.patience, reading).await?;
            *reader = Some(link);
            Ok(raw)
        })?;
        let loaded = raw.parse(&self.leader.place())?;
        let number = loaded.number;
        self.wait(move |leader| async move {
            let mut writer = leader.writer.lock().await;
            writer.number = writer.number.max(number);
            Ok(())
        })?;
        Ok(loaded)
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

    fn may_act(&self) -> bool {
        self.leader.tenure.holds(self.leader.options.lease / MARGIN)
    }

    fn accept_loss(&self, by: &str) -> Result<(), StoreError> {
        let by = by.to_owned();
        self.wait(|leader| leader.accept_loss(by))
    }

    fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let file = file.to_owned();
        self.wait(|leader| async move { copy::write(leader, &file).await })
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
