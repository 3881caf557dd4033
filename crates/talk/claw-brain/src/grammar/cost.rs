//! Spend against projection, and waste.

use super::Scene;
use crate::{
    language::{Clause, Sense},
    step::{Step, put},
};
use serde_json::json;

pub fn read(scene: &Scene) -> Option<Vec<Step>> {
    let clause = scene.clause;
    if clause.negated || !clause.any(&[Sense::Cost, Sense::Waste, Sense::Idle, Sense::Oversized]) {
        return None;
    }
    let mut arguments = json!({});
    let period = match () {
        () if clause.says_any(&["today", "day", "daily", "yesterday"]) => Some("day"),
        () if clause.says_any(&["week", "weekly"]) => Some("week"),
        () if clause.says_any(&["month", "monthly"]) => Some("month"),
        () => None,
    };
    // Of "$20 a month" the month belongs to the amount.
    let floor = at_least(clause);
    let rate = floor.is_some() && (clause.phrase("a month") || clause.phrase("per month"));
    put(&mut arguments, "period", period.filter(|_| !rate));
    put(&mut arguments, "minSavings", floor);
    Some(vec![Step::call("gf_cost_report", arguments)])
}

/// "Above $50", "more than 20 dollars".
fn at_least(clause: &Clause) -> Option<serde_json::Value> {
    // "Leave out what saves less than $20" keeps the rest.
    let left_out = ["less than", "smaller than", "cheaper than"].iter().any(|said| clause.phrase(said))
        || clause.says_any(&["under", "below", "smaller", "minimum", "min", "upwards", "up"]);
    let bound = left_out
        || clause.says_any(&["above", "over", "least", "exceeding", "worth"])
        || clause.phrase("more than");
    let amount = clause.slots.amounts.first().copied();
    let number = clause.slots.numbers.iter().find(|(_, at)| {
        clause.tokens.get(at + 1).is_some_and(|next| {
            next.text == "dollar"
                || matches!(next.raw.to_lowercase().as_str(), "usd" | "bucks" | "dollars" | "$" | "plus")
        })
    });
    let value = amount.or(number.map(|(n, _)| *n as f64)).filter(|_| bound)?;
    Some(if value.fract() == 0.0 { json!(value as i64) } else { json!(value) })
}
