//! Keeps a link to the control plane: dials, proves itself, serves, and dials again.

use super::{
    Control, HostError, Identity, Local, backoff,
    commands::Commands,
    controls::Controls,
    instances::Instances,
    options::{BadOption, Settings},
    session, tls,
};
use crate::program::say_passed;
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt, future};
use gf_node_proto::{
    Check, Enrol, EnrolmentToken, FrameError, FrameWriter, Goodbye, GoodbyeReason, Hello, MAX_FRAME_BYTES,
    NONCE_BYTES, NodeRole, PROTOCOL_MAX, PROTOCOL_MIN, Proof, Said, Seal, Welcomed, decode, envelope,
    said_challenge, said_welcome, sign_node, verify_challenge, verify_ticketed, verify_welcome,
};
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpStream, sync::watch, time::Instant};
use tokio_tungstenite::{client_async_with_config, tungstenite};
use tungstenite::{Message, protocol::WebSocketConfig};

const DIAL_PATIENCE: Duration = Duration::from_secs(10);

/// How an attempt ended.
#[derive(Debug)]
pub enum LinkLost {
    /// There was no link, or it broke; try again soon.
    Broken(String),
    /// The control plane said goodbye.
    Goodbye(Goodbye),
    /// What answered is not the control plane that this node belongs to.
    Untrusted(String),
    /// What answered does not know the secret of this node's ticket. It is tried once more by its key.
    Ticket,
    /// This node cannot enrol as it was started.
    Unprepared(BadOption),
    /// This process is to end.
    Leaving,
}

/// Runs until told to leave, or until a person must act before this node can ever be taken in.
pub async fn keep(
    settings: Settings,
    mut identity: Identity,
    local: Arc<Local>,
    instances: Arc<Instances>,
    commands: Arc<Commands>,
    mut leaving: watch::Receiver<bool>,
) -> Result<(), HostError> {
    let mut attempt = 0;
    let mut controls = Controls::new(settings.controls.clone());
    loop {
        let enrolled_before = identity.is_enrolled();
        let lost = match dial(&settings, &local, controls.current(), &mut identity).await {
            Ok(mut link) if local.program.is_tried() => {
                // It was to show that it can, and serves when it has taken the other one's place.
                say_passed();
                let leaving = Goodbye::from((GoodbyeReason::ShuttingDown, "the update goes on".to_owned()));
                if link.writer.put(leaving).is_ok() {
                    let _ = tokio::time::timeout(DIAL_PATIENCE, link.writer.finish()).await;
                }
                return Ok(());
            }
            Ok(link) => {
                tracing::info!(control = controls.current().url, "linked");
                let began = Instant::now();
                let lost =
                    session::serve(link, &local, &instances, &commands, &mut identity.ticket, &mut leaving)
                        .await;
                if began.elapsed() >= backoff::LASTING {
                    attempt = 0;
                }
                lost
            }
            Err(lost) => lost,
        };
        let refused = match &lost {
            LinkLost::Leaving => return Ok(()),
            LinkLost::Unprepared(_) => false,
            LinkLost::Ticket => {
                tracing::warn!("our ticket was answered by somebody who does not know it; it is thrown away");
                identity.ticket = None;
                continue;
            }
            LinkLost::Broken(why) => {
                tracing::info!(why, attempt, "no link");
                false
            }
            LinkLost::Untrusted(why) => {
                tracing::error!(why, "this is not our control plane");
                true
            }
            LinkLost::Goodbye(goodbye) => {
                let (reason, detail) = (goodbye.reason().as_str_name(), &goodbye.detail);
                tracing::warn!(reason, detail, "the control plane ended the link");
                if !enrolled_before && only_a_person_helps(goodbye.reason()) {
                    return Err(HostError::NotTakenIn { reason, detail: detail.clone() });
                }
                !matches!(
                    goodbye.reason(),
                    GoodbyeReason::ShuttingDown | GoodbyeReason::Silent | GoodbyeReason::Unavailable
                )
            }
        };
        if let LinkLost::Unprepared(why) = lost {
            return Err(why.into());
        }
        if refused {
            // Whatever was wrong, the next attempt is by this node's key.
            identity.ticket = None;
        }
        let sent_on = matches!(&lost, LinkLost::Goodbye(goodbye) if controls.sent_to(&goodbye.control));
        // Each is asked before the pause grows: one of them may lead.
        let all_tried = !sent_on && controls.next();
        let pause = backoff::pause(attempt, refused, random());
        attempt = attempt.saturating_add(u32::from(all_tried));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = leaving.changed() => return Ok(()),
        }
    }
}

fn only_a_person_helps(reason: GoodbyeReason) -> bool {
    matches!(
        reason,
        GoodbyeReason::TokenUsed
            | GoodbyeReason::TokenUnknown
            | GoodbyeReason::NameTaken
            | GoodbyeReason::UnknownNode
            | GoodbyeReason::BadSignature
            | GoodbyeReason::ProtocolTooOld
            | GoodbyeReason::ProtocolTooNew
    )
}

fn random() -> u64 {
    // Without random numbers nodes merely come back at the same moment.
    getrandom::u64().unwrap_or_default()
}

/// A link that was proven in both directions.
pub struct Link<S, K> {
    pub stream: S,
    pub writer: FrameWriter<K>,
    pub welcomed: Welcomed,
}

async fn dial(
    settings: &Settings,
    local: &Local,
    control: &Control,
    identity: &mut Identity,
) -> Result<
    Link<
        impl Stream<Item = Result<Bytes, String>> + Unpin + use<>,
        impl Sink<Bytes, Error = tungstenite::Error> + Unpin + use<>,
    >,
    LinkLost,
> {
    let attempt = async {
        let stream = reach(settings, control, identity).await?;
        let limits = WebSocketConfig::default()
            .read_buffer_size(16 * 1024)
            .write_buffer_size(16 * 1024)
            .max_frame_size(Some(MAX_FRAME_BYTES))
            .max_message_size(Some(MAX_FRAME_BYTES));
        let dialled = client_async_with_config(&control.url, stream, Some(limits)).await;
        let (socket, _) = dialled.map_err(|why| broken(&why))?;
        let (sink, stream) = socket.split();
        let mut stream = stream.filter_map(|message| {
            future::ready(match message {
                Ok(Message::Binary(frame)) => Some(Ok(frame)),
                Ok(_) => None,
                Err(why) => Some(Err(why.to_string())),
            })
        });
        let sink = sink.with(|frame: Bytes| future::ok::<_, tungstenite::Error>(Message::Binary(frame)));
        let mut writer = FrameWriter::new(sink);
        let welcomed = prove(settings, local, identity, &mut stream, &mut writer).await?;
        Ok(Link { stream, writer, welcomed })
    };
    match tokio::time::timeout(DIAL_PATIENCE, attempt).await {
        Ok(outcome) => outcome,
        Err(_) => Err(LinkLost::Broken(format!("no answer within {DIAL_PATIENCE:?}"))),
    }
}

/// A connection; where it leaves this machine, one to whoever holds the control plane's key.
async fn reach(
    settings: &Settings,
    control: &Control,
    identity: &Identity,
) -> Result<Box<dyn tls::Wire>, LinkLost> {
    let broken = |why: std::io::Error| LinkLost::Broken(why.to_string());
    let socket = TcpStream::connect(&control.authority).await.map_err(broken)?;
    socket.set_nodelay(true).map_err(broken)?;
    let Some(name) = &control.tls else { return Ok(Box::new(socket)) };
    let key = match identity.control {
        Some(known) => known,
        None => *token(settings)?.control(),
    };
    tls::encrypt(socket, name.clone(), &key).await.map_err(|why| match tls::is_somebody_else(&why) {
        true => LinkLost::Untrusted(format!("{} does not hold our control plane's key", control.url)),
        false => LinkLost::Broken(why.to_string()),
    })
}

fn token(settings: &Settings) -> Result<EnrolmentToken, LinkLost> {
    let given = settings.token().map_err(LinkLost::Unprepared)?;
    given.ok_or(LinkLost::Unprepared(BadOption::NoToken))
}

async fn prove<S, K>(
    settings: &Settings,
    local: &Local,
    identity: &mut Identity,
    stream: &mut S,
    writer: &mut FrameWriter<K>,
) -> Result<Welcomed, LinkLost>
where
    S: Stream<Item = Result<Bytes, String>> + Unpin,
    K: Sink<Bytes, Error = tungstenite::Error> + Unpin,
{
    let untrusted = |why: &dyn std::fmt::Display| LinkLost::Untrusted(why.to_string());
    let mut nonce = vec![0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|why| LinkLost::Broken(why.to_string()))?;
    let hello = Said::by_us(Hello {
        protocol_min: PROTOCOL_MIN,
        protocol_max: PROTOCOL_MAX,
        node_id: identity.node.clone(),
        role: NodeRole::Host.into(),
        software_version: local.program.version().to_owned(),
        provider: settings.provider.clone(),
        nonce,
        ticket_expires_at_s: identity.ticket.as_ref().map_or(0, |ticket| ticket.expires_at_s),
    });
    send(writer, (*hello).clone()).await?;
    let frame = next_frame(stream).await?;
    let challenge = said_challenge(&frame).map_err(|why| broken(&why))?;
    let challenge = challenge.ok_or_else(|| unexpected(&frame))?;
    let (control, transcript) = match (&identity.ticket, identity.control) {
        (Some(ticket), Some(control)) if challenge.by_ticket => {
            let transcript = verify_ticketed(ticket, &hello, &challenge).map_err(|_| LinkLost::Ticket)?;
            (control, transcript)
        }
        _ => verify_challenge(&hello, &challenge).map_err(|why| untrusted(&why))?,
    };
    let ticket = identity.ticket.as_ref().filter(|_| challenge.by_ticket);
    let signature = sign_node(ticket.map_or(Seal::Key(&identity.key), Seal::Ticket), &transcript);
    let public_key = identity.key.verifying_key().as_bytes().to_vec();
    match identity.control {
        Some(known) if known != control => return Err(untrusted(&"another control plane answers here")),
        Some(_) => send(writer, Proof { signature, public_key }).await?,
        None => {
            let token = token(settings)?;
            if *token.control() != control {
                return Err(untrusted(&"the token is for another control plane"));
            }
            send(writer, Enrol { token: Some(token.secret_text().into()), public_key, signature }).await?;
        }
    }
    let frame = next_frame(stream).await?;
    let welcome = said_welcome(&frame).map_err(|why| broken(&why))?.ok_or_else(|| unexpected(&frame))?;
    let check = ticket.map_or(Check::Key(&control), Check::Ticket);
    let mut welcomed = verify_welcome(check, &transcript, &welcome).map_err(|why| untrusted(&why))?;
    if welcomed.controller_generation < identity.controller_generation {
        let detail = format!(
            "controller generation {} is over, {} was seen",
            welcomed.controller_generation, identity.controller_generation
        );
        let _ = send(writer, Goodbye::from((GoodbyeReason::StaleController, detail.clone()))).await;
        return Err(LinkLost::Untrusted(detail));
    }
    let kept = identity.belongs_to(control, welcomed.controller_generation);
    kept.map_err(|why| LinkLost::Broken(format!("the identity could not be written: {why}")))?;
    identity.ticket = welcomed.ticket.take().or(identity.ticket.take());
    Ok(welcomed)
}

/// The next message that this build knows. A later control plane may say more.
pub async fn next<S>(stream: &mut S) -> Result<envelope::Body, LinkLost>
where
    S: Stream<Item = Result<Bytes, String>> + Unpin,
{
    loop {
        match decode(&next_frame(stream).await?) {
            Ok(body) => return Ok(body),
            Err(FrameError::Unknown(number)) => tracing::debug!(number, "an unknown message was passed over"),
            Err(why) => return Err(broken(&why)),
        }
    }
}

async fn next_frame<S>(stream: &mut S) -> Result<Bytes, LinkLost>
where
    S: Stream<Item = Result<Bytes, String>> + Unpin,
{
    match stream.next().await {
        Some(Ok(frame)) => Ok(frame),
        Some(Err(why)) => Err(LinkLost::Broken(why)),
        None => Err(LinkLost::Broken("the connection was closed".to_owned())),
    }
}

async fn send<K>(writer: &mut FrameWriter<K>, body: impl Into<envelope::Body>) -> Result<(), LinkLost>
where
    K: Sink<Bytes, Error = tungstenite::Error> + Unpin,
{
    writer.put(body).map_err(|why| LinkLost::Broken(why.to_string()))?;
    writer.pump().await.map_err(|why| LinkLost::Broken(why.to_string()))
}

fn broken(why: &dyn std::fmt::Display) -> LinkLost {
    LinkLost::Broken(why.to_string())
}

fn unexpected(frame: &[u8]) -> LinkLost {
    match decode(frame) {
        Ok(envelope::Body::Goodbye(goodbye)) => LinkLost::Goodbye(goodbye),
        _ => LinkLost::Broken("the control plane sent something else than the handshake needs".to_owned()),
    }
}
