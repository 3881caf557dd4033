//! From a home directory to a control plane that answers, and back.

use crate::{
    ambient::{SystemClock, SystemEntropy},
    args::Args,
    companion::Companion,
    first_start, gateways, keys,
    nodes::{StoredNodes, Tokens, forget_connections},
    operators::OpsGateway,
    places, ready, serve,
    store::{self, Opened},
};
use anyhow::{Context, Result, bail};
use gf_api::{Api, ApiConfig, ApiOptions};
use gf_driver::{Drivers, Enrolment};
use gf_model::{
    Cents,
    ambient::{Clock, Entropy},
    person::Principal,
};
use gf_node_hub::{Hub, HubConfig, NodeEvent, link_route};
use gf_node_proto::SigningKey;
use gf_operations::{Engine, Hands, Limits, Paths};
use gf_reconcile::{Cadence, Reconcilers};
use gf_requests::Requests;
use gf_secrets::Secrets;
use gf_store::FleetStore;
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
struct Base {
    store: FleetStore,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

pub async fn run(args: Args) -> Result<()> {
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

    // The store first: it refuses a second control plane before anything is listened on or written.
    let opened = store::open(database, &home, &*entropy)?;
    opened.end_when_lost(ending.clone());
    let store = opened.store.clone();
    let base = Base { store: store.clone(), clock, entropy };
    let listener = serve::listen(listen).await?;
    let listen = listener.local_addr().unwrap_or(listen);
    let keys_dir = home.join("keys");
    first_start::admin(&store, &keys_dir, &*base.clock, &*base.entropy).await?;
    forget_connections(&store, base.clock.now()).await.context("the nodes' state could not be written")?;

    let (hub, reports) = hub(&base, &keys_dir)?;
    let enrolment: Arc<dyn Enrolment> =
        Arc::new(Tokens { store: store.clone(), clock: base.clock.clone(), hub: hub.clone() });
    let around = places::Surroundings {
        home: &home,
        store: &store,
        hub: &hub,
        enrolment: &enrolment,
        clock: &base.clock,
        entropy: &base.entropy,
    };
    let (drivers, _sim) = places::open(&args, around).await?;
    let secrets = Secrets::open(store.clone(), &keys_dir.join("master.key"), base.entropy.clone()).await?;
    let engine = engine(&args, &base, &home, drivers, &hub, &secrets)?;
    let policy = match args.second_person_over_cost {
        true => gf_policy_cedar::with_second_person_over_cost(),
        false => gf_policy_cedar::standard(),
    };
    let requests = Requests::new(engine.clone(), Arc::new(policy));
    let me = Principal::Service("gatewayforge".to_owned());
    requests.note_rules(&me).await.context("the rules could not be written down")?;

    let plugin_key = keys::open_or_create(&keys_dir.join("plugin.key"), &*base.entropy)?;
    let api = Api::new(ApiConfig {
        store: store.clone(),
        requests: requests.clone(),
        secrets,
        clock: base.clock.clone(),
        entropy: base.entropy.clone(),
        plugin_key: plugin_key.into_bytes(),
        options: ApiOptions {
            allow_remote: args.allow_remote,
            public_url: format!("http://{listen}"),
            monthly_budget: args.monthly_budget.map(Cents::dollars),
        },
        enrolment,
        ending: ending.clone(),
    });
    let router = gf_api::router(api).merge(link_route(hub.clone()));
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

    let reconcilers = reconcilers(&args, &base, &keys_dir, engine.clone(), requests)?;
    engine.resume_all();
    let work = gf_reconcile::spawn_all(reconcilers, reports);
    ready::announce(&home, listen, store.generation())?;
    let served = serve::serve(listener, router, ending).await;

    drop(work);
    hub.shut_down();
    if let Err(why) = store.sign_head(base.clock.now()).await {
        tracing::error!(%why, "the end of the audit trail could not be signed");
    }
    store.close().await;
    ready::withdraw(&home);
    in_order(served, &opened)
}

/// Whoever was replaced has not ended as it should, even if everything was put away in order.
fn in_order(served: Result<()>, opened: &Opened) -> Result<()> {
    if opened.was_lost() {
        bail!("another control plane has taken over the fleet: this one has ended");
    }
    served
}

fn hub(base: &Base, keys_dir: &Path) -> Result<(Hub, mpsc::Receiver<NodeEvent>)> {
    let path = keys_dir.join("control.key");
    let seed = keys::open_or_create(&path, &*base.entropy)?;
    let seed: [u8; 32] = hex::decode(&seed)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .with_context(|| format!("{} holds no key: it must hold 64 hexadecimal digits", path.display()))?;
    let config = HubConfig::new(SigningKey::from_bytes(&seed), base.store.generation());
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
    Ok(Engine::new(Hands {
        store: base.store.clone(),
        drivers,
        hub: hub.clone(),
        secrets: secrets.clone(),
        clock: base.clock.clone(),
        entropy: base.entropy.clone(),
        paths: Paths { snapshots: home.join("snapshots"), archives: home.join("archives") },
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
