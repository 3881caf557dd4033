//! What stands beside the pairs: cost, providers, the end of the audit trail.

use super::parts::{card, day_time, nothing};
use crate::{
    tools::{audit as audit_words, provider as provider_words},
    view::{cost as view_cost, words},
};
use gf_model::{
    Timestamp,
    audit::{AuditPhase, AuditRow},
    fleet::Fleet,
    provider::ProviderStatus,
};
use gf_tools::FleetStatusReply;
use maud::{Markup, html};

pub fn cost(fleet: &Fleet, budget: view_cost::Budget, status: &FleetStatusReply, now: Timestamp) -> Markup {
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

pub fn providers(fleet: &Fleet) -> Markup {
    if fleet.providers.is_empty() {
        return card("providers", "Providers", None, nothing("No provider is known."));
    }
    let body = html! {
        table.small {
            thead { tr { th scope="col" { "Provider" } th.money scope="col" { "Instances" } th.money scope="col" { "Score" } } }
            tbody {
                @for provider in fleet.providers.values() {
                    tr {
                        th scope="row" {
                            (provider.id)
                            @if let ProviderStatus::Incident { title, .. } = &provider.status { " " span.mark title=(title) { "incident" } }
                            span.tier { (provider_words::pool(provider.pool)) }
                        }
                        td.money { (provider_words::instances(fleet, provider)) }
                        td.money { @match provider.score { Some(score) => { (score) @if provider.low_confidence { "?" } } None => { span.meta { "unknown" } } } }
                    }
                }
            }
        }
    };
    card("providers", "Providers", Some(fleet.providers.len().to_string()), body)
}

pub fn audit(tail: &[AuditRow]) -> Markup {
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
