//! Node links at scale: what a connected node, a heartbeat, a command and a crowd at the door cost the control plane.

pub mod crowd;
mod memory;
mod node;
mod surroundings;

use crate::Measured;
use anyhow::{Context, Result, bail};

pub fn rows() -> Result<Measured> {
    memory::rows()
}

/// What this group's own processes do: one line for each line that they are asked.
pub fn role(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["memory", size] => println!("{}", memory::role(size.parse().context("how many nodes")?)?),
        _ => bail!("there is no role {arguments:?}"),
    }
    Ok(())
}
