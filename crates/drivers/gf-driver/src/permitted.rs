//! A driver that is asked nothing while this control plane cannot be sure that it leads.
//!
//! What was not sent had no effect: the refusal is one that is tried again. It must never let a call through and say that
//! it did not.

use crate::{CreatePlace, Driver, DriverError, Place};
use async_trait::async_trait;
use gf_model::{
    InstanceId, Tier,
    provider::{Provider, ProviderId, ProviderStatus},
};
use std::sync::Arc;

/// Whether something may be sent now, with time to spare.
pub type MayAct = Arc<dyn Fn() -> bool + Send + Sync>;

pub struct Permitted {
    driver: Arc<dyn Driver>,
    may_act: MayAct,
}

impl Permitted {
    pub fn new(driver: Arc<dyn Driver>, may_act: MayAct) -> Self {
        Self { driver, may_act }
    }

    fn ask(&self, provider: &ProviderId) -> Result<&dyn Driver, DriverError> {
        match (self.may_act)() {
            true => Ok(&*self.driver),
            false => Err(DriverError::Unavailable {
                provider: provider.clone(),
                message: "it was not asked: this control plane cannot be sure that it still leads".to_owned(),
            }),
        }
    }
}

#[async_trait]
impl Driver for Permitted {
    fn name(&self) -> &'static str {
        self.driver.name()
    }

    fn providers(&self) -> Vec<Provider> {
        self.driver.providers()
    }

    fn node_goes_with_place(&self) -> bool {
        self.driver.node_goes_with_place()
    }

    async fn create(&self, order: &CreatePlace) -> Result<Place, DriverError> {
        self.ask(&order.provider)?.create(order).await
    }

    async fn find(&self, provider: &ProviderId, label: &InstanceId) -> Result<Option<Place>, DriverError> {
        self.ask(provider)?.find(provider, label).await
    }

    async fn list(&self, provider: &ProviderId) -> Result<Vec<Place>, DriverError> {
        self.ask(provider)?.list(provider).await
    }

    async fn delete(&self, provider: &ProviderId, label: &InstanceId) -> Result<(), DriverError> {
        self.ask(provider)?.delete(provider, label).await
    }

    async fn power_off(&self, provider: &ProviderId, label: &InstanceId) -> Result<(), DriverError> {
        self.ask(provider)?.power_off(provider, label).await
    }

    async fn resize(&self, provider: &ProviderId, label: &InstanceId, tier: Tier) -> Result<(), DriverError> {
        self.ask(provider)?.resize(provider, label, tier).await
    }

    async fn status(&self, provider: &ProviderId) -> Result<ProviderStatus, DriverError> {
        self.ask(provider)?.status(provider).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts what it was asked.
    #[derive(Default)]
    struct Counts(AtomicUsize);

    #[async_trait]
    impl Driver for Counts {
        fn name(&self) -> &'static str {
            "counts"
        }
        fn providers(&self) -> Vec<Provider> {
            Vec::new()
        }
        async fn create(&self, order: &CreatePlace) -> Result<Place, DriverError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Err(DriverError::UnknownProvider(order.provider.clone()))
        }
        async fn find(&self, _: &ProviderId, _: &InstanceId) -> Result<Option<Place>, DriverError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(None)
        }
        async fn list(&self, _: &ProviderId) -> Result<Vec<Place>, DriverError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(Vec::new())
        }
        async fn delete(&self, _: &ProviderId, _: &InstanceId) -> Result<(), DriverError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
        async fn power_off(&self, _: &ProviderId, _: &InstanceId) -> Result<(), DriverError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
        async fn resize(&self, _: &ProviderId, _: &InstanceId, _: Tier) -> Result<(), DriverError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
        async fn status(&self, provider: &ProviderId) -> Result<ProviderStatus, DriverError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Err(DriverError::UnknownProvider(provider.clone()))
        }
    }

    #[tokio::test]
    async fn a_provider_is_asked_nothing_under_a_lease_that_may_be_over() {
        let counts = Arc::new(Counts::default());
        let (provider, label): (ProviderId, InstanceId) = ("local-a".into(), "i-0001".parse().unwrap());
        let ask = async |leads: bool| {
            let driver = Permitted::new(counts.clone(), Arc::new(move || leads));
            let refusals = [
                driver.delete(&provider, &label).await.err(),
                driver.power_off(&provider, &label).await.err(),
                driver.resize(&provider, &label, Tier::Nano).await.err(),
                driver.find(&provider, &label).await.err(),
                driver.list(&provider).await.err(),
            ];
            refusals.into_iter().flatten().filter(DriverError::is_transient).count()
        };
        assert_eq!((ask(false).await, counts.0.load(Ordering::Relaxed)), (5, 0), "each may be tried again");
        assert_eq!((ask(true).await, counts.0.load(Ordering::Relaxed)), (0, 5));
    }
}
