//! What goes wrong on demand: answers of the API, and hooks on their way. The same seed makes the same choices.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::to_bytes,
    extract::{Request, State},
    http::{StatusCode, header::RETRY_AFTER},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Call, Shared};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It is answered with this status, and nothing is done.
    Status(u16),
    /// It is answered with 429 and this many seconds to wait, and nothing is done.
    TooMany(u64),
    /// It is answered this much later, and not done before.
    Slow(Duration),
    /// It is done, and then answered with 500: the caller can't know.
    DoneButFailed,
}

/// A fault of the API.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Only calls with this method; all when none.
    pub method: Option<&'static str>,
    /// Only calls whose path holds this.
    pub path: String,
    /// How often at most.
    pub times: u32,
    /// How probable it is for each call that it is meant for.
    pub chance: f64,
    /// What.
    pub what: What,
    /// Whether an answer with a status of its own tells back everything it was asked with, tokens and all.
    pub echo: bool,
}

impl Fault {
    /// The next `times` calls whose path holds `path`.
    pub fn next(times: u32, path: &str, what: What) -> Self {
        Self { method: None, path: path.to_owned(), times, chance: 1.0, what, echo: false }
    }
}

/// All faults of the API.
#[derive(Debug, Default)]
pub struct Faults {
    /// The first that fits counts.
    pub list: Vec<Fault>,
    /// Where the choices are drawn from.
    pub seed: u64,
}

/// What goes wrong with hooks, as probabilities from 0 to 1.
#[derive(Debug, Clone, Default)]
pub struct HookFaults {
    /// It never goes out.
    pub drop: f64,
    /// It goes out twice, with the same `Idempotency-Key`.
    pub double: f64,
    /// It goes out after the one that follows it.
    pub swap: f64,
    /// Where the choices are drawn from.
    pub seed: u64,
}

/// The next number below 1 of a seed (splitmix64).
fn draw(seed: &mut u64) -> f64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    f64::from(u32::try_from(mixed >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
}

impl HookFaults {
    /// Whether something of this probability happens now.
    pub(super) fn happens(&mut self, chance: f64) -> bool {
        draw(&mut self.seed) < chance
    }
}

impl Faults {
    fn choose(&mut self, method: &str, path: &str) -> Option<(What, bool)> {
        let Self { list, seed } = self;
        let fits = |fault: &&mut Fault| {
            fault.times > 0
                && fault.method.is_none_or(|only| only == method)
                && path.contains(&fault.path)
                && draw(seed) < fault.chance
        };
        let fault = list.iter_mut().find(fits)?;
        fault.times -= 1;
        Some((fault.what, fault.echo))
    }
}

/// Around every call: what goes wrong with it, and the record of it.
pub(super) async fn around(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let method = request.method().to_string();
    let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let of_api = path.starts_with("/api/");
    let what = if of_api { shared.look().faults.choose(&method, &path) } else { None };
    let answer = match what {
        None => next.run(request).await,
        Some((What::Status(status), echo)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut message = status.to_string();
            if echo {
                let headers = request.headers().iter().map(|(_, value)| value.to_str().unwrap_or_default());
                message.extend(headers);
                let body = to_bytes(request.into_body(), usize::MAX).await.unwrap_or_default();
                match serde_json::from_slice::<serde_json::Value>(&body) {
                    Ok(serde_json::Value::Object(fields)) => {
                        message.extend(fields.values().filter_map(serde_json::Value::as_str));
                    }
                    _ => message.push_str(&String::from_utf8_lossy(&body)),
                }
            }
            (status, Json(serde_json::json!({ "message": message }))).into_response()
        }
        Some((What::TooMany(seconds), _)) => {
            (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds.to_string())], "Retry later\n")
                .into_response()
        }
        Some((What::Slow(late), _)) => {
            tokio::time::sleep(late).await;
            next.run(request).await
        }
        Some((What::DoneButFailed, _)) => {
            next.run(request).await;
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    };
    if of_api {
        let call = Call { method, path, status: answer.status().as_u16() };
        shared.change(|world| world.calls.push(call));
    }
    answer
}
