//! `/runners`: the fleet, and taking one out of it.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{
    Api,
    auth::{Caller, Operate, Read},
    page,
    problem::{Answer, Asked, At, Refusal},
    work,
};
use crate::{
    domain::Event,
    ports::store::{Query, StoreError, Value},
    records::{self, AuditEntry, Record, RunnerRecord, Versioned},
    roles::{Work, changes::changed},
    wire::{Page, Problem, RunnerView},
};

/// How often what others write at the same time is written anew.
pub(super) const TRIES: usize = 20;

/// Which runners.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only of this egg, bucket or job.
    egg: Option<String>,
    /// Only in this state.
    state: Option<String>,
}

/// The runners, also those that went not long ago.
#[utoipa::path(
    get, path = "/runners", tag = "operators", params(Which, page::Paging), security(("token" = ["read"])),
    responses(
        (status = 200, body = Page<RunnerView>),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem),
    )
)]
pub(super) async fn list(
    _: Caller<Read>,
    State(api): State<Api>,
    Asked(which): Asked<Which>,
    Asked(paging): Asked<page::Paging>,
) -> Answer<Json<Page<RunnerView>>> {
    let list =
        format!("runners/{}/{}", which.egg.as_deref().unwrap_or(""), which.state.as_deref().unwrap_or(""));
    let wanted = Query {
        index: which.egg.is_some().then_some("egg_name_index"),
        partition: which.egg.clone().map(Value::Text),
        ..super::eggs::whole(RunnerRecord::TABLE)
    };
    let fit = |runner: RunnerRecord| {
        let fits = which.state.as_deref().is_none_or(|state| state == runner.runner.state.name());
        fits.then(|| view(&runner))
    };
    Ok(Json(page::full(api.store(), &list, &paging, wanted, fit).await?))
}

/// A runner.
#[utoipa::path(
    get, path = "/runners/{id}", tag = "operators", params(("id" = String, Path)), security(("token" = ["read"])),
    responses(
        (status = 200, body = RunnerView),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    )
)]
pub(super) async fn show(
    _: Caller<Read>,
    State(api): State<Api>,
    At(id): At<String>,
) -> Answer<Json<RunnerView>> {
    Ok(Json(view(&known(&api, &id).await?.record)))
}

/// How a runner goes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct How {
    /// At once: a job that it has fails.
    #[serde(default)]
    now: bool,
}

/// A runner finishes its job, takes no other, and is destroyed. Asking again changes nothing.
#[utoipa::path(
    delete, path = "/runners/{id}", tag = "operators", params(("id" = String, Path), How),
    security(("token" = ["operate"])),
    responses(
        (status = 202, body = RunnerView),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    )
)]
pub(super) async fn drain(
    caller: Caller<Operate>,
    State(api): State<Api>,
    At(id): At<String>,
    Asked(how): Asked<How>,
) -> Answer<(StatusCode, Json<RunnerView>)> {
    let (event, action) =
        if how.now { (Event::Destroy, "runner.destroy") } else { (Event::Drain, "runner.drain") };
    for _ in 0..TRIES {
        let mut found = known(&api, &id).await?;
        let now = api.now();
        let before = found.record.runner.clone();
        let Ok(after) = found.record.runner.after(&event, now) else {
            // It is on its way out already.
            return Ok((StatusCode::ACCEPTED, Json(view(&found.record))));
        };
        found.record.runner = after;
        found.record.why = format!("{} asked for it", caller.actor);
        found.record.updated = now;
        let to = found.record.runner.state.name();
        let details = serde_json::json!({ "egg": before.egg, "from": before.state.name(), "to": to });
        let entry = AuditEntry::new(now, &caller.actor, action, ("runner", &id), details);
        match api.store().commit(vec![found.update(), records::insert(&entry)]).await {
            Ok(()) => {
                changed(&api.context, &before, &found.record.runner, &found.record.why);
                work::put_own(&api, &Work::Decide).await?;
                return Ok((StatusCode::ACCEPTED, Json(view(&found.record))));
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::away(format!("others write the runner `{id}` just now; try again")))
}

async fn known(api: &Api, id: &str) -> Answer<Versioned<RunnerRecord>> {
    let found = find(api, id).await?;
    found.ok_or_else(|| {
        Refusal::missing(format!("there is no runner `{id}`; `gosling runner list` shows them"))
    })
}

/// A runner, if there is one with this id.
pub(super) async fn find(api: &Api, id: &str) -> Answer<Option<Versioned<RunnerRecord>>> {
    Ok(records::get::<RunnerRecord>(api.store(), vec![Value::Text(id.to_owned())]).await?)
}

/// A runner as operators see it.
pub(super) fn view(record: &RunnerRecord) -> RunnerView {
    let runner = &record.runner;
    let percent = |hundredths: Option<u16>| hundredths.map(|value| f64::from(value) / 100.0);
    RunnerView {
        id: runner.id.as_str().to_owned(),
        egg: runner.egg.clone(),
        runner_type: word(&runner.runner_type),
        cloud: runner.cloud.clone(),
        region: runner.region.clone(),
        state: runner.state.name().to_owned(),
        pool: word(&runner.pool),
        why: record.why.clone(),
        made: runner.made.into(),
        changed: runner.changed.into(),
        heartbeat: runner.heartbeat.map(Into::into),
        jobs: runner.jobs.iter().map(ToString::to_string).collect(),
        jobs_done: runner.done,
        failures: runner.failures,
        cpu_usage: percent(runner.health.cpu),
        memory_usage: percent(runner.health.memory),
        disk_usage: percent(runner.health.disk),
        agent_version: runner.agent.clone(),
        version: record.version.clone(),
        system_id: record.system_id.clone(),
        commit: record.commit.clone(),
        digest: runner.digest.clone(),
        managers: record.managers.clone(),
    }
}

/// The name of a value that is written as one.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
