//! Node links at scale: what a connected node, a heartbeat, a command and a crowd at the door cost the control plane.

mod controller;
pub mod crowd;
mod memory;
mod nats;
pub mod node;
mod nodes;
mod socket;
mod sockets;
mod surroundings;

use crate::Measured;
use anyhow::{Context, Result, bail};
use std::io::Write;
use tokio::io::{AsyncBufReadExt, BufReader};

pub fn rows() -> Result<Measured> {
    let mut measured = memory::rows()?;
    measured.add(sockets::rows()?);
    Ok(measured)
}

/// What this group's own processes do.
pub fn role(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let count =
        |given: &str| given.parse::<u32>().with_context(|| format!("{given:?} is no number of nodes"));
    match arguments[..] {
        ["memory", size] => println!("{}", memory::role(count(size)?)?),
        ["sockets"] => print!("{}", sockets::rows()?.lines()),
        ["controller", size] => controller::role(count(size)?)?,
        ["nodes", kind, at, first, size] => nodes::role(kind, at, count(first)?, count(size)?)?,
        _ => bail!("there is no role {arguments:?}"),
    }
    Ok(())
}

/// Answers each line of the standard input with one, until it ends.
async fn answer_lines(mut answer: impl AsyncFnMut(&str) -> Result<String>) -> Result<()> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(question) = lines.next_line().await? {
        println!("{}", answer(&question).await?);
        std::io::stdout().flush()?;
    }
    Ok(())
}
