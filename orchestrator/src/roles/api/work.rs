//! What is asked for goes into the queue; `POST /internal/…`, for timers, does nothing else.

use axum::{Json, extract::State, http::HeaderMap, http::StatusCode};

use super::{
    Api,
    auth::{Caller, Trigger},
    metrics,
    problem::Answer,
};
use crate::{
    roles::Work,
    seal,
    wire::{Accepted, Problem},
};

/// The answer to what stands in the queue.
pub(super) type Taken = (StatusCode, Json<Accepted>);

/// The header that makes a request one, however often it is sent.
const KEY: &str = "idempotency-key";

/// Puts work into the queue, once for each `Idempotency-Key` of a caller.
pub(super) async fn put(api: &Api, headers: &HeaderMap, actor: &str, work: &Work) -> Answer<Taken> {
    let key = headers.get(KEY).and_then(|value| value.to_str().ok()).filter(|key| !key.is_empty());
    let key = key.map(|key| {
        let all = [actor, work.kind(), key].join("\0");
        format!("request/{}", seal::fingerprint(&all))
    });
    let put = api.context.ports.queue.put(vec![work.message(key)]).await?;
    Ok((StatusCode::ACCEPTED, Json(Accepted { new: put.contains(&true) })))
}

/// Puts work into the queue that the API itself finds is to be done.
pub(super) async fn put_own(api: &Api, work: &Work) -> Answer<()> {
    api.context.ports.queue.put(vec![work.message(None)]).await?;
    Ok(())
}

/// The Nest's repository is looked at.
#[utoipa::path(
    post, path = "/internal/sync-git", tag = "timers", security(("trigger" = ["trigger"])),
    responses((status = 202, body = Accepted), (status = 401, body = Problem), (status = 403, body = Problem))
)]
pub(super) async fn sync_git(
    caller: Caller<Trigger>,
    State(api): State<Api>,
    headers: HeaderMap,
) -> Answer<Taken> {
    put(&api, &headers, &caller.actor, &Work::Sync { reason: "timer".to_owned() }).await
}

/// GitLab is asked for the jobs that wait.
#[utoipa::path(
    post, path = "/internal/health-check", tag = "timers", security(("trigger" = ["trigger"])),
    responses((status = 202, body = Accepted), (status = 401, body = Problem), (status = 403, body = Problem))
)]
pub(super) async fn health_check(
    caller: Caller<Trigger>,
    State(api): State<Api>,
    headers: HeaderMap,
) -> Answer<Taken> {
    put(&api, &headers, &caller.actor, &Work::Sweep).await
}

/// It is decided what becomes of every runner.
#[utoipa::path(
    post, path = "/internal/uglyfox/health-check", tag = "timers", security(("trigger" = ["trigger"])),
    responses((status = 202, body = Accepted), (status = 401, body = Problem), (status = 403, body = Problem))
)]
pub(super) async fn uglyfox_health_check(
    caller: Caller<Trigger>,
    State(api): State<Api>,
    headers: HeaderMap,
) -> Answer<Taken> {
    put(&api, &headers, &caller.actor, &Work::Decide).await
}

/// What is shown by `/metrics` is counted anew.
#[utoipa::path(
    post, path = "/internal/metrics/collect", tag = "timers", security(("trigger" = ["trigger"])),
    responses((status = 202, body = Accepted), (status = 401, body = Problem), (status = 403, body = Problem))
)]
pub(super) async fn collect(_: Caller<Trigger>, State(api): State<Api>) -> Answer<Taken> {
    metrics::collect(&api).await?;
    Ok((StatusCode::ACCEPTED, Json(Accepted { new: true })))
}
