//! The `host` role: serves the control plane on one machine.
//!
//! Instances live on when this process ends, and are found again when it starts. Whatever it tells is kept
//! until it was heard; whatever it is told is done once.

mod answers;
mod backoff;
mod commands;
mod control;
mod controls;
mod dispatch;
mod failure;
mod guarding;
mod identity;
mod instances;
mod journal;
mod leases;
mod link;
mod local;
mod options;
mod outbox;
mod runtime;
mod session;
mod tls;
mod witness;

pub use backoff::pause;
pub use control::{BadAddress, Control};
pub use failure::{Failure, Outcome};
pub use identity::{Identity, IdentityError};
pub use local::{Local, now_ms};
pub use options::{Options, Settings};
pub use runtime::Runtime;
pub use tls::{Wire, encrypt};

use crate::{files, instance::Cgroups, program::Program};
use answers::Answers;
use commands::Commands;
use instances::Instances;
use leases::Holder;
use rustix::fs::{FlockOperation, flock};
use std::{fs::File, io, path::PathBuf, sync::Arc};
use tokio::signal::unix::{SignalKind, signal};

/// Why the host cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error("{} cannot be used as the node's home", path.display())]
    Home {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("another gf-clawnode serves {}; stop it first", path.display())]
    Locked { path: PathBuf },
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("no Node and OpenClaw were found; name their directory with --runtime")]
    NoRuntime,
    #[error(transparent)]
    Options(#[from] options::BadOption),
    #[error("the control plane does not take this node in ({reason}): {detail}")]
    NotTakenIn { reason: &'static str, detail: String },
    #[error("--witness-listen: other nodes cannot ask this one there")]
    Witness(#[source] io::Error),
    #[error("which program is to run cannot be read or written in {}", path.display())]
    Program {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("signals cannot be awaited")]
    Signals(#[source] io::Error),
}

/// Why a host serves no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to leave.
    Left,
    /// Another program is to be tried in its place.
    ForAnUpdate,
}

/// Serves until it is told to leave or to make room. Everything that it held is free again afterwards, and the instances
/// run on.
pub async fn run(settings: Settings, program: Arc<Program>) -> Result<Ended, HostError> {
    let home = |source| HostError::Home { path: settings.home.clone(), source };
    files::make_private_dir(&settings.home.join("instances")).map_err(home)?;
    let _lock = lock(&settings.home)?;
    let identity = Identity::open(&settings.home.join("node.json"), settings.node.as_str())?;
    let runtime = settings.runtime.clone().or_else(Runtime::newest).ok_or(HostError::NoRuntime)?;
    let cgroups = Cgroups::discover(settings.node.as_str(), &settings.home);
    if !cgroups.can_freeze() {
        tracing::info!("no writable cgroup v2: instances are frozen and ended by signals");
    }
    let local = Arc::new(
        Local::open(
            settings.home.clone(),
            &identity.node,
            runtime,
            cgroups,
            settings.may_reboot,
            Arc::clone(&program),
        )
        .map_err(home)?,
    );
    let listener =
        witness::listen(settings.witness_listen, &settings.home).await.map_err(HostError::Witness)?;
    *local.witness_address.lock() = listener.local_addr().map_err(HostError::Witness)?.to_string();
    let holder = Holder { node: identity.node.clone(), key: identity.key.clone() };
    let instances = Arc::new(Instances::load(Arc::clone(&local), holder).map_err(home)?);
    tokio::spawn(Arc::clone(&instances).keep_leases());
    tokio::spawn(witness::serve(listener, identity.key.clone(), Arc::clone(&instances)));
    let answers = Answers::open(&settings.home.join("answers.log")).map_err(home)?;
    let commands = Arc::new(Commands::new(Arc::clone(&instances), answers));

    let mut terminate = signal(SignalKind::terminate()).map_err(HostError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(HostError::Signals)?;
    let (leave, leaving) = tokio::sync::watch::channel(false);
    let serving = link::keep(settings, identity, local, instances, commands, leaving);
    tokio::pin!(serving);
    let mut ended = Ended::Left;
    tokio::select! {
        outcome = &mut serving => return outcome.map(|()| Ended::Left),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = program.wanted.notified() => ended = Ended::ForAnUpdate,
    }
    tracing::info!("leaving; the instances run on");
    let _ = leave.send(true);
    serving.await.map(|()| ended)
}

/// Two of us on one home would start everything twice.
fn lock(home: &std::path::Path) -> Result<File, HostError> {
    let open = File::create(home.join("lock"));
    let file = open.map_err(|source| HostError::Home { path: home.to_owned(), source })?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(_) => Err(HostError::Locked { path: home.to_owned() }),
    }
}
