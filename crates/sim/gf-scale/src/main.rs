//! `gf-scale GROUP…`: measures these groups and prints what was read, one line of JSON each.

use gf_scale::GROUPS;
use std::process::ExitCode;

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let known = |name: &String| GROUPS.iter().any(|(group, _)| group == name);
    if wanted.is_empty() || !wanted.iter().all(known) {
        let names: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
        eprintln!("usage: gf-scale GROUP…, of {}", names.join(", "));
        return ExitCode::FAILURE;
    }
    for (name, group) in GROUPS {
        if wanted.iter().any(|wanted| wanted == name) {
            print!("{}", group().lines());
        }
    }
    ExitCode::SUCCESS
}
