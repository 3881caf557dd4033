//! `gf-scale GROUP…`: measures these groups and prints what was read, one line of JSON each.

use anyhow::{Context, Result, bail};
use gf_scale::GROUPS;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [role, group, rest @ ..] = &arguments[..]
        && role == gf_scale::process::ROLE
    {
        let group = GROUPS.iter().find(|known| known.name == group).context("a role of no group")?;
        return (group.role)(rest);
    }
    if arguments.is_empty() || !arguments.iter().all(|name| GROUPS.iter().any(|group| group.name == name)) {
        let names: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
        bail!("usage: gf-scale GROUP…, of {}", names.join(", "));
    }
    for group in GROUPS.iter().filter(|group| arguments.iter().any(|name| name == group.name)) {
        print!("{}", (group.rows)()?.lines());
    }
    Ok(())
}
