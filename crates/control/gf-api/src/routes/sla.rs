//! How long each account was served in a month.

use crate::{
    Api, Problem,
    auth::access::Access,
    json::Query,
    openapi::{Route, Routes},
    paging::{list_query, page},
    problem::{Answer, parse_id},
    tools::pair::gateway_of,
    view::{sla, words},
};
use axum::{Json, extract::State};
use gf_model::{Timestamp, fleet::Fleet};
use gf_planner::sla::{Looked, Month, Verdict};
use gf_tools::{SlaReply, sla::SlaLine};

list_query! {
    struct Asked {
        /// Such as 2026-10 (UTC); without it this month so far.
        month: String,
        /// Only this account.
        account: String,
        /// Only accounts in whose month this is so: met, missed or unknown.
        verdict: String,
    }
}

pub fn routes(routes: Routes) -> Routes {
    routes.add(
        Route::get("/v1/sla", Access::Read, "How long each account was served in a month, the worst first.")
            .query::<Asked>()
            .reply::<SlaReply>(),
        show,
    )
}

async fn show(State(api): State<Api>, Query(asked): Query<Asked>) -> Answer<SlaReply> {
    let now = api.clock.now();
    let month = sla::month_named(asked.month.as_deref(), now)?;
    let wanted = asked.verdict.as_deref().map(verdict_named).transpose()?;
    api.store.read(|fleet| reply(fleet, month, wanted, &asked, now)).map(Json)
}

fn verdict_named(given: &str) -> Result<Verdict, Problem> {
    [Verdict::Met, Verdict::Missed, Verdict::Unknown].into_iter().find(|one| one.name() == given).ok_or_else(
        || {
            Problem::bad_request("unknown_state", format!("{given:?} is not what a month can be"))
                .at("verdict", given)
                .fix("use met, missed or unknown")
        },
    )
}

fn reply(
    fleet: &Fleet,
    month: Month,
    wanted: Option<Verdict>,
    asked: &Asked,
    now: Timestamp,
) -> Result<SlaReply, Problem> {
    let looked = Looked::of(fleet, month, now);
    let mut lines: Vec<(Verdict, SlaLine)> = match asked.account.as_deref() {
        Some(given) => {
            let gateway = gateway_of(fleet, &parse_id("account", given)?)?;
            vec![sla::line(fleet, gateway, &looked, month)]
        }
        None => fleet.gateways.values().map(|gateway| sla::line(fleet, gateway, &looked, month)).collect(),
    };
    let count = |verdict| lines.iter().filter(|(found, _)| *found == verdict).count() as u64;
    let (missed, undecided) = (count(Verdict::Missed), count(Verdict::Unknown));
    let all = words::count(lines.len() as u64, "account", "accounts");
    let summary = format!(
        "{month}: {missed} of {all} missed the target of the tier; of {undecided} what is unknown decides it."
    );
    lines.retain(|(verdict, _)| wanted.is_none_or(|wanted| wanted == *verdict));
    lines.sort_by(|(_, a), (_, b)| {
        let lost = |line: &SlaLine| (line.down_seconds, line.unknown_seconds);
        lost(b).cmp(&lost(a)).then_with(|| a.account_id.cmp(&b.account_id))
    });
    let show = |(_, line): &(Verdict, SlaLine)| line.clone();
    let shown = page(lines.iter(), |(_, line)| line.account_id.clone(), show, &asked.page())?;
    Ok(SlaReply {
        summary,
        month: month.to_string(),
        missed,
        undecided,
        items: shown.items,
        total: shown.total,
        next: shown.next,
    })
}
