//! What two nodes say to each other about a lease, over TLS 1.3: the witness shows its node key, the holder signs what it
//! asks. One greeting, one question, one answer.
//!
//! Strangers learn nothing here and cost little: few are heard at once, each for a short time and for few bytes.

use super::{instances::Instances, leases::Holder, tls};
use crate::{instance::Question, machine};
use gf_model::lease;
use gf_node_proto::{SigningKey, WitnessAnswer, WitnessAsk, WitnessGreeting, sign_ask, verify_ask};
use prost::Message;
use std::{fs, io, net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, rustls::pki_types::ServerName};

/// For the whole of a question, TLS included.
const PATIENCE: Duration = Duration::from_secs(3);
/// Questions that may be under way at once; others wait in the kernel.
const AT_ONCE: usize = 16;
const LARGEST: usize = 4096;

/// Listens where this node is to be asked, on the port of before where none is named: those who know it by that find it
/// again.
pub async fn listen(at: SocketAddr, home: &Path) -> io::Result<TcpListener> {
    let file = home.join("witness-port");
    let before = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse::<u16>().ok());
    if at.port() == 0
        && let Some(port) = before
        && let Ok(listener) = TcpListener::bind((at.ip(), port)).await
    {
        return Ok(listener);
    }
    let listener = TcpListener::bind(at).await?;
    fs::write(&file, listener.local_addr()?.port().to_string())?;
    Ok(listener)
}

/// Answers for as long as it is polled.
pub async fn serve(listener: TcpListener, key: SigningKey, instances: Arc<Instances>) {
    let acceptor = match tls::acceptor(&key) {
        Ok(acceptor) => acceptor,
        Err(why) => {
            return tracing::error!(%why, "this node's key cannot be used for TLS: it is nobody's witness");
        }
    };
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((socket, _)) => {
                let (acceptor, instances) = (acceptor.clone(), Arc::clone(&instances));
                tokio::spawn(async move {
                    let answered = timeout(PATIENCE, answer(socket, acceptor, &instances)).await;
                    if let Ok(Err(why)) = answered {
                        tracing::debug!(%why, "a question to this witness came to nothing");
                    }
                    drop(place);
                });
            }
            Err(why) => {
                // Most likely too many files are open: others must close first.
                tracing::warn!(%why, "a question to this witness could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn answer(socket: TcpStream, acceptor: TlsAcceptor, instances: &Instances) -> io::Result<()> {
    let mut stream = acceptor.accept(socket).await?;
    let mut nonce = vec![0; 32];
    getrandom::fill(&mut nonce).map_err(|why| io::Error::other(why.to_string()))?;
    write(&mut stream, &WitnessGreeting { nonce: nonce.clone() }).await?;
    let ask: WitnessAsk = read(&mut stream).await?;
    let half = instances.all().into_iter().find_map(|instance| Some((instance.holder_of(&ask)?, instance)));
    let said = match half {
        Some((key, instance)) if verify_ask(&key, &nonce, &ask).is_ok() => {
            instance.renews(&ask, machine::since_boot())
        }
        // Neither what is here nor whose it is is told to anybody else.
        _ => Err("nobody of this name is known here".to_owned()),
    };
    let answer = match said {
        Ok(()) => WitnessAnswer { duration_ms: millis(lease::LASTS), refusal: String::new() },
        Err(refusal) => WitnessAnswer { duration_ms: 0, refusal },
    };
    write(&mut stream, &answer).await?;
    stream.shutdown().await
}

/// Asks a witness; gives for how long it renews, counted from when the question was made.
pub async fn ask(holder: &Holder, question: &Question) -> Result<Duration, String> {
    let asking = async {
        let socket = TcpStream::connect(&question.address).await?;
        socket.set_nodelay(true)?;
        let host = question.address.rsplit_once(':').map_or("", |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        let mut stream = tls::encrypt(socket, name, &question.key).await?;
        let greeting: WitnessGreeting = read(&mut stream).await?;
        let mut ask = WitnessAsk { holder_node: holder.node.clone(), ..question.ask.clone() };
        sign_ask(&holder.key, &greeting.nonce, &mut ask);
        write(&mut stream, &ask).await?;
        read::<WitnessAnswer>(&mut stream).await
    };
    match timeout(PATIENCE, asking).await {
        Err(_) => Err(format!("{} did not answer within {PATIENCE:?}", question.address)),
        Ok(Err(why)) => Err(format!("{}: {why}", question.address)),
        Ok(Ok(WitnessAnswer { duration_ms: 0, refusal })) => Err(format!("{}: {refusal}", question.address)),
        Ok(Ok(answer)) => Ok(Duration::from_millis(answer.duration_ms.into())),
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), message: &impl Message) -> io::Result<()> {
    let bytes = message.encode_to_vec();
    let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], &bytes].concat()).await?;
    stream.flush().await
}

async fn read<M: Message + Default>(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<M> {
    let length = usize::from(stream.read_u16().await?);
    if length > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message of this length is none of ours"));
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    M::decode(&bytes[..]).map_err(io::Error::other)
}
