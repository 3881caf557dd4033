//! A node's side of the link as values: the same bytes, keys and checks as a real node's, and nothing behind them.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use gf_model::NodeId;
use gf_node_proto::{
    Check, Command, CommandResult, Done, Heartbeat, Hello, InstanceRole, InstanceState, InstanceSummary,
    NONCE_BYTES, NodeRole, Observation, PROTOCOL_MAX, PROTOCOL_MIN, Proof, Resources, Said, Seal, SigningKey,
    Ticket, Transcript, VerifyingKey, VpsHealth, command, command_result, encode, envelope, reply, sign_node,
    verify_challenge, verify_ticketed, verify_welcome,
};

pub fn id(nth: u32) -> NodeId {
    format!("node-scale-{nth:06}").parse().unwrap_or_else(|_| NodeId::from_bits(nth.into(), 8))
}

/// Worth nothing outside a measurement.
pub fn key(nth: u32) -> SigningKey {
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&nth.to_be_bytes());
    SigningKey::from_bytes(&seed)
}

/// Its Hello, with the ticket that it holds.
pub fn hello(nth: u32, held: Option<&Ticket>) -> Hello {
    Hello {
        protocol_min: PROTOCOL_MIN,
        protocol_max: PROTOCOL_MAX,
        node_id: id(nth).to_string(),
        role: NodeRole::Host.into(),
        software_version: env!("CARGO_PKG_VERSION").into(),
        provider: "local-a".into(),
        nonce: vec![5; NONCE_BYTES],
        ticket_expires_at_s: held.map_or(0, |ticket| ticket.expires_at_s),
    }
}

/// What was shown to whom, until the welcome.
pub struct Shown(By, Transcript);

enum By {
    Key(VerifyingKey),
    Ticket(Ticket),
}

/// The answer to a challenge: by the ticket that is held where the challenge is, else by the node's key.
pub fn proof(nth: u32, held: Option<&Ticket>, challenged: envelope::Body) -> Result<(Bytes, Shown)> {
    let envelope::Body::Challenge(challenge) = challenged else { bail!("no challenge: {challenged:?}") };
    let (hello, challenge) = (Said::by_us(hello(nth, held)), Said::by_us(challenge));
    let (signature, shown) = match held.filter(|_| challenge.by_ticket) {
        Some(ticket) => {
            let transcript = verify_ticketed(ticket, &hello, &challenge)?;
            (sign_node(Seal::Ticket(ticket), &transcript), Shown(By::Ticket(ticket.clone()), transcript))
        }
        None => {
            let (control, transcript) = verify_challenge(&hello, &challenge)?;
            (sign_node(&key(nth), &transcript), Shown(By::Key(control), transcript))
        }
    };
    Ok((encode(Proof { signature, ..Proof::default() })?, shown))
}

/// The ticket that it is given.
pub fn welcomed(Shown(by, transcript): &Shown, body: envelope::Body) -> Result<Option<Ticket>> {
    let envelope::Body::Welcome(welcome) = body else { bail!("no welcome: {body:?}") };
    let check = match by {
        By::Key(control) => Check::Key(control),
        By::Ticket(ticket) => Check::Ticket(ticket),
    };
    let welcomed = verify_welcome(check, transcript, &Said::by_us(welcome)).context("the welcome")?;
    Ok(welcomed.ticket)
}

/// A machine with one instance that serves, measured at the `beat`th time: what moves all the time moves.
pub fn heartbeat(nth: u32, beat: u32) -> Heartbeat {
    let moves = u64::from(beat % 7) << 20;
    Heartbeat {
        at_ms: 1_767_225_600_000 + i64::from(beat) * 10_000,
        resources: Some(Resources {
            cpu_count: 2,
            cpu_permille: 40 + beat % 5,
            memory_total_bytes: 4 << 30,
            memory_available_bytes: (3 << 30) + moves,
            disk_total_bytes: 40 << 30,
            disk_available_bytes: 30 << 30,
            load_centi: vec![12, 15, 11],
            uptime_s: 86_400 + u64::from(beat) * 10,
            cpu_permille_5m: Some(38),
        }),
        instances: vec![InstanceSummary {
            instance_id: format!("i-{nth:08x}"),
            account: format!("acct-{nth:06}"),
            role: InstanceRole::Primary.into(),
            state: InstanceState::Active.into(),
            generation: 1,
            port: 18_789,
            pid: 4_711,
            health_score: Some(100),
            revision: "v47".into(),
            channels_open: true,
            last_snapshot: format!("snap-{nth:012x}"),
            last_boot_ms: 9_200,
            openclaw_version: "2026.9.6".into(),
            memory_bytes: (700 << 20) + moves,
            owned_hash: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef".into(),
            observation: Some(Observation {
                http_ok: true,
                disk_percent: Some(25.0),
                memory_percent: Some(24.0 + (beat % 7) as f32),
                cpu_percent_5m: Some(3.8),
                ..Observation::default()
            }),
            ..InstanceSummary::default()
        }],
        ..Heartbeat::default()
    }
}

/// The answer to a command that only asks whether the node hears it; `None` for whatever else is said on a link.
pub fn answer(body: &envelope::Body) -> Result<Option<Bytes>> {
    let envelope::Body::Command(command) = body else { return Ok(None) };
    Ok(Some(encode(answered(&command.key))?))
}

pub fn answered(key: &str) -> CommandResult {
    let done = command_result::Outcome::Ok(reply::Body::from(Done {}).into());
    CommandResult { key: key.to_owned(), outcome: Some(done) }
}

/// As long as a command to a node is on the wire.
pub fn command_bytes() -> Result<Vec<u8>> {
    let command = Command {
        key: "scale/00000000".into(),
        timeout_ms: 60_000,
        body: Some(command::Body::VpsHealth(VpsHealth {})),
        ..Command::default()
    };
    Ok(encode(command)?.to_vec())
}

/// And its answer.
pub fn answer_bytes() -> Result<Vec<u8>> {
    Ok(encode(answered("scale/00000000"))?.to_vec())
}
