//! The fleet page: read-only, rendered here, kept live by swapping whole sections.
//!
//! It loads nothing from anywhere else, runs no script but its own few lines, and can change nothing: there is no
//! form on it but the filter and the sign-out.

mod pairs;
mod parts;
mod sections;
mod shell;
mod side;
mod sign_in;
mod work;

pub use sections::{Section, View, sections};

use crate::{
    Api, Problem,
    auth::{access::Access, gate},
    json::Query,
    openapi::{Route, Routes},
    routes::events,
};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use gf_model::{audit::AuditRow, person::PersonRole};
use gf_store::AuditQuery;
use maud::Markup;
use serde_json::json;
use std::collections::HashMap;

/// Audit rows on the page.
const TAIL: usize = 12;

pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            Route::get("/", Access::Open, "The fleet page, or its sign-in.")
                .query::<View>()
                .media("text/html"),
            show,
        )
        .add(
            Route::get(
                "/page/events",
                Access::Page,
                "Sections of the page that changed (server-sent events).",
            )
            .query::<View>()
            .media("text/event-stream"),
            live,
        )
        .add(
            Route::post(
                "/v1/page/link",
                Access::Person(PersonRole::Viewer),
                "A link that lets one browser in, once.",
            )
            .reply::<sign_in::Link>()
            .shown_once()
            .follower_serves(),
            sign_in::link,
        )
        .add(
            Route::get("/enter", Access::Open, "Where such a link leads.").media("text/html"),
            sign_in::enter,
        )
        .add(Route::post("/enter", Access::Open, "The sign-in form.").media("text/html"), sign_in::with_key)
        .add(
            Route::post("/leave", Access::Open, "Signs this browser out.").media("text/html"),
            sign_in::leave,
        )
}

async fn show(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(view): Query<View>,
) -> Result<Response, Problem> {
    if gate::reader(&api, &headers).is_none() {
        return Ok(html(&api, StatusCode::UNAUTHORIZED, |nonce| shell::sign_in(nonce, None)));
    }
    let rendered = render(&api, &view).await?;
    Ok(html(&api, StatusCode::OK, |nonce| shell::page(nonce, &view, &rendered)))
}

async fn render(api: &Api, view: &View) -> Result<Vec<Section>, Problem> {
    let query = AuditQuery { limit: Some(TAIL), ..AuditQuery::default() };
    let tail: Vec<AuditRow> = api.store.audit(query).await.map_err(Problem::internal)?;
    let now = api.clock.now();
    Ok(api.counted(|fleet, tally| sections(fleet, tally, api.options.monthly_budget, &tail, view, now)))
}

/// Sends a section again whenever it looks different.
async fn live(
    State(api): State<Api>,
    Extension(who): Extension<crate::auth::Identity>,
    Query(view): Query<View>,
) -> Result<events::Events, Problem> {
    let held = api.pace.stream(&who)?;
    let reader = api.clone();
    let rendered = events::ticks(&api).then(move |()| {
        let (api, view) = (reader.clone(), view.clone());
        async move { render(&api, &view).await.unwrap_or_default() }
    });
    let changed = rendered.scan(HashMap::new(), |sent: &mut HashMap<&'static str, String>, sections| {
        let mut fresh = Vec::new();
        for section in sections {
            let html = section.markup.into_string();
            if sent.get(section.id) != Some(&html) {
                fresh.push(events::event("section", &json!({"id": section.id, "html": html})));
                sent.insert(section.id, html);
            }
        }
        std::future::ready(Some(futures_util::stream::iter(fresh)))
    });
    Ok(events::sse(&api, held, changed.flatten()))
}

/// A page with a policy under which nothing but it may run in it.
fn html(api: &Api, status: StatusCode, render: impl FnOnce(&str) -> Markup) -> Response {
    let nonce = format!("{:016x}{:016x}", api.entropy.next_u64(), api.entropy.next_u64());
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut response = (status, render(&nonce)).into_response();
    let headers = response.headers_mut();
    // The nonce is hexadecimal, so the policy is always a legal header.
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
