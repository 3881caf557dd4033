//! Whom recent requests touched, and which failovers are about to start: what no rule over one request can count.
//!
//! Whoever judges holds it from the count to the reservation; else two requests would each find room for themselves.

use gf_model::{AccountId, Timestamp, fleet::Fleet, operation::Operation, person::Principal, verb::Verb};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Requests within this time count together.
pub const WINDOW_SECONDS: i64 = 15 * 60;

#[derive(Debug, Default)]
pub struct Ledger {
    hands: BTreeMap<Hand, Touched>,
    starting: BTreeMap<AccountId, usize>,
}

/// Accounts that feel it: those that it names, and the owners of the instances that it names.
fn touched_by(fleet: &Fleet, verb: &Verb) -> BTreeSet<AccountId> {
    let instances = match verb {
        Verb::Restart { instances, .. } => instances.as_slice(),
        _ => &[],
    };
    let owners = instances.iter().filter_map(|id| fleet.instances.get(id)).map(|i| i.account.clone());
    verb.accounts().iter().cloned().chain(owners).collect()
}

/// All agents are one hand: what one may not do, it must not get done by asking in another's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Hand {
    Agents,
    One(Principal),
}

#[derive(Debug, Default)]
struct Touched {
    /// How many reservations each account has.
    accounts: BTreeMap<AccountId, usize>,
    /// In the order of the reservations, so that forgetting costs no more than reserving did.
    order: VecDeque<(Timestamp, AccountId)>,
}

impl Ledger {
    /// What the operations of a fleet say was touched within the window: a control plane that starts anew counts on
    /// where the last one ended. Protective acts, which services start, were never counted.
    pub fn of(fleet: &Fleet, now: Timestamp) -> Self {
        let mut ledger = Self::default();
        let counts = |operation: &&Operation| {
            !matches!(operation.principal, Principal::Service(_)) && is_recent(operation.created_at, now)
        };
        let mut recent: Vec<_> = fleet.operations.values().filter(counts).collect();
        recent.sort_by_key(|operation| operation.created_at);
        for operation in recent {
            let touched: Vec<_> = touched_by(fleet, &operation.verb).into_iter().collect();
            ledger.reserve(&operation.principal, &touched, operation.created_at);
        }
        ledger
    }

    /// Counts accounts as touched from now on.
    pub fn reserve(&mut self, by: &Principal, accounts: &[AccountId], now: Timestamp) {
        self.forget(now);
        let hand = self.hands.entry(Hand::of(by)).or_default();
        for account in accounts {
            *hand.accounts.entry(account.clone()).or_default() += 1;
            hand.order.push_back((now, account.clone()));
        }
    }

    /// Gives back what was counted for a request that then did not happen.
    pub fn release(&mut self, by: &Principal, accounts: &[AccountId]) {
        let Some(hand) = self.hands.get_mut(&Hand::of(by)) else { return };
        for account in accounts {
            if let Some(newest) = hand.order.iter().rposition(|(_, touched)| touched == account) {
                hand.order.remove(newest);
                hand.drop_one(account);
            }
        }
    }

    /// Lets go of what no longer counts.
    pub fn forget(&mut self, now: Timestamp) {
        for hand in self.hands.values_mut() {
            while let Some((at, account)) = hand.order.pop_front() {
                if is_recent(at, now) {
                    hand.order.push_front((at, account));
                    break;
                }
                hand.drop_one(&account);
            }
        }
        self.hands.retain(|_, hand| !hand.order.is_empty());
    }

    /// How many distinct accounts this request and the recent ones of the same hand touch together, and the first
    /// few of them.
    pub fn users_with(
        &self,
        by: &Principal,
        accounts: &[AccountId],
        now: Timestamp,
        named: usize,
    ) -> (usize, Vec<AccountId>) {
        let stale: BTreeMap<AccountId, usize>;
        let nobody = BTreeMap::new();
        let recent = match self.hands.get(&Hand::of(by)) {
            None => &nobody,
            Some(hand) if hand.order.iter().next().is_none_or(|(at, _)| is_recent(*at, now)) => {
                &hand.accounts
            }
            Some(hand) => {
                let still = hand.order.iter().filter(|(at, _)| is_recent(*at, now));
                stale = still.map(|(_, account)| (account.clone(), 1)).collect();
                &stale
            }
        };
        let fresh: Vec<&AccountId> =
            accounts.iter().filter(|account| !recent.contains_key(account)).collect();
        let fresh_count =
            if is_sorted_set(&fresh) { fresh.len() } else { fresh.iter().collect::<BTreeSet<_>>().len() };
        let mut first: BTreeSet<&AccountId> = recent.keys().take(named).collect();
        for account in fresh {
            let belongs = first.len() < named || first.last().is_some_and(|last| account < *last);
            if belongs && first.insert(account) && first.len() > named {
                first.pop_last();
            }
        }
        (recent.len() + fresh_count, first.into_iter().cloned().collect())
    }

    /// A failover was let in and is no operation yet.
    pub fn start_failover(&mut self, account: &AccountId) {
        *self.starting.entry(account.clone()).or_default() += 1;
    }

    /// It is an operation now, or it came to nothing.
    pub fn failover_started(&mut self, account: &AccountId) {
        if let Some(count) = self.starting.get_mut(account) {
            *count -= 1;
            if *count == 0 {
                self.starting.remove(account);
            }
        }
    }

    /// Accounts whose failover is about to start.
    pub fn failovers_starting(&self) -> impl Iterator<Item = &AccountId> {
        self.starting.keys()
    }
}

impl Hand {
    fn of(by: &Principal) -> Self {
        match by {
            Principal::Agent(_) => Self::Agents,
            other => Self::One(other.clone()),
        }
    }
}

impl Touched {
    fn drop_one(&mut self, account: &AccountId) {
        if let Some(count) = self.accounts.get_mut(account) {
            *count -= 1;
            if *count == 0 {
                self.accounts.remove(account);
            }
        }
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at).as_secs() < WINDOW_SECONDS
}

fn is_sorted_set(accounts: &[&AccountId]) -> bool {
    accounts.is_sorted_by(|a, b| a < b)
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
