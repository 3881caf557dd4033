//! What the process is told when it is started. No secret is ever an argument.

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use gf_api::limits::Limits;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
};

/// The control plane of a ClawOps fleet.
#[derive(Debug, Clone, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Where all state lives; `clawops` under the user's state directory by default.
    #[arg(long, env = "CLAWOPS_HOME")]
    pub home: Option<PathBuf>,

    /// Where to listen; 127.0.0.1 and ten above the port base by default.
    #[arg(long)]
    pub listen: Option<SocketAddr>,

    /// All ports are counted from this one.
    #[arg(long, env = "CLAWOPS_PORT_BASE", default_value_t = 7400)]
    pub port_base: u16,

    /// Listen elsewhere than on loopback. There is no TLS: only behind something that adds it.
    #[arg(long)]
    pub allow_remote: bool,

    /// Where nodes on other machines connect, over TLS, such as 0.0.0.0:7443; nobody does by default.
    #[arg(long, env = "CLAWOPS_NODE_LISTEN", value_name = "ADDR")]
    pub node_listen: Option<SocketAddr>,

    /// Keep the fleet in PostgreSQL, such as postgres://USER@127.0.0.1/DATABASE; in a file of the home by default. One on
    /// another machine must prove its name over TLS: to this machine's authorities, or to those in ?sslrootcert=FILE.
    #[arg(long, env = "CLAWOPS_STORE", hide_env_values = true, value_name = "ADDR")]
    pub store: Option<String>,

    /// A file with the password of that database; by default the one that PGPASSFILE names, in libpq's form.
    #[arg(long, env = "CLAWOPS_STORE_PASSWORD_FILE", value_name = "FILE")]
    pub store_password_file: Option<PathBuf>,

    /// Where nodes reach this control plane, such as wss://control-b.example:7443/node/v1/link: what the others of a
    /// fleet in PostgreSQL tell nodes while this one leads. By default the addresses that it listens on.
    #[arg(long, env = "CLAWOPS_ADVERTISE_NODES", value_name = "URL")]
    pub advertise_nodes: Option<String>,

    /// Where snapshots and archives are kept; in the home by default. Control planes that share a fleet need one place.
    #[arg(long, env = "CLAWOPS_FILES", value_name = "DIR")]
    pub files: Option<PathBuf>,

    /// Fill an empty fleet with this many simulated pairs.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub sim_pairs: u32,

    /// How long simulated providers and machines take, against what real ones do: 0.1 is ten times as fast.
    #[arg(long, default_value_t = 1.0, value_name = "TIMES", value_parser = pace)]
    pub sim_pace: f64,

    /// Where COMPANION hears of its accounts, such as http://127.0.0.1:9000/hooks.
    #[arg(long, env = "CLAWOPS_COMPANION_URL")]
    pub companion_url: Option<String>,

    /// What a month is planned to cost, in dollars; costs are compared with it instead of with list prices.
    #[arg(long, env = "CLAWOPS_MONTHLY_BUDGET", value_name = "DOLLARS",
          value_parser = clap::value_parser!(i64).range(1..=1_000_000_000))]
    pub monthly_budget: Option<i64>,

    /// Two people must agree to what raises the monthly cost by more than a fifth.
    #[arg(long, env = "CLAWOPS_SECOND_PERSON_OVER_COST")]
    pub second_person_over_cost: bool,

    /// How often a person may ask the API in a minute, with one key or several; changes count five times.
    #[arg(long, env = "CLAWOPS_PERSON_REQUESTS", default_value_t = Limits::default().person_per_minute, value_name = "N")]
    pub person_requests: NonZeroU32,

    /// How often one agent may ask the API in a minute; changes count five times.
    #[arg(long, env = "CLAWOPS_AGENT_REQUESTS", default_value_t = Limits::default().agent_per_minute, value_name = "N")]
    pub agent_requests: NonZeroU32,

    /// How often each primary's memory is copied: what a failover may lose at most.
    #[arg(long, env = "CLAWOPS_SNAPSHOT_SECONDS", default_value_t = 300, value_name = "N",
          value_parser = clap::value_parser!(u64).range(10..=86_400))]
    pub snapshot_seconds: u64,

    /// Who is told that this control plane works, such as http://127.0.0.1:9100/ping, and pages when nothing comes.
    #[arg(long, env = "CLAWOPS_HEARTBEAT_URL", hide_env_values = true, value_name = "URL")]
    pub heartbeat_url: Option<String>,

    /// How often.
    #[arg(long, env = "CLAWOPS_HEARTBEAT_SECONDS", default_value_t = 60, value_name = "N",
          value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub heartbeat_seconds: u64,

    /// The authorities, as PEM, that alone vouch for the two below and above over https; without it those that this
    /// machine trusts.
    #[arg(long, env = "CLAWOPS_OUTSIDE_AUTHORITIES", value_name = "FILE")]
    pub outside_authorities: Option<PathBuf>,

    /// The OTLP collector that spans are sent to, such as http://127.0.0.1:4318; without one none are made.
    #[arg(long, env = "CLAWOPS_OTLP_ENDPOINT", hide_env_values = true, value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// Log as JSON lines.
    #[arg(long)]
    pub log_json: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Say what stands in the store, as JSON, and change nothing: for when no control plane answers.
    Debug {
        /// What to look at.
        what: crate::debug::What,
        /// How many of a list.
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: usize,
        /// Where all state lives.
        #[arg(long, env = "CLAWOPS_HOME")]
        home: Option<PathBuf>,
        /// The database that the home's fleet is in, where it is not in a file.
        #[arg(long, env = "CLAWOPS_STORE", hide_env_values = true, value_name = "ADDR")]
        store: Option<String>,
        /// A file with the password of that database.
        #[arg(long, env = "CLAWOPS_STORE_PASSWORD_FILE", value_name = "FILE")]
        store_password_file: Option<PathBuf>,
    },
    /// Give a new home the keys of a fleet, so that its control plane may follow and lead it.
    Join {
        /// The new home.
        #[arg(long, env = "CLAWOPS_HOME")]
        home: PathBuf,
        /// The home of a control plane of that fleet, or a copy of its directory `keys`.
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
    },
    /// Make the state of a home out of a copy that `clawops store backup` made. Its control plane must not run.
    Restore {
        /// The home, which must hold no fleet.
        #[arg(long, env = "CLAWOPS_HOME")]
        home: PathBuf,
        /// The copy.
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// Bring the fleet's keys from there first: another home of it, or a copy of its directory `keys`.
        #[arg(long, value_name = "DIR")]
        keys: Option<PathBuf>,
        /// Move the fleet that the home holds aside.
        #[arg(long)]
        replace: bool,
        /// Put the fleet into this database, which must be empty; into a file of the home by default.
        #[arg(long, env = "CLAWOPS_STORE", hide_env_values = true, value_name = "ADDR")]
        store: Option<String>,
        /// A file with the password of that database.
        #[arg(long, env = "CLAWOPS_STORE_PASSWORD_FILE", value_name = "FILE")]
        store_password_file: Option<PathBuf>,
    },
}

fn pace(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(pace) if (0.0..=1_000.0).contains(&pace) => Ok(pace),
        _ => Err("it must be a number from 0 to 1000".to_owned()),
    }
}

impl Args {
    pub fn home(&self) -> Result<PathBuf> {
        if let Some(home) = self.home.as_ref().filter(|home| !home.as_os_str().is_empty()) {
            return std::path::absolute(home).context("the home directory has no absolute path");
        }
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let state = set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state")));
        Ok(state.context("no home directory: give --home, or set CLAWOPS_HOME or HOME")?.join("clawops"))
    }

    /// A port of this fleet's own.
    pub fn port(&self, above_base: u16) -> Result<u16> {
        self.port_base.checked_add(above_base).context("the port base is too high; use at most 65000")
    }

    /// How often callers may ask.
    pub fn limits(&self) -> Limits {
        Limits {
            person_per_minute: self.person_requests,
            agent_per_minute: self.agent_requests,
            ..Limits::default()
        }
    }

    /// An empty one is none.
    pub fn companion_url(&self) -> Option<String> {
        self.companion_url.clone().filter(|url| !url.is_empty())
    }

    pub fn listen(&self) -> Result<SocketAddr> {
        let port = self.port(10)?;
        let listen = self.listen.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
        if !listen.ip().is_loopback() && !self.allow_remote {
            bail!("{listen} can be reached from other machines; listen on 127.0.0.1, or give --allow-remote");
        }
        Ok(listen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(args: &[&str]) -> Result<SocketAddr> {
        Args::try_parse_from([&["gatewayforge"], args].concat()).unwrap().listen()
    }

    #[test]
    fn only_loopback_unless_asked() {
        assert_eq!(listen(&["--port-base", "7500"]).unwrap().to_string(), "127.0.0.1:7510");
        assert!(listen(&["--listen", "0.0.0.0:1"]).unwrap_err().to_string().contains("--allow-remote"));
        assert!(listen(&["--listen", "0.0.0.0:1", "--allow-remote"]).is_ok());
        assert!(listen(&["--port-base", "65535"]).is_err());
    }
}
