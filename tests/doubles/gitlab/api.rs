//! What users ask with an access token.

mod keys;
mod schedules;
mod webhooks;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRequestParts, OriginalUri, Path, Query, State},
    http::{StatusCode, Uri, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{
    Shared, VERSION,
    answers::{self, Refusal, page, query},
    jobs::Status,
    state::{Place, Runner, User, World, token},
};

type Answer = Result<Response, Refusal>;
type Asked = Query<Vec<(String, String)>>;
type Server = State<Arc<Shared>>;

/// The role that settings of projects need.
const MAINTAINER: u32 = 40;
/// The role that settings of groups need.
const OWNER: u32 = 50;

pub(super) fn routes() -> Router<Arc<Shared>> {
    let project = Router::new()
        .route("/", get(project))
        .route("/runners", get(project_runners))
        .route("/jobs", get(jobs))
        .route("/jobs/{job}", get(job))
        .route("/protected_branches", get(protected_branches).post(protect_branch))
        .route("/protected_tags", get(protected_tags))
        .merge(keys::routes())
        .merge(schedules::routes())
        .merge(webhooks::routes(Place::Project));
    let group = Router::new()
        .route("/", get(group))
        .route("/runners", get(group_runners))
        .route("/projects", get(group_projects))
        .merge(webhooks::routes(Place::Group));
    Router::new()
        .route("/version", get(version))
        .route("/user/runners", post(create_runner))
        .route("/runners/{runner}", get(runner).put(set_runner).delete(delete_runner))
        .route("/runners/{runner}/reset_authentication_token", post(reset_token))
        .route("/runners/{runner}/managers", get(managers))
        .route("/runners/{runner}/jobs", get(runner_jobs))
        .nest("/projects/{id}", project)
        .nest("/groups/{id}", group)
}

/// Who asks: whoever the token is of.
struct Asker(User);

impl FromRequestParts<Arc<Shared>> for Asker {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Refusal> {
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let shown = header("private-token").or_else(|| header("authorization")?.strip_prefix("Bearer "));
        let token = shown.ok_or_else(Refusal::unauthorized)?;
        shared.look().users.get(token).cloned().map(Self).ok_or_else(Refusal::unauthorized)
    }
}

impl Asker {
    /// Whether one of these scopes is there, and the role.
    fn may(&self, scopes: &[&str], role: u32) -> Result<(), Refusal> {
        if !scopes.iter().any(|scope| self.0.scopes.contains(*scope)) {
            return Err(Refusal::scope(scopes.first().copied().unwrap_or_default()));
        }
        if self.0.role < role { Err(Refusal::forbidden()) } else { Ok(()) }
    }

    fn reads(&self, role: u32) -> Result<(), Refusal> {
        self.may(&["read_api", "api"], role)
    }

    fn writes(&self, place: Place) -> Result<(), Refusal> {
        self.may(&["api"], role(place))
    }
}

fn role(place: Place) -> u32 {
    match place {
        Place::Project(_) => MAINTAINER,
        Place::Group(_) => OWNER,
    }
}

fn body(bytes: &Bytes) -> Result<Value, Refusal> {
    if bytes.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(bytes).map_err(|_| Refusal::bad("400 Bad request"))
}

fn text(body: &Value, key: &str) -> Option<String> {
    match body.get(key)? {
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn needed(body: &Value, key: &str) -> Result<String, Refusal> {
    text(body, key).ok_or_else(|| Refusal::parameter(&format!("{key} is missing")))
}

fn flag(body: &Value, key: &str) -> Option<bool> {
    match body.get(key)? {
        Value::String(text) => Some(text == "true"),
        other => other.as_bool(),
    }
}

/// An array, or a text with commas.
fn list(body: &Value, key: &str) -> Option<BTreeSet<String>> {
    match body.get(key)? {
        Value::String(text) => {
            Some(text.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect())
        }
        Value::Array(all) => Some(all.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        _ => None,
    }
}

fn there(world: &World, place: Place) -> Result<(), Refusal> {
    if world.has(place) {
        return Ok(());
    }
    Err(Refusal::not_found(match place {
        Place::Project(_) => "404 Project Not Found",
        Place::Group(_) => "404 Group Not Found",
    }))
}

async fn version(State(_): Server, who: Asker) -> Answer {
    who.may(&["read_user", "read_api", "api"], 0)?;
    Ok(Json(json!({ "version": format!("{VERSION}-ee"), "revision": "0123456789a" })).into_response())
}

async fn create_runner(State(shared): Server, who: Asker, bytes: Bytes) -> Answer {
    who.may(&["create_runner", "api"], 0)?;
    let body = body(&bytes)?;
    let id = |key: &str| {
        body.get(key).and_then(Value::as_u64).ok_or_else(|| Refusal::parameter(&format!("{key} is missing")))
    };
    let place = match needed(&body, "runner_type")?.as_str() {
        "project_type" => Place::Project(id("project_id")?),
        "group_type" => Place::Group(id("group_id")?),
        "instance_type" => return Err(Refusal::forbidden()),
        _ => return Err(Refusal::parameter("runner_type does not have a valid value")),
    };
    shared.change(|world| {
        if !world.has(place) || who.0.role < role(place) {
            return Err(Refusal::message(StatusCode::FORBIDDEN, "403 Forbidden - Insufficient permissions"));
        }
        let mut runner = Runner {
            token: token("glrt-"),
            place,
            description: String::new(),
            maintenance_note: String::new(),
            tags: BTreeSet::new(),
            run_untagged: true,
            protected: false,
            maximum_timeout: None,
            paused: false,
            managers: BTreeMap::new(),
        };
        change_runner(&mut runner, &body)?;
        let (id, token) = (world.id(), runner.token.clone());
        world.runners.insert(id, runner);
        let made = json!({ "id": id, "token": token, "token_expires_at": null });
        Ok((StatusCode::CREATED, Json(made)).into_response())
    })
}

fn change_runner(runner: &mut Runner, body: &Value) -> Result<(), Refusal> {
    let mut changed = runner.clone();
    if let Some(description) = text(body, "description") {
        changed.description = description;
    }
    if let Some(note) = text(body, "maintenance_note") {
        if note.chars().count() > 1024 {
            return Err(Refusal::bad(
                json!({ "maintenance_note": ["is too long (maximum is 1024 characters)"] }),
            ));
        }
        changed.maintenance_note = note;
    }
    if let Some(tags) = list(body, "tag_list") {
        changed.tags = tags;
    }
    if let Some(run_untagged) = flag(body, "run_untagged") {
        changed.run_untagged = run_untagged;
    }
    if let Some(paused) = flag(body, "paused") {
        changed.paused = paused;
    }
    match text(body, "access_level").as_deref() {
        Some("ref_protected") => changed.protected = true,
        Some("not_protected") => changed.protected = false,
        Some(_) => return Err(Refusal::parameter("access_level does not have a valid value")),
        None => {}
    }
    if let Some(timeout) = body.get("maximum_timeout") {
        changed.maximum_timeout = timeout.as_u64();
        if changed.maximum_timeout.is_some_and(|seconds| seconds < 600) {
            return Err(Refusal::bad(json!({ "maximum_timeout": ["needs to be at least 10 minutes"] })));
        }
    }
    if changed.tags.is_empty() && !changed.run_untagged {
        let why = "can not be empty when runner is not allowed to pick untagged jobs";
        return Err(Refusal::bad(json!({ "tags_list": [why] })));
    }
    *runner = changed;
    Ok(())
}

fn found(world: &World, id: u64) -> Result<&Runner, Refusal> {
    world.runners.get(&id).ok_or_else(|| Refusal::not_found("404 Runner Not Found"))
}

async fn runner(State(shared): Server, who: Asker, Path(id): Path<u64>) -> Answer {
    let world = shared.look();
    let one = found(&world, id)?;
    who.reads(role(one.place))?;
    Ok(Json(answers::full_runner(&world, id, one)).into_response())
}

async fn set_runner(State(shared): Server, who: Asker, Path(id): Path<u64>, bytes: Bytes) -> Answer {
    let body = body(&bytes)?;
    shared.change(|world| {
        who.may(&["api", "manage_runner"], role(found(world, id)?.place))?;
        if let Some(runner) = world.runners.get_mut(&id) {
            change_runner(runner, &body)?;
        }
        // It may take other jobs now.
        world.queue += 1;
        Ok(Json(answers::full_runner(world, id, found(world, id)?)).into_response())
    })
}

async fn delete_runner(State(shared): Server, who: Asker, Path(id): Path<u64>) -> Answer {
    shared.change(|world| {
        who.may(&["api", "manage_runner"], role(found(world, id)?.place))?;
        world.runners.remove(&id);
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}

async fn reset_token(State(shared): Server, who: Asker, Path(id): Path<u64>) -> Answer {
    shared.change(|world| {
        who.may(&["api", "manage_runner"], role(found(world, id)?.place))?;
        let new = token("glrt-");
        if let Some(runner) = world.runners.get_mut(&id) {
            runner.token.clone_from(&new);
        }
        let reset = json!({ "token": new, "token_expires_at": null });
        Ok((StatusCode::CREATED, Json(reset)).into_response())
    })
}

async fn managers(
    State(shared): Server,
    who: Asker,
    Path(id): Path<u64>,
    uri: OriginalUri,
    asked: Asked,
) -> Answer {
    let world = shared.look();
    let one = found(&world, id)?;
    who.reads(role(one.place))?;
    let busy = |system_id: &str| {
        world.jobs.values().any(|job| {
            job.runner == Some(id)
                && job.system_id.as_deref() == Some(system_id)
                && job.status == Status::Running
        })
    };
    let all = one.managers.iter().map(|(system, machine)| answers::manager(system, machine, busy(system)));
    Ok(page(&world.url, &inner(&uri), &asked, all.collect()))
}

async fn runner_jobs(
    State(shared): Server,
    who: Asker,
    Path(id): Path<u64>,
    uri: OriginalUri,
    asked: Asked,
) -> Answer {
    let world = shared.look();
    who.reads(role(found(&world, id)?.place))?;
    let jobs = world.jobs.values().rev().filter(|job| {
        job.runner == Some(id)
            && query(&asked, "status").is_none_or(|status| status == job.status.word())
            && query(&asked, "system_id").is_none_or(|system| job.system_id.as_deref() == Some(system))
    });
    let all = jobs.map(|job| answers::basic_job(&world, job)).collect();
    Ok(page(&world.url, &inner(&uri), &asked, all))
}

/// The path below `/api/v4`.
fn inner(uri: &OriginalUri) -> Uri {
    let path = uri.path().strip_prefix("/api/v4").unwrap_or(uri.path());
    path.parse().unwrap_or_default()
}

async fn project(State(shared): Server, who: Asker, Path(id): Path<u64>) -> Answer {
    let world = shared.look();
    who.reads(0)?;
    there(&world, Place::Project(id))?;
    Ok(Json(answers::project(&world, id)).into_response())
}

async fn group(State(shared): Server, who: Asker, Path(id): Path<u64>) -> Answer {
    let world = shared.look();
    who.reads(0)?;
    there(&world, Place::Group(id))?;
    Ok(Json(answers::group(&world, id)).into_response())
}

async fn group_projects(
    State(shared): Server,
    who: Asker,
    Path(id): Path<u64>,
    uri: OriginalUri,
    asked: Asked,
) -> Answer {
    let world = shared.look();
    who.reads(0)?;
    there(&world, Place::Group(id))?;
    // As GitLab reads flags in queries: clients in Python write them with a capital.
    let deep = query(&asked, "include_subgroups").is_some_and(|text| matches!(text, "true" | "True" | "1"));
    let inside = |project: &u64| {
        let groups = world.groups_of(*project);
        groups.first() == Some(&id) || (deep && groups.contains(&id))
    };
    let all = world.projects.keys().filter(|id| inside(id)).map(|id| answers::simple_project(&world, *id));
    Ok(page(&world.url, &inner(&uri), &asked, all.collect()))
}

fn runners_of(shared: &Shared, who: &Asker, place: Place, uri: &OriginalUri, asked: &Asked) -> Answer {
    let world = shared.look();
    there(&world, place)?;
    who.reads(role(place))?;
    let kind = query(asked, "type");
    let shown = |runner: &Runner| match (runner.place, place) {
        (Place::Project(_), _) => runner.place == place && kind.is_none_or(|kind| kind == "project_type"),
        (Place::Group(_), _) if kind == Some("project_type") => false,
        // A place sees the runners of the groups around it.
        (Place::Group(_), Place::Project(project)) => world.is_of(runner.place, project),
        (Place::Group(of), Place::Group(group)) => {
            let mut around = Some(group);
            while let Some(id) = around.filter(|id| *id != of) {
                around = world.groups.get(&id).and_then(|group| group.parent);
            }
            around.is_some()
        }
    };
    let all = world.runners.iter().filter(|(_, runner)| shown(runner));
    Ok(page(&world.url, &inner(uri), asked, all.map(|(id, one)| answers::runner(*id, one)).collect()))
}

async fn project_runners(
    State(shared): Server,
    who: Asker,
    Path(id): Path<u64>,
    uri: OriginalUri,
    asked: Asked,
) -> Answer {
    runners_of(&shared, &who, Place::Project(id), &uri, &asked)
}

async fn group_runners(
    State(shared): Server,
    who: Asker,
    Path(id): Path<u64>,
    uri: OriginalUri,
    asked: Asked,
) -> Answer {
    runners_of(&shared, &who, Place::Group(id), &uri, &asked)
}

async fn jobs(
    State(shared): Server,
    who: Asker,
    Path(id): Path<u64>,
    uri: OriginalUri,
    asked: Asked,
) -> Answer {
    let world = shared.look();
    who.reads(0)?;
    there(&world, Place::Project(id))?;
    let scopes: Vec<&str> = asked
        .iter()
        .filter(|(key, _)| key == "scope[]" || key == "scope")
        .map(|(_, value)| &**value)
        .collect();
    let wanted = |status: Status| scopes.is_empty() || scopes.contains(&status.word());
    let found = world.jobs.values().rev().filter(|job| job.project == id && wanted(job.status));
    let all = found.map(|job| answers::job(&world, job)).collect();
    Ok(page(&world.url, &inner(&uri), &asked, all))
}

async fn job(State(shared): Server, who: Asker, Path((project, id)): Path<(u64, u64)>) -> Answer {
    let world = shared.look();
    who.reads(0)?;
    there(&world, Place::Project(project))?;
    let job = world.jobs.get(&id).filter(|job| job.project == project);
    let job = job.ok_or_else(|| Refusal::not_found("404 Not found"))?;
    Ok(Json(answers::job(&world, job)).into_response())
}

fn protected_ref(name: &str) -> Value {
    let level = json!([{ "id": 1, "access_level": MAINTAINER, "access_level_description": "Maintainers" }]);
    json!({
        "id": 1, "name": name, "push_access_levels": level, "merge_access_levels": level,
        "allow_force_push": false, "unprotect_access_levels": [], "code_owner_approval_required": false,
    })
}

async fn protected_branches(
    State(shared): Server,
    who: Asker,
    Path(id): Path<u64>,
    uri: OriginalUri,
    asked: Asked,
) -> Answer {
    let world = shared.look();
    who.reads(MAINTAINER)?;
    there(&world, Place::Project(id))?;
    let names = world.projects.get(&id).into_iter().flat_map(|project| &project.protected_branches);
    Ok(page(&world.url, &inner(&uri), &asked, names.map(|name| protected_ref(name)).collect()))
}

async fn protect_branch(State(shared): Server, who: Asker, Path(id): Path<u64>, bytes: Bytes) -> Answer {
    let name = needed(&body(&bytes)?, "name")?;
    who.writes(Place::Project(id))?;
    shared.change(|world| {
        there(world, Place::Project(id))?;
        if let Some(project) = world.projects.get_mut(&id)
            && !project.protected_branches.insert(name.clone())
        {
            let why = format!("Protected branch '{name}' already exists");
            return Err(Refusal::message(StatusCode::CONFLICT, why));
        }
        Ok((StatusCode::CREATED, Json(protected_ref(&name))).into_response())
    })
}

async fn protected_tags(
    State(shared): Server,
    who: Asker,
    Path(id): Path<u64>,
    uri: OriginalUri,
    asked: Asked,
) -> Answer {
    let world = shared.look();
    who.reads(MAINTAINER)?;
    there(&world, Place::Project(id))?;
    let names = world.projects.get(&id).into_iter().flat_map(|project| &project.protected_tags);
    let level = json!([{ "id": 1, "access_level": MAINTAINER, "access_level_description": "Maintainers" }]);
    let all = names.map(|name| json!({ "name": name, "create_access_levels": level }));
    Ok(page(&world.url, &inner(&uri), &asked, all.collect()))
}
