//! `GET /jobs`, `GET /why/job/{id}` and `POST /jobs/{name}/trigger`.

use std::collections::BTreeSet;

use axum::{Json, extract::State, http::HeaderMap};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Api,
    auth::{Caller, Operate, Read},
    eggs, page,
    problem::{Answer, Asked, At, Refusal},
    runners::{self, word},
    work::{self, Taken},
};
use crate::{
    ports::store::{Query, Value},
    records::{self, AuditEntry, EggRecord, JobRecord, Record, Served},
    roles::Work,
    wire::{Accepted, JobView, Page, Problem, WhyJob},
};

/// Whose job.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// The host of the GitLab server; needed when several have a job of this number.
    server: Option<String>,
}

/// Which runner takes a job and why, or why none does.
#[utoipa::path(
    get, path = "/why/job/{id}", tag = "operators", params(("id" = u64, Path), Whose),
    security(("token" = ["read"])),
    responses(
        (status = 200, body = WhyJob), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem),
    )
)]
pub(super) async fn job(
    _: Caller<Read>,
    State(api): State<Api>,
    At(number): At<u64>,
    Asked(whose): Asked<Whose>,
) -> Answer<Json<WhyJob>> {
    let servers = match whose.server {
        Some(server) => BTreeSet::from([server]),
        None => servers(&api).await?,
    };
    let mut found: Vec<JobRecord> = Vec::new();
    for server in &servers {
        let key = vec![Value::Text(server.clone()), Value::Int(i64::try_from(number).unwrap_or(i64::MAX))];
        found.extend(records::get::<JobRecord>(api.store(), key).await?.map(|job| job.record));
    }
    if found.len() > 1 {
        let several: Vec<&str> = found.iter().map(|job| job.id.server.as_str()).collect();
        let several = several.join(", ");
        return Err(Refusal::conflict(format!(
            "{several} have a job {number}; say which: gosling why job {number} --server HOST"
        )));
    }
    let Some(job) = found.pop() else {
        return Err(Refusal::missing(format!(
            "GitLab has not told of a job {number} in the last day; look whether its project belongs to an egg, and \
             whether the project's webhook sends job events here"
        )));
    };
    let runner = match &job.job.runner {
        Some(id) => runners::find(&api, id.as_str()).await?.map(|runner| runners::view(&runner.record)),
        None => None,
    };
    let egg = match &job.job.egg {
        Some(name) => records::get::<EggRecord>(api.store(), vec![Value::Text(name.clone())]).await?,
        None => None,
    };
    Ok(Json(WhyJob {
        job: view(&job),
        runner,
        paused: egg.as_ref().is_some_and(|egg| egg.record.paused),
        error: egg.and_then(|egg| egg.record.error),
    }))
}

/// Every server that the Nest names.
async fn servers(api: &Api) -> Answer<BTreeSet<String>> {
    let nest = &api.context.settings.nest;
    let eggs = records::all::<EggRecord>(api.store(), None, None).await?;
    let of_eggs = eggs.iter().flat_map(|egg| eggs::repositories(&egg.record, nest));
    Ok(of_eggs.map(|repository| repository.server).chain(nest.server.clone()).collect())
}

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only those that runners of this egg, bucket or job serve.
    egg: Option<String>,
    /// Only those of this status.
    status: Option<String>,
}

/// The jobs of GitLab's that wait, run, or were over not long ago.
#[utoipa::path(
    get, path = "/jobs", tag = "operators", params(Which, page::Paging), security(("token" = ["read"])),
    responses(
        (status = 200, body = Page<JobView>),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem),
    )
)]
pub(super) async fn list(
    _: Caller<Read>,
    State(api): State<Api>,
    Asked(which): Asked<Which>,
    Asked(paging): Asked<page::Paging>,
) -> Answer<Json<Page<JobView>>> {
    let list =
        format!("jobs/{}/{}", which.egg.as_deref().unwrap_or(""), which.status.as_deref().unwrap_or(""));
    let wanted = Query {
        index: which.egg.is_some().then_some("egg_name_index"),
        partition: which.egg.clone().map(Value::Text),
        ..eggs::whole(JobRecord::TABLE)
    };
    let fit = |job: JobRecord| {
        Some(view(&job)).filter(|job| which.status.as_deref().is_none_or(|status| status == job.status))
    };
    Ok(Json(page::full(api.store(), &list, &paging, wanted, fit).await?))
}

/// A job of the Nest's own runs now.
#[utoipa::path(
    post, path = "/jobs/{name}/trigger", tag = "operators", params(("name" = String, Path)),
    security(("token" = ["operate"])),
    responses(
        (status = 202, body = Accepted), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
    )
)]
pub(super) async fn trigger(
    caller: Caller<Operate>,
    State(api): State<Api>,
    At(name): At<String>,
    headers: HeaderMap,
) -> Answer<Taken> {
    let owner = format!("jobs/{name}");
    let found = records::get::<EggRecord>(api.store(), vec![Value::Text(owner.clone())]).await?;
    if !found.is_some_and(|job| !job.record.removed && matches!(job.record.served, Served::Job(_))) {
        return Err(Refusal::missing(format!(
            "the Nest has no job `{name}`; `gosling list eggs --kind job` shows them"
        )));
    }
    let entry =
        AuditEntry::new(api.now(), &caller.actor, "job.trigger", ("egg", &owner), serde_json::json!({}));
    api.store().commit(vec![records::insert(&entry)]).await?;
    let work = Work::Trigger { job: name, actor: caller.actor.clone() };
    work::put(&api, &headers, &caller.actor, &work).await
}

/// A job as operators see it.
pub(super) fn view(record: &JobRecord) -> JobView {
    JobView {
        server: record.id.server.to_string(),
        number: record.id.number,
        project: record.job.project,
        name: record.name.clone(),
        git_ref: record.git_ref.clone(),
        ref_protected: record.ref_protected,
        tags: record.job.tags.iter().cloned().collect(),
        status: word(&record.job.status),
        egg: record.job.egg.clone(),
        runner: record.job.runner.as_ref().map(|runner| runner.as_str().to_owned()),
        since: record.job.since.into(),
        told: record.job.told.into(),
        reasons: record.reason.clone(),
    }
}
