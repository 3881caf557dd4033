//! Looking at the whole fleet, and planning for it.

use super::crowd;
use gf_api::view::{status::fleet_status, tally::Tally};
use gf_model::{
    RevisionId,
    fleet::Fleet,
    verb::{Strategy, Verb},
};
use gf_planner::{
    IdSource,
    expand::{self, Filter, Targets},
};
use gf_tools::FleetStatusParams;
use serde::{Deserialize, Serialize};
use std::{hint::black_box, time::Instant};

const STATUSES: usize = 1000;
const PLANS: usize = 15;

/// Medians of passes over the whole fleet.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plans {
    pub push_ms: f64,
    pub restart_ms: f64,
    pub protect_ms: f64,
}

impl Plans {
    pub fn of(fleet: &Fleet) -> Self {
        Self {
            push_ms: median(PLANS, || push(fleet)),
            restart_ms: median(PLANS, || restart(fleet)),
            protect_ms: median(PLANS, || gf_reconcile::decide::due(fleet, crowd::now()).len()),
        }
    }

    pub fn longest(&self) -> f64 {
        self.push_ms.max(self.restart_ms).max(self.protect_ms)
    }
}

pub struct Looked {
    pub status_p99_ms: f64,
    pub recount_ms: f64,
    pub plans: Plans,
}

pub fn at(fleet: &Fleet) -> Looked {
    let mut tally = Tally::default();
    let recount_ms = median(3, || tally = Tally::of(fleet));
    let params = FleetStatusParams::default();
    let mut statuses: Vec<f64> = (0..STATUSES)
        .map(|_| millis(|| fleet_status(fleet, &tally, &params, crowd::now()).is_ok()))
        .collect();
    statuses.sort_by(f64::total_cmp);
    Looked { status_p99_ms: statuses[STATUSES * 99 / 100], recount_ms, plans: Plans::of(fleet) }
}

/// A rolling push to everybody: expanded, planned, looked over.
fn push(fleet: &Fleet) -> usize {
    let accounts = expand::accounts(fleet, &Targets::All).expect("somebody");
    let revision = RevisionId(2);
    checked(
        fleet,
        &Verb::ConfigPush {
            accounts,
            revision,
            strategy: Strategy::Rolling,
            batch_size: 50,
            pace: gf_model::verb::Pace::default(),
        },
    )
}

/// The restart of all standbys at one provider.
fn restart(fleet: &Fleet) -> usize {
    let role = Some("standby".to_owned());
    let filter = Filter { provider: Some("hetzner".to_owned()), role, ..Filter::default() };
    let instances = expand::instances(fleet, &Targets::Filter(filter)).expect("somebody");
    checked(fleet, &Verb::Restart { instances, reason: "maintenance".to_owned(), concurrency: 20 })
}

fn checked(fleet: &Fleet, verb: &Verb) -> usize {
    let plan = gf_planner::plan(fleet, verb, &mut Counted(0), crowd::now()).expect("a plan");
    assert!(gf_planner::lint(fleet, &plan).iter().all(|objection| !objection.forbids));
    plan.instances.len()
}

struct Counted(u64);

impl IdSource for Counted {
    fn next_u64(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

fn millis<T>(act: impl FnOnce() -> T) -> f64 {
    let began = Instant::now();
    black_box(act());
    began.elapsed().as_secs_f64() * 1e3
}

fn median<T>(times: usize, mut act: impl FnMut() -> T) -> f64 {
    let mut all: Vec<f64> = (0..times).map(|_| millis(&mut act)).collect();
    all.sort_by(f64::total_cmp);
    all[times / 2]
}
