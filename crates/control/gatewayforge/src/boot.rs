//! From a home directory to a control plane that answers, and back.

use crate::{
    ambient::{SystemClock, SystemEntropy},
    args::Args,
    companion::Companion,
    gateways,
    heartbeat::Heartbeat,
    keys, known,
    lead::{Stack, lead},
    nodes::{StoredNodes, Tokens},
    operators::OpsGateway,
    otlp::Exporter,
    places, ready, serve,
    store::{self, Opened, Reached},
};
use anyhow::{Context, Result, bail};
use axum::Router;
use gf_api::{Api, ApiConfig, ApiOptions, SpanCounts};
use gf_driver::{Drivers, Enrolment, MayAct};
use gf_model::{
    Cents,
    ambient::{Clock, Entropy},
};
use gf_node_hub::{Hub, HubConfig, LINK_PATH, NodeEvent, link_route};
use gf_node_proto::SigningKey;
use gf_operations::{Engine, Hands, Limits, Paths, StoredLeases};
use gf_reconcile::{Cadence, Reconcilers};
use gf_requests::Requests;
use gf_secrets::{Secrets, SecretsError};
use gf_store::{FleetStore, Standing, StoreError};
use gf_store_postgres::Lost;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Directories of a home that others expect to be there.
const ROOMS: [&str; 8] = ["run", "keys", "store", "audit", "hosts", "snapshots", "archives", "logs"];

/// What everything here is handed.
pub struct Base {
    pub store: FleetStore,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

pub async fn run(args: Args, exporter: Option<Exporter>) -> Result<()> {
    let spans = exporter.as_ref().map(|exporter| Arc::clone(&exporter.counts));
    if let Some(exporter) = exporter {
        tokio::spawn(exporter.run());
    }
    let home = args.home()?;
    let listen = args.listen()?;
    let database = store::asked(&args)?;
    keys::private_directory(&home)?;
    for room in ROOMS {
        keys::private_directory(&home.join(room))?;
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let ending = CancellationToken::new();
    serve::end_on_signal(ending.clone())?;

    // A second control plane of this home is refused before anything is listened on or written; one of another home is
    // told where this one listens.
    let (opened, listener) = match store::claim(database, &home)? {
        None => (store::open_file(&home, &*entropy, &*clock).await?, serve::listen(listen).await?),
        Some(claim) => {
            let listener = serve::listen(listen).await?;
            let reached = reached(&args, listener.local_addr().unwrap_or(listen));
            (claim.open(&home, &*entropy, &*clock, reached)?, listener)
        }
    };
    let listen = listener.local_addr().unwrap_or(listen);
    opened.end_when_lost(&home, ending.clone());
    let store = opened.store.clone();
    let mut leading = Box::pin(opened.leads(clock.clone()));
    let leads = tokio::select! {
        leads = &mut leading => { leads?; true }
        () = follows(&store) => false,
        () = ending.cancelled() => return in_order(Ok(()), &opened),
    };
    let base = Base { store: store.clone(), clock: clock.clone(), entropy };
    let (stack, router, hub) = assemble(&args, base, &home, listen, &opened, &ending, spans).await?;
    if let Some(at) = args.node_listen {
        let remote = serve::listen(at).await?;
        tracing::info!(%at, "nodes of other machines are heard over TLS");
        let remote = hub.clone().serve_remote(remote);
        tokio::spawn(async move {
            if let Err(why) = remote.await {
                tracing::error!(%why, "nodes of other machines cannot be heard");
            }
        });
    }
    if opened.shared.is_some() {
        tokio::spawn(known::keep(home.clone(), store.clone(), clock.clone()));
    }

    let sim = stack.sim.clone();
    let mut work = None;
    let mut waiting = Some(stack);
    if leads && let Some(stack) = waiting.take() {
        work = Some(lead(stack).await?);
    }
    ready::announce(&home, listen, &store)?;
    let serving = serve::serve(listener, router, ending.clone());
    tokio::pin!(serving);
    let served = match waiting {
        None => serving.await,
        Some(stack) => tokio::select! {
            served = &mut serving => served,
            led = async { leading.await?; lead(stack).await } => match led {
                Ok(tasks) => { work = Some(tasks); serving.await }
                Err(why) => { ending.cancel(); serving.await.and(Err(why)) }
            },
        },
    };

    drop((work, sim));
    hub.shut_down();
    if let Err(why) = store.sign_head(clock.now()).await {
        tracing::error!(%why, "the end of the audit trail could not be signed");
    }
    if opened.shared.is_some()
        && let Err(why) = known::write(&home, &store)
    {
        tracing::error!(%why, "what was acknowledged could not be written down");
    }
    store.close().await;
    ready::withdraw(&home);
    in_order(served, &opened)
}

/// Resolves when another control plane is seen to lead, or when this one may not before a person has said so.
async fn follows(store: &FleetStore) {
    let mut standings = store.standings();
    let follows = |standing: &Standing| matches!(standing, Standing::Follows(following) if following.lives || following.halted.is_some());
    if standings.wait_for(follows).await.is_err() {
        std::future::pending().await
    }
}

/// Where this control plane is reached, as far as it can tell.
fn reached(args: &Args, listen: SocketAddr) -> Reached {
    let remote = args.node_listen.filter(|at| !at.ip().is_unspecified());
    let nodes = match &args.advertise_nodes {
        Some(url) => vec![url.clone()],
        None => remote
            .map(|at| format!("wss://{at}{LINK_PATH}"))
            .into_iter()
            .chain(listen.ip().is_loopback().then(|| format!("ws://{listen}{LINK_PATH}")))
            .collect(),
    };
    Reached { api: format!("http://{listen}"), nodes }
}

/// Everything that serves and, once it may, leads. Nothing of it writes.
async fn assemble(
    args: &Args,
    base: Base,
    home: &Path,
    listen: SocketAddr,
    opened: &Opened,
    ending: &CancellationToken,
    spans: Option<Arc<SpanCounts>>,
) -> Result<(Stack, Router, Hub)> {
    let keys_dir = home.join("keys");
    let may_act = opened.shared.is_some().then(|| {
        let store = base.store.clone();
        Arc::new(move || store.may_act()) as MayAct
    });
    let (hub, reports) = hub(&base, &keys_dir, may_act.clone())?;
    let enrolment: Arc<dyn Enrolment> =
        Arc::new(Tokens { store: base.store.clone(), clock: base.clock.clone(), hub: hub.clone() });
    let around = places::Surroundings {
        home,
        may_act: may_act.as_ref(),
        hub: &hub,
        enrolment: &enrolment,
        clock: &base.clock,
        entropy: &base.entropy,
    };
    let (drivers, sim) = places::open(args, around)?;
    let secrets = secrets(&base, &keys_dir).await?;
    let engine = engine(args, &base, home, drivers.clone(), &hub, &secrets)?;
    let policy = match args.second_person_over_cost {
        true => gf_policy_cedar::with_second_person_over_cost(),
        false => gf_policy_cedar::standard(),
    };
    let requests = Requests::new(engine.clone(), Arc::new(policy));
    let plugin_key = keys::open_or_create(&keys_dir.join("plugin.key"), &*base.entropy)?;
    let reconcilers = reconcilers(args, &base, &keys_dir, engine, requests.clone())?;
    let api = Api::new(ApiConfig {
        store: base.store.clone(),
        requests,
        secrets,
        clock: base.clock.clone(),
        entropy: base.entropy.clone(),
        plugin_key: plugin_key.into_bytes(),
        options: ApiOptions {
            allow_remote: args.allow_remote,
            public_url: format!("http://{listen}"),
            monthly_budget: args.monthly_budget.map(Cents::dollars),
            limits: args.limits(),
            copies: Some(home.join("store")),
            releases: Some(home.join("releases")),
            keys: keys::fingerprints(&keys_dir),
            spans,
        },
        enrolment,
        ending: ending.clone(),
    });
    let router = gf_api::router(api).merge(link_route(hub.clone()));
    let stack = Stack {
        base,
        keys_dir,
        shared: opened.shared.clone(),
        lost: opened.lost,
        hub: hub.clone(),
        drivers,
        sim: sim.map(Arc::new),
        sim_pairs: args.sim_pairs,
        reconcilers,
        reports,
        heartbeat: Heartbeat::new(
            args.heartbeat_url.clone(),
            Duration::from_secs(args.heartbeat_seconds),
            args.outside_authorities.as_deref(),
        )?,
    };
    Ok((stack, router, hub))
}

/// A fleet's very first leader seals a word to know its key by; whoever follows so early waits for it.
async fn secrets(base: &Base, keys_dir: &Path) -> Result<Secrets> {
    let mut changed = base.store.changed();
    loop {
        match Secrets::open(base.store.clone(), &keys_dir.join("master.key"), base.entropy.clone()).await {
            Err(SecretsError::Store(why)) if matches!(*why, StoreError::Following { .. }) => {
                changed.changed().await.context("the store is gone")?;
            }
            opened => return Ok(opened?),
        }
    }
}

/// Whoever was replaced has not ended as it should, even if everything was put away in order.
fn in_order(served: Result<()>, opened: &Opened) -> Result<()> {
    match opened.lost() {
        None => served,
        Some(Lost::Replaced) => bail!("another control plane has taken over the fleet: this one has ended"),
        Some(Lost::WentBack { stored, known }) => bail!(
            "the database has lost what it had acknowledged: its newest transaction is {stored}, and {known} is known \
             here; this one has ended, and comes up without deciding anything until an admin accepts the loss: see \
             docs/controllers.md"
        ),
    }
}

fn hub(base: &Base, keys_dir: &Path, may_act: Option<MayAct>) -> Result<(Hub, mpsc::Receiver<NodeEvent>)> {
    let path = keys_dir.join("control.key");
    let seed = keys::open_or_create(&path, &*base.entropy)?;
    let seed: [u8; 32] = hex::decode(&seed)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .with_context(|| format!("{} holds no key: it must hold 64 hexadecimal digits", path.display()))?;
    let mut config = HubConfig::new(SigningKey::from_bytes(&seed), base.store.generation());
    if let Some(may_act) = may_act {
        let store = base.store.clone();
        config.may_send = may_act;
        config.elsewhere = Some(Arc::new(move || match store.standing() {
            Standing::Follows(following) => following.leader.nodes,
            Standing::Leads => Vec::new(),
        }));
    }
    config.leases = Some(Arc::new(StoredLeases::new(base.store.clone())));
    let registry = Arc::new(StoredNodes { store: base.store.clone(), clock: base.clock.clone() });
    Ok(Hub::new(config, registry, base.clock.clone(), base.entropy.clone()))
}

fn engine(
    args: &Args,
    base: &Base,
    home: &Path,
    drivers: Drivers,
    hub: &Hub,
    secrets: &Secrets,
) -> Result<Engine> {
    let brain_key = keys::open_or_create(&home.join("keys/brain.key"), &*base.entropy)?;
    let configuration = gateways::base_configuration(args.port(11)?, &brain_key);
    let files = args.files.as_deref().unwrap_or(home);
    for room in ["snapshots", "archives"] {
        keys::private_directory(&files.join(room))?;
    }
    Ok(Engine::new(Hands {
        store: base.store.clone(),
        drivers,
        hub: hub.clone(),
        secrets: secrets.clone(),
        clock: base.clock.clone(),
        entropy: base.entropy.clone(),
        paths: Paths {
            snapshots: files.join("snapshots"),
            archives: files.join("archives"),
            releases: home.join("releases"),
        },
        limits: Limits::default(),
        companion_listens: args.companion_url().is_some(),
        base_configuration: Arc::new(configuration),
    }))
}

fn reconcilers(
    args: &Args,
    base: &Base,
    keys_dir: &Path,
    engine: Engine,
    requests: Requests,
) -> Result<Reconcilers> {
    let webhook_key = keys::open_or_create(&keys_dir.join("webhook.key"), &*base.entropy)?;
    let ops_gateway = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port(20)?));
    Ok(Reconcilers {
        engine,
        requests,
        messenger: Arc::new(OpsGateway::new(ops_gateway, keys_dir.join("ops-gateway.token"))),
        outbox: Arc::new(Companion::new(args.companion_url(), &webhook_key, base.clock.clone())?),
        cadence: Cadence { snapshot: Duration::from_secs(args.snapshot_seconds), ..Cadence::default() },
    })
}
