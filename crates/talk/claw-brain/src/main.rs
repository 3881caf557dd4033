//! Serves the offline model on a loopback address: `claw-brain --listen 127.0.0.1:7411 --key-file FILE`.

use claw_brain::server;
use std::{env, fs, io, net::SocketAddr, path::PathBuf, process::ExitCode};

const USAGE: &str = "usage: claw-brain --key-file FILE [--listen 127.0.0.1:7411]";

#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("{0}; {USAGE}")]
    Usage(String),
    #[error("--listen {given:?} is not an address such as 127.0.0.1:7411")]
    Address { given: String },
    #[error("--listen {0} is not a loopback address; the offline model is served on this machine only")]
    NotLoopback(SocketAddr),
    #[error("the key file {path:?} cannot be read")]
    Key { path: PathBuf, source: io::Error },
    #[error("the key file {0:?} is empty; it must hold the bearer key")]
    EmptyKey(PathBuf),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("the server failed")]
    Serve(#[source] io::Error),
}

struct Options {
    listen: SocketAddr,
    key_file: PathBuf,
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, StartError> {
    let mut listen = SocketAddr::from(([127, 0, 0, 1], 7411));
    let mut key_file = None;
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| StartError::Usage(format!("{flag} needs a value")));
        match flag.as_str() {
            "--listen" => {
                let given = value()?;
                listen = given.parse().map_err(|_| StartError::Address { given })?;
            }
            "--key-file" => key_file = Some(PathBuf::from(value()?)),
            other => return Err(StartError::Usage(format!("{other:?} is not an option"))),
        }
    }
    if !listen.ip().is_loopback() {
        return Err(StartError::NotLoopback(listen));
    }
    let key_file = key_file.ok_or_else(|| StartError::Usage("--key-file is missing".to_owned()))?;
    Ok(Options { listen, key_file })
}

fn key(path: PathBuf) -> Result<String, StartError> {
    let text = fs::read_to_string(&path).map_err(|source| StartError::Key { path: path.clone(), source })?;
    let key = text.trim().to_owned();
    if key.is_empty() { Err(StartError::EmptyKey(path)) } else { Ok(key) }
}

async fn run() -> Result<(), StartError> {
    let options = options(env::args().skip(1))?;
    let key = key(options.key_file)?;
    let address = options.listen;
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { address, source })?;
    axum::serve(listener, server::router(key))
        .with_graceful_shutdown(stopped())
        .await
        .map_err(StartError::Serve)
}

/// Ends on SIGTERM or SIGINT.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
        }
        // Without signal handlers the process still ends by the signals' default.
        _ => std::future::pending().await,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let cause =
                std::error::Error::source(&problem).map(|cause| format!(": {cause}")).unwrap_or_default();
            eprintln!("claw-brain: {problem}{cause}");
            ExitCode::FAILURE
        }
    }
}
