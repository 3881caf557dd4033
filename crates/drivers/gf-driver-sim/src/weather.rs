//! What goes wrong at the providers: armed by a person or a test, never by itself.

use gf_model::provider::{ProviderId, ProviderStatus, Region};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

/// What a provider does to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFault {
    /// It acts and the answer is lost.
    DropAnswer,
    Refuse,
    RateLimit(Duration),
    Away,
}

#[derive(Default)]
pub(crate) struct Weather {
    by_provider: Mutex<BTreeMap<ProviderId, Troubles>>,
    /// How long a frame is on its way, in milliseconds.
    lag: Mutex<Option<(u64, u64)>>,
}

#[derive(Default)]
struct Troubles {
    next_calls: VecDeque<CallFault>,
    calls: u64,
    slowness: Option<f64>,
    dark: BTreeSet<Region>,
}

impl Weather {
    pub(crate) fn set_lag(&self, lag: Option<(u64, u64)>) {
        *self.lag.lock() = lag;
    }

    pub(crate) fn lag(&self) -> Option<(u64, u64)> {
        *self.lag.lock()
    }

    /// Counts a call and says what happens to it.
    pub(crate) fn call(&self, provider: &ProviderId) -> (u64, Option<CallFault>) {
        let mut all = self.by_provider.lock();
        let troubles = all.entry(provider.clone()).or_default();
        troubles.calls += 1;
        (troubles.calls, troubles.next_calls.pop_front())
    }

    pub(crate) fn arm(&self, provider: &ProviderId, fault: CallFault) {
        self.by_provider.lock().entry(provider.clone()).or_default().next_calls.push_back(fault);
    }

    pub(crate) fn slow(&self, provider: &ProviderId, times: Option<f64>) {
        self.by_provider.lock().entry(provider.clone()).or_default().slowness = times;
    }

    pub(crate) fn slowness(&self, provider: &ProviderId) -> f64 {
        self.by_provider.lock().get(provider).and_then(|troubles| troubles.slowness).unwrap_or(1.0)
    }

    pub(crate) fn darken(&self, provider: &ProviderId, region: &Region, dark: bool) {
        let mut all = self.by_provider.lock();
        let regions = &mut all.entry(provider.clone()).or_default().dark;
        if dark {
            regions.insert(region.clone());
        } else {
            regions.remove(region);
        }
    }

    pub(crate) fn is_dark(&self, provider: &ProviderId, region: &Region) -> bool {
        self.by_provider.lock().get(provider).is_some_and(|troubles| troubles.dark.contains(region))
    }

    /// What the provider's status page says.
    pub(crate) fn status(&self, provider: &ProviderId) -> ProviderStatus {
        let all = self.by_provider.lock();
        match all.get(provider) {
            Some(troubles) if !troubles.dark.is_empty() => ProviderStatus::Incident {
                title: "Loss of connectivity".to_owned(),
                regions: troubles.dark.iter().cloned().collect(),
            },
            Some(troubles) if troubles.slowness.is_some_and(|times| times > 2.0) => {
                ProviderStatus::Incident { title: "Delayed provisioning".to_owned(), regions: Vec::new() }
            }
            _ => ProviderStatus::Ok,
        }
    }
}
