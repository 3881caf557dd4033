//! Listening until somebody asks the process to end.

use anyhow::{Context, Result};
use axum::Router;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

/// How long requests that are under way may take to end.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

pub async fn listen(at: SocketAddr) -> Result<TcpListener> {
    let port_taken =
        || format!("{at} cannot be listened on; another program may hold it: try another --port-base");
    TcpListener::bind(at).await.with_context(port_taken)
}

/// Serves until `ending`, then lets requests that are under way end.
pub async fn serve(listener: TcpListener, router: Router, ending: CancellationToken) -> Result<()> {
    let asked = ending.clone();
    // The node link serves this machine only, so that it must know who comes.
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving =
        axum::serve(listener, service).with_graceful_shutdown(async move { asked.cancelled().await });
    tokio::select! {
        served = serving => served.context("the listener failed"),
        () = async { ending.cancelled().await; tokio::time::sleep(LAST_REQUESTS).await } => Ok(()),
    }
}

/// Cancels the token when the process is asked to end.
pub fn end_on_signal(ending: CancellationToken) -> Result<()> {
    let mut term = signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?;
    let mut int = signal(SignalKind::interrupt()).context("SIGINT cannot be listened for")?;
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = term.recv() => "SIGTERM",
            _ = int.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "asked to end");
        ending.cancel();
    });
    Ok(())
}
