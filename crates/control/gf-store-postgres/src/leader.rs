//! What one control plane does as the one that writes: takes the lease, keeps it alive, commits under it, and finds out
//! what became of a commit whose answer was lost.

use crate::{
    Address, PostgresOptions,
    commit::Write,
    error::{failure, refused_by, silent},
    lease::{self, Taking},
    link::{Link, within},
};
use gf_store::StoreError;
use std::sync::Arc;
use tokio::sync::{Mutex, watch};

pub struct Leader {
    pub address: Address,
    pub options: PostgresOptions,
    /// Who we are, for whoever is kept out by us.
    pub holder: String,
    pub writer: Mutex<Writer>,
    pub reader: Mutex<Option<Link>>,
    /// Whether somebody else holds the lease that was ours.
    pub lost: watch::Sender<bool>,
}

#[derive(Default)]
pub struct Writer {
    pub link: Option<Link>,
    /// The generation that we took last; 0 before that.
    mine: u64,
    renewing: bool,
    closed: bool,
}

impl Leader {
    pub fn place(&self) -> String {
        self.address.place()
    }

    pub async fn connect(&self) -> Result<Link, StoreError> {
        Link::open(&self.address, self.options).await
    }

    /// The connection, made anew where it is over.
    pub async fn open_link(&self, kept: Option<Link>) -> Result<Link, StoreError> {
        match kept.filter(Link::is_open) {
            Some(link) => Ok(link),
            None => self.connect().await,
        }
    }

    pub async fn take_over(self: Arc<Self>) -> Result<u64, StoreError> {
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

    pub async fn commit(self: Arc<Self>, generation: u64, write: Write) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        if writer.closed {
            return Err(StoreError::Closed);
        }
        let (place, patience) = (self.place(), self.options.patience);
        let link = self.open_link(writer.link.take()).await?;
        let sending = write.send(&link.client, &place, generation, self.options.lease);
        let sent =
            tokio::time::timeout(patience, sending).await.unwrap_or_else(|_| Err(silent(&place, patience)));
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

    pub async fn close(&self) {
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
