//! What the runner asks over HTTP: `MotherGoose` for its ticket's worth and with heartbeats, GitLab to forget it.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{RequestBuilder, StatusCode, redirect::Policy};
use serde::de::DeserializeOwned;
use url::Url;

use super::error::RunnerError;
use crate::{
    ports::secrets::Secret,
    wire::{
        Problem,
        runner::{Heartbeat, HeartbeatAnswer, Registration, TicketAnswer, TicketRequest},
    },
};

/// Why an answer was not had.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// It is away, or busy with itself: the same may go well later.
    #[error("{0}")]
    Away(String),
    /// It knows this runner not, or no more.
    #[error("{0}")]
    Refused(String),
}

/// How `MotherGoose` is asked.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    id: String,
    credential: Mutex<Option<Secret>>,
}

impl Client {
    pub(super) fn new(base: &Url, id: &str) -> Result<Self, RunnerError> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(30))
            // A ticket or token goes to whom it is meant for, and nowhere else.
            .redirect(Policy::none())
            .user_agent(concat!("gosling/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| RunnerError::System {
                what: "no HTTP client can be made",
                source: std::io::Error::other(error.without_url()),
            })?;
        Ok(Self { http, base: base.clone(), id: id.to_owned(), credential: Mutex::new(None) })
    }

    /// The bearer token from now on.
    pub(super) fn use_credential(&self, credential: Secret) {
        *self.credential.lock().unwrap_or_else(PoisonError::into_inner) = Some(credential);
    }

    /// Shows the ticket; without one, the credential.
    pub(super) async fn ticket(
        &self,
        ticket: Option<&Secret>,
        system_id: &str,
    ) -> Result<TicketAnswer, AskError> {
        let body = TicketRequest {
            ticket: ticket.map(|ticket| ticket.expose().to_owned()),
            system_id: system_id.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let request = self.http.post(self.url("ticket")?).json(&body);
        let request = if ticket.is_some() { request } else { self.with_credential(request) };
        answer(request).await
    }

    pub(super) async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<HeartbeatAnswer, AskError> {
        answer(self.with_credential(self.http.post(self.url("heartbeat")?).json(heartbeat))).await
    }

    /// GitLab forgets this machine. It is forgotten there after a week in any case.
    pub(super) async fn unregister(
        &self,
        registration: &Registration,
        system_id: &str,
    ) -> Result<(), AskError> {
        let url = format!("{}/api/v4/runners/managers", registration.url.trim_end_matches('/'));
        let body = serde_json::json!({ "token": registration.token, "system_id": system_id });
        let request = self.http.delete(url).timeout(Duration::from_secs(10)).json(&body);
        let status = request.send().await.map_err(|error| away(&error))?.status();
        if status.is_success() || status == StatusCode::NOT_FOUND {
            return Ok(());
        }
        Err(AskError::Away(format!("it answered {status}")))
    }

    fn with_credential(&self, request: RequestBuilder) -> RequestBuilder {
        match &*self.credential.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(credential) => request.bearer_auth(credential.expose()),
            None => request,
        }
    }

    fn url(&self, last: &str) -> Result<Url, AskError> {
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut path) => {
                path.pop_if_empty().extend(["runners", &self.id, last]);
            }
            Err(()) => return Err(AskError::Refused("its URL can have no path".to_owned())),
        }
        Ok(url)
    }
}

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, AskError> {
    let response = request.send().await.map_err(|error| away(&error))?;
    let status = response.status();
    let body = response.bytes().await.map_err(|error| away(&error))?;
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|error| {
            // What could not be read may hold a token; where it went wrong says enough.
            AskError::Away(format!(
                "it answered what can't be understood, at column {} of line {}",
                error.column(),
                error.line()
            ))
        });
    }
    let said = serde_json::from_slice::<Problem>(&body)
        .map_or_else(|_| status.to_string(), |problem| problem.detail.unwrap_or(problem.title));
    Err(match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => {
            AskError::Refused(said)
        }
        _ => AskError::Away(said),
    })
}

fn away(error: &reqwest::Error) -> AskError {
    // The causes say more than the error, which begins with the URL.
    let mut said = String::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if !said.is_empty() {
            said.push_str(": ");
        }
        said.push_str(&error.to_string());
        cause = error.source();
    }
    AskError::Away(if said.is_empty() { "no answer came".to_owned() } else { said })
}

/// Waits between attempts: doubled each time, up to a bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    next: Duration,
    first: Duration,
    most: Duration,
}

impl Waits {
    pub(super) const fn new(first: Duration, most: Duration) -> Self {
        Self { next: first, first, most }
    }

    /// How long to wait this time.
    pub(super) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = wait.saturating_mul(2).min(self.most);
        wait
    }

    /// It went well.
    pub(super) const fn reset(&mut self) {
        self.next = self.first;
    }
}
