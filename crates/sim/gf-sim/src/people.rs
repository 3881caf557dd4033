//! What people and agents ask for while everything goes wrong: every kind of change, answers too late and twice, and
//! second thoughts about what runs already.

use crate::trace::Trace;
use gf_model::{
    AccountId, ApprovalCode, OperationId, PersonId, Tier,
    approval::ApprovalState,
    fleet::Fleet,
    operation::OperationState,
    person::Principal,
    provider::Pool,
    verb::{Pace, Strategy, TeardownReason, Verb},
};
use gf_requests::{Act, Caller, Options, Outcome, Push, Refusal, Requests};
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Accounts that exist or may be asked for.
pub const ACCOUNTS: u32 = 4;

/// Somebody at the one door, with a mind of their own.
pub struct Person {
    pub requests: Requests,
    pub trace: Arc<Trace>,
    pub rng: fastrand::Rng,
}

pub fn ada() -> Caller {
    let id: Option<PersonId> = "person-ada".parse().ok();
    Caller {
        principal: id.map_or_else(|| Principal::Service("nobody".into()), Principal::Person),
        conversation: Some("cli:person-ada".into()),
        trace: String::new(),
        may_approve: true,
    }
}

pub(crate) fn commander() -> Caller {
    Caller {
        principal: Principal::Agent("commander".into()),
        conversation: Some("cli:person-ada".into()),
        trace: String::new(),
        may_approve: false,
    }
}

pub fn account(number: u32) -> Option<AccountId> {
    format!("acct-{number:04}").parse().ok()
}

pub fn provision(accounts: Vec<AccountId>, region: &str) -> Verb {
    Verb::Provision {
        accounts,
        tier: Tier::Standard,
        regions: vec![region.into()],
        primary_provider: None,
        standby_provider: None,
        purpose: None,
    }
}

impl Person {
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Fleet) -> T) -> T {
        self.requests.engine().hands().store.read(look)
    }

    fn some_account(&mut self) -> Vec<AccountId> {
        account(self.rng.u32(1..=ACCOUNTS)).into_iter().collect()
    }

    fn some_accounts(&mut self) -> Vec<AccountId> {
        let least = self.rng.u32(1..=ACCOUNTS);
        (least..=ACCOUNTS).filter_map(account).collect()
    }

    fn some_operation(
        &mut self,
        wanted: impl Fn(&gf_model::operation::Operation) -> bool,
    ) -> Option<OperationId> {
        let all: Vec<_> = self.look(|fleet| {
            fleet.operations.values().filter(|operation| wanted(operation)).map(|it| it.id.clone()).collect()
        });
        let nth = self.rng.usize(..all.len().max(1));
        all.get(nth).cloned()
    }

    /// One thing that somebody wants, from the request to its answer.
    pub async fn errand(mut self) {
        if self.rng.u32(..100) < 25 {
            return self.second_thoughts().await;
        }
        if self.rng.u32(..100) < 10 {
            return self.answer_whatever_is_open().await;
        }
        if self.rng.u32(..100) < 25 {
            return self.push().await;
        }
        let Some(verb) = self.wish() else { return };
        self.ask(verb).await;
    }

    fn wish(&mut self) -> Option<Verb> {
        Some(match self.rng.u32(..9) {
            0 | 1 => provision(self.some_account(), "eu"),
            2 => Verb::Teardown {
                accounts: self.some_account(),
                reason: TeardownReason::OperatorRequest,
                archive: self.rng.bool(),
                standby_only: self.rng.u32(..4) == 0,
            },
            3 => Verb::Resize {
                accounts: self.some_accounts(),
                tier: if self.rng.bool() { Tier::Pro } else { Tier::Standard },
            },
            4 => {
                let account = self.some_account().pop()?;
                let instances = self.look(|fleet| {
                    let of = |i: &&gf_model::instance::Instance| i.account == account;
                    fleet.live_instances().filter(of).map(|i| i.id.clone()).collect()
                });
                Verb::Restart { instances, reason: "somebody wants it".into(), concurrency: 1 }
            }
            5 => Verb::Failover {
                account: self.some_account().pop()?,
                reason: "somebody wants it".into(),
                outage: None,
            },
            6 => Verb::Restore {
                account: self.some_account().pop()?,
                archive: None,
                snapshot: None,
                reason: "somebody wants it".into(),
            },
            7 => Verb::Rollback {
                rollout: self.some_operation(|operation| operation.verb.name() == "config_push")?,
                accounts: Vec::new(),
            },
            _ => Verb::ProviderPolicy {
                provider: ["hetzner", "vultr", "digitalocean"][self.rng.usize(..3)].into(),
                pool: if self.rng.u32(..4) == 0 { Pool::Standby } else { Pool::Primary },
                reason: "somebody wants it".into(),
            },
        })
    }

    async fn ask(&mut self, verb: Verb) {
        let name = verb.name();
        if self.rng.bool() {
            let options = Options { confirmed: true, ..Options::default() };
            let outcome = self.requests.request(&ada(), verb, options).await;
            return self.heard(name, &outcome.map(drop).map_err(|refusal| refusal.code));
        }
        let outcome = self.requests.request(&commander(), verb, Options::default()).await;
        self.see_to(name, outcome).await;
    }

    /// A question is answered.
    pub(crate) async fn see_to(&mut self, name: &str, outcome: Result<Outcome, Refusal>) {
        match outcome {
            Ok(Outcome::AwaitingApproval(approval)) => {
                self.trace.note(format_args!("somebody is asked about {name}: {}", approval.code));
                self.answer(approval.code).await;
            }
            other => self.heard(name, &other.map(drop).map_err(|refusal| refusal.code)),
        }
    }

    async fn push(&mut self) {
        let style = self.rng.u32(..1_000_000);
        let patch = match self.rng.u32(..8) {
            0 => json!({ "nonsense": style }),
            // Valid, and OpenClaw does not answer under it: only the gate sees that.
            1 | 2 => json!({ "tts": { "auto": "wedge" } }),
            _ => json!({ "tts": { "auto": format!("style-{style}") } }),
        };
        let canary = if style.is_multiple_of(2) { vec![1, 2] } else { Vec::new() };
        let push = Push {
            accounts: self.some_accounts(),
            patch,
            description: "somebody wants it".into(),
            strategy: Strategy::Rolling,
            batch_size: self.rng.u32(1..=2),
            pace: Pace::gated(canary),
        };
        let options = Options { confirmed: true, ..Options::default() };
        let outcome = self.requests.push(&ada(), push, options).await;
        self.heard("config_push", &outcome.map(drop).map_err(|refusal| refusal.code));
    }

    /// A yes, a no, nothing, a yes too late, or two at once.
    async fn answer(&mut self, code: ApprovalCode) {
        let after = match self.rng.u32(..10) {
            0 => 3_700,
            _ => self.rng.u64(1..240),
        };
        tokio::time::sleep(Duration::from_secs(after)).await;
        match self.rng.u32(..10) {
            0 => self.heard("no", &self.requests.deny(&ada(), &code).await.map(drop).map_err(|no| no.code)),
            1 => {}
            2 => {
                let (by, other) = (ada(), self.requests.clone());
                let (first, second) = tokio::join!(self.requests.grant(&by, &code), other.grant(&by, &code));
                self.heard("yes", &first.map(drop).map_err(|refusal| refusal.code));
                self.heard("yes again", &second.map(drop).map_err(|refusal| refusal.code));
            }
            _ => self.heard("yes", &self.requests.grant(&ada(), &code).await.map(drop).map_err(|no| no.code)),
        }
    }

    async fn answer_whatever_is_open(&mut self) {
        let open: Vec<_> = self.look(|fleet| {
            let open = fleet.approvals.values().filter(|approval| approval.state == ApprovalState::Open);
            open.map(|approval| approval.code.clone()).collect()
        });
        let nth = self.rng.usize(..open.len().max(1));
        if let Some(code) = open.get(nth) {
            self.answer(code.clone()).await;
        }
    }

    pub(crate) async fn second_thoughts(&mut self) {
        let acts = [Act::Pause, Act::Cancel, Act::Rollback, Act::Retry];
        let act = acts[self.rng.usize(..acts.len())];
        let wanted = move |operation: &gf_model::operation::Operation| match act {
            Act::Pause | Act::Cancel => !operation.state.is_over(),
            _ => operation.state.is_over() && operation.state != OperationState::Done || act == Act::Rollback,
        };
        let Some(id) = self.some_operation(wanted) else { return };
        let outcome = self.requests.control(&ada(), &id, act).await;
        self.trace.note(format_args!("Ada: {} {id}", act.name()));
        self.heard(act.name(), &outcome.map(drop).map_err(|refusal| refusal.code));
        if act == Act::Pause {
            tokio::time::sleep(Duration::from_secs(self.rng.u64(5..300))).await;
            let outcome = self.requests.control(&ada(), &id, Act::Resume).await;
            self.heard("resume", &outcome.map(drop).map_err(|refusal| refusal.code));
        }
    }

    pub(crate) fn heard(&self, what: &str, outcome: &Result<(), String>) {
        self.trace.note(format_args!("{what}: {outcome:?}"));
    }
}

/// What whoever operates the fleet does when the faults are over: nothing stays paused, and what is stuck is tried
/// once more.
pub async fn tidy_up(requests: &Requests, tried: &mut BTreeSet<OperationId>) {
    let stuck: Vec<_> = requests.engine().hands().store.read(|fleet| {
        let stuck = fleet.operations.values().filter(|operation| operation.state == OperationState::Stuck);
        stuck.map(|operation| operation.id.clone()).collect()
    });
    for id in stuck {
        // What is busy is tried again at the next look.
        if !tried.contains(&id) && requests.control(&ada(), &id, Act::Retry).await.is_ok() {
            tried.insert(id);
        }
    }
    let paused: Vec<_> = requests.engine().hands().store.read(|fleet| {
        let paused = fleet.operations.values().filter(|operation| operation.state == OperationState::Paused);
        paused.map(|operation| operation.id.clone()).collect()
    });
    for id in paused {
        // One that ended meanwhile needs nobody.
        let _ = requests.control(&ada(), &id, Act::Resume).await;
    }
}
