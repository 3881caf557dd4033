//! Where the database is, as an operator writes it. Never with a password in it: whoever may list processes would read it.

use crate::Password;
use std::net::IpAddr;
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};

const DEFAULT_PORT: u16 = 5432;

/// A database's address, such as `postgres://gatewayforge@127.0.0.1:5432/fleet`, or
/// `postgres://gatewayforge@%2Frun%2Fpostgresql/fleet` for a socket in a directory.
#[derive(Clone)]
pub struct Address {
    pub(crate) config: Config,
    host: String,
    port: u16,
    user: String,
    database: String,
}

/// None of these repeats the address: it may hold a password.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadAddress {
    #[error("the store's address is no address of a database; write postgres://USER@HOST:PORT/DATABASE")]
    NotAnAddress,
    #[error(
        "the store's address holds a password, which everybody on this machine could read; leave it out and give \
         --store-password-file FILE, or set PGPASSFILE"
    )]
    HoldsPassword,
    #[error("the store's address lacks the {0}; write postgres://USER@HOST:PORT/DATABASE")]
    Lacks(&'static str),
    #[error("the store's address names several hosts; name the one that takes writes")]
    SeveralHosts,
    #[error(
        "{0} is another machine, and what is sent there would not be encrypted; give a socket's directory or a port of \
         127.0.0.1, such as the end of a tunnel"
    )]
    NotHere(String),
    #[error(
        "encrypted connections to the store are not there yet; leave sslmode out and use a tunnel on this machine"
    )]
    Encrypted,
}

impl Address {
    pub fn parse(url: &str) -> Result<Self, BadAddress> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(BadAddress::NotAnAddress);
        }
        let mut config: Config = url.parse().map_err(|_| BadAddress::NotAnAddress)?;
        if config.get_password().is_some() {
            return Err(BadAddress::HoldsPassword);
        }
        if config.get_ssl_mode() == SslMode::Require {
            return Err(BadAddress::Encrypted);
        }
        config.ssl_mode(SslMode::Disable).application_name("gatewayforge");
        let user = config.get_user().ok_or(BadAddress::Lacks("user"))?.to_owned();
        let database = config.get_dbname().ok_or(BadAddress::Lacks("database"))?.to_owned();
        let host = match config.get_hosts() {
            [] => return Err(BadAddress::Lacks("host")),
            [Host::Unix(directory)] => directory.display().to_string(),
            [Host::Tcp(name)] => name.clone(),
            [_, ..] => return Err(BadAddress::SeveralHosts),
        };
        let elsewhere = config.get_hostaddrs().iter().find(|address| !address.is_loopback());
        if let Some(address) = elsewhere {
            return Err(BadAddress::NotHere(address.to_string()));
        }
        if !host.starts_with('/') && !is_this_machine(&host) {
            return Err(BadAddress::NotHere(host));
        }
        let port = config.get_ports().first().copied().unwrap_or(DEFAULT_PORT);
        Ok(Self { config, host, port, user, database })
    }

    pub fn with_password(mut self, password: &Password) -> Self {
        self.config.password(password.bytes());
        self
    }

    /// The address in words, for messages: the same for every way to write it.
    pub fn place(&self) -> String {
        let Self { host, port, user, database, .. } = self;
        match host.starts_with('/') {
            true => format!("postgres://{user}@{host}/.s.PGSQL.{port}/{database}"),
            false => format!("postgres://{user}@{host}:{port}/{database}"),
        }
    }

    /// What a line of a password file is compared with: host, port, database, user.
    pub(crate) fn fields(&self) -> [String; 4] {
        [self.host.clone(), self.port.to_string(), self.database.clone(), self.user.clone()]
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
