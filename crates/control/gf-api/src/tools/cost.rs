//! `gf_cost_report`: what was spent against what the list prices say, and what could be saved.

use super::Call;
use crate::{
    Problem,
    view::{cost, words},
};
use gf_tools::{CostReportParams, CostReportReply};

pub(super) fn report(call: &Call, params: CostReportParams) -> Result<CostReportReply, Problem> {
    let period = match params.period.as_deref() {
        None | Some("week") => cost::Period::Week,
        Some("day") => cost::Period::Day,
        Some("month") => cost::Period::Month,
        Some(other) => {
            return Err(Problem::bad_request("unknown_period", format!("{other:?} is not a period"))
                .at("period", other)
                .fix("use day, week or month"));
        }
    };
    let least = params.min_savings.unwrap_or_default();
    if !least.is_finite() || least < 0.0 {
        return Err(Problem::bad_request("out_of_range", "minSavings is not an amount")
            .at("minSavings", least)
            .fix("give dollars a month, 0 or more"));
    }
    let now = call.api.clock.now();
    let mut reply =
        call.api.store.read(|fleet| cost::report(fleet, call.api.options.monthly_budget, period, now));
    reply.waste.retain(|item| item.monthly_cents as f64 >= least * 100.0);
    reply.recoverable_cents = reply.waste.iter().map(|item| item.monthly_cents).sum();
    reply.recoverable = words::per_month(gf_model::Cents(reply.recoverable_cents));
    reply.summary = cost::summary(&reply);
    Ok(reply)
}
