//! Whom recent requests touched: what no rule over one request can count.

use gf_model::{AccountId, Timestamp, person::Principal};
use std::collections::BTreeSet;

/// Requests within this time count together.
pub const WINDOW_SECONDS: i64 = 15 * 60;

#[derive(Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    by: Principal,
    account: AccountId,
    at: Timestamp,
}

impl Ledger {
    /// Counts accounts as touched from now on.
    pub fn reserve(&mut self, by: &Principal, accounts: &[AccountId], now: Timestamp) {
        self.entries.retain(|entry| now.duration_since(entry.at).as_secs() < WINDOW_SECONDS);
        let entry = |account: &AccountId| Entry { by: by.clone(), account: account.clone(), at: now };
        self.entries.extend(accounts.iter().map(entry));
    }

    /// Gives back what was counted for a request that then did not happen.
    pub fn release(&mut self, by: &Principal, accounts: &[AccountId]) {
        for account in accounts {
            let newest = self.entries.iter().rposition(|entry| entry.by == *by && entry.account == *account);
            if let Some(place) = newest {
                self.entries.remove(place);
            }
        }
    }

    /// Distinct accounts that this request and the recent ones of the same hand touch together.
    pub fn touched_with(
        &self,
        by: &Principal,
        accounts: &[AccountId],
        now: Timestamp,
    ) -> BTreeSet<AccountId> {
        let is_recent = |entry: &&Entry| {
            is_same_hand(&entry.by, by) && now.duration_since(entry.at).as_secs() < WINDOW_SECONDS
        };
        let recent = self.entries.iter().filter(is_recent).map(|entry| entry.account.clone());
        recent.chain(accounts.iter().cloned()).collect()
    }
}

/// All agents are one hand: what one may not do, it must not get done by asking in another's name.
fn is_same_hand(a: &Principal, b: &Principal) -> bool {
    a == b || matches!((a, b), (Principal::Agent(_), Principal::Agent(_)))
}
