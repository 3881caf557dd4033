//! The backend: calls that wait, on a runtime of their own, because whoever calls may stand on any thread.

use crate::{
    Address, audit,
    commit::Write,
    error::{failure, refused_by},
    lease::{self, Taking},
    link::{Link, within},
    rows, schema,
};
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
    inner: Arc<Inner>,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

struct Inner {
    address: Address,
    options: PostgresOptions,
    /// Who we are, for whoever is kept out by us.
    holder: String,
    writer: Mutex<Writer>,
    reader: Mutex<Option<Link>>,
    /// Whether somebody else holds the lease that was ours.
    lost: watch::Sender<bool>,
}

#[derive(Default)]
struct Writer {
    link: Option<Link>,
    /// The generation that we took last; 0 before that.
    mine: u64,
    renewing: bool,
    closed: bool,
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
        let inner = Arc::new(Inner {
            address,
            options,
            holder,
            writer: Mutex::default(),
            reader: Mutex::default(),
            lost: watch::Sender::new(false),
        });
        let backend = Self { inner, runtime: Some(runtime) };
        backend.wait(|inner| async move {
            let link = inner.connect().await?;
            schema::prepare(&link, &inner.place(), inner.options.patience).await?;
            inner.writer.lock().await.link = Some(link);
            Ok(())
        })?;
        Ok(backend)
    }

    /// Turns true when another control plane has taken over: this one must stop.
    pub fn lost(&self) -> watch::Receiver<bool> {
        self.inner.lost.subscribe()
    }

    fn wait<T, F>(&self, work: impl FnOnce(Arc<Inner>) -> F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let Some(runtime) = &self.runtime else { return Err(StoreError::Closed) };
        let (tell, told) = mpsc::sync_channel(1);
        let work = work(Arc::clone(&self.inner));
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

impl Inner {
    fn place(&self) -> String {
        self.address.place()
    }

    async fn connect(&self) -> Result<Link, StoreError> {
        Link::open(&self.address, self.options).await
    }

    /// The connection, made anew where it is over.
    async fn open_link(&self, kept: Option<Link>) -> Result<Link, StoreError> {
        match kept.filter(Link::is_open) {
            Some(link) => Ok(link),
            None => self.connect().await,
        }
    }

    async fn take_over(self: Arc<Self>) -> Result<u64, StoreError> {
        let mut writer = self.writer.lock().await;
        if writer.closed {
            return Err(StoreError::Closed);
        }
        let mut seen = None;
        let mine = loop {
            let link = self.open_link(writer.link.take()).await?;
            let Self { options, holder, .. } = &*self;
            let taking = lease::take(&link.client, writer.mine, holder, options.lease);
            let taking = within(&self.place(), options.patience, taking).await?;
            writer.link = Some(link);
            match taking {
                Taking::Taken(generation) => break generation,
                // Renewed while we waited: whoever holds it lives.
                Taking::Held { holder, expires, .. } if seen.is_some_and(|seen| seen != expires) => {
                    return Err(StoreError::Leased { place: self.place(), holder });
                }
                Taking::Held { expires, left, .. } => {
                    seen = Some(expires);
                    // As often as it would be renewed: whoever is refused need not wait for the end.
                    tokio::time::sleep(left.min(self.options.lease / 4)).await;
                }
            }
        };
        writer.mine = mine;
        if !writer.renewing {
            writer.renewing = true;
            tokio::spawn(Arc::clone(&self).renew());
        }
        Ok(mine)
    }

    /// Keeps the lease alive while there is nothing to write, until it is given up or lost.
    async fn renew(self: Arc<Self>) {
        loop {
            tokio::time::sleep(self.options.lease / 4).await;
            let mut writer = self.writer.lock().await;
            if writer.closed {
                return;
            }
            let renewed = async {
                let link = self.open_link(writer.link.take()).await?;
                let renewing = lease::renew(&link.client, writer.mine, self.options.lease);
                let ours = within(&self.place(), self.options.patience, renewing).await?;
                writer.link = Some(link);
                Ok::<_, StoreError>(ours)
            };
            match renewed.await {
                Ok(true) => {}
                Ok(false) => {
                    writer.renewing = false;
                    self.lost.send_replace(true);
                    return;
                }
                Err(error) => tracing::warn!(%error, "the lease on the store could not be renewed"),
            }
        }
    }

    async fn commit(self: Arc<Self>, generation: u64, write: Write) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        if writer.closed {
            return Err(StoreError::Closed);
        }
        let (place, patience) = (self.place(), self.options.patience);
        let link = self.open_link(writer.link.take()).await?;
        let sending = write.send(&link.client, &place, generation, self.options.lease);
        let sent = tokio::time::timeout(patience, sending)
            .await
            .unwrap_or_else(|_| Err(crate::error::silent(&place, patience)));
        if let Err(error) = sent {
            // Without its connection the server takes back what was sent.
            drop(link);
            if matches!(error, StoreError::Deposed { ours, .. } if ours == writer.mine) {
                self.lost.send_replace(true);
            }
            return Err(error);
        }
        let cause: Box<dyn std::error::Error + Send + Sync> =
            match tokio::time::timeout(patience, link.client.batch_execute("COMMIT")).await {
                Ok(Ok(())) => {
                    writer.link = Some(link);
                    return Ok(());
                }
                Ok(Err(error)) if refused_by(&error).is_some() => return Err(failure(&place, error)),
                Ok(Err(error)) => error.into(),
                Err(_) => format!("the server did not answer within {} s", patience.as_secs_f32()).into(),
            };
        drop(link);
        // The answer is lost, not the truth: the server knows it, once nothing of that commit is under way any more.
        match self.ask_again(&mut writer, generation, write.number).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreError::Cut { place, source: cause }),
            Err(error) => {
                tracing::warn!(%error, "the store could not be asked whether a commit was kept");
                Err(StoreError::Uncertain { place, source: cause })
            }
        }
    }

    async fn ask_again(&self, writer: &mut Writer, generation: u64, number: u64) -> Result<bool, StoreError> {
        let link = self.connect().await?;
        let asking = async {
            lease::settle(&link.client).await?;
            lease::was_kept(&link.client, generation, number).await
        };
        let kept = within(&self.place(), self.options.patience, asking).await?;
        writer.link = Some(link);
        Ok(kept)
    }

    async fn close(&self) {
        let mut writer = self.writer.lock().await;
        writer.closed = true;
        let Some(link) = writer.link.take().filter(Link::is_open) else { return };
        if writer.mine > 0 {
            let releasing = lease::release(&link.client, writer.mine);
            if let Err(error) = within(&self.place(), self.options.lease, releasing).await {
                tracing::warn!(%error, "the lease on the store could not be given up; it ends by itself");
            }
        }
    }
}

impl Backend for PostgresBackend {
    fn load(&self) -> Result<Loaded, StoreError> {
        let raw = self.wait(|inner| async move {
            let mut reader = inner.reader.lock().await;
            let link = inner.open_link(reader.take()).await?;
            let raw = within(&inner.place(), inner.options.patience, rows::everything(&link.client)).await?;
            *reader = Some(link);
            Ok(raw)
        })?;
        raw.parse()
    }

    fn take_over(&self) -> Result<u64, StoreError> {
        self.wait(Inner::take_over)
    }

    fn commit(&self, generation: u64, batches: &[Batch]) -> Result<(), StoreError> {
        match Write::of(batches)? {
            Some(write) => self.wait(|inner| inner.commit(generation, write)),
            None => Ok(()),
        }
    }

    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        let query = query.clone();
        let rows = self.wait(|inner| async move {
            let mut reader = inner.reader.lock().await;
            let link = inner.open_link(reader.take()).await?;
            let finding = audit::find(&link.client, &query);
            let rows = within(&inner.place(), inner.options.patience, finding).await?;
            *reader = Some(link);
            Ok(rows)
        })?;
        rows.iter().map(StoredRow::parse).collect()
    }

    fn scan_audit(&self, visit: &mut dyn FnMut(StoredRow) -> ControlFlow<()>) -> Result<(), StoreError> {
        // A connection of its own: a long walk must not hold up those who ask for a page of rows. Rows are only ever
        // added, so that each page may be as of its own moment.
        let link = Arc::new(self.wait(|inner| async move { inner.connect().await })?);
        let mut after = i64::MIN;
        loop {
            let link = Arc::clone(&link);
            let rows = self.wait(|inner| async move {
                within(&inner.place(), inner.options.patience, audit::page(&link.client, after)).await
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
        self.wait(|inner| async move {
            let mut reader = inner.reader.lock().await;
            let link = inner.open_link(reader.take()).await?;
            let finding = rows::sealed(&link.client, &prefix);
            let rows = within(&inner.place(), inner.options.patience, finding).await?;
            *reader = Some(link);
            Ok(rows)
        })
    }

    fn blocks(&self) -> bool {
        true
    }

    fn close(&self) {
        let closed = self.wait(|inner| async move {
            inner.close().await;
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
        let asked = self.wait(|inner| async move {
            let mut writer = inner.writer.lock().await;
            let link = inner.open_link(writer.link.take()).await?;
            let row = link.client.query_typed_one(&sql, &[]).await.map_err(|error| failure("here", error))?;
            writer.link = Some(link);
            Ok(row.get(0))
        });
        asked.expect("the session answers")
    }
}
