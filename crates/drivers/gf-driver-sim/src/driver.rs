//! The five providers behind the driver contract: their latency, their failures, their machines.

use crate::{
    catalogue::{DRIVER, MANNERS, Manner},
    chance::Chance,
    host::Due,
    machine::{Machine, Saved},
    refusal::Refusal,
    weather::CallFault,
    world::World,
};
use async_trait::async_trait;
use gf_driver::{CreatePlace, Driver, DriverError, Place};
use gf_model::{
    InstanceId, NodeId, Tier,
    provider::{Provider, ProviderId, ProviderStatus},
};
use std::{sync::Arc, time::Duration};

/// Cheap to clone; all clones are the same providers.
#[derive(Clone)]
pub struct SimDriver {
    pub(crate) world: Arc<World>,
}

/// The node of a place: its name follows from the order, so that a second order finds the first one's.
pub(crate) fn node_of(provider: &ProviderId, label: &InstanceId) -> NodeId {
    let tail = label.as_str().strip_prefix(InstanceId::PREFIX).unwrap_or(label.as_str());
    let name = format!("{}-{provider}-{tail}", NodeId::PREFIX.trim_end_matches('-'));
    name.parse().unwrap_or_else(|_| NodeId::from_bits(fold(&name), 16))
}

/// The provider's own name for the machine of a node.
pub(crate) fn place_of(chance: Chance, node: &NodeId) -> String {
    (10_000_000 + chance.bits("place", node.as_str(), 0) % 90_000_000).to_string()
}

/// Where OpenClaw would answer; nothing listens there.
pub(crate) fn endpoint_of(provider: &ProviderId, label: &InstanceId) -> String {
    format!("sim://{provider}/{label}")
}

/// A name that is too long for a node id still has one node.
fn fold(name: &str) -> u64 {
    name.bytes().fold(0, |bits, byte| bits.wrapping_mul(0x0000_0100_0000_01b3) ^ u64::from(byte))
}

fn manner(provider: &ProviderId) -> Result<&'static Manner, DriverError> {
    Manner::of(provider).ok_or_else(|| DriverError::UnknownProvider(provider.clone()))
}

impl SimDriver {
    /// One call of the provider's API: it takes a while before it acts and a while after, and may go wrong.
    async fn call<T>(
        &self,
        manner: &Manner,
        (what, target): (&str, &str),
        act: impl Future<Output = Result<T, DriverError>> + Send,
    ) -> Result<T, DriverError> {
        let provider = ProviderId::from(manner.id);
        let (nth, fault) = self.world.weather.call(&provider);
        let (low, high) = manner.call_ms;
        let takes = Duration::from_millis(self.world.chance().between(low, high, "call", manner.id, nth));
        let half = takes.mul_f64(self.world.pace(&provider)) / 2;
        tokio::time::sleep(half).await;
        let refused = self.world.refusals.count(target, what).map(|refusal| match refusal {
            Refusal::ForNow => CallFault::Away,
            Refusal::ForGood => CallFault::Refuse,
        });
        match fault.or(refused) {
            Some(CallFault::Refuse) => {
                return Err(DriverError::Refused {
                    provider,
                    message: "the request was declined (403)".into(),
                });
            }
            Some(CallFault::RateLimit(retry_after)) => {
                return Err(DriverError::RateLimited { provider, retry_after });
            }
            Some(CallFault::Away) => {
                return Err(DriverError::Unavailable {
                    provider,
                    message: "the connection was refused".into(),
                });
            }
            Some(CallFault::DropAnswer) | None => {}
        }
        let done = act.await?;
        tokio::time::sleep(half).await;
        match fault {
            Some(CallFault::DropAnswer) => {
                Err(DriverError::AnswerLost { provider, message: "the connection was reset".into() })
            }
            _ => Ok(done),
        }
    }

    /// The node that the place of this label has, or would have.
    pub fn node_of(provider: &ProviderId, label: &InstanceId) -> NodeId {
        node_of(provider, label)
    }

    fn machine(&self, provider: &ProviderId, label: &InstanceId) -> Option<Arc<Machine>> {
        self.world.machine(&node_of(provider, label))
    }

    async fn order(&self, manner: &Manner, order: &CreatePlace) -> Result<Place, DriverError> {
        let node = node_of(&order.provider, &order.label);
        let _one_at_a_time = self.world.ordering.lock().await;
        if let Some(place) = self.world.machine(&node).and_then(|machine| machine.lock().saved.as_place()) {
            return Ok(place);
        }
        self.reachable(&order.provider, &order.region)?;
        let (nth, _) = self.world.weather.call(&order.provider);
        let unlucky = manner.failures_per_million;
        if self.world.settings.failures && self.world.chance().strikes(unlucky, "order", manner.id, nth) {
            let message = "no machine of this size could be started at the moment".to_owned();
            return Err(DriverError::Unavailable { provider: order.provider.clone(), message });
        }
        let enrolment = &self.world.enrolment;
        let token = enrolment.token(&node, &order.provider, &order.region).await?;
        let saved = Saved {
            place: place_of(self.world.chance(), &node),
            node,
            provider: order.provider.clone(),
            region: order.region.clone(),
            label: Some(order.label.clone()),
            order: Some(Box::new(order.clone())),
            token: Some(token.into()),
            control: None,
            powered: true,
            host: Default::default(),
        };
        let machine = self.world.insert(saved, true);
        self.world.deliver(&machine);
        let place = machine.lock().saved.as_place();
        place.ok_or_else(|| DriverError::Refused {
            provider: order.provider.clone(),
            message: "the machine has no label".into(),
        })
    }

    /// While a region is dark nobody can reach into it, so nothing there can be confirmed either.
    fn reachable(
        &self,
        provider: &ProviderId,
        region: &gf_model::provider::Region,
    ) -> Result<(), DriverError> {
        if self.world.weather.is_dark(provider, region) {
            let message = format!("region {region} does not answer");
            return Err(DriverError::Unavailable { provider: provider.clone(), message });
        }
        Ok(())
    }
}

#[async_trait]
impl Driver for SimDriver {
    fn name(&self) -> &'static str {
        DRIVER
    }

    fn providers(&self) -> Vec<Provider> {
        let with_status = |manner: &Manner| {
            let provider = manner.provider();
            Provider { status: self.world.weather.status(&provider.id), ..provider }
        };
        MANNERS.iter().map(with_status).collect()
    }

    fn node_goes_with_place(&self) -> bool {
        true
    }

    async fn create(&self, order: &CreatePlace) -> Result<Place, DriverError> {
        let manner = manner(&order.provider)?;
        if !manner.sells_in(&order.region) {
            let (provider, region) = (order.provider.clone(), order.region.clone());
            return Err(DriverError::UnknownRegion { provider, region });
        }
        self.call(manner, ("create", order.label.as_str()), self.order(manner, order)).await
    }

    async fn find(&self, provider: &ProviderId, label: &InstanceId) -> Result<Option<Place>, DriverError> {
        self.call(manner(provider)?, ("find", label.as_str()), async {
            Ok(self.machine(provider, label).and_then(|machine| machine.lock().saved.as_place()))
        })
        .await
    }

    async fn list(&self, provider: &ProviderId) -> Result<Vec<Place>, DriverError> {
        self.call(manner(provider)?, ("list", &provider.0), async {
            let of_provider =
                self.world.machines().into_iter().filter(|machine| machine.provider == *provider);
            Ok(of_provider.filter_map(|machine| machine.lock().saved.as_place()).collect())
        })
        .await
    }

    async fn delete(&self, provider: &ProviderId, label: &InstanceId) -> Result<(), DriverError> {
        self.call(manner(provider)?, ("delete", label.as_str()), async {
            if let Some(machine) = self.machine(provider, label) {
                self.reachable(provider, &machine.region)?;
                self.world.remove(&machine);
            }
            Ok(())
        })
        .await
    }

    async fn power_off(&self, provider: &ProviderId, label: &InstanceId) -> Result<(), DriverError> {
        self.call(manner(provider)?, ("power_off", label.as_str()), async {
            if let Some(machine) = self.machine(provider, label) {
                self.reachable(provider, &machine.region)?;
                self.world.touch(&machine, |inner, _| {
                    inner.saved.host.power_off();
                    inner.saved.powered = false;
                    // A machine that was still being made stays empty.
                    inner.saved.order = None;
                    inner.due.retain(|(_, due)| !matches!(due, Due::Born));
                    inner.end_link();
                    inner.changed = true;
                });
            }
            Ok(())
        })
        .await
    }

    async fn resize(&self, provider: &ProviderId, label: &InstanceId, tier: Tier) -> Result<(), DriverError> {
        self.call(manner(provider)?, ("resize", label.as_str()), async {
            let Some(machine) = self.machine(provider, label) else {
                let message = format!("there is no place labelled {label} to resize");
                return Err(DriverError::Refused { provider: provider.clone(), message });
            };
            self.reachable(provider, &machine.region)?;
            self.world.touch(&machine, |inner, scene| {
                if let Some(order) = &mut inner.saved.order {
                    order.tier = tier;
                }
                let host = &mut inner.saved.host;
                for instance in &mut host.instances {
                    instance.tier = tier;
                }
                if host.instance(label.as_str()).is_ok_and(|instance| instance.runs()) {
                    let _ = host.boot(label.as_str(), scene);
                }
                inner.changed = true;
            });
            Ok(())
        })
        .await
    }

    async fn status(&self, provider: &ProviderId) -> Result<ProviderStatus, DriverError> {
        manner(provider)?;
        if self.world.refusals.count(&provider.0, "status").is_some() {
            let message = "its status page does not answer".to_owned();
            return Err(DriverError::Unavailable { provider: provider.clone(), message });
        }
        Ok(self.world.weather.status(provider))
    }
}
