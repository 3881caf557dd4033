//! How often one caller may ask: an allowance per principal, so that nobody's flood is another one's silence, and a bound
//! on what all agents together have in hand, so that a person always finds room.
//!
//! It is asked after the caller is proven and before anything is done for them. Who does not prove it is counted by
//! address, and only then: whoever has a key is never refused because of a stranger at the same address.

use crate::{
    auth::{Identity, PLUGIN_ITSELF},
    problem::Problem,
};
use axum::http::StatusCode;
use gf_model::person::Principal;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::NoOpMiddleware,
    state::keyed::HashMapStateStore,
};
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Serialize;
use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A change costs as much as so many reads.
const CHANGE: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);
/// When a caller with too many streams may look whether one of them has ended.
const STREAM_RETRY_SECONDS: u64 = 5;
/// After so many requests callers who have not asked for long are forgotten.
const FORGET_EVERY: u32 = 4096;

/// What is allowed, as `GET /v1/limits` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Of each person. A fifth of a minute's requests may come at once; a change counts as five reads.
    pub person_per_minute: NonZeroU32,
    /// Of each agent; a spawned child is counted with its parent.
    pub agent_per_minute: NonZeroU32,
    /// Of the ops gateway's plugin, which carries what people say.
    pub plugin_per_minute: NonZeroU32,
    /// Requests of all agents that are being answered at the same time.
    pub agents_at_once: usize,
    /// Event streams that one caller may have open.
    pub streams_at_once: usize,
    /// From one address, of callers who did not prove who they are.
    pub strangers_per_minute: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        let per_minute = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self {
            person_per_minute: per_minute(30_000),
            agent_per_minute: per_minute(3_000),
            plugin_per_minute: per_minute(30_000),
            agents_at_once: 32,
            streams_at_once: 16,
            strangers_per_minute: per_minute(6_000),
        }
    }
}

type ByAddress = RateLimiter<Option<IpAddr>, HashMapStateStore<Option<IpAddr>>, DefaultClock, NoOpMiddleware>;
type Keyed = RateLimiter<String, HashMapStateStore<String>, DefaultClock, NoOpMiddleware>;

/// Who has asked how often.
pub struct Pace {
    pub limits: Limits,
    people: Keyed,
    agents: Keyed,
    plugin: Keyed,
    strangers: ByAddress,
    in_hand: Arc<Semaphore>,
    streams: Arc<Mutex<HashMap<String, usize>>>,
    asked: AtomicU32,
}

/// Held while a stream of events is open.
pub struct Streaming {
    who: String,
    all: Arc<Mutex<HashMap<String, usize>>>,
}

impl Drop for Streaming {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        let left = all.get(&self.who).map_or(0, |open| open.saturating_sub(1));
        match left {
            0 => drop(all.remove(&self.who)),
            left => drop(all.insert(self.who.clone(), left)),
        }
    }
}

/// Held while a request is answered.
pub struct Admitted(
    #[allow(dead_code, reason = "it is given back when it is dropped")] Option<OwnedSemaphorePermit>,
);

impl Pace {
    pub fn of(limits: Limits) -> Self {
        Self {
            limits,
            people: keyed(limits.person_per_minute),
            agents: keyed(limits.agent_per_minute),
            plugin: keyed(limits.plugin_per_minute),
            strangers: RateLimiter::hashmap_with_clock(
                quota(limits.strangers_per_minute),
                DefaultClock::default(),
            ),
            in_hand: Arc::new(Semaphore::new(limits.agents_at_once)),
            streams: Arc::default(),
            asked: AtomicU32::new(0),
        }
    }

    /// Lets a request in, or says when to ask again.
    pub fn admit(&self, who: &Identity, changes: bool) -> Result<Admitted, Problem> {
        self.forget();
        let cost = if changes { CHANGE } else { NonZeroU32::MIN };
        match &who.principal {
            Principal::Person(id) => counted(&self.people, id.as_str(), cost)?,
            Principal::Agent(name) if name == PLUGIN_ITSELF => counted(&self.plugin, name, cost)?,
            Principal::Agent(name) => {
                let parent = name.split('/').next().unwrap_or(name);
                counted(&self.agents, parent, cost)?;
                let permit = Arc::clone(&self.in_hand).try_acquire_owned();
                return permit.map(|permit| Admitted(Some(permit))).map_err(|_| {
                    too_many(
                        &format!("{} requests of agents are being answered", self.limits.agents_at_once),
                        1,
                    )
                });
            }
            Principal::Service(_) => {}
        }
        Ok(Admitted(None))
    }
}

impl Pace {
    /// Whoever did not prove who they are is counted by where they come from, so that they are nobody else's silence.
    pub fn stranger(&self, from: Option<IpAddr>) -> Result<(), Problem> {
        self.forget();
        self.strangers.check_key(&from).map_err(|early| {
            let wait = early.wait_time_from(DefaultClock::default().now());
            let whence = from.map_or_else(|| "an unknown address".to_owned(), |from| from.to_string());
            too_many(&format!("{whence} asks too often without a key"), wait.as_secs().saturating_add(1))
        })
    }

    /// Lets a caller have one more stream open; a child counts with its parent.
    pub fn stream(&self, who: &Identity) -> Result<Streaming, Problem> {
        let name = match &who.principal {
            Principal::Person(id) => id.to_string(),
            Principal::Agent(name) | Principal::Service(name) => {
                name.split('/').next().unwrap_or(name).to_owned()
            }
        };
        let mut all = self.streams.lock();
        let open = all.entry(name.clone()).or_default();
        if *open >= self.limits.streams_at_once {
            let seconds = STREAM_RETRY_SECONDS;
            let message = format!("{name} has {open} streams of events open");
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", message)
                .at("Retry-After", seconds)
                .fix("close one of them first; one stream tells every change"));
        }
        *open += 1;
        drop(all);
        Ok(Streaming { who: name, all: Arc::clone(&self.streams) })
    }

    fn forget(&self) {
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(FORGET_EVERY) {
            [&self.people, &self.agents, &self.plugin].into_iter().for_each(RateLimiter::retain_recent);
            self.strangers.retain_recent();
        }
    }
}

/// A fifth of a minute's requests at once, and never less than one change.
fn quota(per_minute: NonZeroU32) -> Quota {
    let burst = NonZeroU32::new(per_minute.get() / 5).unwrap_or(NonZeroU32::MIN).max(CHANGE);
    Quota::per_minute(per_minute).allow_burst(burst)
}

fn keyed(per_minute: NonZeroU32) -> Keyed {
    RateLimiter::hashmap_with_clock(quota(per_minute), DefaultClock::default())
}

fn counted(pace: &Keyed, who: &str, cost: NonZeroU32) -> Result<(), Problem> {
    match pace.check_key_n(&who.to_owned(), cost) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(early)) => {
            let wait = early.wait_time_from(DefaultClock::default().now());
            Err(too_many(&format!("{who} asks too often"), wait.as_secs().saturating_add(1)))
        }
        // A burst is never smaller than a change.
        Err(impossible) => Err(Problem::internal(impossible)),
    }
}

fn too_many(why: &str, seconds: u64) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", why)
        .at("Retry-After", seconds)
        .fix(format!("ask again in {seconds} s; GET /v1/limits says how often one may"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(principal: Principal) -> Identity {
        Identity { principal, role: None, conversation: None, trace: String::new(), call: None }
    }

    fn agent(name: &str) -> Identity {
        who(Principal::Agent(name.into()))
    }

    /// Ten at once, five of which a change costs; the next comes in six seconds.
    fn pace(agents_at_once: usize) -> Pace {
        let of = |n| NonZeroU32::new(n).unwrap();
        Pace::of(Limits {
            person_per_minute: of(50),
            agent_per_minute: of(50),
            plugin_per_minute: of(50),
            agents_at_once,
            streams_at_once: 2,
            strangers_per_minute: of(50),
        })
    }

    #[test]
    fn each_caller_has_an_allowance_of_their_own() {
        let pace = pace(9);
        let ada = who(Principal::Person("person-ada".parse().unwrap()));
        let admitted = |who: &Identity| pace.admit(who, false).is_ok();
        assert!((0..10).all(|_| admitted(&agent("commander"))));
        let refused = pace.admit(&agent("commander"), false).err().unwrap();
        assert_eq!((refused.status, refused.code.as_str()), (429, "too_many_requests"));
        assert!(!admitted(&agent("commander/1f3a")), "a child is its parent");
        assert!(admitted(&agent("guardian")) && admitted(&ada) && admitted(&agent(PLUGIN_ITSELF)));
    }

    #[test]
    fn a_change_counts_as_five_reads() {
        let pace = pace(9);
        assert!((0..2).all(|_| pace.admit(&agent("commander"), true).is_ok()));
        assert!(pace.admit(&agent("commander"), false).is_err());
    }

    #[test]
    fn agents_leave_room_and_give_it_back() {
        let pace = pace(1);
        let held = pace.admit(&agent("commander"), false).ok().unwrap();
        assert!(pace.admit(&agent("guardian"), false).is_err());
        assert!(pace.admit(&who(Principal::Person("person-ada".parse().unwrap())), false).is_ok());
        assert!(pace.admit(&agent(PLUGIN_ITSELF), false).is_ok());
        drop(held);
        assert!(pace.admit(&agent("guardian"), false).is_ok());
    }

    #[test]
    fn streams_are_counted_by_caller_and_given_back() {
        let pace = pace(9);
        let held =
            [pace.stream(&agent("commander")).unwrap(), pace.stream(&agent("commander/1f3a")).unwrap()];
        let refused = pace.stream(&agent("commander")).err().unwrap();
        assert_eq!((refused.status, refused.code.as_str()), (429, "too_many_streams"));
        assert_eq!(refused.field.as_deref(), Some("Retry-After"));
        let other = pace.stream(&agent("guardian"));
        assert!(other.is_ok());
        drop(held);
        assert!(pace.stream(&agent("commander")).is_ok());
        drop(other);
        assert!(pace.streams.lock().is_empty(), "nobody is remembered for nothing");
    }

    #[test]
    fn strangers_are_counted_by_address() {
        let pace = pace(9);
        let from = |last| Some(IpAddr::from([10, 0, 0, last]));
        assert!((0..10).all(|_| pace.stranger(from(1)).is_ok()));
        assert_eq!(pace.stranger(from(1)).unwrap_err().code, "too_many_requests");
        assert!(pace.stranger(from(2)).is_ok() && pace.stranger(None).is_ok());
        assert!(pace.admit(&agent("commander"), false).is_ok());
    }
}
