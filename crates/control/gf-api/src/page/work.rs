//! Operations: what runs, what is stuck, and what was done last.

use super::parts::{bar, card, nothing};
use crate::view::progress;
use gf_model::{
    Timestamp,
    fleet::Fleet,
    operation::{Operation, OperationState},
};
use maud::{Markup, html};

/// Operations that run or are stuck; of more the newest.
const PRESSING: usize = 20;
/// Operations that are over and still shown.
const RECENT: usize = 4;

pub fn operations(fleet: &Fleet, now: Timestamp) -> Markup {
    let mut all: Vec<&Operation> = fleet.operations.values().collect();
    // What runs, then what waits for a person, then what is over.
    let stuck = |operation: &Operation| operation.state == OperationState::Stuck;
    let rank = |operation: &Operation| match (operation.state.is_over(), stuck(operation)) {
        (_, true) => 1,
        (false, _) => 0,
        (true, _) => 2,
    };
    all.sort_by_key(|operation| (rank(operation), std::cmp::Reverse(operation.created_at)));
    let running = all.iter().filter(|operation| !operation.state.is_over()).count();
    let pressing = all.iter().filter(|operation| rank(operation) < 2).count();
    let shown: Vec<_> = all.into_iter().take(pressing.min(PRESSING) + RECENT).collect();
    if shown.is_empty() {
        return card("operations", "Operations", None, nothing("Nothing has been done yet."));
    }
    let list = html! {
        ul.operations {
            @for operation in shown {
                @let reply = progress::reply(fleet, operation, now);
                @let line = progress::line(fleet, operation);
                li.over[rank(operation) == 2] {
                    div.row {
                        span.id { (operation.id) }
                        b { (line.verb.replace('_', " ")) }
                        span class={ "state " (operation_tone(operation)) } { (line.state.to_lowercase()) }
                        span.count { (line.done) "/" (line.total) }
                    }
                    @if !operation.state.is_over() { (bar(line.done, line.total, &format!("{} progress", operation.id))) }
                    p.meta { (reply.summary) }
                    @if stuck(operation) { p.meta { "When the cause is gone: " code { "clawops op retry " (operation.id) } } }
                }
            }
        }
    };
    card("operations", "Operations", Some(format!("{running} running")), list)
}

fn operation_tone(operation: &Operation) -> &'static str {
    use gf_model::operation::OperationState::*;
    match operation.state {
        Running | Paused | Cancelling | Undoing => "busy",
        Done => "good",
        Partial | Failed | Stuck => "bad",
        Undone | Cancelled => "idle",
    }
}
