//! Room in the ledger, taken in the same moment in which a request is judged and given back if it comes to nothing.

use gf_model::{AccountId, Timestamp, person::Principal, plan::Plan, verb::Verb};
use gf_policy::{Ledger, is_protective};
use parking_lot::Mutex;
use std::sync::Arc;

/// Dropped without [`Reserved::keep`], nothing was touched.
pub(crate) struct Reserved {
    ledger: Arc<Mutex<Ledger>>,
    by: Principal,
    accounts: Vec<AccountId>,
    failover: Option<AccountId>,
}

impl Reserved {
    /// Whoever judged holds the ledger still: nobody else finds the same room.
    pub(crate) fn take(
        shared: &Arc<Mutex<Ledger>>,
        ledger: &mut Ledger,
        by: &Principal,
        plan: &Plan,
        now: Timestamp,
    ) -> Self {
        // What the control plane does to protect users is under its breaker and counted there.
        let (accounts, failover) = match (&plan.verb, is_protective(by, plan.verb.name())) {
            (Verb::Failover { account, .. }, true) => (Vec::new(), Some(account.clone())),
            (_, true) => (Vec::new(), None),
            (_, false) => (plan.accounts.clone(), None),
        };
        ledger.reserve(by, &accounts, now);
        if let Some(account) = &failover {
            ledger.start_failover(account);
        }
        Self { ledger: shared.clone(), by: by.clone(), accounts, failover }
    }

    /// It happens: the users were touched.
    pub(crate) fn keep(mut self) {
        self.accounts.clear();
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut ledger = self.ledger.lock();
        ledger.release(&self.by, &self.accounts);
        // Started, it is an operation and counted as one.
        if let Some(account) = &self.failover {
            ledger.failover_started(account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_model::Cents;

    fn plan(verb: Verb) -> Plan {
        let account = "0001".parse().unwrap();
        Plan {
            verb,
            accounts: vec![account],
            instances: vec![],
            stages: vec![],
            cost_delta: Cents(0),
            monthly_before: Cents(0),
            lines: vec![],
            irreversible: vec![],
            warnings: vec![],
        }
    }

    fn take(ledger: &Arc<Mutex<Ledger>>, by: &Principal) -> Reserved {
        let plan =
            plan(Verb::Failover { account: "0001".parse().unwrap(), reason: "r".into(), outage: None });
        Reserved::take(ledger, &mut ledger.lock(), by, &plan, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn what_comes_to_nothing_is_given_back() {
        let ledger: Arc<Mutex<Ledger>> = Arc::default();
        let commander = Principal::Agent("commander".into());
        let users = || ledger.lock().users_with(&commander, &[], Timestamp::UNIX_EPOCH, 9).0;
        let reserved = take(&ledger, &commander);
        assert_eq!(users(), 1);
        drop(reserved);
        assert_eq!(users(), 0);
        take(&ledger, &commander).keep();
        assert_eq!(users(), 1);
    }

    #[test]
    fn a_protective_failover_is_known_until_it_is_an_operation() {
        let ledger: Arc<Mutex<Ledger>> = Arc::default();
        let healer = Principal::Service("healer".into());
        let starting = || ledger.lock().failovers_starting().count();
        let reserved = take(&ledger, &healer);
        assert_eq!((starting(), ledger.lock().users_with(&healer, &[], Timestamp::UNIX_EPOCH, 9).0), (1, 0));
        reserved.keep();
        assert_eq!(starting(), 0);
    }
}
