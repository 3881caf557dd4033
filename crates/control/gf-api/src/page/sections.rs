//! The page's sections, each a pure function of the fleet. A section is what is swapped when it changes.

use super::{
    pairs::{encode, pair_list},
    parts::{card, time},
    side::{audit, cost, providers},
    work::operations,
};
use crate::view::{cost as view_cost, status, tally::Tally, words};
use gf_model::{Timestamp, approval::ApprovalState, audit::AuditRow, fleet::Fleet};
use gf_tools::{FleetStatusParams, FleetStatusReply};
use maud::{Markup, html};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Alerts beyond these are counted.
const ALERTS: usize = 8;

/// What of the long list is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct View {
    /// Which page of pairs, from 1.
    pub page: Option<String>,
    /// Only accounts, instances, providers or conditions that contain this.
    pub q: Option<String>,
}

pub struct Section {
    pub id: &'static str,
    pub markup: Markup,
}

/// Everything that is kept live, in the order of the page.
pub fn sections(
    fleet: &Fleet,
    tally: &Tally,
    budget: view_cost::Budget,
    tail: &[AuditRow],
    view: &View,
    now: Timestamp,
) -> Vec<Section> {
    // Without a filter a status cannot be refused.
    let status = status::fleet_status(fleet, tally, &FleetStatusParams::default(), now).unwrap_or_default();
    vec![
        Section { id: "headline", markup: headline(&status, now) },
        Section { id: "alerts", markup: alerts(&status) },
        Section { id: "approvals", markup: approvals(fleet, now) },
        Section { id: "operations", markup: operations(fleet, now) },
        Section { id: "pairs", markup: pair_list(fleet, view, now) },
        Section { id: "cost", markup: cost(fleet, budget, &status, now) },
        Section { id: "providers", markup: providers(fleet) },
        Section { id: "audit", markup: audit(tail) },
    ]
}

fn headline(status: &FleetStatusReply, now: Timestamp) -> Markup {
    let condition = |name: &str| status.pairs_by_condition.get(name).copied().unwrap_or_default();
    let (down, protected) = (condition("down"), condition("protected"));
    let active = status.instances_by_state.get("ACTIVE").copied().unwrap_or_default();
    let loud = status.alerts.iter().filter(|alert| !alert.silenced && alert.severity != "info").count();
    let mood = if down > 0 {
        "bad"
    } else if loud > 0 {
        "busy"
    } else {
        "good"
    };
    let said = match (status.pairs_total, loud) {
        (0, 0) => "No pairs yet.".to_owned(),
        (_, 0) if !status.operations.is_empty() => "Nothing is wrong; work is under way.".to_owned(),
        (_, 0) => "All is well.".to_owned(),
        (_, n) => format!("{} somebody's eyes.", words::count(n as u64, "thing needs", "things need")),
    };
    let title = if loud > 0 { format!("({loud}) ClawOps fleet") } else { "ClawOps fleet".to_owned() };
    let tile = |label: &str, value: String, tone: &str, note: String| {
        html! { div.tile { dt { (label) } dd { b class=(tone) { (value) } span { (note) } } } }
    };
    let bad_if = |n: u64| if n > 0 { "bad" } else { "" };
    html! {
        section #headline aria-label="Fleet" data-title=(title) {
            p.said { span.verdict { span class={ "dot " (mood) } aria-hidden="true" {} strong { (said) } } span.asof { "as of " (time(now)) } }
            dl.tiles {
                (tile("Pairs", status.pairs_total.to_string(), "", format!("{protected} protected")))
                (tile("Down", down.to_string(), bad_if(down), "no live primary".into()))
                (tile("Unprotected", status.unprotected.to_string(), if status.unprotected > 0 { "busy" } else { "" }, "no standby can take over".into()))
                (tile("Instances", status.instances_total.to_string(), "", format!("{active} active")))
                (tile("Running", status.operations.len().to_string(), "", "operations".into()))
                (tile("Cost", gf_model::Cents(status.monthly_cost_cents).to_string(), "", "a month".into()))
            }
            @if status.instances_total > 0 {
                p.states {
                    @for (state, n) in &status.instances_by_state {
                        span { b { (n) } " " (state.replace('_', " ").to_lowercase()) }
                    }
                    @for (name, n) in &status.pairs_by_condition {
                        @if !matches!(name.as_str(), "protected" | "down" | "unprotected") {
                            span { b { (n) } " " (words::count(*n, "pair", "pairs").trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ')) " " (name.replace('_', " ")) }
                        }
                    }
                }
            }
        }
    }
}

/// What needs somebody's eyes; notes are counted, so that they never hide it.
fn alerts(status: &FleetStatusReply) -> Markup {
    if status.alerts.is_empty() {
        return html! { section #alerts hidden {} };
    }
    let (notes, loud): (Vec<_>, Vec<_>) =
        status.alerts.iter().partition(|alert| alert.silenced || alert.severity == "info");
    let (title, shown) = if loud.is_empty() { ("Notes", &notes) } else { ("Needs attention", &loud) };
    let rest = shown.len().saturating_sub(ALERTS);
    let list = html! {
        ul.alerts {
            @for alert in shown.iter().take(ALERTS) {
                li.silenced[alert.silenced] {
                    span class={ "severity " (alert.severity) } { (alert.severity) }
                    (subject(&alert.subject))
                    span { (alert.text) }
                    @if alert.silenced { span.mark { "silenced" } }
                }
            }
        }
        @if rest > 0 { p.more { "and " (rest) " more; the pairs below stand worst first" } }
        @if !loud.is_empty() && !notes.is_empty() {
            p.more { "and " (words::count(notes.len() as u64, "note", "notes")) " that can wait: " code { "clawops fleet status" } }
        }
    };
    card("alerts", title, Some(shown.len().to_string()), list)
}

/// What an alert is about; an account or an instance leads to its pair.
fn subject(name: &str) -> Markup {
    let has_pair = name.starts_with("acct-") || name.starts_with("i-");
    html! { @if has_pair { a href={ "/?q=" (encode(name)) "#pairs" } { b { (name) } } } @else { b { (name) } } }
}

fn approvals(fleet: &Fleet, now: Timestamp) -> Markup {
    let open: Vec<_> =
        fleet.approvals.values().filter(|a| a.state == ApprovalState::Open && a.expires_at > now).collect();
    if open.is_empty() {
        return html! { section #approvals hidden {} };
    }
    let list = html! {
        ul.approvals {
            @for approval in &open {
                li {
                    span.code { (approval.code) }
                    p.question { (approval.question) }
                    p.meta {
                        "asked by " (approval.requested_by)
                        @if let Some(conversation) = &approval.conversation { " in " (conversation) }
                        " · lapses " (time(approval.expires_at))
                    }
                }
            }
        }
        p.more { "Answer where it was asked, or with " code { "clawops approvals approve CODE" } "." }
    };
    card("approvals", "Waiting for a yes", Some(open.len().to_string()), list)
}
