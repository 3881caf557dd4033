//! Letting a node in: version, then keys both ways, then the resume point. Nothing else is heard before that.
//!
//! A node that names a ticket which stands proves itself by that instead; whatever speaks against it (another key, another
//! time, nobody known, a control plane that follows) leads to a handshake by keys, in the same exchange.

use crate::{
    TransportError,
    hub::Shared,
    transport::{Incoming, Outgoing},
};
use bytes::Bytes;
use futures_util::StreamExt;
use gf_model::NodeId;
use gf_node_proto::{
    Check, Enrol, EnrolmentToken, FrameError, FrameWriter, GoodbyeReason, Hello, NONCE_BYTES, NodeRole,
    Proof, Seal, SignatureError, Ticket, Transcript, VerifyingKey, Welcomed, carries_tickets, decode,
    envelope, key_from_bytes, negotiate, said_hello, sign_challenge, sign_welcome, verify_node,
};
use std::fmt;

/// Who was let in.
pub(crate) struct Admitted {
    pub node: NodeId,
    pub hello: Hello,
    pub by_ticket: bool,
    /// Until when the ticket stands that it holds now, if it may hold any.
    pub ticket_expires_at_s: Option<u64>,
}

/// Who has proven themselves as the node of a name.
enum Proven {
    /// By this key, which is kept under that name.
    Node([u8; 32]),
    /// By a key that nobody knows, while a fleet whose list of nodes was lost is adopted.
    Stranger,
}

/// Why somebody was not; sent as a Goodbye.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub reason: GoodbyeReason,
    pub detail: String,
    /// Where to go instead.
    pub control: Vec<String>,
}

impl Refusal {
    pub(crate) fn new(reason: GoodbyeReason, detail: impl fmt::Display) -> Self {
        Self { reason, detail: detail.to_string(), control: Vec::new() }
    }
}

impl From<FrameError> for Refusal {
    fn from(why: FrameError) -> Self {
        let reason = match why {
            FrameError::TooLarge { .. } => GoodbyeReason::FrameTooLarge,
            FrameError::Malformed(_) | FrameError::Empty | FrameError::Unknown(_) => {
                GoodbyeReason::MalformedFrame
            }
        };
        Self::new(reason, why)
    }
}

/// The next frame, or why there is none.
pub(crate) async fn next_frame<S: Incoming>(stream: &mut S) -> Result<Bytes, Refusal> {
    match stream.next().await {
        Some(Ok(frame)) => Ok(frame),
        Some(Err(why)) => {
            let why = why.into();
            let reason = match why {
                TransportError::TooLarge(_) => GoodbyeReason::FrameTooLarge,
                TransportError::Malformed(_) => GoodbyeReason::MalformedFrame,
                TransportError::Broken(_) => GoodbyeReason::Unspecified,
            };
            Err(Refusal::new(reason, why))
        }
        None => Err(Refusal::new(GoodbyeReason::Unspecified, "the connection was closed")),
    }
}

pub(crate) async fn admit<S: Incoming, K: Outgoing>(
    shared: &Shared,
    stream: &mut S,
    writer: &mut FrameWriter<K>,
) -> Result<Admitted, Refusal> {
    let patience = shared.config.handshake_patience;
    match tokio::time::timeout(patience, exchange(shared, stream, writer)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Refusal::new(GoodbyeReason::Silent, format!("no handshake within {patience:?}"))),
    }
}

async fn exchange<S: Incoming, K: Outgoing>(
    shared: &Shared,
    stream: &mut S,
    writer: &mut FrameWriter<K>,
) -> Result<Admitted, Refusal> {
    let hello = said_hello(&next_frame(stream).await?)?.ok_or_else(|| unexpected("a Hello"))?;
    let protocol = negotiate(&hello).map_err(|why| Refusal::new(why.goodbye(), why))?;
    let node = node_name(&hello)?;

    let mut nonce = [0; NONCE_BYTES];
    shared.entropy.fill(&mut nonce);
    let held = named_ticket(shared, &node, &hello, protocol).await;
    let seal = held.as_ref().map_or(Seal::Key(&shared.config.key), Seal::Ticket);
    let (challenge, transcript) = sign_challenge(seal, &hello, protocol, nonce)
        .map_err(|why| Refusal::new(GoodbyeReason::BadSignature, why))?;
    send(writer, challenge).await?;

    let (controller_generation, proven) = match decode(&next_frame(stream).await?)? {
        envelope::Body::Enrol(enrol) if held.is_none() => {
            // Before the token is used up.
            let generation = leads(shared)?;
            (generation, enrol_node(shared, &node, &transcript, &enrol).await?)
        }
        envelope::Body::Proof(proof) => {
            let proven = prove_node(shared, &node, &transcript, &proof, held.as_ref()).await?;
            (leads(shared)?, proven)
        }
        _ => return Err(unexpected("an Enrol or a Proof")),
    };

    let events_acknowledged = shared.node(&node).ledger.lock().acknowledged();
    let interval = shared.config.heartbeat_interval.as_millis();
    let now_s = shared.now_s();
    let ticket = match proven {
        Proven::Stranger => None,
        Proven::Node(_) if held.as_ref().is_some_and(|it| !Ticket::is_ageing(it.expires_at_s, now_s)) => None,
        Proven::Node(key) => {
            transcript.carries_tickets().then(|| shared.tickets.fresh(node.as_str(), &key, now_s))
        }
    };
    let ticket_expires_at_s = ticket.as_ref().or(held.as_ref()).map(|ticket| ticket.expires_at_s);
    let welcomed = Welcomed {
        controller_generation,
        events_acknowledged,
        heartbeat_interval_ms: u32::try_from(interval).unwrap_or(u32::MAX),
        ticket,
    };
    let welcome = sign_welcome(seal, &transcript, welcomed)
        .map_err(|why| Refusal::new(GoodbyeReason::BadSignature, why))?;
    send(writer, welcome).await?;
    Ok(Admitted { node, hello: hello.into_message(), by_ticket: held.is_some(), ticket_expires_at_s })
}

/// The ticket that a node names, where this control plane honours it now. Made anew: only who holds the same one can answer.
async fn named_ticket(shared: &Shared, node: &NodeId, hello: &Hello, protocol: u32) -> Option<Ticket> {
    if hello.ticket_expires_at_s == 0 || !carries_tickets(protocol) || shared.leads().is_err() {
        return None;
    }
    let key = shared.registry.key_of(node).await.ok().flatten()?;
    shared.tickets.named(hello, &key, shared.now_s())
}

/// The generation that leads here; a node is sent on where another control plane does.
fn leads(shared: &Shared) -> Result<u64, Refusal> {
    shared.leads().map_err(|control| {
        let why = "this control plane follows another one, which takes nodes in";
        Refusal { control, ..Refusal::new(GoodbyeReason::Unavailable, why) }
    })
}

fn node_name(hello: &Hello) -> Result<NodeId, Refusal> {
    let refused = |detail: String| Refusal::new(GoodbyeReason::UnknownNode, detail);
    let node: NodeId = hello.node_id.parse().map_err(|why| refused(format!("node_id: {why}")))?;
    if node.as_str() != hello.node_id {
        return Err(refused(format!("node_id: {:?} must be written {node}", hello.node_id)));
    }
    if hello.role() != NodeRole::Host {
        return Err(refused(format!(
            "role: only a host may connect here, not {}",
            hello.role().as_str_name()
        )));
    }
    Ok(node)
}

async fn enrol_node(
    shared: &Shared,
    node: &NodeId,
    transcript: &Transcript,
    enrol: &Enrol,
) -> Result<Proven, Refusal> {
    let key = enrol.verified_key(transcript).map_err(|why| Refusal::new(GoodbyeReason::BadSignature, why))?;
    let token = enrol.token.as_ref().map_or("", |token| &token.value);
    let decided = shared.registry.enrol(node, EnrolmentToken::digest_of(token), key).await;
    decided
        .map_err(|why| Refusal::new(GoodbyeReason::Unavailable, why))?
        .map_err(|why| Refusal::new(why.goodbye(), why))?;
    let state = shared.node(node);
    state.begins_anew();
    state.lease.lock().key = Some(key.to_bytes());
    Ok(Proven::Node(key.to_bytes()))
}

async fn prove_node(
    shared: &Shared,
    node: &NodeId,
    transcript: &Transcript,
    proof: &Proof,
    held: Option<&Ticket>,
) -> Result<Proven, Refusal> {
    let bad_signature = |why: SignatureError| Refusal::new(GoodbyeReason::BadSignature, why);
    // Asked now, with a ticket too: the node may have been removed, or given another key, since it said hello.
    let known = shared.registry.key_of(node).await;
    let known = known.map_err(|why| Refusal::new(GoodbyeReason::Unavailable, why))?;
    let (key, proven) = match (known, held) {
        (Some(key), Some(held)) => {
            let still = shared.tickets.ticket(node.as_str(), &key, held.expires_at_s);
            verify_node(Check::Ticket(&still), transcript, &proof.signature).map_err(bad_signature)?;
            (key, Proven::Node(key))
        }
        (Some(key), None) => {
            let verifying =
                key_from_bytes(&key).map_err(|why| Refusal::new(GoodbyeReason::Unavailable, why))?;
            verify_node(&verifying, transcript, &proof.signature).map_err(bad_signature)?;
            (key, Proven::Node(key))
        }
        (None, _) => {
            let said = stranger(shared, proof).await.ok_or_else(|| {
                let why = format!("{node} has not enrolled; start it with a token");
                Refusal::new(GoodbyeReason::UnknownNode, why)
            })?;
            verify_node(&said, transcript, &proof.signature).map_err(bad_signature)?;
            (said.to_bytes(), Proven::Stranger)
        }
    };
    shared.node(node).lease.lock().key = Some(key);
    Ok(proven)
}

/// The key that somebody says who is heard although nobody knows them. The signature proves that they hold it.
async fn stranger(shared: &Shared, proof: &Proof) -> Option<VerifyingKey> {
    let said: [u8; 32] = proof.public_key.as_slice().try_into().ok()?;
    let key = VerifyingKey::from_bytes(&said).ok()?;
    shared.registry.hears_strangers().await.then_some(key)
}

async fn send<K: Outgoing>(
    writer: &mut FrameWriter<K>,
    body: impl Into<envelope::Body>,
) -> Result<(), Refusal> {
    writer.put(body)?;
    writer.pump().await.map_err(|why| Refusal::new(GoodbyeReason::Unspecified, why))
}

fn unexpected(wanted: &str) -> Refusal {
    Refusal::new(GoodbyeReason::UnexpectedFrame, format!("{wanted} was expected here"))
}
