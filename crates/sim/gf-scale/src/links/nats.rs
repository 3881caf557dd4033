//! The same question to as many connections over `nats-server`: its text protocol, as far as request and reply need it.

use anyhow::{Context, Result, bail, ensure};
use std::{net::SocketAddr, time::Instant};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

struct Client {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    line: String,
}

impl Client {
    /// Connected, and subscribed to one subject.
    async fn subscribed(at: SocketAddr, subject: &str) -> Result<Self> {
        let socket = TcpStream::connect(at).await?;
        socket.set_nodelay(true)?;
        let (reader, writer) = socket.into_split();
        let mut client = Self { reader: BufReader::new(reader), writer, line: String::new() };
        let hello =
            format!("CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\nSUB {subject} 1\r\nPING\r\n");
        client.writer.write_all(hello.as_bytes()).await?;
        while client.said().await? != "PONG" {}
        Ok(client)
    }

    async fn said(&mut self) -> Result<&str> {
        self.line.clear();
        ensure!(self.reader.read_line(&mut self.line).await? > 0, "nats-server closed the connection");
        let line = self.line.trim_end();
        ensure!(!line.starts_with("-ERR"), "nats-server said {line}");
        Ok(line)
    }

    /// The next message's reply subject, if it has one, and how long it is; its payload is in `payload`.
    async fn message(&mut self, payload: &mut Vec<u8>) -> Result<Option<String>> {
        loop {
            let line = self.said().await?;
            if line == "PING" {
                self.writer.write_all(b"PONG\r\n").await?;
                continue;
            }
            let words: Vec<&str> = line.split(' ').collect();
            let (reply, length) = match words[..] {
                ["MSG", _, _, length] => (None, length),
                ["MSG", _, _, reply, length] => (Some(reply.to_owned()), length),
                _ => continue,
            };
            payload.resize(length.parse::<usize>()? + 2, 0);
            self.reader.read_exact(payload).await?;
            payload.truncate(payload.len() - 2);
            return Ok(reply);
        }
    }
}

fn publish(frame: &mut Vec<u8>, subject: &str, reply: &str, payload: &[u8]) {
    frame.extend_from_slice(format!("PUB {subject} {reply}{}\r\n", payload.len()).as_bytes());
    frame.extend_from_slice(payload);
    frame.extend_from_slice(b"\r\n");
}

/// Answers every request with the answer that a node would give.
async fn serve(mut client: Client, answer: Vec<u8>) -> Result<()> {
    let (mut payload, mut frame) = (Vec::new(), Vec::new());
    loop {
        let reply = client.message(&mut payload).await?.context("a request wants a reply")?;
        frame.clear();
        publish(&mut frame, &reply, "", &answer);
        client.writer.write_all(&frame).await?;
    }
}

pub async fn respond(at: SocketAddr, count: u32) -> Result<()> {
    let answer = super::node::answer_bytes()?;
    for nth in 0..count {
        let client = Client::subscribed(at, &format!("node.{nth}")).await?;
        tokio::spawn(serve(client, answer.clone()));
    }
    super::answer_lines(async |question| match question {
        "up" => Ok("0".to_owned()),
        other => bail!("responders cannot {other:?}"),
    })
    .await
}

/// Milliseconds from the first request to the last reply.
pub async fn request_all(at: SocketAddr, count: u32, payload: &[u8]) -> Result<f64> {
    let mut client = Client::subscribed(at, "inbox.*").await?;
    let mut frame = Vec::new();
    let began = Instant::now();
    for nth in 0..count {
        publish(&mut frame, &format!("node.{nth}"), &format!("inbox.{nth} "), payload);
    }
    client.writer.write_all(&frame).await?;
    let mut reply = Vec::new();
    for _ in 0..count {
        client.message(&mut reply).await?;
    }
    Ok(began.elapsed().as_secs_f64() * 1e3)
}
