//! The dead-man's switch: a sign of life to somebody outside, who pages when it stays away.
//!
//! It is only sent while this control plane leads, its store takes writes and its reconcilers look at the fleet: a process
//! that merely runs must not be taken for one that works. It carries no name of an account or a person, and no secret.

use crate::outside::{self, PATIENCE};
use anyhow::{Context, Result};
use gf_model::{ambient::Clock, fleet::Once};
use gf_store::FleetStore;
use serde_json::{Value, json};
use std::{path::Path, sync::Arc, time::Duration};

/// One record, written anew each time: whether the store takes writes is found out by writing.
const KEY: &str = "heartbeat";

/// Who is told, and how often.
pub struct Heartbeat {
    url: String,
    every: Duration,
    http: reqwest::Client,
}

impl Heartbeat {
    /// `None` where nobody is to be told.
    pub fn new(url: Option<String>, every: Duration, authorities: Option<&Path>) -> Result<Option<Self>> {
        let Some(url) = url.filter(|url| !url.is_empty()) else { return Ok(None) };
        let http = outside::client("the heartbeat", &url, authorities)?;
        Ok(Some(Self { url, every, http }))
    }

    /// Until it is dropped.
    pub async fn run(self, store: FleetStore, clock: Arc<dyn Clock>) {
        let mut ticks = tokio::time::interval(self.every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut heard = true;
        loop {
            ticks.tick().await;
            let sent = match tokio::time::timeout(PATIENCE, self.sign(&store, &*clock)).await {
                Ok(Ok(sign)) => self.send(&sign).await,
                Ok(Err(why)) => Err(why),
                Err(_) => Err(anyhow::anyhow!("the store did not take a write within {PATIENCE:?}")),
            };
            match sent {
                Ok(()) => heard = true,
                // Said once for as long as it lasts; the receiver says it to people.
                Err(why) if heard => {
                    heard = false;
                    tracing::warn!(why = format!("{why:#}"), "no sign of life was taken");
                }
                Err(_) => {}
            }
        }
    }

    async fn sign(&self, store: &FleetStore, clock: &dyn Clock) -> Result<Value> {
        let now = clock.now();
        let written = store.update(|fleet, tx| {
            tx.put(Once { key: KEY.to_owned(), at: now, answer: json!(null) });
            json!({
                "frozen": fleet.frozen().is_some(),
                "pairs": fleet.gateways.len(),
                "openOperations": fleet.operations.values().filter(|one| !one.state.is_over()).count(),
            })
        });
        let mut sign = written.await.context("the store takes no writes")?;
        sign["at"] = json!(now);
        sign["generation"] = json!(store.generation());
        sign["everySeconds"] = json!(self.every.as_secs());
        Ok(sign)
    }

    async fn send(&self, sign: &Value) -> Result<()> {
        // The address may hold a token: it is not repeated in what goes wrong.
        let sent = self.http.post(&self.url).json(sign).send().await.map_err(reqwest::Error::without_url)?;
        sent.error_for_status().map_err(reqwest::Error::without_url)?;
        Ok(())
    }
}
