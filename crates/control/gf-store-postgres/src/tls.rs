//! TLS to a database on another machine: the server proves that it has the name by which it was asked for, by a certificate
//! that an authority vouches for whom the operator trusts.
//!
//! Nothing here may go on with a server that proved less, and nothing may be sent before it has.

use std::{
    error::Error as Cause,
    io,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::{
    Connect, TlsConnector, client,
    rustls::{
        self, CertificateError, ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, InvalidDnsNameError, ServerName, pem, pem::PemObject},
        version::TLS13,
    },
};

/// Who may vouch for a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorities {
    /// Whom this machine trusts.
    System,
    /// Only those in this file.
    File(PathBuf),
}

/// Why nobody can vouch for a server.
#[derive(Debug, thiserror::Error)]
pub enum NoAuthority {
    #[error("{path}, which its address names as sslrootcert, cannot be read: {source}")]
    Unreadable { path: PathBuf, source: pem::Error },
    #[error(
        "{0}, which its address names as sslrootcert, holds no certificate; give the authority's, as PEM"
    )]
    Empty(PathBuf),
    #[error(
        "this machine trusts no authority; install its certificates (package ca-certificates), or name one with \
         sslrootcert=FILE"
    )]
    NoneHere,
    #[error("a certificate of an authority cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

impl Authorities {
    /// Read anew for each connection, so that a file that was replaced is used from then on.
    fn certificates(&self) -> Result<RootCertStore, NoAuthority> {
        let mut roots = RootCertStore::empty();
        match self {
            Self::System => {
                // What of it cannot be read vouches for nobody.
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                if roots.is_empty() { Err(NoAuthority::NoneHere) } else { Ok(roots) }
            }
            Self::File(path) => {
                let unreadable = |source| NoAuthority::Unreadable { path: path.clone(), source };
                for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
                    roots.add(certificate.map_err(unreadable)?)?;
                }
                if roots.is_empty() { Err(NoAuthority::Empty(path.clone())) } else { Ok(roots) }
            }
        }
    }

    pub fn connector(&self) -> Result<Verifying, NoAuthority> {
        let roots = self.certificates()?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Verifying(TlsConnector::from(Arc::new(config))))
    }
}

/// Connects only to a server that proves its name.
#[derive(Clone)]
pub struct Verifying(TlsConnector);

impl<S> MakeTlsConnect<S> for Verifying
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type TlsConnect = VerifyingName;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<VerifyingName, InvalidDnsNameError> {
        Ok(VerifyingName { connector: self.0.clone(), name: ServerName::try_from(host)?.to_owned() })
    }
}

pub struct VerifyingName {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl<S> TlsConnect<S> for VerifyingName
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Encrypting<S>;

    fn connect(self, stream: S) -> Encrypting<S> {
        Encrypting(Box::new(self.connector.connect(self.name, stream)))
    }
}

pub struct Encrypting<S>(Box<Connect<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Encrypting<S> {
    type Output = io::Result<Encrypted<S>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_ok(Encrypted)
    }
}

pub struct Encrypted<S>(client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    /// What the binding would add is known already: the server has proven its name.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// What was wrong with a server's proof, and what to do; `None` where an error was not about that.
pub fn unproven(error: &(dyn Cause + 'static)) -> Option<String> {
    let causes = || std::iter::successors(Some(error), |cause| (*cause).source());
    if causes().any(|cause| cause.to_string() == "server does not support TLS") {
        return Some(
            "it offers no TLS, and nothing is sent to another machine without: set ssl = on at the server, with a \
             certificate for its name"
                .to_owned(),
        );
    }
    if causes().any(|cause| cause.is::<InvalidDnsNameError>()) {
        return Some("its name can stand in no certificate: use one that can, or its IP address".to_owned());
    }
    let why = causes().find_map(|cause| match cause.downcast_ref::<io::Error>() {
        Some(carrier) => carrier.get_ref()?.downcast_ref::<rustls::Error>(),
        None => cause.downcast_ref(),
    })?;
    Some(match why {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "nobody who is trusted here vouches for its certificate: give the certificate of its authority with \
             sslrootcert=FILE in the store's address"
                .to_owned()
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => format!(
            "its certificate is for another name ({why}): write a name that it holds into the store's address, or give \
             the server a certificate for this one"
        ),
        rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => {
            format!("its certificate is over ({why}): renew it, or set this machine's clock")
        }
        rustls::Error::InvalidCertificate(_) => {
            format!("its certificate cannot be used ({why}): give it one that an authority issued to its name")
        }
        _ => format!("TLS 1.3 with it came to nothing ({why})"),
    })
}
