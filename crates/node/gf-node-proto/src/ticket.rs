//! Tickets: what a node that has proven its key comes back by, without a signature on either side.
//!
//! A ticket's secret follows from the control plane's key, the node, the node's key and until when it stands, so that the
//! control plane keeps nothing: whoever holds its key makes the same secret again, and a node that was removed, or enrolled
//! with another key, has none any more. A ticket proves as much as the node's key for as long as it stands and no longer; it
//! must never be printed, written down, or given to whoever has not proven the key that it is made of.

use crate::{Hello, SignatureError, Ticket};
use ed25519_dalek::SigningKey;
use hmac::{Hmac, Mac, digest::Key};
use sha2::Sha256;

/// How long a ticket stands. A thief has it for no longer, and a fleet whose control plane was away for longer comes back by
/// its keys.
pub const TICKET_LASTS_S: u64 = 24 * 60 * 60;
const SECRET_BYTES: usize = 32;

const KEY: &str = "clawops node link: ticket key";
const TICKET: &str = "clawops node link: ticket";

type Hash = Hmac<Sha256>;

/// What a control plane makes its tickets with. It follows from the key that nodes know it by, and is as secret.
#[derive(Clone)]
pub struct TicketKey(Hash);

impl TicketKey {
    pub fn of(control: &SigningKey) -> Self {
        let derived = keyed(&control.to_bytes()).chain_update(KEY).finalize().into_bytes();
        Self(keyed(&derived))
    }

    /// The ticket of a node that is known by this key. The same for the same moment.
    pub fn ticket(&self, node: &str, key: &[u8; 32], expires_at_s: u64) -> Ticket {
        let mut hash = self.0.clone();
        hash.update(TICKET.as_bytes());
        hash.update(&(node.len() as u64).to_be_bytes());
        hash.update(node.as_bytes());
        hash.update(key);
        hash.update(&expires_at_s.to_be_bytes());
        Ticket { expires_at_s, secret: hash.finalize().into_bytes().to_vec() }
    }

    /// One that stands from now on, as long as any does.
    pub fn fresh(&self, node: &str, key: &[u8; 32], now_s: u64) -> Ticket {
        self.ticket(node, key, now_s.saturating_add(TICKET_LASTS_S))
    }

    /// The ticket that a Hello names, where it stands now. One that would stand for longer than any does was given before the
    /// clock was set back.
    pub fn named(&self, hello: &Hello, key: &[u8; 32], now_s: u64) -> Option<Ticket> {
        let until = hello.ticket_expires_at_s;
        let stands = now_s < until && until <= now_s.saturating_add(TICKET_LASTS_S);
        stands.then(|| self.ticket(&hello.node_id, key, until))
    }
}

impl Ticket {
    /// Whether half of its life is over, so that the node is due a new one.
    pub fn is_ageing(expires_at_s: u64, now_s: u64) -> bool {
        expires_at_s.saturating_sub(now_s) < TICKET_LASTS_S / 2
    }

    /// Whether anything can be proven by it.
    pub fn is_whole(&self) -> bool {
        self.expires_at_s > 0 && self.secret.len() == SECRET_BYTES
    }

    pub(crate) fn mac(&self, message: &[u8]) -> Vec<u8> {
        keyed(&self.secret).chain_update(message).finalize().into_bytes().to_vec()
    }

    /// Takes as long wherever the difference is.
    pub(crate) fn verify(&self, message: &[u8], mac: &[u8]) -> Result<(), SignatureError> {
        let expected = keyed(&self.secret).chain_update(message);
        expected.verify_slice(mac).map_err(|_| SignatureError::Signature)
    }
}

/// HMAC fills a key that is shorter than its block with zeros; ours always are.
fn keyed(key: &[u8]) -> Hash {
    let mut block = Key::<Hash>::default();
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    <Hash as Mac>::new(&block)
}

#[cfg(test)]
#[path = "ticket_tests.rs"]
mod tests;
