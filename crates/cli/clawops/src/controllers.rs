//! Which control plane is asked: the one of this home, or those that `CLAWOPS_CONTROL` names, until one of them answers;
//! and the one that leads where it must be that one.
//!
//! All of them are on this machine's loopback, because a request carries a key and is not encrypted.

use crate::home::Home;
use crate::problem::{Problem, Refusal, Result};
use std::net::SocketAddr;

pub const VARIABLE: &str = "CLAWOPS_CONTROL";

/// Those that are known: what the environment says, else the home's own.
pub fn known(home: &Home) -> Result<Vec<SocketAddr>> {
    match std::env::var(VARIABLE) {
        Ok(list) if !list.trim().is_empty() => parse(&list),
        _ => Ok(vec![home.control_plane()]),
    }
}

fn parse(list: &str) -> Result<Vec<SocketAddr>> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(address).collect()
}

fn address(text: &str) -> Result<SocketAddr> {
    let plain = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    let parsed = plain.parse::<SocketAddr>().ok().filter(|address| address.ip().is_loopback());
    parsed.ok_or_else(|| Problem::Usage {
        what: VARIABLE.to_owned(),
        problem: format!("{text:?} is no address of a control plane on this machine"),
        fix: "give addresses such as 127.0.0.1:7410,127.0.0.1:8410, or the ends of tunnels here".into(),
    })
}

/// Those that are still to be asked, in their order.
pub struct Turn {
    waiting: Vec<SocketAddr>,
    asked: Vec<SocketAddr>,
}

impl Turn {
    pub fn of(known: &[SocketAddr]) -> Self {
        Self { waiting: known.to_vec(), asked: Vec::new() }
    }

    pub fn next(&mut self) -> Option<SocketAddr> {
        let next = (!self.waiting.is_empty()).then(|| self.waiting.remove(0))?;
        self.asked.push(next);
        Some(next)
    }

    /// Whether somebody else is to be asked after this refusal: the leader that it names comes first.
    pub fn goes_on(&mut self, refusal: &Refusal) -> bool {
        if refusal.code != "not_leading" {
            return false;
        }
        let leader = refusal.value.as_deref().and_then(|leader| address(leader).ok());
        if let Some(leader) = leader.filter(|leader| !self.asked.contains(leader)) {
            self.waiting.retain(|waiting| *waiting != leader);
            self.waiting.insert(0, leader);
        }
        !self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_addresses_are_taken() {
        let two = parse("127.0.0.1:7410, http://127.0.0.1:8410/").unwrap();
        assert_eq!(two.iter().map(SocketAddr::port).collect::<Vec<_>>(), [7410, 8410]);
        for bad in ["192.0.2.7:7410", "https://127.0.0.1:1", "127.0.0.1", "control.example:7410"] {
            assert!(parse(bad).unwrap_err().to_string().contains(VARIABLE), "{bad}");
        }
    }

    #[test]
    fn the_leader_is_asked_next_and_nobody_twice() {
        let mut turn = Turn::of(&parse("127.0.0.1:1,127.0.0.1:2").unwrap());
        let refusal = |code: &str, leader: Option<&str>| Refusal {
            code: code.into(),
            value: leader.map(str::to_owned),
            ..Refusal::default()
        };
        let port = |turn: &mut Turn| turn.next().map(|address| address.port());
        assert_eq!(port(&mut turn), Some(1));
        assert!(!turn.goes_on(&refusal("forbidden", None)));
        assert!(turn.goes_on(&refusal("not_leading", Some("http://127.0.0.1:9"))));
        assert_eq!(port(&mut turn), Some(9));
        assert!(turn.goes_on(&refusal("not_leading", Some("http://192.0.2.7:1"))), "no key goes there");
        assert_eq!(port(&mut turn), Some(2));
        assert!(!turn.goes_on(&refusal("not_leading", Some("http://127.0.0.1:9"))));
        assert_eq!(port(&mut turn), None);
    }
}
