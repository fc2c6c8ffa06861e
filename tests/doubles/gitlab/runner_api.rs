//! What gitlab-runner asks: to be verified, for jobs, and to tell what became of them.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, StatusCode, header::RANGE},
    response::{IntoResponse, Response},
    routing::{delete, patch, post, put},
};
use serde_json::{Value, json};

use super::{
    Shared,
    answers::Refusal,
    jobs::Status,
    state::{Job, Manager, World, now},
};

type Answer = Result<Response, Refusal>;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/runners/verify", post(verify))
        .route("/runners/managers", delete(delete_manager))
        .route("/jobs/request", post(request))
        .route("/jobs/{job}", put(update))
        .route("/jobs/{job}/trace", patch(trace))
}

fn text<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str)
}

/// The runner of a token; its machine is noted.
fn runner(world: &mut World, body: &Value) -> Result<(u64, String), Refusal> {
    let token = text(body, "token").ok_or_else(|| Refusal::parameter("token is missing"))?;
    let runner = world.runner_of(token).ok_or_else(Refusal::forbidden)?;
    // One without its own id is of the time before there were machines.
    let system_id = text(body, "system_id").unwrap_or("<legacy>").to_owned();
    let id = world.id();
    if let Some(runner) = world.runners.get_mut(&runner) {
        let info = body.get("info").cloned().unwrap_or(Value::Null);
        let machine = runner.managers.entry(system_id.clone());
        let machine = machine.or_insert_with(|| Manager { id, contacted: 0, info: Value::Null });
        machine.contacted = now();
        if !info.is_null() {
            machine.info = info;
        }
    }
    Ok((runner, system_id))
}

async fn verify(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> Answer {
    shared.change(|world| {
        let (id, _) = runner(world, &body)?;
        let token = text(&body, "token").unwrap_or_default();
        Ok(Json(json!({ "id": id, "token": token, "token_expires_at": null })).into_response())
    })
}

async fn delete_manager(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> Answer {
    shared.change(|world| {
        let token = text(&body, "token").ok_or_else(|| Refusal::parameter("token is missing"))?;
        let system_id = text(&body, "system_id").ok_or_else(|| Refusal::parameter("system_id is missing"))?;
        let id = world.runner_of(token).ok_or_else(Refusal::forbidden)?;
        let gone = world.runners.get_mut(&id).and_then(|runner| runner.managers.remove(system_id));
        gone.ok_or_else(|| Refusal::not_found("404 Not Found"))?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}

const LAST_UPDATE: HeaderName = HeaderName::from_static("x-gitlab-last-update");
const INTERVAL: HeaderName = HeaderName::from_static("x-gitlab-trace-update-interval");
const JOB_STATUS: HeaderName = HeaderName::from_static("job-status");

async fn request(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> Answer {
    shared.change(|world| {
        let (runner, system_id) = runner(world, &body)?;
        let queue = world.queue.to_string();
        let nothing = |queue: String| (StatusCode::NO_CONTENT, [(LAST_UPDATE, queue)]).into_response();
        if text(&body, "last_update") == Some(&queue) {
            return Ok(nothing(queue));
        }
        Ok(match world.give(runner, &system_id).and_then(|job| world.jobs.get(&job)) {
            Some(job) => (StatusCode::CREATED, Json(payload(world, job))).into_response(),
            None => nothing(queue),
        })
    })
}

/// A job as a runner gets it.
fn payload(world: &World, job: &Job) -> Value {
    let path = world.project_path(job.project);
    let predefined = [
        ("CI", "true".to_owned()),
        ("GITLAB_CI", "true".to_owned()),
        ("CI_JOB_ID", job.id.to_string()),
        ("CI_JOB_NAME", job.spec.name.clone()),
        ("CI_JOB_STAGE", job.spec.stage.clone()),
        ("CI_PIPELINE_ID", job.pipeline.to_string()),
        ("CI_PROJECT_ID", job.project.to_string()),
        ("CI_PROJECT_PATH", path.clone()),
        ("CI_COMMIT_SHA", super::hooks::SHA.to_owned()),
        ("CI_COMMIT_REF_NAME", job.spec.git_ref.clone()),
        ("CI_SERVER_URL", world.url.clone()),
        // There is no repository to be fetched.
        ("GIT_STRATEGY", "none".to_owned()),
    ];
    let variable =
        |key: &str, value: &str| json!({ "key": key, "value": value, "public": true, "masked": false });
    let variables: Vec<Value> = predefined
        .iter()
        .map(|(key, value)| variable(key, value))
        .chain(job.spec.variables.iter().map(|(key, value)| variable(key, value)))
        .collect();
    let longest = job.runner.and_then(|id| world.runners.get(&id)?.maximum_timeout);
    let timeout = longest.map_or(job.spec.timeout, |longest| longest.min(job.spec.timeout));
    json!({
        "id": job.id,
        "token": job.token,
        "allow_git_fetch": true,
        "job_info": {
            "id": job.id,
            "name": job.spec.name,
            "stage": job.spec.stage,
            "project_id": job.project,
            "project_name": path.rsplit('/').next(),
            "time_in_queue_seconds": 0,
        },
        "git_info": {
            "repo_url": format!("{}/{path}.git", world.url),
            "ref": job.spec.git_ref,
            "ref_type": if job.spec.is_tag { "tag" } else { "branch" },
            "sha": super::hooks::SHA,
            "before_sha": "0000000000000000000000000000000000000000",
            "refspecs": [],
            "depth": 20,
        },
        "runner_info": { "timeout": timeout, "runner_session_url": null },
        "variables": variables,
        "steps": [{
            "name": "script",
            "script": job.spec.script,
            "timeout": timeout,
            "when": "on_success",
            "allow_failure": false,
        }],
        "image": job.spec.image,
        "services": [],
        "artifacts": null,
        "cache": [],
        "credentials": [],
        "dependencies": [],
        "features": { "trace_sections": true, "failure_reasons": [] },
    })
}

/// The job of an id, when this is its token.
fn job<'a>(world: &'a World, id: u64, token: Option<&str>) -> Result<&'a Job, Refusal> {
    let job = world.jobs.get(&id).ok_or_else(|| Refusal::not_found("404 Not Found"))?;
    if token == Some(&*job.token) { Ok(job) } else { Err(Refusal::forbidden()) }
}

async fn update(State(shared): State<Arc<Shared>>, Path(id): Path<u64>, Json(body): Json<Value>) -> Answer {
    shared.change(|world| {
        let found = job(world, id, text(&body, "token"))?;
        if !is_run(found) {
            return Ok(over(found.status));
        }
        match text(&body, "state") {
            Some("success" | "failed") if found.status == Status::Canceling => {
                world.step(id, Status::Canceled, None);
            }
            Some("success") => {
                world.step(id, Status::Success, None);
            }
            Some("failed") => {
                let reason = text(&body, "failure_reason").unwrap_or("script_failure").to_owned();
                world.step(id, Status::Failed, Some(&reason));
            }
            Some("running") | None => {}
            Some(_) => return Err(Refusal::bad("400 Bad request")),
        }
        let status = world.jobs.get(&id).map_or("", |job| job.status.word());
        Ok((StatusCode::OK, [(INTERVAL, "3"), (JOB_STATUS, status)], "200").into_response())
    })
}

/// Whether its runner has something to tell of it.
const fn is_run(job: &Job) -> bool {
    matches!(job.status, Status::Running | Status::Canceling)
}

/// The answer about a job that doesn't run.
fn over(status: Status) -> Response {
    (
        StatusCode::FORBIDDEN,
        [(JOB_STATUS, status.word())],
        Json(json!({ "message": "403 Forbidden  - Job is not running" })),
    )
        .into_response()
}

async fn trace(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<u64>,
    headers: HeaderMap,
    more: Bytes,
) -> Answer {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    shared.change(|world| {
        let found = job(world, id, header("job-token"))?;
        if !is_run(found) {
            return Ok(over(found.status));
        }
        let range =
            header("content-range").ok_or_else(|| Refusal::bad("400 Missing header Content-Range"))?;
        let from: Option<usize> = range.split_once('-').and_then(|(from, _)| from.trim().parse().ok());
        let Some(job) = world.jobs.get_mut(&id) else { return Err(Refusal::not_found("404 Not Found")) };
        if from != Some(job.trace.len()) {
            let range = [(RANGE, format!("0-{}", job.trace.len()))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range).into_response());
        }
        job.trace.extend_from_slice(&more);
        let answer = [
            (RANGE, format!("0-{}", job.trace.len())),
            (JOB_STATUS, job.status.word().to_owned()),
            (INTERVAL, Duration::from_secs(3).as_secs().to_string()),
        ];
        Ok((StatusCode::ACCEPTED, answer, "0-").into_response())
    })
}
