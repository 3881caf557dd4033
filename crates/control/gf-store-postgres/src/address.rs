//! Where the database is, as an operator writes it. Never with a password in it: whoever may list processes would read it.
//!
//! What leaves this machine is encrypted, and the server has proven its name first: no way of writing an address gets around that.

use crate::{Password, tls::Authorities};
use percent_encoding::percent_decode_str;
use std::{net::IpAddr, path::PathBuf};
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};

const DEFAULT_PORT: u16 = 5432;

/// A database's address, such as `postgres://gatewayforge@127.0.0.1:5432/fleet`,
/// `postgres://gatewayforge@%2Frun%2Fpostgresql/fleet` for a socket in a directory, or
/// `postgres://gatewayforge@db.example.org/fleet?sslrootcert=/etc/clawops/ca.pem` on another machine.
#[derive(Clone)]
pub struct Address {
    pub(crate) config: Config,
    /// Who may vouch for the server, where it must prove who it is.
    pub(crate) authorities: Option<Authorities>,
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
        "{0} is another machine, and with that sslmode what is sent there could be read on the way; leave sslmode out, or \
         write sslmode=verify-full"
    )]
    NotEncrypted(String),
    #[error(
        "that sslmode of the store's address does not make sure who the server is; write sslmode=verify-full, and \
         sslrootcert=FILE where its certificate is of an authority of your own"
    )]
    NotVerified,
    #[error(
        "a socket of this machine carries no TLS; leave sslmode and sslrootcert out of the store's address"
    )]
    Socket,
    #[error(
        "sslrootcert of the store's address names no file; write sslrootcert=FILE, with the path from / on"
    )]
    NoFile,
}

/// What an address says of encryption, in libpq's words.
#[derive(Default)]
struct Said {
    mode: Option<String>,
    root: Option<String>,
}

impl Said {
    /// Takes what is said of encryption out of an address.
    fn taken_from(url: &str) -> Result<(String, Self), BadAddress> {
        let Some((before, query)) = url.split_once('?') else { return Ok((url.to_owned(), Self::default())) };
        let mut said = Self::default();
        let mut rest = Vec::new();
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let kept = match name {
                "sslmode" => &mut said.mode,
                "sslrootcert" => &mut said.root,
                _ => {
                    rest.push(parameter);
                    continue;
                }
            };
            let value = percent_decode_str(value).decode_utf8().map_err(|_| BadAddress::NotAnAddress)?;
            *kept = Some(value.into_owned());
        }
        let url = if rest.is_empty() { before.to_owned() } else { format!("{before}?{}", rest.join("&")) };
        Ok((url, said))
    }

    /// Who may vouch for a server that must prove who it is; `None` for one that need not.
    fn authorities(self, host: &str, is_here: bool) -> Result<Option<Authorities>, BadAddress> {
        let is_socket = host.starts_with('/');
        match self.mode.as_deref() {
            None if is_here && self.root.is_none() => return Ok(None),
            Some("disable" | "allow" | "prefer") if is_here => return Ok(None),
            Some("disable" | "allow" | "prefer") => return Err(BadAddress::NotEncrypted(host.to_owned())),
            None | Some("verify-full") if is_socket => return Err(BadAddress::Socket),
            None | Some("verify-full") => {}
            Some(_) => return Err(BadAddress::NotVerified),
        }
        match self.root.as_deref() {
            None | Some("system") => Ok(Some(Authorities::System)),
            Some(file) if file.starts_with('/') => Ok(Some(Authorities::File(PathBuf::from(file)))),
            Some(_) => Err(BadAddress::NoFile),
        }
    }
}

impl Address {
    pub fn parse(url: &str) -> Result<Self, BadAddress> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(BadAddress::NotAnAddress);
        }
        let (url, said) = Said::taken_from(url)?;
        let mut config: Config = url.parse().map_err(|_| BadAddress::NotAnAddress)?;
        if config.get_password().is_some() {
            return Err(BadAddress::HoldsPassword);
        }
        let user = config.get_user().ok_or(BadAddress::Lacks("user"))?.to_owned();
        let database = config.get_dbname().ok_or(BadAddress::Lacks("database"))?.to_owned();
        let host = match config.get_hosts() {
            [] => return Err(BadAddress::Lacks("host")),
            [Host::Unix(directory)] => directory.display().to_string(),
            [Host::Tcp(name)] => name.clone(),
            [_, ..] => return Err(BadAddress::SeveralHosts),
        };
        // Whatever it is called: where it is sent to counts, and so does the name that is looked up.
        let is_here = (host.starts_with('/') || is_this_machine(&host))
            && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
        let authorities = said.authorities(&host, is_here)?;
        let mode = if authorities.is_some() { SslMode::Require } else { SslMode::Disable };
        config.ssl_mode(mode).application_name("gatewayforge");
        let port = config.get_ports().first().copied().unwrap_or(DEFAULT_PORT);
        Ok(Self { config, authorities, host, port, user, database })
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
