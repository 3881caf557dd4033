//! The providers as a control plane meets them: requests and answers get lost, come late, come twice, are garbage, or
//! are refused. What was sent takes effect even where its sender is dead by then.

use crate::{oracle::Oracle, trace::Trace};
use async_trait::async_trait;
use gf_driver::{CreatePlace, Driver, DriverError, Place};
use gf_driver_sim::SimDriver;
use gf_model::{
    InstanceId, Tier,
    ambient::Clock,
    node::Node,
    provider::{Provider, ProviderId, ProviderStatus},
};
use gf_store::FleetStore;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

/// How long a client waits for a provider's answer.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(60);

/// Chances in a thousand for each call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trouble {
    pub lost_request: u32,
    pub lost_answer: u32,
    pub late: u32,
    pub twice: u32,
    pub garbage: u32,
    pub away: u32,
    pub refused: u32,
    /// The control plane ends before it sends, or after it sent and before the answer.
    pub crash: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Well,
    LostRequest,
    LostAnswer,
    Late(Duration),
    Twice(Duration),
    Garbage,
    Away,
    Refused,
    RateLimited,
    CrashBefore,
    CrashAfter,
}

struct State {
    trouble: Trouble,
    rng: fastrand::Rng,
    limited_until: BTreeMap<ProviderId, Instant>,
}

/// What outlives control planes.
pub struct Clouds {
    sim: SimDriver,
    oracle: Arc<Oracle>,
    trace: Arc<Trace>,
    state: Mutex<State>,
    /// Told when a call was the end of the control plane.
    pub crash: Notify,
}

impl Clouds {
    pub fn new(seed: u64, sim: SimDriver, oracle: Arc<Oracle>, trace: Arc<Trace>) -> Arc<Self> {
        let rng = fastrand::Rng::with_seed(seed);
        let state = State { trouble: Trouble::default(), rng, limited_until: BTreeMap::new() };
        Arc::new(Self { sim, oracle, trace, state: Mutex::new(state), crash: Notify::new() })
    }

    pub fn trouble(&self, trouble: Trouble) {
        self.state.lock().trouble = trouble;
    }

    /// The provider answers 429 to everything for so long.
    pub fn limit(&self, provider: &ProviderId, lasts: Duration) {
        self.state.lock().limited_until.insert(provider.clone(), Instant::now() + lasts);
    }

    pub fn heal(&self) {
        let mut state = self.state.lock();
        state.trouble = Trouble::default();
        state.limited_until.clear();
    }

    fn fate(&self, provider: &ProviderId) -> Fate {
        let mut state = self.state.lock();
        if state.limited_until.get(provider).is_some_and(|until| Instant::now() < *until) {
            return Fate::RateLimited;
        }
        let trouble = state.trouble;
        let drawn = state.rng.u32(0..1000);
        let delay = Duration::from_secs(state.rng.u64(1..900));
        let ladder = [
            (trouble.lost_request, Fate::LostRequest),
            (trouble.lost_answer, Fate::LostAnswer),
            (trouble.late, Fate::Late(delay)),
            (trouble.twice, Fate::Twice(delay)),
            (trouble.garbage, Fate::Garbage),
            (trouble.away, Fate::Away),
            (trouble.refused, Fate::Refused),
            (trouble.crash, Fate::CrashBefore),
            (trouble.crash, Fate::CrashAfter),
        ];
        let mut below = 0;
        for (chance, fate) in ladder {
            below += chance;
            if drawn < below {
                return fate;
            }
        }
        Fate::Well
    }
}

/// The providers as one control plane holds them.
pub struct Line {
    pub clouds: Arc<Clouds>,
    /// Set when this control plane is dead: it neither sends nor hears anything.
    pub dead: Arc<AtomicBool>,
    pub store: FleetStore,
    pub clock: Arc<dyn Clock>,
}

impl Line {
    /// Before a machine is ordered its node is expected, durably, as the binary does it with the token it mints.
    async fn expect(&self, order: &CreatePlace) -> Result<(), DriverError> {
        let node = Node {
            id: SimDriver::node_of(&order.provider, &order.label),
            provider: order.provider.clone(),
            region: order.region.clone(),
            public_key: String::new(),
            enrol_token_sha256: None,
            enrolled_at: None,
            connected: false,
            last_change: self.clock.now(),
            software: None,
        };
        let write = self.store.update(|fleet, tx| {
            if !fleet.nodes.contains_key(&node.id) {
                tx.put(node);
            }
        });
        write.await.map_err(|why| DriverError::Unavailable {
            provider: order.provider.clone(),
            message: format!("its node could not be expected: {why}"),
        })
    }

    async fn call<T: Send + 'static, F>(
        &self,
        provider: &ProviderId,
        what: &'static str,
        label: &str,
        act: impl Fn(SimDriver) -> F + Send + 'static,
    ) -> Result<T, DriverError>
    where
        F: Future<Output = Result<T, DriverError>> + Send + 'static,
    {
        if self.dead.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        let fate = self.clouds.fate(provider);
        self.clouds.trace.note(format_args!("{provider} {what} {label}: {fate:?}"));
        self.clouds.oracle.called(provider, what, label);
        let lost =
            |message: &str| DriverError::AnswerLost { provider: provider.clone(), message: message.into() };
        let sim = self.clouds.sim.clone();
        let (answer, answered) = oneshot::channel();
        match fate {
            Fate::Away => {
                tokio::time::sleep(Duration::from_millis(300)).await;
                return Err(DriverError::Unavailable {
                    provider: provider.clone(),
                    message: "the connection was refused".into(),
                });
            }
            Fate::Refused => {
                tokio::time::sleep(Duration::from_millis(300)).await;
                return Err(DriverError::Refused {
                    provider: provider.clone(),
                    message: "the request was declined (403)".into(),
                });
            }
            Fate::RateLimited => {
                tokio::time::sleep(Duration::from_millis(100)).await;
                return Err(DriverError::RateLimited {
                    provider: provider.clone(),
                    retry_after: Duration::from_secs(60),
                });
            }
            Fate::LostRequest => {
                tokio::time::sleep(CLIENT_TIMEOUT).await;
                return Err(lost("no answer within 60 s"));
            }
            Fate::CrashBefore => {
                self.clouds.crash.notify_one();
                return std::future::pending().await;
            }
            Fate::Late(delay) => drop(tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                let _ = answer.send(act(sim).await);
            })),
            Fate::Twice(delay) => drop(tokio::spawn(async move {
                let _ = answer.send(act(sim.clone()).await);
                tokio::time::sleep(delay).await;
                let _ = act(sim).await;
            })),
            Fate::Well | Fate::LostAnswer | Fate::Garbage | Fate::CrashAfter => {
                drop(tokio::spawn(async move {
                    let _ = answer.send(act(sim).await);
                }))
            }
        }
        let outcome = match tokio::time::timeout(CLIENT_TIMEOUT, answered).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => return Err(lost("no answer within 60 s")),
        };
        match fate {
            Fate::LostAnswer => Err(lost("the connection was reset")),
            Fate::Garbage => Err(lost("the answer is not JSON")),
            Fate::CrashAfter => {
                self.clouds.crash.notify_one();
                std::future::pending().await
            }
            _ => outcome,
        }
    }
}

#[async_trait]
impl Driver for Line {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn providers(&self) -> Vec<Provider> {
        self.clouds.sim.providers()
    }

    async fn create(&self, order: &CreatePlace) -> Result<Place, DriverError> {
        let (provider, label) = (order.provider.clone(), order.label.clone());
        self.expect(order).await?;
        let order = order.clone();
        self.call(&provider, "create", label.as_str(), move |sim| {
            let order = order.clone();
            async move { sim.create(&order).await }
        })
        .await
    }

    async fn find(&self, provider: &ProviderId, label: &InstanceId) -> Result<Option<Place>, DriverError> {
        let asked = (provider.clone(), label.clone());
        self.call(provider, "find", label.as_str(), move |sim| {
            let (provider, label) = asked.clone();
            async move { sim.find(&provider, &label).await }
        })
        .await
    }

    async fn list(&self, provider: &ProviderId) -> Result<Vec<Place>, DriverError> {
        let asked = provider.clone();
        self.call(provider, "list", "", move |sim| {
            let provider = asked.clone();
            async move { sim.list(&provider).await }
        })
        .await
    }

    async fn delete(&self, provider: &ProviderId, label: &InstanceId) -> Result<(), DriverError> {
        let asked = (provider.clone(), label.clone());
        self.call(provider, "delete", label.as_str(), move |sim| {
            let (provider, label) = asked.clone();
            async move { sim.delete(&provider, &label).await }
        })
        .await
    }

    async fn power_off(&self, provider: &ProviderId, label: &InstanceId) -> Result<(), DriverError> {
        let asked = (provider.clone(), label.clone());
        self.call(provider, "power_off", label.as_str(), move |sim| {
            let (provider, label) = asked.clone();
            async move { sim.power_off(&provider, &label).await }
        })
        .await
    }

    async fn resize(&self, provider: &ProviderId, label: &InstanceId, tier: Tier) -> Result<(), DriverError> {
        let asked = (provider.clone(), label.clone());
        self.call(provider, "resize", label.as_str(), move |sim| {
            let (provider, label) = asked.clone();
            async move { sim.resize(&provider, &label, tier).await }
        })
        .await
    }

    async fn status(&self, provider: &ProviderId) -> Result<ProviderStatus, DriverError> {
        self.clouds.sim.status(provider).await
    }
}
