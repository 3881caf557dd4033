//! The number of the newest commit, to wait on.
//!
//! Whoever waits is woken in the order in which they began to wait. `tokio::sync::watch` wakes in a random order, and
//! then a simulation of the control plane could not be repeated.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
use tokio::sync::Notify;

#[derive(Default)]
struct Shared {
    number: AtomicU64,
    closed: AtomicBool,
    waiting: Notify,
}

/// The writing end; followers learn of its end.
pub(crate) struct Number(Arc<Shared>);

/// Follows the number of the newest commit. A clone has seen what the original has.
#[derive(Clone)]
pub struct Changed {
    shared: Arc<Shared>,
    seen: u64,
}

/// The store is gone: there will be no more commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store is gone")]
pub struct Gone;

impl Number {
    pub(crate) fn new(number: u64) -> Self {
        Self(Arc::new(Shared { number: AtomicU64::new(number), ..Shared::default() }))
    }

    pub(crate) fn set(&self, number: u64) {
        self.0.number.store(number, Ordering::Release);
        self.0.waiting.notify_waiters();
    }

    pub(crate) fn follow(&self) -> Changed {
        let seen = self.0.number.load(Ordering::Acquire);
        Changed { shared: Arc::clone(&self.0), seen }
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::Release);
        self.0.waiting.notify_waiters();
    }
}

impl Changed {
    pub fn newest(&self) -> u64 {
        self.shared.number.load(Ordering::Acquire)
    }

    /// Takes what is there now as seen.
    pub fn borrow_and_update(&mut self) -> u64 {
        self.seen = self.newest();
        self.seen
    }

    /// Waits until the newest commit is another one than was seen, and takes that as seen.
    pub async fn changed(&mut self) -> Result<(), Gone> {
        loop {
            let waiting = self.shared.waiting.notified();
            tokio::pin!(waiting);
            // In line before looking, so that what comes in between is not missed.
            waiting.as_mut().enable();
            if self.newest() != self.seen {
                break;
            }
            if self.shared.closed.load(Ordering::Acquire) {
                return Err(Gone);
            }
            waiting.await;
        }
        self.borrow_and_update();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_seen_is_waited_past_and_the_end_is_told() {
        let number = Number::new(3);
        let mut follower = number.follow();
        number.set(4);
        assert_eq!(follower.changed().await, Ok(()));
        assert_eq!(follower.newest(), 4);
        let waiting = tokio::spawn(async move { follower.changed().await });
        tokio::task::yield_now().await;
        drop(number);
        assert_eq!(waiting.await.unwrap(), Err(Gone));
    }

    #[tokio::test]
    async fn they_are_woken_in_the_order_in_which_they_began_to_wait() {
        let number = Number::new(0);
        let (told, mut order) = tokio::sync::mpsc::unbounded_channel();
        for nth in 0..20 {
            let (mut follower, told) = (number.follow(), told.clone());
            tokio::spawn(async move {
                follower.changed().await.unwrap();
                told.send(nth).unwrap();
            });
        }
        tokio::task::yield_now().await;
        number.set(1);
        drop(told);
        let mut seen = Vec::new();
        while let Some(nth) = order.recv().await {
            seen.push(nth);
        }
        assert_eq!(seen, (0..20).collect::<Vec<_>>());
    }
}
