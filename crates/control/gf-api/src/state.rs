//! What handlers work with. Cheap to clone; all clones are one.

use crate::{
    auth::{browser::Browsers, plugin::Verifier},
    counting::Counting,
    idempotency::Running,
    limits::{Limits, Pace},
    matching::Changing,
    metrics::{Requests as RequestsSeen, SpanCounts},
    recent::Recent,
    view::tally::Tally,
};
use gf_driver::Enrolment;
use gf_model::{
    Cents,
    ambient::{Clock, Entropy},
    fleet::Fleet,
};
use gf_requests::Requests;
use gf_secrets::Secrets;
use gf_store::{Changed, FleetStore};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    ops::Deref,
    path::PathBuf,
    sync::{Arc, OnceLock},
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

#[derive(Clone)]
pub struct Api(Arc<Parts>);

pub struct Parts {
    pub store: FleetStore,
    pub requests: Requests,
    pub secrets: Secrets,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub verifier: Verifier,
    pub browsers: Browsers,
    pub options: ApiOptions,
    /// Expects nodes that are to come.
    pub enrolment: Arc<dyn Enrolment>,
    /// Ends event streams, which would otherwise keep a shutdown waiting.
    pub ending: CancellationToken,
    counting: Counting,
    pub(crate) running: Running,
    pub(crate) pace: Pace,
    pub(crate) changing: Changing,
    pub(crate) recent: Recent,
    pub(crate) requests_seen: RequestsSeen,
    /// Held by the one copy of the store that is being made.
    pub(crate) copying: Arc<tokio::sync::Mutex<()>>,
    pub(crate) document: OnceLock<Value>,
}

#[derive(Debug, Clone, Default)]
pub struct ApiOptions {
    /// Answer under any host name. Only for a control plane that others reach on purpose.
    pub allow_remote: bool,
    /// Where people reach it, such as `http://127.0.0.1:7410`.
    pub public_url: String,
    /// What a month was planned to cost; without it costs are compared with list prices.
    pub monthly_budget: Option<Cents>,
    /// How often one caller may ask.
    pub limits: Limits,
    /// Where a copy of the store is made before it is sent; without it none is.
    pub copies: Option<PathBuf>,
    /// Where releases of gf-clawnode lie, by version; without it there are none.
    pub releases: Option<PathBuf>,
    /// Fingerprints of the keys that a copy is of no use without.
    pub keys: BTreeMap<String, String>,
    /// What became of the spans that are sent to a collector; without it none are.
    pub spans: Option<Arc<SpanCounts>>,
}

/// What an [`Api`] is made of.
pub struct ApiConfig {
    pub store: FleetStore,
    pub requests: Requests,
    pub secrets: Secrets,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// The key that the ops gateway's plugin signs with.
    pub plugin_key: Vec<u8>,
    pub options: ApiOptions,
    pub enrolment: Arc<dyn Enrolment>,
    pub ending: CancellationToken,
}

impl Api {
    pub fn new(config: ApiConfig) -> Self {
        let verifier = Verifier::new(config.plugin_key, config.clock.now());
        let changed = config.store.changed();
        let api = Self(Arc::new(Parts {
            pace: Pace::of(config.options.limits),
            recent: Recent::of(&config.store),
            counting: Counting::of(&config.store),
            store: config.store,
            requests: config.requests,
            secrets: config.secrets,
            clock: config.clock,
            entropy: config.entropy,
            verifier,
            browsers: Browsers::default(),
            options: config.options,
            enrolment: config.enrolment,
            ending: config.ending,
            running: Running::default(),
            changing: Changing::default(),
            requests_seen: RequestsSeen::default(),
            copying: Arc::default(),
            document: OnceLock::new(),
        }));
        api.keep_counting(changed);
        api
    }

    /// Takes in each commit as it comes, for as long as there is anybody to look.
    fn keep_counting(&self, mut changed: Changed) {
        let parts = Arc::downgrade(&self.0);
        let follow = async move {
            while changed.changed().await.is_ok() {
                let Some(parts) = parts.upgrade() else { return };
                parts.counted(|_, _| ());
                parts.recent.catch_up();
            }
        };
        // Where nothing runs beside a request, whoever looks catches up.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(follow);
        }
    }

    /// A trace id for a request that brought none.
    pub(crate) fn trace(&self) -> String {
        format!("{:016x}{:016x}", self.entropy.next_u64(), self.entropy.next_u64().max(1))
    }
}

impl Parts {
    /// The durable fleet and the counts of it.
    pub(crate) fn counted<T>(&self, look: impl FnOnce(&Fleet, &Tally) -> T) -> T {
        self.counting.look(&self.store, look)
    }
}

impl Deref for Api {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
