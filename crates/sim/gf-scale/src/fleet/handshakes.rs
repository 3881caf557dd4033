//! What machines' ends of their handshakes take: by their keys a signature and two that are checked, by their tickets three
//! MACs. In memory they run on the control plane's threads, and must not be taken for its own.

use super::plane::this_thread;
use crate::links::node;
use gf_driver_sim::testing::control_key;
use gf_node_proto::{
    NONCE_BYTES, PROTOCOL_MAX, Said, Seal, Ticket, TicketKey, Welcomed, sign_challenge, sign_welcome,
};

/// So many are measured; each takes the same.
const TRIED: u32 = 2_000;

/// Seconds of one core for so many machines that come by their keys.
pub fn by_keys(count: usize) -> f64 {
    machines_ends(count, &vec![None; TRIED as usize])
}

/// The same of machines that hold a ticket.
pub fn by_tickets(count: usize) -> f64 {
    let office = TicketKey::of(&control_key());
    let ticket = |nth| office.fresh(node::id(nth).as_str(), &node::key(nth).verifying_key().to_bytes(), 0);
    machines_ends(count, &(0..TRIED).map(|nth| Some(ticket(nth))).collect::<Vec<_>>())
}

fn machines_ends(count: usize, held: &[Option<Ticket>]) -> f64 {
    let control = control_key();
    let seals: Vec<_> =
        held.iter().map(|held| held.as_ref().map_or(Seal::Key(&control), Seal::Ticket)).collect();
    let challenges = (0..TRIED).zip(&seals).map(|(nth, seal)| {
        let hello = Said::by_us(node::hello(nth, held[nth as usize].as_ref()));
        sign_challenge(*seal, &hello, PROTOCOL_MAX, [3; NONCE_BYTES]).expect("a challenge")
    });
    let (challenges, transcripts): (Vec<_>, Vec<_>) = challenges.unzip();
    let before = this_thread();
    let shown: Vec<_> = (0..TRIED)
        .zip(challenges)
        .map(|(nth, challenge)| {
            node::proof(nth, held[nth as usize].as_ref(), challenge.into()).expect("a proof").1
        })
        .collect();
    let proving = this_thread() - before;
    let welcomed = Welcomed { controller_generation: 1, ..Welcomed::default() };
    let welcomes: Vec<_> = transcripts
        .iter()
        .zip(&seals)
        .map(|(transcript, seal)| sign_welcome(*seal, transcript, welcomed.clone()).expect("a welcome"))
        .collect();
    let before = this_thread();
    for (shown, welcome) in shown.iter().zip(welcomes) {
        node::welcomed(shown, welcome.into()).expect("welcomed");
    }
    let one = (proving + this_thread() - before) / TRIED;
    one.as_secs_f64() * count as f64
}
