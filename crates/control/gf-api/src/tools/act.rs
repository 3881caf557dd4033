//! From a checked call to a request, and from its outcome to words. Decides nothing.

use super::Call;
use crate::{
    Problem,
    view::{progress, words},
};
use gf_model::{
    Timestamp,
    approval::Approval,
    fleet::Fleet,
    operation::{Operation, Step},
    plan::Plan,
    verb::Verb,
    words::on_one_line,
};
use gf_planner::PlanError;
use gf_requests::{Caller, Options, Outcome, Refusal};
use jiff::tz::TimeZone;

impl Call {
    pub fn caller(&self) -> Caller {
        Caller {
            principal: self.who.principal.clone(),
            conversation: self.options.conversation.clone().or_else(|| self.who.conversation.clone()),
            trace: self.who.trace.clone(),
            may_approve: self.who.may_approve(),
        }
    }

    /// The clock of the person who asks, or in whose own conversation an agent does.
    pub fn zone(&self) -> Option<TimeZone> {
        let zone = self.api.requests.person_behind(&self.caller())?.zone?;
        TimeZone::get(&zone).ok()
    }

    pub fn options(&self, dry_run: bool) -> Options {
        Options {
            idempotency_key: self.key.clone(),
            confirmed: self.options.confirm,
            dry_run: dry_run || self.options.dry_run,
        }
    }

    pub async fn request(&self, verb: Verb, dry_run: bool) -> Result<Done, Problem> {
        let asked = verb_words(&verb);
        let outcome = self.api.requests.request(&self.caller(), verb, self.options(dry_run)).await?;
        // A plan may hold less than was asked for: what cannot be restarted is not in it.
        let what = match &outcome {
            Outcome::Planned(plan) => verb_words(&plan.verb),
            Outcome::AwaitingApproval(approval) => verb_words(&approval.plan.verb),
            Outcome::Started(_) | Outcome::Done(_) => asked,
        };
        Ok(self.done(outcome, what))
    }

    /// An outcome with what every acting tool's reply says of it.
    pub fn done(&self, outcome: Outcome, what: String) -> Done {
        let now = self.api.clock.now();
        match outcome {
            Outcome::Planned(plan) => Done {
                summary: format!("Nothing was done (dry run). It would: {}.", lines(&plan, &what)),
                approval: None,
                operation: None,
                steps: plan_steps(&plan),
                plan: Some(plan),
                batches: Vec::new(),
            }
            .with_batches(),
            Outcome::AwaitingApproval(approval) => {
                let summary = format!(
                    "Nothing was done yet: {} waits for a person's yes to {}. {}",
                    lines(&approval.plan, &what),
                    approval.code,
                    lapses(&approval, now)
                );
                let plan = approval.plan.clone();
                Done {
                    summary,
                    approval: Some(shown(&approval)),
                    operation: None,
                    steps: plan_steps(&plan),
                    plan: Some(plan),
                    batches: Vec::new(),
                }
                .with_batches()
            }
            Outcome::Started(operation) => self.api.store.read(|fleet| started(fleet, &operation, now)),
            Outcome::Done(_) => Done {
                summary: format!("Done: {what}."),
                approval: None,
                operation: None,
                plan: None,
                steps: Vec::new(),
                batches: Vec::new(),
            },
        }
    }
}

/// What became of a request.
pub struct Done {
    pub summary: String,
    pub approval: Option<gf_tools::Approval>,
    pub operation: Option<Operation>,
    /// Where it has not been started.
    pub plan: Option<Plan>,
    pub steps: Vec<Step>,
    /// Lanes of each stage.
    pub batches: Vec<u64>,
}

impl Done {
    pub fn operation_id(&self) -> Option<String> {
        self.operation.as_ref().map(|operation| operation.id.to_string())
    }

    fn with_batches(mut self) -> Self {
        self.batches =
            self.plan.iter().flat_map(|plan| &plan.stages).map(|stage| stage.lanes.len() as u64).collect();
        self
    }
}

fn started(fleet: &Fleet, operation: &Operation, now: Timestamp) -> Done {
    let current = fleet.operations.get(&operation.id).unwrap_or(operation);
    let lanes: Vec<_> = fleet.lanes_of(&operation.id).collect();
    let reply = progress::reply(fleet, current, now);
    Done {
        summary: format!("Started {}. {}", operation.id, reply.summary),
        approval: None,
        operation: Some(current.clone()),
        plan: None,
        steps: lanes.iter().flat_map(|lane| &lane.lane.steps).map(|step| step.step.clone()).collect(),
        batches: operation.stages.iter().map(|stage| u64::from(stage.lanes)).collect(),
    }
}

fn plan_steps(plan: &Plan) -> Vec<Step> {
    let lanes = plan.stages.iter().flat_map(|stage| &stage.lanes);
    lanes.flat_map(|lane| &lane.steps).map(|step| step.step.clone()).collect()
}

/// The plan's own lines, or what was asked for where it has none.
fn lines(plan: &Plan, what: &str) -> String {
    let cost = match plan.cost_delta.0 {
        0 => String::new(),
        _ => format!(" ({} a month)", gf_planner::cost::signed(plan.cost_delta)),
    };
    let shown: Vec<&str> = plan.lines.iter().take(3).map(|line| line.trim_end_matches('.')).collect();
    let more = match plan.lines.len().saturating_sub(3) {
        0 => String::new(),
        n => format!("; and {n} more"),
    };
    let detail = if shown.is_empty() { String::new() } else { format!(": {}{more}", shown.join("; ")) };
    format!("{what}{cost}{detail}")
}

fn lapses(approval: &Approval, now: Timestamp) -> String {
    let left = (approval.expires_at.as_second() - now.as_second()).max(0);
    format!("It lapses in {}.", words::seconds(left as f64))
}

/// An approval in the words of the tools.
pub fn shown(approval: &Approval) -> gf_tools::Approval {
    let plan = &approval.plan;
    let targets = if plan.accounts.is_empty() {
        plan.instances.iter().map(ToString::to_string).collect()
    } else {
        plan.accounts.iter().map(ToString::to_string).collect()
    };
    gf_tools::Approval {
        code: approval.code.to_string(),
        question: approval.question.clone(),
        targets,
        cost_delta_cents: plan.cost_delta.0,
        expires_at: approval.expires_at.to_string(),
        operation_id: approval.operation.as_ref().map(ToString::to_string),
    }
}

/// What was asked for, as the object of "nothing was done yet".
pub fn verb_words(verb: &Verb) -> String {
    let accounts = |accounts: &[gf_model::AccountId]| words::list(accounts, 5);
    match verb {
        Verb::Provision { accounts: new, tier, .. } => {
            format!(
                "provision {} {tier} {} ({})",
                new.len(),
                if new.len() == 1 { "pair" } else { "pairs" },
                accounts(new)
            )
        }
        Verb::Teardown { accounts: gone, standby_only: true, .. } => {
            format!("tear down the standby of {}", accounts(gone))
        }
        Verb::Teardown { accounts: gone, .. } => format!("tear down {}", accounts(gone)),
        Verb::Restore { account, .. } => format!("restore {account}"),
        Verb::Resize { accounts: resized, tier } => format!("resize {} to {tier}", accounts(resized)),
        Verb::ConfigPush { accounts: reached, revision, .. } => {
            format!("push {revision} to {}", words::count(reached.len() as u64, "gateway", "gateways"))
        }
        Verb::Rollback { rollout, accounts: reached } => {
            format!("roll {rollout} back on {}", words::count(reached.len() as u64, "gateway", "gateways"))
        }
        Verb::Restart { instances, .. } => format!("restart {}", words::list(instances, 5)),
        Verb::Failover { outage: Some(outage), .. } => format!(
            "fail {} over, out of {}",
            words::count(outage.accounts.len() as u64, "account", "accounts"),
            outage.place()
        ),
        Verb::Failover { account, .. } => format!("fail {account} over to its standby"),
        Verb::RebuildStandby { account } => format!("rebuild the standby of {account}"),
        Verb::ProviderPolicy { provider, pool, .. } => {
            format!("set the pool of {provider} to {}", super::provider::pool(*pool))
        }
        Verb::UpdateNodes { nodes, release, .. } => format!(
            "update {} to gf-clawnode {}",
            words::count(nodes.len() as u64, "node", "nodes"),
            release.version
        ),
        Verb::Silence { minutes, .. } => {
            format!("silence alerts for {}", words::count((*minutes).into(), "minute", "minutes"))
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self {
            status: refusal.status,
            code: refusal.code,
            message: refusal.message,
            field: refusal.field,
            value: refusal.value,
            fix: refusal.fix,
        }
    }
}

impl From<PlanError> for Problem {
    fn from(error: PlanError) -> Self {
        let (field, value) = error.at().unzip();
        Self {
            status: error.status(),
            code: error.code().to_owned(),
            message: error.to_string(),
            field: field.map(str::to_owned),
            value,
            fix: error.fix(),
        }
    }
}

/// Why somebody asked: never empty, never a book.
pub fn reason(given: &str) -> Result<String, Problem> {
    few_words("reason", given, "say in a few words why")
}

/// A sentence that somebody typed.
pub fn few_words(field: &str, given: &str, fix: &str) -> Result<String, Problem> {
    // It will stand in lines of ours, some of which people agree to.
    let said = on_one_line(given);
    if said.is_empty() || said.chars().count() > 500 {
        let code = format!("bad_{field}");
        return Err(Problem::bad_request(&code, format!("a {field} has 1 to 500 characters"))
            .at(field, said)
            .fix(fix));
    }
    Ok(said)
}

/// A number that somebody typed, within what makes sense.
pub fn whole(field: &str, given: i64, least: u32, most: u32) -> Result<u32, Problem> {
    u32::try_from(given).ok().filter(|n| (least..=most).contains(n)).ok_or_else(|| {
        Problem::bad_request("out_of_range", format!("{given} is not possible for {field}"))
            .at(field, given)
            .fix(format!("use {least} to {most}"))
    })
}
