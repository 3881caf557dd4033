//! A server that must prove who it is, with certificates that were made for the test.

use super::{Cluster, OPTIONS, address::private};
use crate::{Address, Password, PostgresBackend, tls::unproven};
use gf_store::{FleetStore, StoreError, StoreOptions, contract::account};
use std::{
    fs, io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};
use tempfile::TempDir;
use tokio_rustls::rustls::{CertificateError, Error};

const NAME: &str = "db.example.test";
const PASSWORD: &str = "korrekt pferd";

/// Makes a key and a certificate beside it; of itself where nobody issues it.
fn certificate(directory: &Path, name: &str, issuer: Option<&str>, arguments: &[&str]) {
    let file = |name: &str, kind: &str| directory.join(format!("{name}.{kind}"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    openssl.args(["-batch", "-subj", &format!("/CN={name}"), "-days", "2"]).args(arguments);
    openssl.arg("-keyout").arg(file(name, "key")).arg("-out").arg(file(name, "pem"));
    if let Some(issuer) = issuer {
        openssl.arg("-CA").arg(file(issuer, "pem")).arg("-CAkey").arg(file(issuer, "key"));
    }
    let made = openssl.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// An address of this machine that no other process's tests use, so that the server keeps its port.
fn own_address() -> Ipv4Addr {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 64 | (high & 63), middle, low)
}

struct Elsewhere {
    cluster: Cluster,
    directory: TempDir,
    at: Ipv4Addr,
}

impl Elsewhere {
    /// A server that lets nobody in from elsewhere but with a password and over TLS.
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let files = directory.path();
        let names = format!("subjectAltName=DNS:{NAME}");
        for authority in ["ours", "theirs"] {
            certificate(files, authority, None, &[]);
        }
        let leaf = ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", &names];
        certificate(files, "server", Some("ours"), &leaf);
        let mut cluster = Cluster::start();
        cluster.database("fleet");
        cluster.sql("postgres", &format!("ALTER USER gatewayforge PASSWORD '{PASSWORD}'"));
        cluster.file("server.key", &fs::read(files.join("server.key")).unwrap());
        cluster.file("server.crt", &fs::read(files.join("server.pem")).unwrap());
        cluster.file("pg_hba.conf", b"local all all trust\nhostssl all all 127.0.0.0/8 scram-sha-256\n");
        let at = own_address();
        cluster.with(&[&format!("listen_addresses={at}"), "ssl=on"]);
        Self { cluster, directory, at }
    }

    fn authority(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.pem"))
    }

    /// As if `host` were another machine.
    fn open(&self, host: &str, authority: &Path) -> Result<PostgresBackend, StoreError> {
        let (at, authority) = (self.at, authority.display());
        let url = format!("postgres://gatewayforge@{host}/fleet?hostaddr={at}&sslrootcert={authority}");
        let file = self.directory.path().join("password");
        private(&file, PASSWORD);
        let address = Address::parse(&url).unwrap().with_password(&Password::from_file(&file).unwrap());
        PostgresBackend::open(address, "a test".to_owned(), OPTIONS)
    }

    fn refusal(&self, host: &str, authority: &str) -> String {
        match self.open(host, &self.authority(authority)) {
            Ok(_) => panic!("{host} was taken for the one that {authority} vouches for"),
            Err(error @ StoreError::Unfit { .. }) => {
                let said = error.to_string();
                assert!(said.contains(host) && !said.contains("pferd"), "{said}");
                said
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// One server for all of it; the last one changes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_server_that_proves_its_name_is_spoken_to() {
    let mut elsewhere = Elsewhere::start();
    a_fleet_is_kept_and_followed_over_tls(&elsewhere).await;

    let said = elsewhere.refusal(NAME, "theirs");
    assert!(
        said.contains("nobody who is trusted here vouches") && said.contains("sslrootcert=FILE"),
        "{said}"
    );
    let said = elsewhere.refusal("other.example.test", "ours");
    assert!(said.contains("is for another name") && said.contains("write a name that it holds"), "{said}");
    assert!(said.contains(NAME), "what it holds is told: {said}");
    let said = elsewhere.refusal("192.0.2.7", "ours");
    assert!(said.contains("is for another name"), "{said}");

    fs::write(elsewhere.authority("empty"), "").unwrap();
    let said = elsewhere.refusal(NAME, "empty");
    assert!(said.contains("empty.pem") && said.contains("holds no certificate"), "{said}");
    let said = elsewhere.refusal(NAME, "missing");
    assert!(said.contains("missing.pem") && said.contains("cannot be read"), "{said}");

    a_server_without_tls_is_sent_nothing(&mut elsewhere);
}

async fn a_fleet_is_kept_and_followed_over_tls(elsewhere: &Elsewhere) {
    let ours = elsewhere.authority("ours");
    let led = Arc::new(elsewhere.open(NAME, &ours).unwrap());
    let leader = FleetStore::open(led, StoreOptions::default()).unwrap();
    let (follower, _leading) = super::follow::following(&Arc::new(elsewhere.open(NAME, &ours).unwrap()));
    leader.update(|_, tx| tx.put(account(1))).await.unwrap();
    super::follow::reaches(&follower, &leader).await;
    let plain = "SELECT count(*) FILTER (WHERE NOT ssl), count(*) > 1 FROM pg_stat_ssl \
                 JOIN pg_stat_activity USING (pid) WHERE application_name = 'gatewayforge'";
    assert_eq!(elsewhere.cluster.sql("fleet", plain), "0|t", "every connection of it is encrypted");
    leader.close().await;
}

/// Whoever stands between the two may say that the server has no TLS.
fn a_server_without_tls_is_sent_nothing(elsewhere: &mut Elsewhere) {
    let listen = format!("listen_addresses={}", elsewhere.at);
    elsewhere.cluster.file("pg_hba.conf", b"local all all trust\nhost all all 127.0.0.0/8 trust\n");
    elsewhere.cluster.with(&[&listen, "ssl=off"]);
    let said = elsewhere.refusal(NAME, "ours");
    assert!(said.contains("offers no TLS") && said.contains("ssl = on"), "{said}");
}

#[test]
fn what_a_person_must_do_about_a_certificate_is_said() {
    let said = |why: CertificateError| unproven(&io::Error::other(Error::InvalidCertificate(why))).unwrap();
    assert!(said(CertificateError::Expired).contains("renew it"));
    assert!(said(CertificateError::NotValidYet).contains("an authority issued to its name"));
    assert!(said(CertificateError::UnknownIssuer).contains("sslrootcert=FILE"));
    assert_eq!(unproven(&io::Error::other("the cable is out")), None);
}
