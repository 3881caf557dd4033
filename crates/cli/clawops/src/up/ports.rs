//! Whether the ports are free, and who has them if not.

use crate::problem::{Problem, Result};
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

/// A process that was just killed gives its port back when its last thread has ended.
const LETS_GO_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Refuses with the holder's name when another program listens there.
pub fn must_be_free(addr: SocketAddr, for_whom: &str) -> Result<()> {
    let began = Instant::now();
    loop {
        let Err(error) = TcpListener::bind(addr) else { return Ok(()) };
        let who = holder(addr.port());
        if who.is_none() && began.elapsed() < LETS_GO_WITHIN {
            std::thread::sleep(LOOK_EVERY);
            continue;
        }
        let who = who.unwrap_or_else(|| format!("a program that this user may not see ({error})"));
        return Err(Problem::Bad {
            what: "port",
            value: addr.port().to_string(),
            fix: format!(
                "{for_whom} needs it and it is taken by {who}; end that program, or start with another --port-base"
            ),
        });
    }
}

/// The program that listens on a local port, as far as this user may see.
fn holder(port: u16) -> Option<String> {
    let socket = format!("socket:[{}]", listening_inode(port)?);
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().filter(|name| name.bytes().all(|b| b.is_ascii_digit())) else {
            continue;
        };
        let Ok(files) = fs::read_dir(entry.path().join("fd")) else { continue };
        let holds = files
            .flatten()
            .any(|file| fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == socket.as_str()));
        if holds {
            let program = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (pid {pid})", program.trim()));
        }
    }
    None
}

fn listening_inode(port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    let suffix = format!(":{port:04X}");
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = fs::read_to_string(table).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if let [_, local, _, LISTEN, _, _, _, _, _, inode, ..] = fields[..]
                && local.ends_with(&suffix)
            {
                return Some(inode.to_owned());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_refused_with_the_name_of_who_has_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let refusal = must_be_free(addr, "the control plane").unwrap_err().to_string();
        assert!(refusal.contains(&format!("pid {}", std::process::id())), "{refusal}");
        drop(listener);
        must_be_free(addr, "the control plane").unwrap();
    }
}
