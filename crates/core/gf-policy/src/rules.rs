//! The typed rules for every limit of the fleet. They may be tightened, and never fall below these.

use crate::{
    Allowed, Decision, Needs, Policy, Request,
    agents::{Right, is_child, row},
    breaker::{self, Verdict},
    facts::Facts,
    hard::{self, refused},
    limits,
};
use gf_model::{
    AccountId, Cents,
    instance::InstanceState,
    person::{PersonRole, Principal},
    verb::Verb,
};

/// The rules that a fleet starts with.
#[derive(Debug, Clone, Copy, Default)]
pub struct StandardPolicy {
    /// A second person must agree where the cost rises by more than the limit.
    pub second_person_over_cost: bool,
}

impl Policy for StandardPolicy {
    fn decide(&self, request: &Request<'_>) -> Decision {
        let facts = Facts::of(request);
        let asked = crate::Asked {
            principal: request.principal,
            role: request.role,
            verb: request.verb.name(),
            facts: &facts,
        };
        if let Err(refused) = hard::floor(&asked)
            && ["too_many_at_once", "teardown_unprotected"].contains(&refused.rule.as_str())
        {
            return Decision::Refuse(refused);
        }
        match request.principal {
            Principal::Service(_) if request.protective => protective(request),
            Principal::Service(name) => refuse(
                "service_not_permitted",
                format!("service {name} may not {} by itself", request.verb.name()),
                "a person or Commander can ask for it",
            ),
            Principal::Agent(name) => self.agent(request, name),
            Principal::Person(id) => match request.role {
                Some(role) if role >= PersonRole::Operator => self.person(request, role),
                _ => refuse(
                    "role_too_low",
                    format!("{id} may look and not {}", request.verb.name().replace('_', " ")),
                    "an admin can raise the role: clawops people list",
                ),
            },
        }
    }
}

/// Healing, failing over, replacing a standby, undoing a failing rollout.
fn protective(request: &Request<'_>) -> Decision {
    let Verb::Failover { account, .. } = request.verb else { return allow("protective_act") };
    match breaker::decide(&breaker::moves(request.fleet, request.ledger, account, request.now)) {
        Verdict::Go => allow("protective_act"),
        Verdict::Wait { running } => refuse(
            "breaker_failovers_at_once",
            format!("{running} failovers run already; the limit is {}", limits::FAILOVERS_AT_ONCE),
            "it is tried again when one has ended",
        ),
        Verdict::Halt { moved, allowed } => refuse(
            "breaker_halted",
            format!(
                "{moved} pairs moved within ten minutes and the limit is {allowed}; no provider reports an incident there"
            ),
            "a person must look whether the gateways or their observer failed, and can order the failover",
        ),
    }
}

impl StandardPolicy {
    fn agent(&self, request: &Request<'_>, name: &str) -> Decision {
        let Some(row) = row(name) else {
            return refuse(
                "unknown_agent",
                format!("{name} is no agent of the team"),
                "the agents are commander, guardian, forge, ledger, triage and briefer",
            );
        };
        match row.right(request.verb) {
            _ if clears_a_failed_build(request, row.agent) => allow("forge_clears_what_it_failed_to_build"),
            Right::Never => refuse(
                "outside_the_agents_row",
                format!("agent {name} may never {}", request.verb.name().replace('_', " ")),
                "Commander can ask a person for it",
            ),
            Right::Ask if is_child(name) => refuse(
                "child_asks_nobody",
                format!("{name} has its parent's rights except that of asking a person"),
                "the parent can ask",
            ),
            Right::Ask => self.ask("agent_must_ask", request),
            Right::Alone => match more_than_alone(request) {
                Some(_) if is_child(name) => refuse(
                    "child_asks_nobody",
                    format!("this is more than {name} may do alone, and a child asks no person"),
                    "the parent can ask",
                ),
                Some(why) => self.ask_noting("beyond_what_agents_do_alone", request, Some(why)),
                None => allow("agent_alone"),
            },
        }
    }

    fn person(&self, request: &Request<'_>, role: PersonRole) -> Decision {
        let alone = match request.verb {
            Verb::Restart { .. } => Some("person_restarts_a_few"),
            Verb::Silence { .. } => Some("person_silences"),
            Verb::Failover { .. } => Some("person_rescues_a_failed_primary"),
            _ => None,
        };
        if let Some(rule) = alone
            && more_than_alone(request).is_none()
        {
            return allow(rule);
        }
        let rule =
            if role >= PersonRole::Approver { "person_confirms" } else { "operator_needs_an_approver" };
        let mut decision = self.ask(rule, request);
        if let Decision::NeedsApproval(needs) = &mut decision
            && role < PersonRole::Approver
        {
            needs.second_person = true;
        }
        decision
    }

    fn ask(&self, rule: &str, request: &Request<'_>) -> Decision {
        self.ask_noting(rule, request, None)
    }

    fn ask_noting(&self, rule: &str, request: &Request<'_>, note: Option<String>) -> Decision {
        let mut needs =
            Needs { rules: vec![rule.to_owned()], notes: note.into_iter().collect(), second_person: false };
        let touched =
            request.ledger.users_with(request.principal, &request.plan.accounts, request.now, usize::MAX).1;
        if touched.len() > limits::USERS {
            needs.rules.push("more_than_ten_users".to_owned());
            needs.notes.push(format!(
                "affects {} users, counting the last 15 minutes: {}",
                touched.len(),
                first_names(&touched)
            ));
        }
        if let Some(percent) = cost_rise(request.plan.monthly_before, request.plan.cost_delta) {
            needs.rules.push("cost_rises_by_more_than_a_fifth".to_owned());
            needs.notes.push(format!("the fleet's monthly cost rises by {percent} %"));
            needs.second_person |= self.second_person_over_cost;
        }
        Decision::NeedsApproval(needs)
    }
}

/// Why nobody may do this much without asking.
fn more_than_alone(request: &Request<'_>) -> Option<String> {
    match request.verb {
        Verb::Restart { instances, .. } if instances.len() > limits::RESTARTS_ALONE => Some(format!(
            "{} instances restart; up to {} need nobody",
            instances.len(),
            limits::RESTARTS_ALONE
        )),
        Verb::Restart { .. } => {
            let users =
                request.ledger.users_with(request.principal, &request.plan.accounts, request.now, 0).0;
            (users > limits::USERS)
                .then(|| format!("{users} users within 15 minutes; up to {} need nobody", limits::USERS))
        }
        Verb::Silence { minutes, .. } if *minutes > limits::SILENCE_ALONE_MINUTES => {
            Some(format!("{minutes} minutes of silence; up to {} need nobody", limits::SILENCE_ALONE_MINUTES))
        }
        Verb::Failover { account, .. } => {
            let failed = request.fleet.primary_of(account).is_some_and(|primary| {
                matches!(primary.state, InstanceState::Failed | InstanceState::Stopped)
            });
            (!failed).then(|| "the primary has not FAILED; moving it is a choice and not a rescue".to_owned())
        }
        _ => None,
    }
}

/// Forge takes away a standby that it could not get to run; one that ever was ACTIVE is somebody's protection.
fn clears_a_failed_build(request: &Request<'_>, agent: &str) -> bool {
    let Verb::Teardown { accounts, standby_only: true, .. } = request.verb else { return false };
    let never_ran = |account: &AccountId| {
        request
            .fleet
            .standby_of(account)
            .is_some_and(|standby| standby.active_at.is_none() && !standby.is_active())
    };
    agent == "forge" && !accounts.is_empty() && accounts.iter().all(never_ran)
}

fn first_names(accounts: &[AccountId]) -> String {
    let shown: Vec<_> = accounts.iter().take(limits::USERS).map(AccountId::as_str).collect();
    match accounts.len().saturating_sub(limits::USERS) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// By how many percent the cost rises, where that is more than the limit; one decimal.
fn cost_rise(before: Cents, delta: Cents) -> Option<String> {
    let is_more = delta.0 * 100 > before.0 * limits::COST_PERCENT;
    (before >= limits::COST_BASE && is_more).then(|| {
        let tenths = delta.0 * 1000 / before.0;
        format!("{}.{}", tenths / 10, tenths % 10)
    })
}

fn allow(rule: &str) -> Decision {
    Decision::Allow(Allowed { rules: vec![rule.to_owned()] })
}

fn refuse(rule: &str, message: String, fix: &str) -> Decision {
    Decision::Refuse(refused(rule, message, fix))
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
