//! `GET /metrics`, for Prometheus, which shows a token with the scope `read` as every reader does. What is counted from the
//! database is counted when somebody looks.

use std::{collections::BTreeMap, time::Duration};

use axum::{extract::State, http::header, response::IntoResponse};
use tokio::{sync::Mutex, time::Instant};

use super::{
    Api,
    auth::{Caller, Read},
    problem::Answer,
};
use crate::{
    domain::{JobStatus, State as RunnerState},
    records::{self, JobRecord, RunnerRecord},
    wire::Problem,
};

/// How long what was counted is shown.
const FRESH: Duration = Duration::from_secs(5);

/// When it was last counted.
pub(super) type Counted = Mutex<Option<Instant>>;

/// All metrics, as Prometheus reads them.
#[utoipa::path(
    get, path = "/metrics", tag = "operators", security(("token" = ["read"])),
    responses(
        (status = 200, body = String, content_type = "text/plain"),
        (status = 401, body = Problem), (status = 403, body = Problem),
    )
)]
pub(super) async fn metrics(_: Caller<Read>, State(api): State<Api>) -> Answer<impl IntoResponse> {
    let mut counted = api.counted.lock().await;
    if counted.is_none_or(|then| then.elapsed() >= FRESH) {
        // What is counted elsewhere is shown even when the database is away.
        if collect(&api).await.is_ok() {
            *counted = Some(Instant::now());
        }
    }
    let form = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((form, api.context.metrics.text()))
}

/// Counts what is in the database and in the queue.
pub(super) async fn collect(api: &Api) -> Answer<()> {
    let metrics = &api.context.metrics;
    let [waiting, working, dead] = api.context.ports.queue.counts().await?;
    let runners = records::all::<RunnerRecord>(api.store(), None, None).await?;
    let jobs = records::all::<JobRecord>(api.store(), None, None).await?;
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    for (state, count) in [("waiting", waiting), ("leased", working), ("dead", dead)] {
        metrics.queue.with_label_values(&[state]).set(number(count));
    }
    let mut by_state: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for runner in &runners {
        let runner = &runner.record.runner;
        if runner.state != RunnerState::Terminated {
            *by_state.entry((&runner.egg, runner.state.name())).or_default() += 1;
        }
    }
    metrics.runners.reset();
    for ((egg, state), count) in by_state {
        metrics.runners.with_label_values(&[egg, state]).set(number(count));
    }
    let mut by_egg: BTreeMap<&str, u64> = BTreeMap::new();
    for job in jobs.iter().filter(|job| job.record.job.status == JobStatus::Pending) {
        *by_egg.entry(job.record.job.egg.as_deref().unwrap_or_default()).or_default() += 1;
    }
    metrics.waiting.reset();
    for (egg, count) in by_egg {
        metrics.waiting.with_label_values(&[egg]).set(number(count));
    }
    Ok(())
}
