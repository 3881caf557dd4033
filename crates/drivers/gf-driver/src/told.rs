//! A driver whose calls that change something stand in the log, as part of whatever led to them.

use crate::{CreatePlace, Driver, DriverError, Place};
use async_trait::async_trait;
use gf_model::{
    InstanceId, Tier,
    provider::{Provider, ProviderId, ProviderStatus},
};
use std::sync::Arc;
use tracing::Instrument;

pub(crate) struct Told(pub Arc<dyn Driver>);

#[async_trait]
impl Driver for Told {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn providers(&self) -> Vec<Provider> {
        self.0.providers()
    }

    fn node_goes_with_place(&self) -> bool {
        self.0.node_goes_with_place()
    }

    async fn create(&self, order: &CreatePlace) -> Result<Place, DriverError> {
        tracing::info!(provider = %order.provider, label = %order.label, "a place is ordered");
        let span = tracing::info_span!("provider", provider = %order.provider, step = "create");
        self.0.create(order).instrument(span).await
    }

    async fn find(&self, provider: &ProviderId, label: &InstanceId) -> Result<Option<Place>, DriverError> {
        self.0.find(provider, label).await
    }

    async fn list(&self, provider: &ProviderId) -> Result<Vec<Place>, DriverError> {
        self.0.list(provider).await
    }

    async fn delete(&self, provider: &ProviderId, label: &InstanceId) -> Result<(), DriverError> {
        tracing::info!(%provider, %label, "a place is deleted");
        let span = tracing::info_span!("provider", %provider, step = "delete");
        self.0.delete(provider, label).instrument(span).await
    }

    async fn power_off(&self, provider: &ProviderId, label: &InstanceId) -> Result<(), DriverError> {
        tracing::info!(%provider, %label, "a place is switched off");
        let span = tracing::info_span!("provider", %provider, step = "power_off");
        self.0.power_off(provider, label).instrument(span).await
    }

    async fn resize(&self, provider: &ProviderId, label: &InstanceId, tier: Tier) -> Result<(), DriverError> {
        tracing::info!(%provider, %label, %tier, "a place is resized");
        let span = tracing::info_span!("provider", %provider, step = "resize");
        self.0.resize(provider, label, tier).instrument(span).await
    }

    async fn status(&self, provider: &ProviderId) -> Result<ProviderStatus, DriverError> {
        self.0.status(provider).await
    }
}
