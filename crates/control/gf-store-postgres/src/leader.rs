//! What one control plane does as the one that writes: takes the lease, keeps it alive, commits under it, and finds out
//! what became of a commit whose answer was lost.

use crate::{
    Address, Known, PostgresOptions,
    commit::{Terms, Write},
    error::{failure, refused_by, silent},
    lease::{self, Renewal, Taking},
    link::{Link, within},
    log::{self, Addresses},
    losses,
    tenure::Tenure,
};
use gf_store::{Age, StoreError};
use std::{
    path::Path,
    sync::{Arc, Mutex as SyncMutex, PoisonError},
};
use tokio::sync::{Mutex, watch};

pub struct Leader {
    pub address: Address,
    pub options: PostgresOptions,
    /// Who we are, for whoever is kept out by us.
    pub holder: String,
    pub writer: Mutex<Writer>,
    pub reader: Mutex<Option<Link>>,
    /// Where we are reached, for whoever follows.
    pub addresses: SyncMutex<Addresses>,
    /// Until when the lease is surely ours.
    pub tenure: Tenure,
    /// Why this control plane must stop: somebody else holds the lease that was ours, or the database has lost what it
    /// had acknowledged.
    pub lost: watch::Sender<Option<Lost>>,
    /// What the database lacks, while nobody has accepted that.
    pub lacking: SyncMutex<Option<Known>>,
}

/// Why a control plane that led must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    Replaced,
    /// The newest transaction that is stored, and the newest that was acknowledged here.
    WentBack {
        stored: u64,
        known: u64,
    },
}

#[derive(Default)]
pub struct Writer {
    pub link: Option<Link>,
    /// The generation that we took last; 0 before that.
    mine: u64,
    /// The newest transaction that was acknowledged, or read.
    pub number: u64,
    /// Whether a newer program has added to the records, as of when the lease was taken.
    age: Age,
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

    pub fn lacking(&self, known: Option<Known>) {
        *self.lacking.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// A person said to go on without what the database lacks.
    pub async fn accept_loss(self: Arc<Self>, by: String) -> Result<(), StoreError> {
        let lacking = self.lacking.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(known) = lacking else {
            let why = "nothing is known here that it lacks, so that there is no loss to accept".to_owned();
            return Err(StoreError::Unfit { place: self.place(), why });
        };
        let link = self.connect().await?;
        within(&self.place(), self.options.patience, losses::accept(&link.client, &known, &by)).await
    }

    pub async fn take_over(self: Arc<Self>) -> Result<u64, StoreError> {
        let mut writer = self.writer.lock().await;
        if writer.closed {
            return Err(StoreError::Closed);
        }
        let mut seen = None;
        let mine = loop {
            match self.take(&mut writer).await? {
                Taking::Taken { generation, .. } => break generation,
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
        self.hold(&mut writer, mine);
        Ok(mine)
    }

    /// Takes the lease where it is over, without waiting for that.
    pub async fn take_if_over(self: Arc<Self>) -> Result<Option<u64>, StoreError> {
        let mut writer = self.writer.lock().await;
        if writer.closed {
            return Err(StoreError::Closed);
        }
        match self.take(&mut writer).await? {
            Taking::Held { .. } => Ok(None),
            Taking::Taken { generation: mine, .. } => {
                self.hold(&mut writer, mine);
                Ok(Some(mine))
            }
        }
    }

    async fn take(&self, writer: &mut Writer) -> Result<Taking, StoreError> {
        let link = self.open_link(writer.link.take()).await?;
        let addresses =
            serde_json::to_string(&*self.addresses.lock().unwrap_or_else(PoisonError::into_inner))
                .map_err(StoreError::Unwritable)?;
        let begun = Tenure::now();
        let taking = lease::take(&link.client, writer.mine, &self.holder, &addresses, self.options.lease);
        let taking = within(&self.place(), self.options.patience, taking).await?;
        writer.link = Some(link);
        if let Taking::Taken { written, .. } = &taking {
            // One that this program cannot go on with was refused before: it has just become that.
            writer.age = written.age(Path::new(&self.place()))?;
            self.tenure.lasts(begun, self.options.lease);
        }
        Ok(taking)
    }

    fn hold(self: &Arc<Self>, writer: &mut Writer, mine: u64) {
        writer.mine = mine;
        if !writer.renewing {
            writer.renewing = true;
            tokio::spawn(Arc::clone(self).renew());
        }
    }

    /// Keeps the lease alive while there is nothing to write, until it is given up or lost.
    async fn renew(self: Arc<Self>) {
        loop {
            tokio::time::sleep(self.options.lease / 4).await;
            let mut writer = self.writer.lock().await;
            if writer.closed {
                return;
            }
            match self.renew_once(&mut writer).await {
                Ok(None) => {}
                Ok(Some(why)) => {
                    writer.renewing = false;
                    return self.lose(why);
                }
                Err(error) => tracing::warn!(%error, "the lease on the store could not be renewed"),
            }
        }
    }

    /// Why the lease is not ours any more, if it is not.
    async fn renew_once(&self, writer: &mut Writer) -> Result<Option<Lost>, StoreError> {
        let link = self.open_link(writer.link.take()).await?;
        let begun = Tenure::now();
        let renewing = async {
            let renewal = lease::renew(&link.client, writer.mine, &self.holder, self.options.lease).await?;
            log::prune(&link.client).await?;
            Ok(renewal)
        };
        let renewal = within(&self.place(), self.options.patience, renewing).await?;
        writer.link = Some(link);
        let known = writer.number;
        Ok(match renewal {
            Renewal::Ours { number } | Renewal::Theirs { number, .. } if number < known => {
                Some(Lost::WentBack { stored: number, known })
            }
            // A lower generation than ours cannot come later.
            Renewal::Theirs { generation, number } if generation < writer.mine => {
                Some(Lost::WentBack { stored: number, known })
            }
            Renewal::Theirs { .. } => Some(Lost::Replaced),
            Renewal::Ours { .. } => {
                self.tenure.lasts(begun, self.options.lease);
                None
            }
        })
    }

    /// This control plane must stop, and sends nothing from now on.
    fn lose(&self, why: Lost) {
        self.tenure.ends();
        self.lost.send_replace(Some(why));
    }

    pub async fn commit(self: Arc<Self>, generation: u64, write: Write) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        if writer.closed {
            return Err(StoreError::Closed);
        }
        let (place, patience) = (self.place(), self.options.patience);
        let link = self.open_link(writer.link.take()).await?;
        let begun = Tenure::now();
        let terms = Terms { place: &place, generation, holder: &self.holder, lease: self.options.lease };
        let sending = write.send(&link.client, terms, writer.age);
        let sent =
            tokio::time::timeout(patience, sending).await.unwrap_or_else(|_| Err(silent(&place, patience)));
        if let Err(error) = sent {
            // Without its connection the server takes back what was sent.
            drop(link);
            match error {
                StoreError::WentBack { stored, known, .. } => self.lose(Lost::WentBack { stored, known }),
                StoreError::Deposed { ours, theirs } if ours == writer.mine && theirs >= ours => {
                    self.lose(Lost::Replaced);
                }
                _ => {}
            }
            return Err(error);
        }
        let cause: Box<dyn std::error::Error + Send + Sync> =
            match tokio::time::timeout(patience, link.client.batch_execute("COMMIT")).await {
                Ok(Ok(())) => {
                    writer.link = Some(link);
                    writer.number = write.number;
                    self.tenure.lasts(begun, self.options.lease);
                    return Ok(());
                }
                Ok(Err(error)) if refused_by(&error).is_some() => return Err(failure(&place, error)),
                Ok(Err(error)) => error.into(),
                Err(_) => format!("the server did not answer within {} s", patience.as_secs_f32()).into(),
            };
        drop(link);
        // The answer is lost, not the truth: the server knows it, once nothing of that commit is under way any more.
        match self.ask_again(&mut writer, generation, write.number).await {
            Ok(true) => {
                writer.number = write.number;
                Ok(())
            }
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
        self.tenure.ends();
        let Some(link) = writer.link.take().filter(Link::is_open) else { return };
        if writer.mine > 0 {
            let releasing = lease::release(&link.client, writer.mine);
            if let Err(error) = within(&self.place(), self.options.lease, releasing).await {
                tracing::warn!(%error, "the lease on the store could not be given up; it ends by itself");
            }
        }
    }
}
