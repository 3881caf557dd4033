//! The `guest` role: sits with one instance and answers it.
//!
//! It holds no secret of the fleet and can change nothing: it tells the instance what it is, takes its wish to
//! stay awake, and, where that was switched on, offers reads to a stock OpenClaw as a node of it.

mod api;
mod device;
mod keepalive;
mod openclaw_node;
mod reads;

use clap::Args;
use keepalive::Keepalive;
use parking_lot::Mutex;
use reads::Sight;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Args)]
pub struct Options {
    /// The instance that this guest sits with, such as i-7f3a.
    #[arg(long)]
    instance: String,
    /// The account that it serves.
    #[arg(long)]
    account: String,
    /// The port that OpenClaw answers on.
    #[arg(long)]
    openclaw_port: u16,
    /// Where to answer: a path for a Unix socket, or a loopback address such as 127.0.0.1:7777.
    #[arg(long)]
    listen: String,
    /// OpenClaw's configuration file, for redacted reads of it.
    #[arg(long)]
    config: Option<PathBuf>,
    /// What OpenClaw prints, for redacted reads of it.
    #[arg(long)]
    log: Option<PathBuf>,
    /// Be a node of this OpenClaw gateway, such as ws://127.0.0.1:7500; off unless given.
    #[arg(long, requires = "device_file")]
    openclaw_node: Option<String>,
    /// A file with the single-use code that the gateway gave for this node.
    #[arg(long)]
    bootstrap_token_file: Option<PathBuf>,
    /// Where the node's key and the gateway's token for it are kept.
    #[arg(long)]
    device_file: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    #[error("--listen: {given:?} cannot be used; give a path or a loopback address")]
    Listen { given: String },
    #[error("--listen: {given}")]
    Bind {
        given: String,
        #[source]
        source: io::Error,
    },
    #[error("--instance: {0}")]
    Instance(#[source] gf_model::ids::BadId),
    #[error("--account: {0}")]
    Account(#[source] gf_model::ids::BadId),
    #[error(
        "--openclaw-node: {given:?} cannot be used; write ws://127.0.0.1:PORT, the gateway that it sits beside"
    )]
    Gateway { given: String },
    #[error(transparent)]
    Device(#[from] device::DeviceError),
    #[error("signals cannot be awaited")]
    Signals(#[source] io::Error),
}

/// What the guest knows of its instance; no part of it is a secret.
pub(crate) struct Guest {
    pub instance: String,
    pub account: String,
    pub sight: Sight,
    pub keepalive: Mutex<Keepalive>,
}

pub async fn run(options: Options) -> Result<(), GuestError> {
    let instance: gf_model::InstanceId = options.instance.parse().map_err(GuestError::Instance)?;
    let account: gf_model::AccountId = options.account.parse().map_err(GuestError::Account)?;
    let guest = Arc::new(Guest {
        instance: instance.as_str().to_owned(),
        account: account.as_str().to_owned(),
        sight: Sight {
            openclaw: SocketAddr::from((Ipv4Addr::LOCALHOST, options.openclaw_port)),
            config: options.config,
            log: options.log,
        },
        keepalive: Mutex::default(),
    });
    let listener = api::Listener::bind(&options.listen).await?;
    let mut terminate = signal(SignalKind::terminate()).map_err(GuestError::Signals)?;
    let node = async {
        match (options.openclaw_node, options.device_file) {
            (Some(gateway), Some(device)) => {
                let code = options.bootstrap_token_file.as_deref();
                openclaw_node::keep(&gateway, &device, code, &guest).await
            }
            _ => std::future::pending().await,
        }
    };
    tokio::select! {
        () = api::serve(listener, Arc::clone(&guest)) => Ok(()),
        outcome = node => outcome,
        _ = terminate.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}
