//! What happens around every request: it gets an id, is counted, told of in the log, kept from being one too many, and
//! answered in one form when the answer is no. Headers and bodies never come into the log.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
};

use axum::{
    Json,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use jiff::fmt::rfc2822;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Api, client, problem::Refusal};
use crate::wire::VERSION_HEADER;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const VERSION: HeaderName = HeaderName::from_static(VERSION_HEADER);
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The longest id of a request that is taken over from the caller.
const LONGEST_ID: usize = 64;

/// The outermost: id, log, metrics, form of refusals.
pub(super) async fn observe(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = id_of(&request);
    let method = method_of(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str).to_owned();
    // Who called gave no such header, or another: what is behind this sees what the log has.
    if let Ok(value) = HeaderValue::from_str(&id) {
        request.headers_mut().insert(REQUEST_ID, value);
    }
    let mut response = in_form(next.run(request).await, &id);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    // The service's own clock, by which callers see how long something is ago.
    let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&api.now().in_calendar());
    if let Some(value) = date.ok().and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(header::DATE, value);
    }
    headers.insert(VERSION, HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let status = response.status();
    let took = began.elapsed();
    let metrics = &api.context.metrics;
    metrics.requests.with_label_values(&[route.as_str(), method, status.as_str()]).inc();
    metrics.request_seconds.with_label_values(&[route.as_str()]).observe(took.as_secs_f64());
    let (status, millis) = (status.as_u16(), took.as_secs_f64() * 1000.0);
    if status >= 500 {
        tracing::warn!(target: "gosling::access", request = id, method, route, status, millis, "answered");
    } else {
        tracing::info!(target: "gosling::access", request = id, method, route, status, millis, "answered");
    }
    response
}

/// An answer that says no has a problem as its body, whoever said it.
fn in_form(mut response: Response, id: &str) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let told = response.extensions_mut().remove::<Refusal>();
    let has_own_body =
        response.headers().get(header::CONTENT_TYPE) == Some(&HeaderValue::from_static("application/json"));
    if told.is_none() && has_own_body {
        return response;
    }
    let problem = Refusal::problem(told, status, id);
    let (mut kept, _) = response.into_parts();
    let (mut parts, body) = Json(problem).into_response().into_parts();
    kept.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, PROBLEM);
    kept.headers.extend(parts.headers);
    Response::from_parts(kept, body)
}

/// The id that the caller gave, when it is a decent one; otherwise a new one.
fn id_of(request: &Request) -> String {
    let given = request.headers().get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    let is_decent = |id: &&str| {
        (1..=LONGEST_ID).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    given.filter(is_decent).map_or_else(|| Uuid::now_v7().to_string(), ToOwned::to_owned)
}

/// The method, for metrics: callers can't make up new ones.
fn method_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// How many requests each address may send.
pub(super) struct Rate(DefaultKeyedRateLimiter<IpAddr>);

impl Rate {
    pub(super) fn new((a_second, at_once): (u32, u32)) -> Self {
        let least = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(least(a_second)).allow_burst(least(at_once));
        Self(RateLimiter::keyed(quota))
    }

    /// Forgets addresses that have been quiet.
    pub(super) fn forget(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }
}

/// An address that stands for one machine: of version 6 one has a whole network.
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

/// Refuses what is one too many from an address.
pub(super) async fn limit(State(api): State<Api>, request: Request, next: Next) -> Response {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let from = from.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip());
    let from = source(client::of(from, request.headers(), &api.context.settings.proxies));
    match api.rate.0.check_key(&from) {
        Ok(()) => next.run(request).await,
        Err(too_many) => {
            Refusal::too_many(too_many.wait_time_from(DefaultClock::default().now())).into_response()
        }
    }
}

/// The answer to a request during which the program found a mistake of its own.
pub(super) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request ended by a mistake of the program");
    Refusal::internal().into_response()
}
