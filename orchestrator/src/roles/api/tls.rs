//! The API's certificate. Nothing older than TLS 1.3 is spoken.

use std::{io, sync::Arc};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::ServeError;
use crate::settings::TlsSettings;

/// Reads certificate and key.
pub(super) async fn config(settings: &TlsSettings) -> Result<Arc<ServerConfig>, ServeError> {
    let read = async |what: &'static str, path: &std::path::Path| {
        let found = tokio::fs::read(path).await;
        found.map_err(|source| ServeError::Unreadable { what, path: path.to_owned(), source })
    };
    let chain = read("certificate", &settings.certificate).await?;
    let key = zeroize::Zeroizing::new(read("key", &settings.key).await?);
    let bad = |what, path: &std::path::Path, reason: String| ServeError::Bad {
        what,
        path: path.to_owned(),
        reason,
    };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain)
        .collect::<Result<_, _>>()
        .map_err(|error| bad("certificate", &settings.certificate, error.to_string()))?;
    let key =
        PrivateKeyDer::from_pem_slice(&key).map_err(|error| bad("key", &settings.key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| ServeError::Io(io::Error::other(error)))?;
    let config = versions.with_no_client_auth().with_single_cert(chain, key);
    let mut config = config.map_err(|error| bad("certificate", &settings.certificate, error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
