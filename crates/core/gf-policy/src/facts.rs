//! What a rule can look at: a request's consequences as plain numbers, counted from the plan, the fleet and the ledger.
//!
//! Rules compare and never count. What is not in here no rule can depend on.

use crate::{Request, breaker, hard};
use gf_model::{
    AccountId, InstanceId,
    instance::InstanceState,
    person::{PersonRole, Principal},
    verb::Verb,
};
use serde::Deserialize;

/// How many accounts are named in a sentence.
const NAMED: usize = 10;

/// The verbs by which the control plane protects the fleet by itself.
pub const PROTECTIVE: [&str; 4] = ["restart", "failover", "rebuild_standby", "rollback"];

/// Counts are of one request, unless they say otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Facts {
    /// Distinct users that it touches together with what the same hand did within 15 minutes.
    pub users: usize,
    /// The first of them, for a sentence.
    pub first_users: Vec<AccountId>,
    /// Users that it touches by itself.
    pub accounts: usize,
    pub instances: usize,
    /// The most instances that change together before anybody looks whether they are well.
    pub unvalidated: usize,
    /// How long a silence lasts.
    pub minutes: usize,
    /// Cents a month.
    pub cost_delta: i64,
    /// Cents a month, of the whole fleet.
    pub monthly_before: i64,
    /// The primary that a failover leaves has FAILED.
    pub primary_failed: bool,
    /// An ACTIVE primary would be deleted while no ACTIVE standby stays and no archive is taken.
    pub leaves_unprotected: Option<Unprotected>,
    /// A teardown of standbys only, none of which was ever ACTIVE.
    pub never_ran: bool,
    pub failovers_running: usize,
    /// Pairs that moved within ten minutes, with this one.
    pub failovers_lately: usize,
    pub failovers_allowed: usize,
    /// The provider reports an incident where the primary is.
    pub outage_confirmed: bool,
    /// A person has stopped all automation.
    pub frozen: bool,
}

/// The primary that would be gone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Unprotected {
    pub account: AccountId,
    pub instance: InstanceId,
}

/// A request as rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub principal: &'a Principal,
    /// Of a person; agents and services have none.
    pub role: Option<PersonRole>,
    pub verb: &'a str,
    pub facts: &'a Facts,
}

impl Facts {
    pub fn of(request: &Request<'_>) -> Self {
        let Request { verb, plan, fleet, .. } = request;
        let (users, first_users) =
            request.ledger.users_with(request.principal, &plan.accounts, request.now, NAMED);
        let mut facts = Self {
            users,
            first_users,
            accounts: plan.accounts.len(),
            instances: plan.instances.len(),
            unvalidated: hard::unvalidated(verb, plan),
            cost_delta: plan.cost_delta.0,
            monthly_before: plan.monthly_before.0,
            leaves_unprotected: hard::leaves_unprotected(fleet, verb, plan),
            frozen: fleet.frozen().is_some(),
            ..Self::default()
        };
        match verb {
            Verb::Restart { instances, .. } => facts.instances = facts.instances.max(instances.len()),
            Verb::Silence { minutes, .. } => facts.minutes = *minutes as usize,
            Verb::Failover { account, .. } => {
                let failed = |account: &AccountId| {
                    fleet.primary_of(account).is_some_and(|primary| {
                        matches!(primary.state, InstanceState::Failed | InstanceState::Stopped)
                    })
                };
                let moves = || breaker::moves(fleet, request.ledger, account, request.now);
                // More than the breaker lets through by itself is only a rescue where somebody else saw it too.
                let rescues = plan.accounts.len() <= 1 || {
                    let moves = moves();
                    moves.confirmed || moves.lately + plan.accounts.len() <= moves.allowed + 1
                };
                facts.primary_failed =
                    rescues && !plan.accounts.is_empty() && plan.accounts.iter().all(failed);
                // Only the control plane's own failovers are under the breaker, and counting is not free.
                if matches!(request.principal, Principal::Service(_)) {
                    let moves = moves();
                    facts.failovers_running = moves.running;
                    facts.failovers_lately = moves.lately;
                    facts.failovers_allowed = moves.allowed;
                    facts.outage_confirmed = moves.confirmed;
                }
            }
            Verb::Teardown { accounts, standby_only: true, .. } => {
                let never_ran = |account: &AccountId| {
                    fleet
                        .standby_of(account)
                        .is_some_and(|standby| standby.active_at.is_none() && !standby.is_active())
                };
                facts.never_ran = !accounts.is_empty() && accounts.iter().all(never_ran);
            }
            _ => {}
        }
        facts
    }

    /// The first of the users, and how many more there are.
    pub fn names(&self) -> String {
        let shown: Vec<_> = self.first_users.iter().map(AccountId::as_str).collect();
        match self.users.saturating_sub(shown.len()) {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    }

    /// By how many percent the fleet's cost rises, with one decimal; nothing where there was no cost before.
    pub fn cost_percent(&self) -> Option<String> {
        let tenths =
            i128::from(self.cost_delta) * 1000 / Some(i128::from(self.monthly_before)).filter(|b| *b > 0)?;
        Some(format!("{}.{}", tenths / 10, (tenths % 10).abs()))
    }
}

impl Asked<'_> {
    /// Whether it protects users instead of changing something for them: these acts have a breaker of their own and are
    /// not counted against the limits of the others.
    pub fn protects(&self) -> bool {
        let rescues = self.verb == "failover" && self.facts.primary_failed;
        is_protective(self.principal, self.verb) || rescues || self.verb == "rebuild_standby"
    }
}

/// Whether the control plane does it by itself to protect the fleet.
pub fn is_protective(principal: &Principal, verb: &str) -> bool {
    matches!(principal, Principal::Service(_)) && PROTECTIVE.contains(&verb)
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
