//! The link from another machine: encrypted, and to nobody but the control plane that the token names.

use crate::rig::{Rig, scripted_runtime};
use gf_clawnode::host::encrypt;
use gf_node_hub::{Hub, HubConfig, LINK_PATH, MemoryRegistry, NodeEvent};
use gf_node_proto::{SigningKey, VpsInfo, private_der, public_der, reply};
use std::{net::Ipv4Addr, process::Stdio, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivatePkcs8KeyDer},
        server::AlwaysResolvesServerRawPublicKeys,
        sign::CertifiedKey,
        version::TLS13,
    },
};

#[tokio::test]
async fn a_node_enrols_over_tls_and_comes_back_without_a_token() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = Rig::start_remote(&scripted_runtime(scripts.path(), "exit 1")).await;
    assert!(rig.control.starts_with("wss://"));
    let reply = rig.command(VpsInfo {}).await.unwrap();
    assert!(matches!(reply.body, Some(reply::Body::Info(_))));
    println!("gf-clawnode over TLS: {} kB resident", rig.node_costs().0 / 1024);

    rig.kill_node();
    rig.lost().await;
    std::fs::remove_file(rig.dir.path().join("token")).unwrap();
    rig.launch();
    rig.connected().await;
    rig.command(VpsInfo {}).await.unwrap();
}

#[tokio::test]
async fn whoever_holds_another_key_is_told_nothing() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = Rig::without_node(&scripted_runtime(scripts.path(), "exit 1")).await;
    let config = HubConfig::new(SigningKey::from_bytes(&[99; 32]), 1);
    let registry = Arc::new(MemoryRegistry::default());
    let (stranger, mut heard) = Hub::new(config, registry, crate::rig::wall(), crate::rig::bits());
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    rig.control = format!("wss://{}{LINK_PATH}", listener.local_addr().unwrap());
    tokio::spawn(stranger.clone().serve_remote(listener));

    let mut command = tokio::process::Command::from(rig.node_command(&rig.home()));
    let mut node = command.stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut said = BufReader::new(node.stderr.take().unwrap()).lines();
    while let Some(line) = said.next_line().await.unwrap() {
        if line.contains("does not hold our control plane's key") {
            assert!(stranger.nodes().is_empty(), "the stranger was told a name");
            assert!(!matches!(heard.try_recv(), Ok(NodeEvent::Connected { .. })));
            return;
        }
    }
    panic!("the node ended without saying whom it met");
}

#[tokio::test]
async fn a_way_to_another_machine_without_encryption_is_refused_at_once() {
    let scripts = tempfile::tempdir().unwrap();
    let mut rig = Rig::without_node(&scripted_runtime(scripts.path(), "exit 1")).await;
    rig.control = format!("ws://192.0.2.1:7443{LINK_PATH}");
    let command = rig.node_command(&rig.home());
    let output = tokio::process::Command::from(command).output().await.unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("not encrypted") && said.contains("wss://"), "{said}");
    assert!(!rig.home().exists(), "something was written");
}

/// It shows the control plane's key, which is no secret, and signs with another one.
#[tokio::test]
async fn whoever_shows_the_right_key_and_does_not_hold_it_is_spoken_to_no_further() {
    let (ours, theirs) = (SigningKey::from_bytes(&[3; 32]), SigningKey::from_bytes(&[99; 32]));
    for (signing, taken) in [(&ours, true), (&theirs, false)] {
        let signer = ring::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(private_der(signing))).unwrap();
        let shown = CertificateDer::from(public_der(&ours.verifying_key()));
        let shown = Arc::new(CertifiedKey::new(vec![shown], signer));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_protocol_versions(&[&TLS13]).unwrap().with_no_client_auth();
        let config = config.with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(shown)));
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let answering = tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            TlsAcceptor::from(Arc::new(config)).accept(socket).await.is_ok()
        });
        let socket = TcpStream::connect(at).await.unwrap();
        let met = encrypt(socket, at.ip().into(), &ours.verifying_key()).await;
        assert_eq!((met.is_ok(), answering.await.unwrap()), (taken, taken));
    }
}
