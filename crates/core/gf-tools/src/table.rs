//! The table of tools: name, what it is for, who may use it.
//!
//! The control plane enforces the rows; descriptions are what a model reads to choose.

use crate::{schema, *};
use serde_json::Value;

/// Agents by id, as the ops gateway names them.
pub type Agent = &'static str;

const ALL: &[Agent] = &["commander", "guardian", "forge", "ledger", "triage", "briefer"];

pub struct ToolSpec {
    pub name: &'static str,
    /// What it does and when not to use it, for a model.
    pub description: &'static str,
    /// Whether every call of it only reads.
    pub read_only: bool,
    /// Values of `action` that only read, in a tool that also has others.
    pub read_only_actions: &'static [&'static str],
    pub used_by: &'static [Agent],
    /// JSON schema of the parameters.
    pub parameters: fn() -> Value,
    /// JSON schema of the reply.
    pub reply: fn() -> Value,
}

impl ToolSpec {
    /// Whether a call with these arguments changes nothing but what is told.
    pub fn only_reads(&self, arguments: &Value) -> bool {
        self.read_only
            || arguments["action"].as_str().is_some_and(|action| self.read_only_actions.contains(&action))
    }
}

/// The tool of that name.
pub fn tool(name: &str) -> Option<&'static ToolSpec> {
    TOOLS.iter().find(|tool| tool.name == name)
}

macro_rules! tools {
    ($($name:literal, $params:ty => $reply:ty, $mode:tt, $agents:expr, $description:literal;)*) => {
        pub const TOOLS: &[ToolSpec] = &[$(ToolSpec {
            name: $name,
            description: $description,
            read_only: tools!(@all $mode),
            read_only_actions: tools!(@some $mode),
            used_by: $agents,
            parameters: schema::of::<$params>,
            reply: schema::of::<$reply>,
        }),*];
    };
    (@all reads) => { true };
    (@all $other:tt) => { false };
    (@some reads) => { &[] };
    (@some acts) => { &[] };
    (@some [$($action:literal),*]) => { &[$($action),*] };
}

tools! {
    "gf_fleet_status", FleetStatusParams => FleetStatusReply, reads, ALL,
    "Counts of pairs and instances by state, provider and tier, monthly cost, alerts, running operations. Use detail=full to learn account and instance ids. Not for one account (gf_pair_status) or one instance (gf_instance_health).";

    "gf_instance_health", InstanceHealthParams => InstanceHealthReply, reads, &["guardian", "triage", "commander", "forge", "ledger"],
    "Score, checks and resources of one instance, with the recommended action. Needs an instance id; for an account use gf_pair_status.";

    "gf_provision", ProvisionParams => ProvisionReply, acts, &["forge", "commander"],
    "Plans new accounts (pairs at two different providers) and asks a person. Nothing exists until they agree. Never guess tier or count: ask. Not for a missing standby, which is rebuilt by itself.";

    "gf_teardown", TeardownParams => TeardownReply, acts, &["commander", "forge"],
    "Plans the removal of whole accounts (archive first) and asks a person. Give exact account ids. Not for restarting or parking.";

    "gf_tier_resize", TierResizeParams => TierResizeReply, acts, &["commander"],
    "Plans moving accounts to another tier and asks a person. Use dryRun for a price only.";

    "gf_config_push", ConfigPushParams => ConfigPushReply, acts, &["commander"],
    "Plans a merge patch of OpenClaw configuration for all, some or filtered gateways, shows the diff, and asks a person; then rolls in validated batches. Copy the operator's JSON exactly. To undo a push use gf_operation rollback. Not for secrets.";

    "gf_cost_report", CostReportParams => CostReportReply, reads, &["ledger", "commander", "briefer"],
    "Actual against projected spend, and waste (idle, oversized, arbitrage) with account ids and savings. Recommends only.";

    "gf_provider_health", ProviderHealthParams => ProviderHealthReply, reads, &["commander", "ledger", "forge", "triage"],
    "Seven-day score, advice, incident and provision times per provider. Ask it before declaring a widespread incident.";

    "gf_audit_log", AuditLogParams => AuditLogReply, reads, ALL,
    "Who did what, when and under which approval, newest first, and whether the chain is whole. For the state now use gf_fleet_status.";

    "gf_pair_status", PairStatusParams => PairStatusReply, reads, &["guardian", "forge", "triage", "commander"],
    "Primary, standby, generation, last failover, snapshot age of one account, and its service in a month (SLA): served, down, planned and unknown seconds.";

    "gf_bulk_restart", BulkRestartParams => BulkRestartReply, acts, &["guardian", "commander"],
    "Restarts OpenClaw on instances, by ids or by filter, and probes each. More than 10 accounts need a person. Not for a primary that restarting did not help (gf_failover).";

    "gf_incident_report", IncidentReportParams => IncidentReportReply, ["get", "list"], &["triage", "commander", "briefer"],
    "Reads or writes incident records: timeline, exposure, root cause, actions. Writing a record repairs nothing.";

    "gf_failover", FailoverParams => FailoverReply, acts, &["guardian", "commander"],
    "Promotes the standby of one account and fences its primary. A healthy primary needs a person. Refused when the standby is not ACTIVE.";

    "gf_provider_policy", ProviderPolicyParams => ProviderPolicyReply, acts, &["commander"],
    "Plans which new instances a provider gets (primary, standby, paused) and asks a person. Existing instances stay.";

    "gf_alerts_silence", AlertsSilenceParams => AlertsSilenceReply, acts, &["commander"],
    "Keeps the alerts of one provider, region or instance quiet for some minutes; more than 60 needs a person. Critical pages still come.";

    "gf_operation", OperationParams => OperationReply, ["get"], ALL,
    "Progress of an operation, or of the work behind an approval code (action get); or cancel, pause, resume, retry, rollback it. Cannot approve anything. Only commander may use an action other than get.";

    "gf_restore", RestoreParams => RestoreReply, acts, &["commander"],
    "Plans bringing an account back from an archive or snapshot and asks a person; says what does not come back.";

    "gf_schedule", ScheduleParams => ScheduleReply, ["list"], &["commander", "briefer"],
    "Lists, adds or removes scheduled reports (briefing, cost, health, capacity). For a report right now use the report's own tool.";
}
