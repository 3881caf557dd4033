//! "How is the fleet?" through the real OpenClaw, from the sent line to the whole answer.

use crate::report::Row;
use crate::stats::{median, percentile};
use clawops_e2e::Universe;
use openclaw_client::chat::{AgentTurn, TurnEnd};
use openclaw_client::{Client, Endpoint, Token};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const WARM_UP: usize = 3;
const RUNS: usize = 40;
static ASKED: AtomicU64 = AtomicU64::new(0);
const WITHIN: Duration = Duration::from_secs(60);

pub fn questions() -> Vec<Row> {
    let universe = Universe::up();
    let session = universe.session();
    let seconds = ask(&universe, &session, WARM_UP + RUNS).split_off(WARM_UP);
    let how = format!("{RUNS} turns of one session over one connection, no model key, no network");
    vec![
        Row {
            name: "status question, p50",
            value: median(&seconds),
            unit: "s",
            target: 0.7,
            how: how.clone(),
        },
        Row { name: "status question, p95", value: percentile(&seconds, 95.0), unit: "s", target: 1.2, how },
    ]
}

/// Seconds from the sent line to the whole answer, of each turn.
pub fn ask(universe: &Universe, session: &str, turns: usize) -> Vec<f64> {
    let asking = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    asking.block_on(converse(universe, session, turns))
}

async fn converse(universe: &Universe, session: &str, turns: usize) -> Vec<f64> {
    let addr = universe.ops_gateway().parse().expect("an address");
    let endpoint = Endpoint { addr, token: Token::new(universe.key("ops-gateway.token")) };
    let client = Client::connect(&endpoint, WITHIN).await.expect("the ops gateway answers");
    let mut seconds = Vec::new();
    for _ in 0..turns {
        let nth = ASKED.fetch_add(1, Ordering::Relaxed);
        let turn = AgentTurn::in_session(
            session,
            "how is the fleet?",
            format!("bench-{}-{nth}", std::process::id()),
        );
        let began = Instant::now();
        let end = client.converse(&turn, WITHIN, |_| {}).await.expect("a turn");
        assert!(matches!(end, TurnEnd::Replied(Some(_))), "no answer: {end:?}");
        seconds.push(began.elapsed().as_secs_f64());
    }
    seconds
}
