//! The page's sections, each a pure function of the fleet. A section is what is swapped when it changes.

use super::parts::{ago, bar, card, day_time, half, nothing, time};
use crate::{
    tools::{audit as audit_words, provider as provider_words},
    view::{
        condition::{Condition, Pair, pairs},
        cost as view_cost, line, progress, status, words,
    },
};
use gf_model::{
    Timestamp,
    approval::ApprovalState,
    audit::{AuditPhase, AuditRow},
    fleet::Fleet,
    operation::Operation,
    provider::ProviderStatus,
};
use gf_tools::{FleetStatusParams, FleetStatusReply};
use maud::{Markup, html};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub const PAIRS_PER_PAGE: usize = 50;
/// Alerts beyond these are counted.
const ALERTS: usize = 8;
/// Operations that are over and still shown.
const RECENT: usize = 4;

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
    budget: view_cost::Budget,
    tail: &[AuditRow],
    view: &View,
    now: Timestamp,
) -> Vec<Section> {
    // Without a filter a status cannot be refused.
    let status = status::fleet_status(fleet, &FleetStatusParams::default(), now).unwrap_or_default();
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
        (0, _) => "No pairs yet. Ask Commander to provision some.".to_owned(),
        (_, 0) if !status.operations.is_empty() => "Nothing is wrong; work is under way.".to_owned(),
        (_, 0) => "All is well.".to_owned(),
        (_, n) => format!("{} somebody's eyes.", words::count(n as u64, "thing needs", "things need")),
    };
    let tile = |label: &str, value: String, tone: &str, note: String| {
        html! { div.tile { dt { (label) } dd { b class=(tone) { (value) } span { (note) } } } }
    };
    let bad_if = |n: u64| if n > 0 { "bad" } else { "" };
    html! {
        section #headline aria-label="Fleet" {
            p.said { span class={ "dot " (mood) } aria-hidden="true" {} strong { (said) } span.asof { "as of " (time(now)) } }
            dl.tiles {
                (tile("Pairs", status.pairs_total.to_string(), "", format!("{protected} protected")))
                (tile("Down", down.to_string(), bad_if(down), "no live primary".into()))
                (tile("Unprotected", status.unprotected.to_string(), if status.unprotected > 0 { "busy" } else { "" }, "standby not active".into()))
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

fn alerts(status: &FleetStatusReply) -> Markup {
    if status.alerts.is_empty() {
        return html! { section #alerts hidden {} };
    }
    let rest = status.alerts.len().saturating_sub(ALERTS);
    let list = html! {
        ul.alerts {
            @for alert in status.alerts.iter().take(ALERTS) {
                li.silenced[alert.silenced] {
                    span class={ "severity " (alert.severity) } { (alert.severity) }
                    b { (alert.subject) }
                    span { (alert.text) }
                    @if alert.silenced { span.mark { "silenced" } }
                }
            }
        }
        @if rest > 0 { p.more { "and " (rest) " more; the pairs below stand worst first" } }
    };
    card("alerts", "Needs attention", Some(status.alerts.len().to_string()), list)
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

fn operations(fleet: &Fleet, now: Timestamp) -> Markup {
    let mut all: Vec<&Operation> = fleet.operations.values().collect();
    all.sort_by_key(|operation| (operation.state.is_over(), std::cmp::Reverse(operation.created_at)));
    let running = all.iter().filter(|operation| !operation.state.is_over()).count();
    let shown: Vec<_> = all.into_iter().take(running.min(20) + RECENT).collect();
    if shown.is_empty() {
        return card("operations", "Operations", None, nothing("Nothing has been done yet."));
    }
    let list = html! {
        ul.operations {
            @for operation in shown {
                @let reply = progress::reply(fleet, operation, now);
                @let line = progress::line(fleet, operation);
                li.over[operation.state.is_over()] {
                    div.row {
                        span.id { (operation.id) }
                        b { (line.verb.replace('_', " ")) }
                        span class={ "state " (operation_tone(operation)) } { (line.state.to_lowercase()) }
                        span.count { (line.done) "/" (line.total) }
                    }
                    @if !operation.state.is_over() { (bar(line.done, line.total, &format!("{} progress", operation.id))) }
                    p.meta { (reply.summary) }
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

/// Whether a pair is what was searched for.
fn found(pair: &Pair<'_>, wanted: &str) -> bool {
    let in_instance = |i: &gf_model::instance::Instance| {
        i.id.as_str().contains(wanted)
            || i.provider.0.contains(wanted)
            || i.region.0.contains(wanted)
            || i.state.name().to_ascii_lowercase().contains(wanted)
    };
    wanted.is_empty()
        || pair.gateway.account.as_str().contains(wanted)
        || pair.condition.name().contains(wanted)
        || pair.gateway.tier.name().contains(wanted)
        || pair.instances().any(in_instance)
}

fn pair_list(fleet: &Fleet, view: &View, now: Timestamp) -> Markup {
    let wanted = view.q.as_deref().unwrap_or_default().trim().to_ascii_lowercase().replace(' ', "_");
    let mut listed: Vec<Pair<'_>> = pairs(fleet).filter(|pair| found(pair, &wanted)).collect();
    if listed.is_empty() {
        let text = if wanted.is_empty() { "There are no pairs." } else { "No pair fits." };
        return card("pairs", "Pairs", Some("0".into()), nothing(text));
    }
    // Stable, so that pairs in the same condition stay in the order of their names.
    listed.sort_by_key(|pair| pair.condition);
    let last = listed.len().div_ceil(PAIRS_PER_PAGE);
    let asked = view.page.as_deref().and_then(|page| page.parse().ok()).unwrap_or(1usize);
    let page = asked.clamp(1, last);
    let from = (page - 1) * PAIRS_PER_PAGE;
    let shown = &listed[from..(from + PAIRS_PER_PAGE).min(listed.len())];
    let body = html! {
        table {
            thead { tr { th scope="col" { "Account" } th scope="col" { "Condition" } th scope="col" { "Primary" } th scope="col" { "Standby" } th scope="col" { "Gen" } th.money scope="col" { "Cost" } } }
            tbody { @for pair in shown { (row(pair, now)) } }
        }
        @if last > 1 { (pager(view, page, last)) }
    };
    let note = format!("{}–{} of {}, worst first", from + 1, from + shown.len(), listed.len());
    card("pairs", "Pairs", Some(note), body)
}

fn row(pair: &Pair<'_>, now: Timestamp) -> Markup {
    let gateway = pair.gateway;
    let tone = match pair.condition {
        Condition::Down => "bad",
        Condition::Unprotected | Condition::Building => "busy",
        Condition::TearingDown | Condition::Parked => "idle",
        Condition::Protected => "good",
    };
    html! {
        tr class=(tone) {
            th scope="row" { span.id { (gateway.account) } span.tier { (gateway.tier) @if let Some(v) = gateway.revision { " · " (v) } } }
            td data-label="Condition" {
                span class={ "state " (tone) } { (pair.condition.name().replace('_', " ")) }
                @if let Some(last) = &gateway.last_failover { span.place { "failed over " (ago(last.at, now)) " ago" } }
            }
            td data-label="Primary" { (half(pair.primary)) }
            td data-label="Standby" { (half(pair.standby)) }
            td data-label="Generation" { (gateway.generation.0) }
            td.money data-label="Cost" { (line::cost(pair)) }
        }
    }
}

fn pager(view: &View, page: usize, last: usize) -> Markup {
    let to = |page: usize| {
        let query = view
            .q
            .as_deref()
            .filter(|q| !q.is_empty())
            .map(|q| format!("&q={}", encode(q)))
            .unwrap_or_default();
        format!("/?page={page}{query}#pairs")
    };
    // First, last and the neighbours; the gaps between are said.
    let mut shown: Vec<usize> = [1, page.saturating_sub(1), page, page + 1, last]
        .into_iter()
        .filter(|n| (1..=last).contains(n))
        .collect();
    shown.dedup();
    html! {
        nav.pager aria-label="Pages of pairs" {
            @if page > 1 { a #previous rel="prev" href=(to(page - 1)) { "← previous" } }
            @for (at, n) in shown.iter().enumerate() {
                @if at > 0 && shown[at - 1] + 1 < *n { span { "…" } }
                @if *n == page { span aria-current="page" { (n) } } @else { a id={ "page-" (n) } href=(to(*n)) { (n) } }
            }
            @if page < last { a #next rel="next" href=(to(page + 1)) { "next →" } }
        }
    }
}

/// A text as it may stand in a query.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn cost(fleet: &Fleet, budget: view_cost::Budget, status: &FleetStatusReply, now: Timestamp) -> Markup {
    if status.by_tier.is_empty() {
        return card("cost", "Cost", None, nothing("Nothing costs anything."));
    }
    let week = view_cost::report(fleet, budget, view_cost::Period::Week, now);
    let body = html! {
        p.spent {
            b class=(if week.anomaly { "bad" } else { "" }) { (week.actual) } " spent in seven days against "
            b { (week.projected) } " projected"
            @if let Some(percent) = week.deviation_percent { span.note { (if percent > 0.0 { "+" } else { "" }) (percent) " %" } }
        }
        table.small {
            thead { tr { th scope="col" { "Tier" } th.money scope="col" { "Pairs" } th.money scope="col" { "A month" } } }
            tbody {
                @for tier in &status.by_tier {
                    tr { th scope="row" { (tier.tier) } td.money { (tier.pairs) } td.money { (gf_model::Cents(tier.monthly_cost_cents)) } }
                }
            }
            tfoot { tr { th scope="row" { "All" } td.money { (status.pairs_total) } td.money { (gf_model::Cents(status.monthly_cost_cents)) } } }
        }
    };
    card("cost", "Cost", Some(status.monthly_cost.clone()), body)
}

fn providers(fleet: &Fleet) -> Markup {
    if fleet.providers.is_empty() {
        return card("providers", "Providers", None, nothing("No provider is known."));
    }
    let body = html! {
        table.small {
            thead { tr { th scope="col" { "Provider" } th scope="col" { "Pool" } th.money scope="col" { "Instances" } th.money scope="col" { "Score" } } }
            tbody {
                @for provider in fleet.providers.values() {
                    tr {
                        th scope="row" {
                            (provider.id)
                            @if let ProviderStatus::Incident { title, .. } = &provider.status { span.mark title=(title) { "incident" } }
                        }
                        td { (provider_words::pool(provider.pool)) }
                        td.money { (provider_words::instances(fleet, provider)) }
                        td.money { @match provider.score { Some(score) => { (score) @if provider.low_confidence { "?" } } None => { "unknown" } } }
                    }
                }
            }
        }
    };
    card("providers", "Providers", Some(fleet.providers.len().to_string()), body)
}

fn audit(tail: &[AuditRow]) -> Markup {
    if tail.is_empty() {
        return card("audit", "Audit", None, nothing("No row has been written."));
    }
    let tone = |phase: AuditPhase| match phase {
        AuditPhase::Done => "good",
        AuditPhase::Started => "busy",
        AuditPhase::Failed | AuditPhase::Refused => "bad",
        AuditPhase::Noted => "idle",
    };
    let body = html! {
        ol.audit {
            @for row in tail {
                li {
                    span.seq { (row.seq) }
                    span.what {
                        b { (row.entry.action) } " "
                        span class={ "state " (tone(row.entry.phase)) } { (audit_words::outcome(row.entry.phase)) } " "
                        span.targets { (words::list(&row.entry.targets, 3)) }
                    }
                    span.meta { (row.entry.principal) " · " (day_time(row.entry.at)) }
                }
            }
        }
    };
    card("audit", "Audit", Some("newest first".into()), body)
}
