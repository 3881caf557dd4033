//! A control plane that does not lead: it applies what the one that does writes, and takes over when that one's lease ends.
//!
//! It is woken by the database and looks by itself too, so that a word that was lost costs half a second. It must never take
//! over while the database lacks anything that it knows was acknowledged: then a person decides.

use crate::{
    PostgresBackend,
    leader::Leader,
    link::{Link, within},
    log::{self, Control},
    losses, rows,
};
use gf_model::ambient::Clock;
use gf_store::{FleetStore, Following, Leader as Led, News, Position, StoreError};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

impl PostgresBackend {
    /// Follows until the lease could be taken; then everything durable was applied, and the store leads.
    ///
    /// `known` is what this control plane knows to have been acknowledged, from an earlier life.
    pub async fn follow(
        &self,
        store: FleetStore,
        known: Option<Known>,
        clock: Arc<dyn Clock>,
    ) -> Result<u64, StoreError> {
        let leader = Arc::clone(&self.leader);
        let wake = Arc::new(Notify::new());
        let known = known.unwrap_or_else(|| Known { position: store.position(), generation: 0 });
        let follower = Follower {
            leader,
            store,
            clock,
            wake,
            link: None,
            known,
            led: Led::default(),
            left: Duration::MAX,
            lives: false,
            told: Told::default(),
        };
        self.on_our_runtime(follower.run()).await
    }
}

/// What a control plane knows to have been acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    pub position: Position,
    /// The highest generation that was given.
    pub generation: u64,
}

struct Follower {
    leader: Arc<Leader>,
    store: FleetStore,
    clock: Arc<dyn Clock>,
    wake: Arc<Notify>,
    link: Option<Link>,
    /// What was acknowledged, as far as is known here.
    known: Known,
    /// Who led when the database was last seen.
    led: Led,
    left: Duration,
    lives: bool,
    told: Told,
}

/// What was told of why the log cannot be read. It is tried several times a second, and nobody reads that often.
#[derive(Default)]
struct Told(Option<(String, Instant)>);

impl Told {
    const AGAIN: Duration = Duration::from_secs(60);

    /// Whether this is news, or was told long ago.
    fn is_due(&mut self, why: String, now: Instant) -> bool {
        let is_due = match &self.0 {
            Some((told, at)) => *told != why || now.duration_since(*at) >= Self::AGAIN,
            None => true,
        };
        if is_due {
            self.0 = Some((why, now));
        }
        is_due
    }
}

/// Whether the database still has what is known.
fn went_back(known: &Position, control: &Control) -> bool {
    let trail_differs = known.head.seq > 0 && control.hash.as_deref() != Some(known.head.hash.as_str());
    control.number < known.number || trail_differs
}

impl Follower {
    async fn run(mut self) -> Result<u64, StoreError> {
        let often = self.leader.options.lease / 4;
        loop {
            let wait = match self.step().await {
                Ok(Step::Leads(generation)) => return Ok(generation),
                Ok(Step::Wait(left)) => {
                    self.told = Told::default();
                    left.min(often)
                }
                Err(StoreError::Closed) => return Err(StoreError::Closed),
                Err(error) => {
                    self.tell(&error);
                    often
                }
            };
            let _ = tokio::time::timeout(wait, self.wake.notified()).await;
        }
    }

    /// Reads go on from memory, and say since when nothing was heard.
    fn tell(&mut self, error: &StoreError) {
        let gf_store::Standing::Follows(mut following) = self.store.standing() else { return };
        if let StoreError::WentBack { place, stored, known } = error {
            if following.halted.is_none() {
                tracing::error!(%error, "nothing goes on here until an admin says so");
            }
            let again = StoreError::WentBack { place: place.clone(), stored: *stored, known: *known };
            following.halted = Some(Arc::new(again));
        } else if self.told.is_due(error.to_string(), Instant::now()) {
            tracing::warn!(%error, "the change log could not be read; it is tried again, and told again in a minute");
        }
        self.store.heard(following);
    }

    async fn step(&mut self) -> Result<Step, StoreError> {
        let (place, options) = (self.leader.place(), self.leader.options);
        let link = match self.link.take().filter(Link::is_open) {
            Some(link) => link,
            None => Link::listening(&self.leader.address, options, Arc::clone(&self.wake)).await?,
        };
        let looking = log::look(&link.client, self.known.position.head.seq);
        let control = within(&place, options.patience, looking).await?;
        // A newer program may have taken over meanwhile, and left what this one cannot go on with.
        control.written.age(Path::new(&place))?;
        if went_back(&self.known.position, &control) {
            let asking = losses::covers(&link.client, self.known.position.number);
            if !within(&place, options.patience, asking).await? {
                let (stored, known) = (control.number, self.known.position.number);
                self.leader.lacking(Some(self.known.clone()));
                self.link = Some(link);
                return Err(StoreError::WentBack { place, stored, known });
            }
            let reading = rows::everything(&link.client);
            let raw = within(&place, options.patience, reading).await?;
            self.apply(News::Whole(Box::new(raw.parse(&place)?)));
            self.store.set_heads_aside().await?;
            self.leader.lacking(None);
        }
        self.known.generation = self.known.generation.max(control.generation);
        self.lives = self.lives && self.led == control.leader || control.left > self.left;
        (self.led, self.left) = (control.leader, control.left);
        self.heard(control.number);
        if control.number > self.store.position().number {
            self.catch_up(&link).await?;
        }
        self.link = Some(link);
        if !control.left.is_zero() {
            return Ok(Step::Wait(control.left));
        }
        self.take_over().await
    }

    async fn catch_up(&mut self, link: &Link) -> Result<(), StoreError> {
        let place = self.leader.place();
        let seen = self.store.position();
        let reading = log::since(&link.client, &seen);
        let news = within(&place, self.leader.options.patience, reading).await?.parse(&place)?;
        self.apply(news);
        Ok(())
    }

    fn apply(&mut self, news: News) {
        self.store.advance(news);
        self.known.position = self.store.position();
    }

    fn heard(&self, newest: u64) {
        let heard = Some(self.clock.now());
        let Known { generation, .. } = self.known;
        let (leader, lives) = (self.led.clone(), self.lives);
        self.store.heard(Following { leader, lives, generation, newest, heard, halted: None });
    }

    /// From when the lease is ours nobody else writes: what is read then is all there is.
    async fn take_over(&mut self) -> Result<Step, StoreError> {
        let Some(generation) = Arc::clone(&self.leader).take_if_over().await? else {
            return Ok(Step::Wait(Duration::ZERO));
        };
        let Some(link) = self.link.take() else { return Ok(Step::Wait(Duration::ZERO)) };
        self.catch_up(&link).await?;
        self.leader.writer.lock().await.number = self.known.position.number;
        self.store.lead(generation)?;
        tracing::info!(generation, after = self.known.position.number, "this control plane leads now");
        Ok(Step::Leads(generation))
    }
}

enum Step {
    /// This much of the leader's lease is left.
    Wait(Duration),
    Leads(u64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_follower_from_reading_is_told_once_and_each_minute_and_another_cause_at_once() {
        let (mut told, begun) = (Told::default(), Instant::now());
        let at = |seconds: u64| begun + Duration::from_secs(seconds);
        assert!(told.is_due("newer".into(), at(0)));
        assert!(!told.is_due("newer".into(), at(1)));
        assert!(!told.is_due("newer".into(), at(59)));
        assert!(told.is_due("newer".into(), at(60)));
        assert!(told.is_due("gone".into(), at(61)));
        assert!(!told.is_due("gone".into(), at(120)));
    }
}
