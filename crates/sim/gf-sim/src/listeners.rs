//! Whoever is told things: operators' conversations and COMPANION. At times nobody takes anything.

use async_trait::async_trait;
use gf_model::{fleet::Fleet, notice::Notice};
use gf_reconcile::{DeliveryError, Messenger, Outbox};
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Default)]
pub struct Listeners {
    pub deaf: AtomicBool,
}

impl Listeners {
    fn listen(&self) -> Result<(), DeliveryError> {
        match self.deaf.load(Ordering::Relaxed) {
            true => Err(DeliveryError("nobody took it".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Messenger for Listeners {
    async fn tell(&self, _: &str, _: &Notice) -> Result<(), DeliveryError> {
        self.listen()
    }

    fn operators(&self, _: &Fleet) -> Vec<String> {
        vec!["cli:person-ada".to_owned()]
    }
}

#[async_trait]
impl Outbox for Listeners {
    async fn post(&self, _: &str, _: &Notice, _: &serde_json::Value) -> Result<(), DeliveryError> {
        self.listen()
    }
}
