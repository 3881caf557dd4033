//! Which driver serves which provider. It is filled at start and never changes; it makes and unmakes nothing.

use crate::{Driver, DriverError, told::Told};
use gf_model::provider::{Provider, ProviderId};
use std::{collections::BTreeMap, sync::Arc};

/// Cheap to clone; all clones hold the same drivers.
#[derive(Clone, Default)]
pub struct Drivers {
    by_provider: Arc<BTreeMap<ProviderId, Arc<dyn Driver>>>,
}

/// Two drivers that both claim to serve one provider would each make the place that the other one looks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("provider {provider} is claimed by the drivers {first} and {second}; leave one of them out")]
pub struct ClaimedTwice {
    pub provider: ProviderId,
    pub first: &'static str,
    pub second: &'static str,
}

impl Drivers {
    pub fn new(drivers: impl IntoIterator<Item = Arc<dyn Driver>>) -> Result<Self, ClaimedTwice> {
        let mut by_provider = BTreeMap::<ProviderId, Arc<dyn Driver>>::new();
        for driver in drivers {
            for provider in driver.providers() {
                if let Some(first) = by_provider.insert(provider.id.clone(), Arc::clone(&driver)) {
                    let (first, second) = (first.name(), driver.name());
                    return Err(ClaimedTwice { provider: provider.id, first, second });
                }
            }
        }
        let told = |(id, driver)| (id, Arc::new(Told(driver)) as Arc<dyn Driver>);
        Ok(Self { by_provider: Arc::new(by_provider.into_iter().map(told).collect()) })
    }

    pub fn for_provider(&self, provider: &ProviderId) -> Result<&Arc<dyn Driver>, DriverError> {
        self.by_provider.get(provider).ok_or_else(|| DriverError::UnknownProvider(provider.clone()))
    }

    /// Everything that is sold, by provider id.
    pub fn providers(&self) -> Vec<Provider> {
        let sold = |(id, driver): (&ProviderId, &Arc<dyn Driver>)| {
            driver.providers().into_iter().find(|provider| provider.id == *id)
        };
        self.by_provider.iter().filter_map(sold).collect()
    }
}
