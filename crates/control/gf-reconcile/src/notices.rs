//! Tells people and COMPANION what they must know, once, however often it takes to reach them.

use crate::{Reconcilers, looks::Looks};
use async_trait::async_trait;
use gf_model::{
    NoticeId, Timestamp,
    fleet::Fleet,
    notice::{Notice, Recipient},
};
use jiff::SignedDuration;

/// What could not be delivered is tried again after 5 s, then twice as long each time, up to an hour.
const FIRST_PAUSE_SECONDS: i64 = 5;
const LONGEST_PAUSE_SECONDS: i64 = 3600;
/// Notices are kept this long, so that nothing with the same key is told again; what nobody took by then is stale.
const KEPT_HOURS: i64 = 24 * 7;

/// No more webhooks than this wait for COMPANION.
const WEBHOOKS_WAITING: usize = 1000;

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DeliveryError(pub String);

/// Wakes the operator's agent in a conversation. The notice's id makes a repetition harmless.
#[async_trait]
pub trait Messenger: Send + Sync + 'static {
    async fn tell(&self, conversation: &str, notice: &Notice) -> Result<(), DeliveryError>;

    /// The conversations in which whoever operates the fleet is reached.
    fn operators(&self, fleet: &Fleet) -> Vec<String>;
}

/// Posts a signed webhook to COMPANION. The notice's id is the webhook's id.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// Whether anybody has said where COMPANION listens. Without that webhooks wait.
    fn listens(&self) -> bool {
        true
    }

    async fn post(&self, event: &str, notice: &Notice, body: &serde_json::Value)
    -> Result<(), DeliveryError>;
}

pub(crate) async fn run(all: Reconcilers) {
    let store = &all.engine.hands().store;
    let mut looks = Looks::new(store, all.cadence.notices);
    while looks.next().await {
        let now = all.engine.hands().clock.now();
        let listens = all.outbox.listens();
        for notice in looks.look(|fleet| due(fleet, now)) {
            if listens || !notice.is_webhook() {
                deliver(&all, notice).await;
            }
        }
        forget(&all, now).await;
    }
}

/// Notices whose time has come, oldest first.
pub(crate) fn due(fleet: &Fleet, now: Timestamp) -> Vec<Notice> {
    let mut due: Vec<_> = fleet
        .notices
        .values()
        .filter(|notice| notice.delivered_at.is_none() && now >= next_attempt(notice))
        .cloned()
        .collect();
    due.sort_by_key(|notice| notice.created_at);
    due
}

fn next_attempt(notice: &Notice) -> Timestamp {
    // Attempts are spread from the notice's creation: 0 s, 5 s, 15 s, 35 s …
    let waited = match notice.attempts {
        0 => 0,
        n => FIRST_PAUSE_SECONDS
            .saturating_mul((1i64 << n.min(20)) - 1)
            .min(LONGEST_PAUSE_SECONDS * i64::from(n)),
    };
    notice.created_at + SignedDuration::from_secs(waited)
}

async fn deliver(all: &Reconcilers, notice: Notice) {
    let hands = all.engine.hands();
    let outcome = match &notice.recipient {
        Recipient::Conversation { conversation } => all.messenger.tell(conversation, &notice).await,
        Recipient::Companion { event, body } => all.outbox.post(event, &notice, body).await,
        Recipient::Operators => {
            let conversations = hands.store.read(|fleet| all.messenger.operators(fleet));
            let nobody = || Err(DeliveryError("no operator has a conversation open".into()));
            let mut outcome = if conversations.is_empty() { nobody() } else { Ok(()) };
            for conversation in conversations {
                if let Err(error) = all.messenger.tell(&conversation, &notice).await {
                    outcome = Err(error);
                }
            }
            outcome
        }
    };
    if let Err(error) = &outcome {
        tracing::warn!(notice = %notice.id, attempts = notice.attempts + 1, %error, "not delivered yet");
    }
    let now = hands.clock.now();
    let write = hands.store.update(|fleet, tx| {
        if let Some(current) = fleet.notices.get(&notice.id) {
            let mut current = current.clone();
            current.attempts += 1;
            match &outcome {
                Ok(()) => current.delivered_at = Some(now),
                Err(error) => current.last_error = Some(error.to_string()),
            }
            tx.put(current);
        }
    });
    if let Err(error) = write.await {
        tracing::error!(notice = %notice.id, %error, "its delivery could not be written down");
    }
}

async fn forget(all: &Reconcilers, now: Timestamp) {
    let store = &all.engine.hands().store;
    let old = |notice: &Notice| {
        let at = notice.delivered_at.unwrap_or(notice.created_at);
        now.duration_since(at).as_hours() >= KEPT_HOURS
    };
    let ids: Vec<NoticeId> = store.read(|fleet| {
        let stale = fleet.notices.values().filter(|n| old(n)).map(|n| n.id.clone());
        stale.chain(beyond_the_queue(fleet)).collect()
    });
    if ids.is_empty() {
        return;
    }
    let write = store.update(|_, tx| {
        for id in &ids {
            tx.delete(gf_model::fleet::Key::Notice(id.clone()));
        }
    });
    if let Err(error) = write.await {
        tracing::error!(%error, "old notices could not be forgotten");
    }
}

/// The oldest webhooks of more than the queue holds: what COMPANION has not taken for so long, it must ask for itself.
fn beyond_the_queue(fleet: &Fleet) -> Vec<NoticeId> {
    let waits = |notice: &&Notice| notice.is_webhook() && notice.delivered_at.is_none();
    let mut waiting: Vec<_> = fleet.notices.values().filter(waits).collect();
    let superfluous = waiting.len().saturating_sub(WEBHOOKS_WAITING);
    if superfluous == 0 {
        return Vec::new();
    }
    waiting.sort_by_key(|notice| (notice.created_at, &notice.id));
    tracing::warn!(superfluous, "COMPANION has taken no webhook for long; the oldest are dropped");
    waiting.into_iter().take(superfluous).map(|notice| notice.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_model::notice::Severity;

    fn notice(attempts: u32) -> Notice {
        Notice {
            id: NoticeId::from_bits(1, 8),
            key: "k".into(),
            recipient: Recipient::Operators,
            severity: Severity::Info,
            text: String::new(),
            look_at: None,
            created_at: Timestamp::UNIX_EPOCH,
            delivered_at: None,
            attempts,
            last_error: None,
        }
    }

    #[test]
    fn attempts_grow_further_apart() {
        let seconds: Vec<_> = (0..4).map(|n| next_attempt(&notice(n)).as_second()).collect();
        assert_eq!(seconds, [0, 5, 15, 35]);
        assert!(next_attempt(&notice(60)).as_second() <= 60 * LONGEST_PAUSE_SECONDS);
    }

    #[test]
    fn what_was_delivered_is_never_due() {
        let mut fleet = Fleet::default();
        let mut told = notice(0);
        told.delivered_at = Some(Timestamp::UNIX_EPOCH);
        fleet.apply(told.into());
        assert!(due(&fleet, Timestamp::MAX).is_empty());
    }

    #[test]
    fn the_newest_webhooks_wait_and_the_oldest_beyond_a_thousand_are_dropped() {
        let mut fleet = Fleet::default();
        for number in 0..=WEBHOOKS_WAITING as u64 {
            let mut webhook = notice(0);
            webhook.id = NoticeId::from_bits(number, 8);
            webhook.created_at = Timestamp::from_second(number as i64).unwrap();
            webhook.recipient = Recipient::Companion { event: "e".into(), body: serde_json::json!({}) };
            fleet.apply(webhook.into());
        }
        let mut other = notice(0);
        other.id = NoticeId::from_bits(u64::MAX, 8);
        fleet.apply(other.into());
        assert_eq!(beyond_the_queue(&fleet), [NoticeId::from_bits(0, 8)]);
    }
}
