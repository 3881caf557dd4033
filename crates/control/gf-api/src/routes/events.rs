//! Server-sent events: the fleet as it changes, and one operation until its end.
//!
//! A stream never tells more than a reader could ask for, and a slow reader never slows anybody else: it is told what
//! is the case when it is ready again.

use crate::{
    Api, Problem,
    auth::{Identity, access::Access},
    limits::Streaming,
    openapi::{Route, Routes},
    problem::parse_id,
    view::{progress, status},
};
use axum::{
    Extension,
    extract::{Path, State},
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, StreamExt, stream};
use gf_model::{OperationId, fleet::Key};
use gf_store::{Changed, Committed};
use gf_tools::FleetStatusParams;
use serde_json::{Value, json};
use std::{convert::Infallible, sync::Arc, time::Duration};

/// The shortest time between two events of one stream.
pub const PACE: Duration = Duration::from_millis(250);
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            Route::get(
                "/v1/events",
                Access::Read,
                "The fleet's status, then again at every change (server-sent events).",
            )
            .media("text/event-stream"),
            fleet,
        )
        .add(
            Route::get(
                "/v1/operations/{id}/events",
                Access::Read,
                "An operation's progress until it is over (server-sent events).",
            )
            .media("text/event-stream"),
            operation,
        )
}

pub type Events = Sse<
    axum::response::sse::KeepAliveStream<
        std::pin::Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>,
    >,
>;

/// A stream of events that ends with the process and keeps its connection, for as long as its reader may have it.
pub fn sse(api: &Api, held: Streaming, events: impl Stream<Item = Event> + Send + 'static) -> Events {
    let ending = api.ending.clone();
    let events = events.take_until(async move { ending.cancelled().await }).map(move |event| {
        let _held = &held;
        Ok(event)
    });
    let events: std::pin::Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>> = Box::pin(events);
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

/// Now, and then after every change, never faster than [`PACE`]. Changes in between are seen together.
pub fn ticks(api: &Api) -> impl Stream<Item = ()> + Send + use<> {
    let changed = api.store.changed();
    stream::unfold((changed, true), async |(mut changed, first): (Changed, bool)| {
        if first {
            changed.borrow_and_update();
        } else {
            tokio::time::sleep(PACE).await;
            changed.changed().await.ok()?;
        }
        Some(((), (changed, false)))
    })
}

/// One event; a text without line breaks cannot be refused.
pub fn event(name: &str, data: &Value) -> Event {
    Event::default().event(name).data(data.to_string())
}

/// The commit that a reader saw last, as its browser or program sends it again after a cut.
fn last_seen(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(given) = headers.get("last-event-id") else { return Ok(None) };
    let given = given.to_str().unwrap_or_default();
    match given.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) if given.is_empty() => Ok(None),
        Err(_) => Err(Problem::bad_request("bad_event_id", "this is no id of an event")
            .at("Last-Event-ID", given)
            .fix("send the id of the last event, or leave it out")),
    }
}

/// What a reader missed, and the newest commit that is told by it.
fn missed_since(api: &Api, seen: Option<u64>) -> (Vec<Arc<Committed>>, u64) {
    let Some(seen) = seen else { return (Vec::new(), 0) };
    let (missed, newest) = api.recent.after(seen);
    let unknown = || {
        let everything = Committed { number: newest, keys: Vec::new(), audit: 0..0, missed: true };
        vec![Arc::new(everything)]
    };
    (missed.unwrap_or_else(unknown), newest)
}

fn change(committed: &Committed) -> Event {
    let keys: Vec<Value> = committed.keys.iter().filter(|key| is_public(key)).map(|key| json!(key)).collect();
    let audit = json!({"from": committed.audit.start, "to": committed.audit.end});
    let data = json!({"number": committed.number, "keys": keys, "audit": audit, "missed": committed.missed});
    event("change", &data).id(committed.number.to_string())
}

async fn fleet(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    headers: HeaderMap,
) -> Result<Events, Problem> {
    let held = api.pace.stream(&who)?;
    // What comes from now on, before what came until now: nothing is between them.
    let mut commits = Box::pin(api.store.subscribe());
    let (missed, told) = missed_since(&api, last_seen(&headers)?);
    let reader = api.clone();
    let statuses = ticks(&api).map(move |()| {
        let now = reader.clock.now();
        let status = reader
            .counted(|fleet, tally| status::fleet_status(fleet, tally, &FleetStatusParams::default(), now));
        event("status", &status.ok().and_then(|status| serde_json::to_value(status).ok()).unwrap_or_default())
    });
    let live = async_stream_of(move |cx| commits.poll_next_unpin(cx))
        .filter(move |committed| std::future::ready(committed.missed || committed.number > told));
    let changes = stream::iter(missed).chain(live).map(|committed| change(&committed));
    Ok(sse(&api, held, stream::select(statuses, changes)))
}

/// Names of records that hold no one's secret: an idempotency key is its owner's business.
fn is_public(key: &Key) -> bool {
    !matches!(key, Key::Once(_))
}

fn async_stream_of<T>(
    poll: impl FnMut(&mut std::task::Context<'_>) -> std::task::Poll<Option<T>> + Send,
) -> impl Stream<Item = T> + Send {
    stream::poll_fn(poll)
}

async fn operation(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(id): Path<String>,
) -> Result<Events, Problem> {
    let id: OperationId = parse_id("id", &id)?;
    let held = api.pace.stream(&who)?;
    if !api.store.read(|fleet| fleet.operations.contains_key(&id)) {
        return Err(Problem::not_found("operation", &id));
    }
    let reader = api.clone();
    let looks = ticks(&api).map(move |()| {
        let now = reader.clock.now();
        reader.store.read(|fleet| {
            let operation = fleet.operations.get(&id)?;
            Some((progress::reply(fleet, operation, now), operation.state.is_over()))
        })
    });
    let events = looks.scan((String::new(), false), |(last, over), look| {
        let (reply, ended) = match look {
            Some(look) if !*over => look,
            _ => return std::future::ready(None),
        };
        // The summary and counts say whether anything moved; elapsed time always does.
        let seen = format!("{} {:?} {:?}", reply.state, reply.targets_by_state, reply.instances_by_state);
        let moved = *last != seen || ended;
        *last = seen;
        *over = ended;
        let name = if ended { "end" } else { "progress" };
        let data = serde_json::to_value(&reply).unwrap_or_default();
        std::future::ready(Some(moved.then(|| event(name, &data))))
    });
    Ok(sse(&api, held, events.filter_map(std::future::ready)))
}
