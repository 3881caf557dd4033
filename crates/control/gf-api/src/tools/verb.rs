//! Which request a call of an acting tool would be, without making it: what `policy explain` asks about.

use super::{change, config, failover, operation, provision, teardown};
use crate::{Problem, json};
use gf_model::{RevisionId, Timestamp, fleet::Fleet, verb::Verb};
use gf_tools::OperationParams;
use serde_json::Value;

/// `None` for a call that only reads or only controls what runs.
pub fn of(fleet: &Fleet, tool: &str, arguments: Value, now: Timestamp) -> Result<Option<Verb>, Problem> {
    Ok(Some(match tool {
        "gf_provision" => provision::verb(fleet, &json::from_value(arguments)?)?,
        "gf_teardown" => teardown::teardown_verb(fleet, &json::from_value(arguments)?)?,
        "gf_restore" => teardown::restore_verb(fleet, &json::from_value(arguments)?)?,
        "gf_tier_resize" => change::resize_verb(fleet, &json::from_value(arguments)?)?,
        "gf_bulk_restart" => change::restart_verb(fleet, &json::from_value(arguments)?)?,
        "gf_failover" => failover::verb(fleet, &json::from_value(arguments)?, now)?,
        "gf_provider_policy" => change::policy_verb(fleet, &json::from_value(arguments)?)?,
        "gf_alerts_silence" => change::silence_verb(fleet, &json::from_value(arguments)?)?,
        "gf_config_push" => {
            let push = config::checked(fleet, &json::from_value(arguments)?)?;
            Verb::ConfigPush {
                accounts: push.accounts,
                revision: RevisionId(fleet.newest_revision().0 + 1),
                strategy: push.strategy,
                batch_size: push.batch_size,
                pace: push.pace,
            }
        }
        "gf_operation" => {
            let params: OperationParams = json::from_value(arguments)?;
            match params.action {
                gf_tools::OperationAction::Rollback => return operation::rollback_verb(fleet, &params.id),
                _ => return Ok(None),
            }
        }
        _ => return Ok(None),
    }))
}
