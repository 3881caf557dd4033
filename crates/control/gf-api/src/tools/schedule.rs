//! `gf_schedule`: reports that come by themselves. None is kept yet, and that is what is said.

use super::Call;
use crate::Problem;
use axum::http::StatusCode;
use gf_tools::{ScheduleParams, ScheduleReply};

pub(super) fn schedule(_: &Call, params: ScheduleParams) -> Result<ScheduleReply, Problem> {
    match params.action.as_str() {
        "list" => Ok(ScheduleReply {
            summary: "No report is scheduled: 0 entries.".to_owned(),
            entries: Vec::new(),
        }),
        "add" | "remove" => Err(Problem::new(
            StatusCode::NOT_IMPLEMENTED,
            "not_available",
            "this control plane does not send reports by itself yet",
        )
        .fix("ask for the report when it is needed: gf_cost_report, gf_fleet_status, gf_provider_health")),
        other => Err(Problem::bad_request("unknown_action", format!("{other:?} is not an action"))
            .at("action", other)
            .fix("use list, add or remove")),
    }
}
