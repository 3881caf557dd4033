//! Whether this machine is in its tailnet.

use super::Programs;
use crate::host::{Failure, Outcome};
use gf_node_proto::{FailureCode, TailnetReport};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    #[serde(default)]
    version: String,
    backend_state: String,
    #[serde(rename = "Self")]
    this: Option<Machine>,
    #[serde(default)]
    health: Option<Vec<String>>,
    #[serde(default)]
    peer: Option<BTreeMap<String, Machine>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Machine {
    #[serde(default)]
    host_name: String,
    #[serde(default, rename = "DNSName")]
    dns_name: String,
    #[serde(default, rename = "TailscaleIPs")]
    addresses: Option<Vec<String>>,
    #[serde(default)]
    online: bool,
    #[serde(default)]
    key_expiry: Option<String>,
}

impl Programs {
    pub async fn tailscale_status(&self) -> Outcome<TailnetReport> {
        read(&self.ask(&["tailscale", "status", "--json"]).await?)
    }
}

fn read(printed: &str) -> Outcome<TailnetReport> {
    let status: Status = serde_json::from_str(printed).map_err(|why| {
        Failure::new(FailureCode::Program, format!("tailscale status printed what cannot be read: {why}"))
    })?;
    let peers = status.peer.unwrap_or_default();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let this = status.this;
    let name = this.as_ref().map(|this| match this.dns_name.trim_end_matches('.') {
        "" => this.host_name.clone(),
        name => name.to_owned(),
    });
    Ok(TailnetReport {
        online: status.backend_state == "Running" && this.as_ref().is_some_and(|this| this.online),
        state: status.backend_state,
        name: name.unwrap_or_default(),
        addresses: this.as_ref().and_then(|this| this.addresses.clone()).unwrap_or_default(),
        key_expires: this.and_then(|this| this.key_expiry).unwrap_or_default(),
        version: status.version,
        problems: status.health.unwrap_or_default(),
        peers: count(peers.len()),
        peers_online: count(peers.values().filter(|peer| peer.online).count()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::programs::stage;

    #[tokio::test]
    async fn a_machine_in_its_tailnet_says_so() {
        let (dir, programs) = stage::empty();
        stage::recorded(&dir, "tailscale", "status --json", "tailscale.json");
        let report = programs.tailscale_status().await.unwrap();
        assert!(report.online && report.state == "Running", "{report:?}");
        assert_eq!(report.name, "vps-7.tail0ffee.ts.net");
        assert_eq!(report.addresses[0], "100.101.102.103");
        assert_eq!((report.peers, report.peers_online), (2, 1));
        assert_eq!(report.problems.len(), 1);
    }

    #[test]
    fn one_that_is_logged_out_is_not_online() {
        let out = r#"{"BackendState":"NeedsLogin","Self":null,"Health":null,"Peer":null}"#;
        let report = read(out).unwrap();
        assert!(!report.online && report.state == "NeedsLogin" && report.peers == 0);
        assert_eq!(read("not json").unwrap_err().code(), FailureCode::Program);
    }

    #[tokio::test]
    async fn without_the_program_nothing_is_claimed() {
        let (_dir, programs) = stage::empty();
        assert_eq!(programs.tailscale_status().await.unwrap_err().code(), FailureCode::NotInstalled);
    }
}
