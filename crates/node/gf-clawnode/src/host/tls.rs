//! TLS to the control plane: it must hold the one key that this node was told at its enrolment.
//!
//! No certificate authority is asked and no name is believed: whoever holds that key is the control plane, and nobody
//! else is, whatever certificate they show.

use gf_node_proto::{SigningKey, VerifyingKey, private_der, public_der};
use std::{io, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{
        CertificateError, ClientConfig, DigitallySignedStruct, Error, ServerConfig, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{WebPkiSupportedAlgorithms, ring, verify_tls13_signature_with_raw_key},
        pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
        server::AlwaysResolvesServerRawPublicKeys,
        sign::CertifiedKey,
        version::TLS13,
    },
};

/// A connection, encrypted or not.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Encrypts a connection to whoever holds `key`.
pub async fn encrypt(
    socket: TcpStream,
    name: ServerName<'static>,
    key: &VerifyingKey,
) -> io::Result<Box<dyn Wire>> {
    let connector = TlsConnector::from(Arc::new(config(key).map_err(io::Error::other)?));
    Ok(Box::new(connector.connect(name, socket).await?))
}

/// Whether a failed connection means that somebody else answered.
pub fn is_somebody_else(why: &io::Error) -> bool {
    let inner = why.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    matches!(inner, Some(Error::InvalidCertificate(_) | Error::PeerIncompatible(_)))
}

fn config(key: &VerifyingKey) -> Result<ClientConfig, Error> {
    let provider = ring::default_provider();
    let algorithms = provider.signature_verification_algorithms;
    let pinned = Pinned { key: public_der(key), algorithms };
    Ok(ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned))
        .with_no_client_auth())
}

/// For whoever asks this node as a witness: it shows its own key.
pub fn acceptor(key: &SigningKey) -> Result<TlsAcceptor, Error> {
    let signer = ring::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(private_der(key)))?;
    let shown = CertificateDer::from(public_der(&key.verifying_key()));
    let key = Arc::new(CertifiedKey::new(vec![shown], signer));
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_protocol_versions(&[&TLS13])?.with_no_client_auth();
    let config = builder.with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(key)));
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[derive(Debug)]
struct Pinned {
    key: Vec<u8>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if shown.as_ref() == self.key {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only TLS 1.3 is spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(shown.as_ref());
        verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
