//! Where the control plane is, and whether the way there must be encrypted.

use std::net::IpAddr;
use tokio_rustls::rustls::pki_types::ServerName;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    #[error("{0:?} cannot be used; write ws://127.0.0.1:PORT/PATH or wss://HOST:PORT/PATH")]
    Malformed(String),
    #[error(
        "{0:?} leads to another machine and is not encrypted; write wss:// and the port of --node-listen"
    )]
    Unencrypted(String),
}

/// The address of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    pub url: String,
    /// `host:port`.
    pub authority: String,
    /// Whom TLS is spoken with; nobody where the link does not leave this machine.
    pub tls: Option<ServerName<'static>>,
}

impl Control {
    pub fn parse(given: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress::Malformed(given.to_owned());
        let (encrypted, rest) = match (given.strip_prefix("wss://"), given.strip_prefix("ws://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(bad()),
        };
        let authority = rest.split('/').next().unwrap_or_default();
        let (host, port) = authority.rsplit_once(':').ok_or_else(bad)?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(bad());
        }
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address = host.parse::<IpAddr>();
        if !encrypted && host != "localhost" && !address.is_ok_and(|address| address.is_loopback()) {
            return Err(BadAddress::Unencrypted(given.to_owned()));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| bad())?;
        Ok(Self { url: given.to_owned(), authority: authority.to_owned(), tls: encrypted.then_some(name) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_address_is_taken() {
        let control = Control::parse("ws://127.0.0.1:7410/node/v1/link").unwrap();
        assert_eq!((control.authority.as_str(), control.tls), ("127.0.0.1:7410", None));
        for bad in
            ["", "http://x:1/", "ws://x/", "ws://:1/", "ws://127.0.0.1:99999/", "wss://x/", "wss://a b:1/"]
        {
            assert!(matches!(Control::parse(bad), Err(BadAddress::Malformed(_))), "{bad:?} was taken");
        }
    }

    #[test]
    fn what_leaves_this_machine_is_encrypted() {
        for fine in ["ws://127.0.0.1:1/", "ws://127.8.8.8:1/", "ws://[::1]:1/", "ws://localhost:1/"] {
            assert!(Control::parse(fine).is_ok_and(|control| control.tls.is_none()), "{fine}");
        }
        for remote in ["10.0.0.1:1", "control.example:7443", "[2001:db8::1]:1", "localhost.example:1"] {
            let plain = Control::parse(&format!("ws://{remote}/")).unwrap_err();
            assert!(plain.to_string().contains("write wss://"), "{plain}");
            assert!(Control::parse(&format!("wss://{remote}/")).unwrap().tls.is_some(), "{remote}");
        }
    }
}
