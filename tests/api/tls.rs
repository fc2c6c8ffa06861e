//! The API's certificate.

use std::sync::Arc;

use orchestrator::settings::{Settings, TlsSettings};
use reqwest::{Certificate, Client};
use rustls::{ClientConfig, ClientConnection, RootCertStore, pki_types::ServerName};
use tempfile::TempDir;

use crate::world::{settings, world_with};

/// A certificate for this machine, its files, and how clients know it.
fn certificate(folder: &TempDir) -> (TlsSettings, rcgen::CertifiedKey<rcgen::KeyPair>) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let files =
        TlsSettings { certificate: folder.path().join("chain.pem"), key: folder.path().join("key.pem") };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    (files, made)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_older_than_tls_1_3_is_spoken() {
    let folder = TempDir::new().unwrap();
    let (tls, made) = certificate(&folder);
    let world = world_with(Settings { tls: Some(tls), ..settings() });
    let known = Certificate::from_der(made.cert.der()).unwrap();
    let client = Client::builder().no_proxy().tls_certs_only([known]).build().unwrap();
    let url = format!("https://{}/health", world.address);
    let answer = client.get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    // What is not encrypted is not answered.
    assert!(client.get(url.replace("https", "http")).send().await.is_err());

    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let shake_hands = |version: &'static rustls::SupportedProtocolVersion| {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
        let config = config.with_root_certificates(roots.clone()).with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut socket = std::net::TcpStream::connect(world.address).unwrap();
        connection.complete_io(&mut socket).map(|_| connection.protocol_version())
    };
    let spoken = tokio::task::block_in_place(|| shake_hands(&rustls::version::TLS13)).unwrap();
    assert_eq!(spoken, Some(rustls::ProtocolVersion::TLSv1_3));
    let refused = tokio::task::block_in_place(|| shake_hands(&rustls::version::TLS12)).unwrap_err();
    assert!(refused.to_string().contains("ProtocolVersion"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_none_is_told_by_its_file() {
    let folder = TempDir::new().unwrap();
    let (tls, _) = certificate(&folder);
    std::fs::write(&tls.certificate, "no certificate").unwrap();
    let mut world = world_with(Settings { tls: Some(tls), ..settings() });
    let error = world.served.take().unwrap().await.unwrap().unwrap_err().to_string();
    assert!(error.contains("chain.pem") && error.contains("not usable"), "{error}");
}
