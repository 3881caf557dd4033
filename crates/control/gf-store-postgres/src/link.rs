//! One connection with the settings that everything here relies on. Dropped, it is over at once: what it had not
//! committed, the server takes back.

use crate::{
    Address, PostgresOptions,
    error::{failure, no_connection, silent},
    log,
    tls::NoAuthority,
};
use gf_store::StoreError;
use std::{
    future::{self, Future},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
    task::JoinHandle,
};
use tokio_postgres::{AsyncMessage, Client, Connection, Error, NoTls, Socket, tls::MakeTlsConnect};

pub struct Link {
    pub client: Client,
    task: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Link {
    pub async fn open(address: &Address, options: PostgresOptions) -> Result<Self, StoreError> {
        Self::made(address, options, Arc::default()).await
    }

    /// One that is told of every commit: `wake` is notified, also when the connection ends.
    pub async fn listening(
        address: &Address,
        options: PostgresOptions,
        wake: Arc<Notify>,
    ) -> Result<Self, StoreError> {
        let link = Self::made(address, options, wake).await?;
        let listen = format!("LISTEN {}", log::CHANNEL);
        within(&address.place(), options.patience, link.client.batch_execute(&listen)).await?;
        Ok(link)
    }

    async fn made(
        address: &Address,
        options: PostgresOptions,
        wake: Arc<Notify>,
    ) -> Result<Self, StoreError> {
        let place = address.place();
        let connecting = async {
            match &address.authorities {
                None => Self::over(address, NoTls, wake).await,
                Some(authorities) => {
                    let unfit =
                        |why: NoAuthority| StoreError::Unfit { place: place.clone(), why: why.to_string() };
                    Self::over(address, authorities.connector().map_err(unfit)?, wake).await
                }
            }
        };
        let link = tokio::time::timeout(options.patience, connecting)
            .await
            .map_err(|_| StoreError::Away { place: place.clone(), source: "it did not answer".into() })??;
        within(&place, options.patience, link.client.batch_execute(&settings(options))).await?;
        Ok(link)
    }

    async fn over<T>(address: &Address, tls: T, wake: Arc<Notify>) -> Result<Self, StoreError>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let connected = address.config.connect(tls).await;
        let (client, connection) = connected.map_err(|error| no_connection(&address.place(), error))?;
        Ok(Self { client, task: tokio::spawn(carry(connection, wake)) })
    }

    pub fn is_open(&self) -> bool {
        !self.client.is_closed()
    }
}

/// Does a connection's work until it ends, and passes on what it is told of.
async fn carry<S, T>(mut connection: Connection<S, T>, wake: Arc<Notify>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match future::poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(_))) => wake.notify_one(),
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::debug!(%error, "a connection to the store ended");
                return wake.notify_one();
            }
            None => return wake.notify_one(),
        }
    }
}

/// How long a transaction may stand still before the server takes it back: whoever was paused in the middle of one must
/// not keep the next one out, and whoever is only on a busy machine must be let finish.
const IDLE: Duration = Duration::from_secs(5);

/// Durable before the answer and written only by whoever may, whatever the server's or the user's defaults are.
fn settings(options: PostgresOptions) -> String {
    format!(
        "SET search_path = gatewayforge; SET synchronous_commit = on; SET default_transaction_read_only = {};
         SET default_transaction_isolation = 'read committed'; SET lock_timeout = {};
         SET idle_in_transaction_session_timeout = {}",
        if options.only_reading { "on" } else { "off" },
        millis(options.locks),
        millis(IDLE)
    )
}

fn millis(span: Duration) -> u128 {
    // Zero would mean to wait without end.
    span.as_millis().max(1)
}

/// Work on a connection before a commit, with an end.
pub async fn within<T>(
    place: &str,
    patience: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(patience, work).await {
        Ok(done) => done.map_err(|error| failure(place, error)),
        Err(_) => Err(silent(place, patience)),
    }
}
