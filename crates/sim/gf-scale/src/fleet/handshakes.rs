//! What machines' ends of their handshakes take: a signature, and two that are checked. In memory they run on the control
//! plane's threads, and must not be taken for its own.

use super::plane::this_thread;
use crate::links::node;
use gf_driver_sim::testing::control_key;
use gf_node_proto::{NONCE_BYTES, PROTOCOL_MAX, Said, Welcomed, sign_challenge, sign_welcome};

/// So many are measured; each takes the same.
const TRIED: u32 = 2_000;

/// Seconds of one core for so many machines.
pub fn machines_ends(count: usize) -> f64 {
    let control = control_key();
    let challenges = (0..TRIED).map(|nth| {
        sign_challenge(&control, &Said::by_us(node::hello(nth)), PROTOCOL_MAX, [3; NONCE_BYTES])
            .expect("a challenge")
    });
    let (challenges, transcripts): (Vec<_>, Vec<_>) = challenges.unzip();
    let before = this_thread();
    let shown: Vec<_> = (0..TRIED)
        .zip(challenges)
        .map(|(nth, challenge)| node::proof(nth, challenge.into()).expect("a proof").1)
        .collect();
    let proving = this_thread() - before;
    let welcomed = Welcomed {
        controller_generation: 1,
        events_acknowledged: 0,
        heartbeat_interval_ms: 10_000,
        ticket: None,
    };
    let welcomes: Vec<_> = transcripts
        .iter()
        .map(|transcript| sign_welcome(&control, transcript, welcomed.clone()).expect("a welcome"))
        .collect();
    let before = this_thread();
    for (shown, welcome) in shown.iter().zip(welcomes) {
        node::welcomed(shown, welcome.into()).expect("welcomed");
    }
    let one = (proving + this_thread() - before) / TRIED;
    one.as_secs_f64() * count as f64
}
