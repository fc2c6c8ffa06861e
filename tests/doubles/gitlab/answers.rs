//! What the fake GitLab answers, in GitLab's own shapes.

use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header::LINK},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::state::{DeployKey, Hook, Job, Manager, Place, Runner, Schedule, World, now};

/// How many entries a page has unless asked otherwise, and at most.
const PAGE: (usize, usize) = (20, 100);

/// How long a machine counts as online, in milliseconds.
const ONLINE: u64 = 2 * 60 * 60 * 1000;

/// An answer that is no success.
#[derive(Debug)]
pub(super) struct Refusal(StatusCode, Value);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

impl Refusal {
    pub(super) fn message(status: StatusCode, message: impl Into<Value>) -> Self {
        Self(status, json!({ "message": message.into() }))
    }

    pub(super) fn unauthorized() -> Self {
        Self::message(StatusCode::UNAUTHORIZED, "401 Unauthorized")
    }

    pub(super) fn forbidden() -> Self {
        Self::message(StatusCode::FORBIDDEN, "403 Forbidden")
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self::message(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn bad(message: impl Into<Value>) -> Self {
        Self::message(StatusCode::BAD_REQUEST, message)
    }

    /// A parameter that GitLab's own checks refuse: `{"error": "… is missing"}`.
    pub(super) fn parameter(error: &str) -> Self {
        Self(StatusCode::BAD_REQUEST, json!({ "error": error }))
    }

    pub(super) fn scope(needed: &str) -> Self {
        let description = "The request requires higher privileges than provided by the access token.";
        Self(
            StatusCode::FORBIDDEN,
            json!({ "error": "insufficient_scope", "error_description": description, "scope": needed }),
        )
    }
}

/// The values of a query by key.
pub(super) fn query<'a>(query: &'a [(String, String)], key: &str) -> Option<&'a str> {
    query.iter().find(|(name, _)| name == key).map(|(_, value)| &**value)
}

/// A page of a list, with the headers that tell where the next one is.
pub(super) fn page(url: &str, uri: &Uri, asked: &[(String, String)], mut all: Vec<Value>) -> Response {
    let number = |key| query(asked, key).and_then(|text| text.parse::<usize>().ok());
    let size = number("per_page").unwrap_or(PAGE.0).clamp(1, PAGE.1);
    let link = |changes: &[(&str, String)]| {
        let kept = asked.iter().filter(|(key, _)| changes.iter().all(|(changed, _)| changed != key));
        let mut target = String::new();
        for (key, value) in kept.map(|(k, v)| (&**k, &**v)).chain(changes.iter().map(|(k, v)| (*k, &**v))) {
            target.push(if target.is_empty() { '?' } else { '&' });
            {
                use std::fmt::Write as _;
                let _ = write!(target, "{}={}", escaped(key), escaped(value));
            }
        }
        format!("<{url}/api/v4{}{target}>", uri.path())
    };
    let mut headers = HeaderMap::new();
    let mut header = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    if query(asked, "pagination") == Some("keyset") {
        // By id, the newest first: the only order that jobs have with keys.
        let id = |one: &Value| one["id"].as_u64().unwrap_or_default();
        all.sort_by_key(|one| std::cmp::Reverse(id(one)));
        if let Some(before) = query(asked, "cursor").and_then(|text| text.parse::<u64>().ok()) {
            all.retain(|one| id(one) < before);
        }
        let more = all.len() > size;
        all.truncate(size);
        if let Some(last) = all.last().filter(|_| more) {
            header(LINK, format!("{}; rel=\"next\"", link(&[("cursor", id(last).to_string())])));
        }
        return (headers, Json(Value::Array(all))).into_response();
    }
    let at = number("page").unwrap_or(1).max(1);
    let total = all.len();
    let pages = total.div_ceil(size).max(1);
    let shown: Vec<Value> = all.into_iter().skip((at - 1) * size).take(size).collect();
    let next = (at < pages).then(|| at + 1);
    let mut links = Vec::new();
    let mut to = |which: &str, page: usize| {
        let target = link(&[("page", page.to_string()), ("per_page", size.to_string())]);
        links.push(format!("{target}; rel=\"{which}\""));
    };
    if at > 1 {
        to("prev", at - 1);
    }
    if let Some(next) = next {
        to("next", next);
    }
    to("first", 1);
    to("last", pages);
    header(LINK, links.join(", "));
    let count = HeaderName::from_static;
    header(count("x-page"), at.to_string());
    header(count("x-per-page"), size.to_string());
    header(count("x-next-page"), next.map(|next| next.to_string()).unwrap_or_default());
    header(count("x-prev-page"), if at > 1 { (at - 1).to_string() } else { String::new() });
    header(count("x-total"), total.to_string());
    header(count("x-total-pages"), pages.to_string());
    (headers, Json(Value::Array(shown))).into_response()
}

/// A part of a query.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A moment as the API writes it: `2026-11-22T00:25:47.000Z`.
pub(super) fn moment(millis: u64) -> String {
    let (date, time) = civil(millis);
    format!("{date}T{time}.{:03}Z", millis % 1000)
}

/// A moment as webhooks write it: `2026-11-22 00:25:47 UTC`.
pub(super) fn hook_moment(millis: u64) -> String {
    let (date, time) = civil(millis);
    format!("{date} {time} UTC")
}

/// The date and the time of a moment (the days of civil calendars, from the days since 1970).
fn civil(millis: u64) -> (String, String) {
    let seconds = millis / 1000;
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let time = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    (format!("{year:04}-{month:02}-{day:02}"), time)
}

fn type_of(place: Place) -> &'static str {
    match place {
        Place::Project(_) => "project_type",
        Place::Group(_) => "group_type",
    }
}

fn is_online(runner: &Runner) -> bool {
    runner.managers.values().any(|manager| now().saturating_sub(manager.contacted) < ONLINE)
}

/// A runner as lists have it: without notes and tags.
pub(super) fn runner(id: u64, runner: &Runner) -> Value {
    let online = is_online(runner);
    let status = match (runner.managers.is_empty(), online) {
        (true, _) => "never_contacted",
        (false, true) => "online",
        (false, false) => "offline",
    };
    json!({
        "id": id,
        "description": runner.description,
        "ip_address": null,
        "active": !runner.paused,
        "paused": runner.paused,
        "is_shared": false,
        "runner_type": type_of(runner.place),
        "name": null,
        "online": online,
        "status": status,
        "job_execution_status": "idle",
    })
}

/// A runner with everything.
pub(super) fn full_runner(world: &World, id: u64, one: &Runner) -> Value {
    let mut full = runner(id, one);
    let (projects, groups) = match one.place {
        Place::Project(id) => (vec![simple_project(world, id)], Vec::new()),
        Place::Group(id) => {
            let path = world.group_path(id);
            (
                Vec::new(),
                vec![json!({ "id": id, "name": path, "web_url": format!("{}/groups/{path}", world.url) })],
            )
        }
    };
    let contacted = one.managers.values().map(|manager| manager.contacted).max().map(moment);
    let more = json!({
        "tag_list": one.tags,
        "run_untagged": one.run_untagged,
        "locked": false,
        "maximum_timeout": one.maximum_timeout,
        "access_level": if one.protected { "ref_protected" } else { "not_protected" },
        "version": null,
        "revision": null,
        "platform": null,
        "architecture": null,
        "contacted_at": contacted,
        "maintenance_note": one.maintenance_note,
        "projects": projects,
        "groups": groups,
    });
    join(&mut full, more);
    full
}

fn join(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        into.extend(more);
    }
}

/// A machine of a runner.
pub(super) fn manager(system_id: &str, manager: &Manager, busy: bool) -> Value {
    let said = |key: &str| manager.info.get(key).cloned().unwrap_or(Value::Null);
    json!({
        "id": manager.id,
        "system_id": system_id,
        "version": said("version"),
        "revision": said("revision"),
        "platform": said("platform"),
        "architecture": said("architecture"),
        "created_at": moment(manager.contacted),
        "contacted_at": moment(manager.contacted),
        "ip_address": "127.0.0.1",
        "status": if now().saturating_sub(manager.contacted) < ONLINE { "online" } else { "offline" },
        "job_execution_status": if busy { "active" } else { "idle" },
    })
}

/// A project as lists have it with `simple=true`.
pub(super) fn simple_project(world: &World, id: u64) -> Value {
    let path = world.project_path(id);
    let name = path.rsplit('/').next().unwrap_or_default();
    json!({
        "id": id,
        "description": null,
        "name": name,
        "name_with_namespace": path.replace('/', " / "),
        "path": name,
        "path_with_namespace": path,
        "created_at": "2026-01-01T00:00:00.000Z",
        "default_branch": "main",
        "web_url": format!("{}/{path}", world.url),
        "http_url_to_repo": format!("{}/{path}.git", world.url),
    })
}

/// A project with where it is.
pub(super) fn project(world: &World, id: u64) -> Value {
    let mut full = simple_project(world, id);
    let group = world.projects.get(&id).and_then(|project| project.group);
    let namespace = match group {
        Some(group) => {
            let path = world.group_path(group);
            json!({
                "id": group,
                "name": path.rsplit('/').next(),
                "path": path.rsplit('/').next(),
                "kind": "group",
                "full_path": path,
                "parent_id": world.groups.get(&group).and_then(|group| group.parent),
            })
        }
        None => json!({
            "id": 1, "name": "someone", "path": "someone", "kind": "user", "full_path": "someone", "parent_id": null,
        }),
    };
    let timeout = world.projects.get(&id).map(|project| project.build_timeout);
    let more = json!({
        "namespace": namespace, "archived": false, "visibility": "private", "build_timeout": timeout,
    });
    join(&mut full, more);
    full
}

/// A group.
pub(super) fn group(world: &World, id: u64) -> Value {
    let path = world.group_path(id);
    json!({
        "id": id,
        "name": path.rsplit('/').next(),
        "path": path.rsplit('/').next(),
        "full_path": path,
        "parent_id": world.groups.get(&id).and_then(|group| group.parent),
        "visibility": "private",
        "web_url": format!("{}/groups/{path}", world.url),
    })
}

/// A job as a runner's list has it: without tags and without the runner.
pub(super) fn basic_job(world: &World, job: &Job) -> Value {
    let pipeline = json!({
        "id": job.pipeline,
        "iid": job.pipeline,
        "project_id": job.project,
        "ref": job.spec.git_ref,
        "sha": super::hooks::SHA,
        "status": world.pipeline_status(job.pipeline).word(),
        "source": "push",
    });
    json!({
        "id": job.id,
        "status": job.status.word(),
        "stage": job.spec.stage,
        "name": job.spec.name,
        "ref": job.spec.git_ref,
        "tag": job.spec.is_tag,
        "coverage": null,
        "allow_failure": false,
        "created_at": moment(job.created),
        "started_at": job.started.map(moment),
        "finished_at": job.finished.map(moment),
        "erased_at": null,
        "duration": null,
        "queued_duration": null,
        "failure_reason": job.failure_reason,
        "web_url": format!("{}/{}/-/jobs/{}", world.url, world.project_path(job.project), job.id),
        "pipeline": pipeline,
        "project": { "id": job.project, "ci_job_token_scope_enabled": false },
    })
}

/// A job.
pub(super) fn job(world: &World, job: &Job) -> Value {
    let mut full = basic_job(world, job);
    let found = job.runner.and_then(|id| Some((id, world.runners.get(&id)?)));
    let manager_of = || {
        let (system_id, (_, one)) = (job.system_id.as_ref()?, found?);
        Some(manager(system_id, one.managers.get(system_id)?, false))
    };
    let more = json!({
        "tag_list": job.spec.tags,
        "runner": found.map(|(id, one)| runner(id, one)),
        "runner_manager": manager_of(),
        "artifacts": [],
        "artifacts_expire_at": null,
    });
    join(&mut full, more);
    full
}

/// A webhook; its token is never told.
pub(super) fn hook(id: u64, hook: &Hook) -> Value {
    let mut full = json!({
        "id": id,
        "url": hook.url,
        "created_at": "2026-01-01T00:00:00.000Z",
        "enable_ssl_verification": hook.ssl_verification,
        "alert_status": "executable",
        "disabled_until": null,
        "url_variables": [],
        "custom_headers": [],
        "push_events_branch_filter": "",
        "branch_filter_strategy": "wildcard",
    });
    match hook.place {
        Place::Project(project) => join(&mut full, json!({ "project_id": project })),
        Place::Group(group) => join(&mut full, json!({ "group_id": group })),
    }
    join(&mut full, json!(hook.events));
    full
}

/// A schedule; with its variables when it is asked for alone.
pub(super) fn schedule(id: u64, schedule: &Schedule, alone: bool) -> Value {
    let mut full = json!({
        "id": id,
        "description": schedule.description,
        "ref": format!("refs/heads/{}", schedule.git_ref.trim_start_matches("refs/heads/")),
        "cron": schedule.cron,
        "cron_timezone": schedule.cron_timezone,
        "next_run_at": "2026-12-01T00:00:00.000Z",
        "active": schedule.active,
        "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:00.000Z",
    });
    if alone {
        let variables: Vec<Value> = schedule.variables.iter().map(|(key, of)| variable(key, of)).collect();
        join(&mut full, json!({ "last_pipeline": null, "variables": variables }));
    }
    full
}

/// A deploy key.
pub(super) fn deploy_key(id: u64, key: &DeployKey) -> Value {
    json!({
        "id": id,
        "title": key.title,
        "key": key.key,
        "fingerprint": null,
        "fingerprint_sha256": null,
        "created_at": "2026-01-01T00:00:00.000Z",
        "expires_at": null,
        "can_push": key.can_push,
    })
}

/// A variable of a schedule.
pub(super) fn variable(key: &str, (value, kind): &(String, String)) -> Value {
    json!({ "key": key, "variable_type": kind, "value": value, "raw": false })
}
