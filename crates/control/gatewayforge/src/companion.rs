//! Webhooks to COMPANION, signed by the Standard Webhooks rules. When to try again is decided by whoever calls.

use anyhow::{Context, Result};
use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use gf_model::{
    Timestamp,
    ambient::Clock,
    notice::{NOT_CONFIGURED, Notice},
};
use gf_reconcile::{DeliveryError, Outbox};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{sync::Arc, time::Duration};

const PATIENCE: Duration = Duration::from_secs(10);
/// A secret that is written this way is base64; any other text is used as it stands.
pub const SECRET_PREFIX: &str = "whsec_";

pub struct Companion {
    /// `None`: nobody has said where COMPANION listens, so there is nobody to tell.
    url: Option<String>,
    secret: Vec<u8>,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
}

impl Companion {
    pub fn new(url: Option<String>, key: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("no HTTP client could be made for webhooks")?;
        Ok(Self { url, secret: secret(key)?, clock, http })
    }
}

fn secret(key: &str) -> Result<Vec<u8>> {
    match key.strip_prefix(SECRET_PREFIX) {
        Some(encoded) => {
            STANDARD.decode(encoded).context("keys/webhook.key begins with whsec_ and is not base64")
        }
        None => Ok(key.as_bytes().to_vec()),
    }
}

/// `v1,` and the HMAC over id, time and body.
fn signature(secret: &[u8], id: &str, at: Timestamp, body: &[u8]) -> Result<String, DeliveryError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|why| DeliveryError(why.to_string()))?;
    mac.update(format!("{id}.{}.", at.as_second()).as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[async_trait]
impl Outbox for Companion {
    fn listens(&self) -> bool {
        self.url.is_some()
    }

    async fn post(&self, event: &str, notice: &Notice, body: &Value) -> Result<(), DeliveryError> {
        let Some(url) = &self.url else { return Err(DeliveryError(NOT_CONFIGURED.to_owned())) };
        let (id, now) = (notice.id.to_string(), self.clock.now());
        let text = json!({"type": event, "timestamp": notice.created_at, "data": body}).to_string();
        let request = self
            .http
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", now.as_second().to_string())
            .header("webhook-signature", signature(&self.secret, &id, now, text.as_bytes())?)
            .body(text);
        // The address may hold a token, so it is not repeated in an error.
        let sent = request.send().await.map_err(|why| DeliveryError(why.without_url().to_string()))?;
        match sent.status() {
            status if status.is_success() => Ok(()),
            status => Err(DeliveryError(format!("COMPANION answered {status}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification's own libraries.
    #[test]
    fn the_signature_is_the_standard_one() {
        let secret = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let signed =
            signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
