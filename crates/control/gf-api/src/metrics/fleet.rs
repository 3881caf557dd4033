//! The fleet in gauges, each taken at the moment of asking: a control plane that was restarted has forgotten none.

use crate::view::{alerts, tally::Tally};
use gf_model::{
    Timestamp, approval::ApprovalState, fleet::Fleet, gateway::Desired, incident::IncidentState,
    operation::OperationState,
};
use gf_reconcile::decide;
use gf_store::{FleetStore, Standing};
use prometheus_client::{
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};
use std::{fs, sync::atomic::AtomicU64};

type Number = Gauge<f64, AtomicU64>;

/// What the store says of this control plane.
pub struct Own {
    leads: bool,
    generation: u64,
    audit_rows: u64,
}

impl Own {
    pub fn of(store: &FleetStore) -> Self {
        Self {
            leads: matches!(store.standing(), Standing::Leads),
            generation: store.generation(),
            audit_rows: store.audit_head().seq,
        }
    }
}

struct Gauges<'a>(&'a mut Registry);

impl Gauges<'_> {
    fn one(&mut self, name: &str, help: &str, value: f64) {
        let gauge = Number::default();
        gauge.set(value);
        self.0.register(name, help, gauge);
    }

    fn by<L: Into<String>>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (L, f64)>,
    ) {
        let family = Family::<[(&'static str, String); 1], Number>::default();
        for (of, value) in values {
            family.get_or_create(&[(label, of.into())]).set(value);
        }
        self.0.register(name, help, family);
    }
}

pub fn register(registry: &mut Registry, fleet: &Fleet, tally: &Tally, own: &Own, now: Timestamp) {
    let mut gauges = Gauges(registry);
    control_plane(&mut gauges, own);
    counts(&mut gauges, fleet, tally);
    work(&mut gauges, fleet, now);
    service(&mut gauges, fleet, tally, now);
}

fn control_plane(gauges: &mut Gauges<'_>, own: &Own) {
    gauges.by("build_info", "1, and which version runs", "version", [(env!("CARGO_PKG_VERSION"), 1.0)]);
    gauges.one(
        "leads",
        "1 where this control plane decides, 0 where it follows",
        f64::from(u8::from(own.leads)),
    );
    gauges.one("generation", "Which control plane of this fleet this is", own.generation as f64);
    gauges.one("audit_rows", "Rows of the audit trail", own.audit_rows as f64);
    if let Some(bytes) = resident_bytes() {
        gauges.one("process_resident_bytes", "Memory of the process", bytes);
    }
}

fn counts(gauges: &mut Gauges<'_>, fleet: &Fleet, tally: &Tally) {
    let sums = tally.sums();
    let of = |counts: gf_tools::common::Counts| counts.into_iter().map(|(name, n)| (name, n as f64));
    gauges.by("pairs", "Pairs by condition", "condition", of(sums.conditions()));
    gauges.by("instances", "Instances by state", "state", of(sums.states()));
    let providers = sums.providers().into_iter().map(|line| (line.provider, line.instances as f64));
    gauges.by("provider_instances", "Instances by provider", "provider", providers);
    let scores = fleet.providers.values().map(|provider| {
        let incident = !matches!(
            provider.status,
            gf_model::provider::ProviderStatus::Ok | gf_model::provider::ProviderStatus::Unknown
        );
        (provider.id.to_string(), f64::from(u8::from(incident)))
    });
    gauges.by("provider_incident", "1 where a provider reports an incident", "provider", scores);
    gauges.one("pairs_unprotected", "Pairs whose standby could not take over", sums.unprotected as f64);
    gauges.one(
        "instances_uncertain",
        "Instances with a call whose answer is not known",
        sums.uncertain as f64,
    );
    let away = tally.away().count();
    let connected = fleet.nodes.values().filter(|node| node.connected).count();
    let nodes = [("connected", connected as f64), ("away", away as f64)];
    gauges.by("nodes", "Nodes by whether they are connected", "link", nodes);
    gauges.one("monthly_cost_dollars", "What the fleet costs a month", sums.cost.0 as f64 / 100.0);
}

const OPEN: [(OperationState, &str); 4] = [
    (OperationState::Running, "running"),
    (OperationState::Paused, "paused"),
    (OperationState::Cancelling, "cancelling"),
    (OperationState::Undoing, "undoing"),
];
const ENDED: [(OperationState, &str); 6] = [
    (OperationState::Done, "done"),
    (OperationState::Partial, "partial"),
    (OperationState::Failed, "failed"),
    (OperationState::Undone, "undone"),
    (OperationState::Cancelled, "cancelled"),
    (OperationState::Stuck, "stuck"),
];
const HOUR: i64 = 3600;

fn work(gauges: &mut Gauges<'_>, fleet: &Fleet, now: Timestamp) {
    let all = || fleet.operations.values();
    let open = OPEN.map(|(state, name)| (name, all().filter(|one| one.state == state).count() as f64));
    gauges.by("operations_open", "Operations that are not over, by state", "state", open);
    let lately = |at: Option<Timestamp>| at.is_some_and(|at| now.duration_since(at).as_secs() < HOUR);
    let ended = ENDED.map(|(state, name)| {
        (name, all().filter(|one| one.state == state && lately(one.finished_at)).count() as f64)
    });
    gauges.by("operations_ended_last_hour", "Operations that ended within an hour, by state", "state", ended);
    let stuck = all().filter(|one| one.state == OperationState::Stuck).count();
    gauges.one("operations_stuck", "Operations that a person must look at", stuck as f64);
    let approvals = fleet.approvals.values().filter(|one| one.state == ApprovalState::Open).count();
    gauges.one("approvals_open", "Questions that wait for a person", approvals as f64);
    gauges.one("heals_due", "Heals, moves and calls that are due now", decide::due(fleet, now).len() as f64);
    gauges.one(
        "automation_frozen",
        "1 while a person has stopped all automation",
        f64::from(u8::from(fleet.frozen().is_some())),
    );
    let waiting = || fleet.notices.values().filter(|notice| notice.delivered_at.is_none());
    gauges.one("notices_waiting", "Words to people that nobody has taken yet", waiting().count() as f64);
    let oldest = waiting().map(|notice| now.duration_since(notice.created_at).as_secs()).max();
    gauges.one(
        "notices_oldest_wait_seconds",
        "How long the oldest of them waits",
        oldest.unwrap_or(0) as f64,
    );
}

const SEVERITIES: [&str; 4] = ["critical", "high", "warning", "info"];

fn service(gauges: &mut Gauges<'_>, fleet: &Fleet, tally: &Tally, now: Timestamp) {
    let alerts = alerts::of_fleet(fleet, tally, now);
    let loud = SEVERITIES.map(|severity| {
        (severity, alerts.iter().filter(|alert| !alert.silenced && alert.severity == severity).count() as f64)
    });
    gauges.by("alerts", "Alerts that are not silenced, by severity", "severity", loud);
    let open = fleet.incidents.values().filter(|incident| incident.state == IncidentState::Open).count();
    gauges.one("incidents_open", "Incidents that are not resolved", open as f64);
    let pairs = || fleet.gateways.values().filter(|gateway| gateway.desired == Desired::Pair);
    let down: u64 = pairs().map(|gateway| gateway.down_seconds_month).sum();
    gauges.one(
        "down_seconds_month",
        "Seconds of this month without a serving primary, of all accounts",
        down as f64,
    );
    let age = pairs()
        .filter_map(|gateway| fleet.newest_snapshot(&gateway.account))
        .map(|copy| now.duration_since(copy.taken_at).as_secs())
        .max();
    gauges.one(
        "memory_copy_oldest_seconds",
        "Age of the oldest newest copy of a memory",
        age.unwrap_or(0) as f64,
    );
}

/// As the kernel counts it; nothing where it does not say.
fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024.0)
}
