//! The list of pairs: worst first, filtered, fifty to a page; and where everybody begins.

use super::{
    parts::{ago, card, half},
    sections::View,
};
use crate::view::{
    condition::{Condition, Pair, pairs},
    line,
};
use gf_model::{Timestamp, fleet::Fleet};
use maud::{Markup, html};

pub const PAIRS_PER_PAGE: usize = 50;

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

pub fn pair_list(fleet: &Fleet, view: &View, now: Timestamp) -> Markup {
    let wanted = view.q.as_deref().unwrap_or_default().trim().to_ascii_lowercase().replace(' ', "_");
    let mut listed: Vec<Pair<'_>> = pairs(fleet).filter(|pair| found(pair, &wanted)).collect();
    if listed.is_empty() {
        let body = if wanted.is_empty() { how_to_begin() } else { nothing_fits(&wanted) };
        return card("pairs", "Pairs", Some("0".into()), body);
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
    let body = html! {
        @if !wanted.is_empty() { p.nothing.filtered { "Only what fits “" (wanted) "”. " a #all href="/#pairs" { "Show all pairs" } } }
        (body)
    };
    let note = format!("{}–{} of {}, worst first", from + 1, from + shown.len(), listed.len());
    card("pairs", "Pairs", Some(note), body)
}

/// An empty fleet is where everybody begins.
fn how_to_begin() -> Markup {
    html! {
        div.begin {
            p { "There are no pairs yet. An account gets a pair: a primary that serves, and a standby that takes over." }
            p { "Say it to Commander (" code { "clawops chat" } "):" }
            p.say { "Provision 2 standard accounts for beta users." }
            p { "or type it:" }
            p.say { code { "clawops provision --count 2 --tier standard" } }
            p.meta { "Either way you see the plan and its price first, and nothing is made before your yes." }
        }
    }
}

fn nothing_fits(wanted: &str) -> Markup {
    html! { p.nothing { "No pair fits “" (wanted) "”. " a #all href="/#pairs" { "Show all pairs" } } }
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
                @if pair.is_unheard { span.place { "its node is silent: nobody takes over before it is confirmed off" } }
                @if let Some(last) = &gateway.last_failover { span.place { "failed over " (ago(last.at, now)) " ago" } }
            }
            td data-label="Primary" { (half(pair.primary, pair.condition)) }
            td data-label="Standby" { (half(pair.standby, pair.condition)) }
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
pub fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
