//! A download, piece by piece to a file, with its SHA-256.

use std::{path::Path, time::Duration};

use futures_util::StreamExt;
use reqwest::{Client, Response, StatusCode, header, redirect};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use url::Url;

use super::{Auth, BinaryError, Release};
use crate::seal;

/// How long a server may take to answer, and between two pieces.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a server may send us elsewhere.
const REDIRECTS: usize = 5;

/// The largest file that is taken: a release is a tenth of it.
const LARGEST: u64 = 1 << 30;

/// Fetches a release to a file and gives its SHA-256.
pub(super) async fn fetch(release: &Release, name: &'static str, to: &Path) -> Result<String, BinaryError> {
    let failed = |url: &Url, reason: String, transient: bool| BinaryError::Fetch {
        name,
        version: release.version.clone(),
        host: url.host_str().unwrap_or("nowhere").to_owned(),
        reason,
        transient,
    };
    let wrong = |url: &Url, error: reqwest::Error| {
        let transient = error.is_timeout() || error.is_connect() || error.is_body() || error.is_request();
        // The URL may have a signature in it.
        let error = error.without_url();
        let cause = std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
        failed(url, format!("{error}{cause}"), transient)
    };
    // Somebody else may have chosen already; either will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(PATIENCE)
        .read_timeout(PATIENCE)
        .build()
        .map_err(|error| wrong(&release.url, error))?;
    let mut url = release.url.clone();
    let mut redirects = 0;
    let response = loop {
        let response = ask(&client, &url, release).await.map_err(|error| wrong(&url, error))?;
        if !response.status().is_redirection() {
            break response;
        }
        let next = response
            .headers()
            .get(header::LOCATION)
            .and_then(|place| url.join(place.to_str().ok()?).ok())
            .filter(|next| matches!(next.scheme(), "http" | "https"))
            .ok_or_else(|| failed(&url, "it sends us nowhere".to_owned(), false))?;
        redirects += 1;
        if redirects > REDIRECTS {
            return Err(failed(&url, "it sends us round in circles".to_owned(), false));
        }
        if url.scheme() == "https" && next.scheme() != "https" {
            return Err(failed(&url, "it sends us to a place without TLS".to_owned(), false));
        }
        url = next;
    };
    let status = response.status();
    if !status.is_success() {
        let transient = status.is_server_error()
            || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
        return Err(failed(&url, format!("it answers {status}"), transient));
    }
    let mut file = tokio::fs::File::create(to).await?;
    let mut digest = Sha256::new();
    let mut length = 0_u64;
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| wrong(&url, error))?;
        length = length.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if length > LARGEST {
            return Err(failed(&url, format!("it is larger than {LARGEST} bytes"), false));
        }
        digest.update(&piece);
        file.write_all(&piece).await?;
    }
    file.sync_all().await?;
    Ok(seal::hex(&digest.finalize()))
}

async fn ask(client: &Client, url: &Url, release: &Release) -> Result<Response, reqwest::Error> {
    let mut request = client.get(url.clone());
    // Where we are sent to has no business with the credential.
    if url.origin() == release.url.origin() {
        request = match &release.auth {
            Auth::None => request,
            Auth::Bearer(token) => request.bearer_auth(token.expose()),
            Auth::Token(token) => request.header(header::AUTHORIZATION, format!("token {}", token.expose())),
            Auth::Header { name, value } => request.header(name, value.expose()),
        };
    }
    request.send().await
}
