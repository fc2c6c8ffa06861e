//! Answers that say no, all of one form; and bodies, queries and paths that are read with such answers.
//!
//! A refusal travels as an extension of its response. Where the answer leaves, it gets its body and the request's id: see
//! `layers`.

use axum::{
    extract::{
        FromRequest, FromRequestParts, Json, Path, Query, Request,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;

use crate::{
    ports::{queue::QueueError, store::StoreError},
    wire::Problem,
};

/// Why a request is not done.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: &'static str,
    detail: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What a handler answers.
pub(super) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, detail: Some(detail.into()), headers: Vec::new() }
    }

    fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Something asked for makes no sense.
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
    }

    /// It was not said who asks.
    pub(super) fn unknown_caller(detail: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            .with(header::WWW_AUTHENTICATE, "Bearer realm=\"gosling\"")
    }

    /// Who asks may not do this.
    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// Who asks needs a token of another scope.
    pub(super) fn needs(scope: &str) -> Self {
        let told = format!("Bearer realm=\"gosling\", error=\"insufficient_scope\", scope=\"{scope}\"");
        Self::forbidden(format!("this token lacks the scope `{scope}`")).with(header::WWW_AUTHENTICATE, &told)
    }

    /// There is no such thing.
    pub(super) fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    /// It does not go with how things are.
    pub(super) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// It is over for good.
    pub(super) fn gone(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "gone", detail)
    }

    /// There were too many before it.
    pub(super) fn too_many(wait: std::time::Duration) -> Self {
        let detail = "too many requests from this address";
        let seconds = wait.as_secs().saturating_add(1).to_string();
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail)
            .with(header::RETRY_AFTER, &seconds)
    }

    /// It may go well later.
    pub(super) fn away(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).with(header::RETRY_AFTER, "5")
    }

    /// It is the service's own fault. What went wrong stands in the log alone.
    pub(super) fn internal() -> Self {
        let detail = "something went wrong here; the log says more under this request's id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// The status it is answered with.
    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    fn of_status(status: StatusCode) -> (&'static str, Option<String>) {
        let (kind, detail) = match status {
            StatusCode::NOT_FOUND => ("not-found", "there is nothing at this path; see /openapi.json"),
            StatusCode::METHOD_NOT_ALLOWED => {
                ("method-not-allowed", "this path has no such method; see `Allow`")
            }
            StatusCode::PAYLOAD_TOO_LARGE => ("too-large", "the body is larger than this installation takes"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                ("unsupported-media-type", "the body must be `application/json`")
            }
            StatusCode::SERVICE_UNAVAILABLE => ("unavailable", "it took too long; try again later"),
            _ if status.is_server_error() => ("internal", "something went wrong here"),
            _ => ("invalid", "the request can't be read"),
        };
        (kind, Some(detail.to_owned()))
    }

    /// The body of an answer with this status. `told` is what a handler refused with; an answer that says no by itself has
    /// none.
    pub(super) fn problem(told: Option<Self>, status: StatusCode, request: &str) -> Problem {
        let (kind, detail) = match told {
            Some(told) => (told.kind, told.detail),
            None => Self::of_status(status),
        };
        Problem {
            kind: format!("urn:gosling:problem:{kind}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail,
            instance: Some(format!("urn:gosling:request:{request}")),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(mut self) -> Response {
        let mut response = self.status.into_response();
        for (name, value) in std::mem::take(&mut self.headers) {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) => Self::away("others write the same thing just now; try again"),
            StoreError::Away(reason) => {
                tracing::warn!(reason, "the database can't be reached");
                Self::away("the database can't be reached; try again later")
            }
            StoreError::Wrong(reason) => {
                tracing::error!(reason, "the database refuses");
                Self::internal()
            }
        }
    }
}

impl From<QueueError> for Refusal {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Unknown(id) => Self::missing(format!("there is no message `{id}`")),
            QueueError::LeaseOver => Self::conflict("somebody else has the message"),
            QueueError::Away(reason) => {
                tracing::warn!(reason, "the queue can't be reached");
                Self::away("the queue can't be reached; try again later")
            }
        }
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        let status = rejection.status();
        match rejection {
            JsonRejection::JsonDataError(_) | JsonRejection::JsonSyntaxError(_) => {
                let detail = rejection.body_text();
                Self { status, ..Self::invalid(detail) }
            }
            _ => {
                let (kind, detail) = Self::of_status(status);
                Self { status, kind, detail, headers: Vec::new() }
            }
        }
    }
}

impl From<QueryRejection> for Refusal {
    fn from(rejection: QueryRejection) -> Self {
        Self::invalid(rejection.body_text())
    }
}

impl From<PathRejection> for Refusal {
    fn from(rejection: PathRejection) -> Self {
        Self { status: rejection.status(), ..Self::invalid(rejection.body_text()) }
    }
}

/// A body.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let Json(body) = Json::<T>::from_request(request, state).await?;
        Ok(Self(body))
    }
}

/// What stands behind the `?`.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Query(asked) = Query::<T>::from_request_parts(parts, state).await?;
        Ok(Self(asked))
    }
}

/// The parts of the path that stand for something.
pub(super) struct At<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Path(at) = Path::<T>::from_request_parts(parts, state).await?;
        Ok(Self(at))
    }
}
