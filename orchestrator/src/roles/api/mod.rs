//! `MotherGoose`'s HTTP API. Every path stands in `description`, and nowhere else; what each does is in a file of its own.

mod audit;
mod auth;
mod client;
mod credential;
mod description;
mod eggs;
mod health;
mod heartbeat;
mod layers;
mod link;
mod metrics;
mod page;
mod plans;
mod preview;
mod problem;
mod queue;
mod rotate;
mod runners;
mod secrets;
mod status;
mod ticket;
mod tls;
mod webhook;
mod why;
mod work;

use std::{io, net::SocketAddr, ops::Deref, path::PathBuf, sync::Arc, time::Duration};

use axum::{Router, extract::DefaultBodyLimit, http::StatusCode, middleware};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use hyper_util::rt::TokioTimer;
use tokio_util::sync::CancellationToken;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

use super::Context;
use crate::{domain::Time, ports::store::Store};

pub use description::openapi;

/// How long a request may take: well inside the ten seconds that GitLab waits.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long what asks much of GitLab or of `OpenTofu` may take: people wait for it.
const LONG: Duration = Duration::from_mins(15);

/// How long what runs may take to end when the service is stopped.
const GRACE: Duration = Duration::from_secs(10);

/// How long a caller may take to say what it wants.
const HEADERS: Duration = Duration::from_secs(10);

/// How often addresses that have been quiet are forgotten.
const FORGET: Duration = Duration::from_mins(1);

/// How often it is looked whether eggs have come whose webhooks will need their secrets.
const WARM: Duration = Duration::from_secs(2);

/// Why the API can't be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The machine's fault.
    #[error("the API can't be served: {0}")]
    Io(#[from] io::Error),
    /// A file of the certificate's can't be read.
    #[error("the {what} of the API can't be read from {}: {source}", .path.display())]
    Unreadable {
        /// Which file.
        what: &'static str,
        /// Where it was looked for.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the certificate's is no such thing.
    #[error("the {what} of the API in {} is not usable: {reason}", .path.display())]
    Bad {
        /// Which file.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// What every request has.
struct Inner {
    context: Context,
    gates: webhook::Gates,
    rate: layers::Rate,
    health: health::Found,
    counted: metrics::Counted,
}

/// What every request has, shared.
#[derive(Clone)]
struct Api(Arc<Inner>);

impl Deref for Api {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Api {
    fn new(context: Context) -> Self {
        let rate = layers::Rate::new(context.settings.rate);
        let (gates, health, counted) = Default::default();
        Self(Arc::new(Inner { context, gates, rate, health, counted }))
    }

    fn store(&self) -> &dyn Store {
        &*self.context.ports.store
    }

    fn now(&self) -> Time {
        self.context.ports.clock.now()
    }

    /// The URL of a GitLab server.
    fn gitlab(&self, server: &str) -> String {
        let given = self.context.settings.gitlab.get(server);
        given.map_or_else(|| format!("https://{server}"), |url| url.as_str().trim_end_matches('/').to_owned())
    }
}

/// All paths, with what happens around every request.
fn router(api: &Api) -> Router {
    let (paths, _) = description::paths().split_for_parts();
    let (patient, _) = description::patient_paths().split_for_parts();
    paths
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, PATIENCE))
        .merge(patient.layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONG)))
        .fallback(async || StatusCode::NOT_FOUND)
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .with_state(api.clone())
        .layer(DefaultBodyLimit::max(api.context.settings.body_limit))
        .layer(middleware::from_fn_with_state(api.clone(), layers::limit))
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(middleware::from_fn_with_state(api.clone(), layers::observe))
}

/// Serves the API until `shutdown`, and then for as long as what runs needs, within a bound. With a certificate it speaks TLS
/// 1.3 and nothing else; `SIGHUP` has it read the certificate anew.
///
/// # Errors
///
/// When the listener can't be used, or the certificate.
pub async fn serve(
    context: Context,
    listener: std::net::TcpListener,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    listener.set_nonblocking(true)?;
    let tls = context.settings.tls.clone();
    let api = Api::new(context);
    let service = router(&api).into_make_service_with_connect_info::<SocketAddr>();
    let handle = Handle::new();
    let ended = shutdown.child_token();
    let _end = ended.clone().drop_guard();
    tokio::spawn(tend(api.clone(), ended.clone()));
    tokio::spawn(warm(api, ended.clone()));
    tokio::spawn({
        let handle = handle.clone();
        async move {
            ended.cancelled().await;
            handle.graceful_shutdown(Some(GRACE));
        }
    });
    match tls {
        None => {
            let mut server = axum_server::from_tcp(listener)?.handle(handle);
            server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
            server.serve(service).await?;
        }
        Some(tls_settings) => {
            let config = RustlsConfig::from_config(tls::config(&tls_settings).await?);
            tokio::spawn(reload(config.clone(), tls_settings, shutdown.clone()));
            let mut server = axum_server::from_tcp_rustls(listener, config)?.handle(handle);
            server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
            server.serve(service).await?;
        }
    }
    Ok(())
}

/// Keeps what is remembered small.
async fn tend(api: Api, ended: CancellationToken) {
    while ended.run_until_cancelled(tokio::time::sleep(FORGET)).await.is_some() {
        api.rate.forget();
    }
}

/// Has what webhooks need before they come.
async fn warm(api: Api, ended: CancellationToken) {
    let mut warmed = webhook::Warmed::default();
    loop {
        warmed.warm(&api.context).await;
        if ended.run_until_cancelled(tokio::time::sleep(WARM)).await.is_none() {
            return;
        }
    }
}

/// Reads the certificate anew with every `SIGHUP`. One that can't be used changes nothing.
async fn reload(config: RustlsConfig, settings: crate::settings::TlsSettings, ended: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    while ended.run_until_cancelled(hangup.recv()).await.flatten().is_some() {
        match tls::config(&settings).await {
            Ok(new) => {
                config.reload_from_config(new);
                tracing::info!("the API's certificate was read anew");
            }
            Err(error) => tracing::error!(%error, "the API keeps its certificate"),
        }
    }
}
