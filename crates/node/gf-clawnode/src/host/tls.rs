//! TLS to the control plane: it must hold the one key that this node was told at its enrolment.
//!
//! No certificate authority is asked and no name is believed: whoever holds that key is the control plane, and nobody
//! else is, whatever certificate they show. Keys are exchanged by X25519 and proven by Ed25519 and by nothing else: what both
//! sides of this link never speak (NIST's curves, RSA) is not in this program, whose size it would be a part of.

use ed25519_dalek::Signature;
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
        crypto::{
            CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms, ring,
        },
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime},
        server::AlwaysResolvesServerRawPublicKeys,
        sign::{self, CertifiedKey},
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
    Ok(ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned(*key)))
        .with_no_client_auth())
}

fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            ring::cipher_suite::TLS13_AES_256_GCM_SHA384,
            ring::cipher_suite::TLS13_AES_128_GCM_SHA256,
            ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![ring::kx_group::X25519],
        // Nobody's certificate is looked at.
        signature_verification_algorithms: WebPkiSupportedAlgorithms { all: &[], mapping: &[] },
        secure_random: &Machine,
        key_provider: &Machine,
    }
}

/// What TLS wants of this machine.
#[derive(Debug)]
struct Machine;

impl SecureRandom for Machine {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        getrandom::fill(bytes).map_err(|_| GetRandomFailed)
    }
}

impl KeyProvider for Machine {
    fn load_private_key(&self, key: PrivateKeyDer<'static>) -> Result<Arc<dyn sign::SigningKey>, Error> {
        match key {
            PrivateKeyDer::Pkcs8(key) => ring::sign::any_eddsa_type(&key),
            _ => Err(Error::General("only Ed25519 keys are used here".to_owned())),
        }
    }
}

/// For whoever asks this node as a witness: it shows its own key.
pub fn acceptor(key: &SigningKey) -> Result<TlsAcceptor, Error> {
    let signer = Machine.load_private_key(PrivatePkcs8KeyDer::from(private_der(key)).into())?;
    let shown = CertificateDer::from(public_der(&key.verifying_key()));
    let key = Arc::new(CertifiedKey::new(vec![shown], signer));
    let builder = ServerConfig::builder_with_provider(Arc::new(provider()));
    let builder = builder.with_protocol_versions(&[&TLS13])?.with_no_client_auth();
    let config = builder.with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(key)));
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[derive(Debug)]
struct Pinned(VerifyingKey);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if shown.as_ref() == public_der(&self.0) {
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
        _: &CertificateDer<'_>,
        given: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let signature = Signature::from_slice(given.signature()).ok();
        let signature = signature.filter(|_| given.scheme == SignatureScheme::ED25519);
        match signature.map(|signature| self.0.verify_strict(message, &signature)) {
            Some(Ok(())) => Ok(HandshakeSignatureValid::assertion()),
            Some(Err(_)) | None => Err(CertificateError::BadSignature.into()),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
