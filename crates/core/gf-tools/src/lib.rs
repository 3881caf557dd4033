//! The words between an agent and the control plane: parameters and reply of each tool, and the table of tools.
//!
//! The plugin's schemas, the REST API's handlers and claw-brain all read this crate, so that they cannot drift
//! apart. It must never decide anything: ids, tiers and the like arrive as plain text, and the control plane
//! checks them, because only it can say which value would have been right.

pub mod alerts;
pub mod approval;
pub mod audit;
pub mod automation;
pub mod common;
pub mod config;
pub mod cost;
pub mod failover;
pub mod fleet;
pub mod incident;
pub mod instance;
pub mod operation;
pub mod pair;
pub mod provider;
pub mod provision;
pub mod resize;
pub mod restart;
pub mod restore;
pub mod schedule;
mod schema;
pub mod secret;
pub mod sla;
mod table;
pub mod teardown;
pub mod trace;
pub mod words;

pub use alerts::{AlertsSilenceParams, AlertsSilenceReply};
pub use approval::Approval;
pub use audit::{AuditLogParams, AuditLogReply};
pub use automation::AutomationReply;
pub use common::{InstanceFilter, InstanceLine, OperationLine, TargetLine};
pub use config::{ConfigPushParams, ConfigPushReply, Targets};
pub use cost::{CostReportParams, CostReportReply};
pub use failover::{FailoverParams, FailoverReply};
pub use fleet::{FleetStatusParams, FleetStatusReply};
pub use incident::{IncidentReportParams, IncidentReportReply};
pub use instance::{InstanceHealthParams, InstanceHealthReply};
pub use operation::{OperationAction, OperationParams, OperationReply};
pub use pair::{PairStatusParams, PairStatusReply};
pub use provider::{ProviderHealthParams, ProviderHealthReply, ProviderPolicyParams, ProviderPolicyReply};
pub use provision::{ProvisionParams, ProvisionReply};
pub use resize::{TierResizeParams, TierResizeReply};
pub use restart::{BulkRestartParams, BulkRestartReply};
pub use restore::{RestoreParams, RestoreReply};
pub use schedule::{ScheduleParams, ScheduleReply};
pub use schema::schema_document;
pub use sla::SlaReply;
pub use table::{Agent, TOOLS, ToolSpec, tool};
pub use teardown::{TeardownParams, TeardownReply};
pub use trace::TraceReply;
