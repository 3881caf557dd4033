//! A change that somebody asked for by what they saw: where the object is no longer so when the change is decided, the
//! decision is refused, whoever changed it since and by whichever way.
//!
//! It looks where the store decides, at what is decided already and not only at what is durable. It never refuses what
//! leaves that object alone, nor the same caller's second change of it.

use gf_model::fleet::{Change, Fleet, Key, Record};
use parking_lot::Mutex;
use std::{future::Future, sync::Arc};

tokio::task_local! {
    static SEEN: Arc<Seen>;
}

type Holds = dyn Fn(&Fleet) -> bool + Send + Sync;

pub struct Seen {
    object: Key,
    holds: Box<Holds>,
    met: Mutex<Met>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    Nothing,
    AsSeen,
    Changed,
}

impl Seen {
    /// `holds` says of a fleet whether the object is in it as it was seen.
    pub fn new(object: Key, holds: impl Fn(&Fleet) -> bool + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { object, holds: Box::new(holds), met: Mutex::new(Met::Nothing) })
    }

    /// What is decided in here, and not in tasks that it spawns, rests on what was seen.
    pub async fn rests_on<F: Future>(self: &Arc<Self>, run: F) -> F::Output {
        SEEN.scope(Arc::clone(self), run).await
    }

    /// Whether a decision was refused for it.
    pub fn was_refused(&self) -> bool {
        *self.met.lock() == Met::Changed
    }

    fn refuses(&self, fleet: &Fleet, changes: &[Change]) -> bool {
        let is_it = |change: &Change| match change {
            Change::Put(record) => Record::key(record) == self.object,
            Change::Delete(key) => *key == self.object,
        };
        if !changes.iter().any(is_it) {
            return false;
        }
        let mut met = self.met.lock();
        if *met == Met::Nothing {
            *met = if (self.holds)(fleet) { Met::AsSeen } else { Met::Changed };
        }
        *met == Met::Changed
    }
}

/// Whether these changes rest on something that is no longer so.
pub(crate) fn refused(fleet: &Fleet, changes: &[Change]) -> bool {
    SEEN.try_with(|seen| seen.refuses(fleet, changes)).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FleetStore, MemoryBackend, StoreError, StoreOptions, TransactError};
    use gf_model::{Timestamp, fleet::Once};
    use serde_json::json;
    use std::convert::Infallible;

    fn store() -> FleetStore {
        FleetStore::open(Arc::new(MemoryBackend::default()), StoreOptions::default()).unwrap()
    }

    fn once(key: &str, answer: u32) -> Once {
        Once { key: key.into(), at: Timestamp::UNIX_EPOCH, answer: json!(answer) }
    }

    async fn put(store: &FleetStore, key: &str, answer: u32) -> Result<(), Arc<StoreError>> {
        store.update(|_, tx| tx.put(once(key, answer))).await
    }

    fn answer(store: &FleetStore) -> serde_json::Value {
        store.read(|fleet| fleet.once["a"].answer.clone())
    }

    fn seen_as(answer: u32) -> Arc<Seen> {
        Seen::new(Key::Once("a".into()), move |fleet| fleet.once["a"].answer == json!(answer))
    }

    #[tokio::test]
    async fn what_somebody_else_changed_since_is_not_changed_and_the_rest_is() {
        let store = store();
        put(&store, "a", 1).await.unwrap();
        let seen = seen_as(1);
        put(&store, "a", 2).await.unwrap();
        let both = async { (put(&store, "b", 3).await, put(&store, "a", 3).await) };
        let (other, late) = seen.rests_on(both).await;
        assert!(other.is_ok());
        assert!(matches!(&*late.unwrap_err(), StoreError::NotAsSeen));
        assert!(seen.was_refused());
        assert_eq!(answer(&store), 2);
        // Whoever rests on nothing changes what there is.
        put(&store, "a", 4).await.unwrap();
        assert_eq!(answer(&store), 4);
    }

    #[tokio::test]
    async fn what_is_as_it_was_seen_is_changed_as_often_as_its_caller_likes() {
        let store = store();
        put(&store, "a", 1).await.unwrap();
        let seen = seen_as(1);
        let twice = async {
            put(&store, "a", 2).await?;
            put(&store, "a", 3).await
        };
        seen.rests_on(twice).await.unwrap();
        assert!(!seen.was_refused());
        assert_eq!(answer(&store), 3);
    }

    #[tokio::test]
    async fn a_refusal_of_the_decision_itself_comes_first() {
        let store = store();
        put(&store, "a", 1).await.unwrap();
        let seen = seen_as(2);
        let refused = store.transact(|_, tx| {
            tx.put(once("a", 3));
            Err::<Infallible, _>("no")
        });
        let refused = seen.rests_on(refused).await;
        assert!(matches!(refused, Err(TransactError::Refused("no"))));
        assert!(!seen.was_refused());
    }
}
