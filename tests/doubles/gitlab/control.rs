//! What a test or the demo does with the fake GitLab: in Rust, and over HTTP under `/fake/`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    FakeGitLab, Fault, Group, HookFaults, Job, NewJob, Project, Shared, Status, User, World, answers,
    state::token,
};

impl World {
    /// Adds a project; by default its `main` is protected.
    pub fn add_project(&mut self, id: u64, path: &str, group: Option<u64>) {
        let project = Project {
            path: path.to_owned(),
            group,
            protected_branches: BTreeSet::from(["main".to_owned()]),
            protected_tags: BTreeSet::new(),
            ci: Vec::new(),
            schedules: BTreeMap::new(),
            deploy_keys: BTreeMap::new(),
            build_timeout: 3600,
        };
        self.projects.insert(id, project);
    }

    /// Adds a group.
    pub fn add_group(&mut self, id: u64, path: &str, parent: Option<u64>) {
        self.groups.insert(id, Group { path: path.to_owned(), parent });
    }

    /// Adds a token with these scopes and this role: 30 Developer, 40 Maintainer, 50 Owner.
    pub fn add_token(&mut self, token: &str, scopes: &[&str], role: u32) {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.users.insert(token.to_owned(), User { scopes, role });
    }
}

impl FakeGitLab {
    /// Adds a token of an owner who may do everything.
    pub fn owner(&self) -> String {
        let token = token("glpat-");
        self.change(|world| world.add_token(&token, &["api"], 50));
        token
    }

    /// Adds a project at the top; its `main` is protected.
    pub fn add_project(&self, id: u64, path: &str) {
        self.change(|world| world.add_project(id, path, None));
    }

    /// Queues a job on `main`; its id.
    pub fn queue_job(&self, project: u64, name: &str, tags: &[&str], script: &[&str]) -> u64 {
        let ids = self.queue_pipeline(project, vec![NewJob::new(name, tags, script)]);
        ids.first().copied().unwrap_or_default()
    }

    /// Queues a pipeline of jobs; their ids.
    pub fn queue_pipeline(&self, project: u64, jobs: Vec<NewJob>) -> Vec<u64> {
        self.change(|world| world.queue(project, jobs).1)
    }

    /// A job, as it is now.
    pub fn job(&self, id: u64) -> Option<Job> {
        self.look(|world| world.jobs.get(&id).cloned())
    }

    /// Every job, by id.
    pub fn jobs(&self) -> Vec<Job> {
        self.look(|world| world.jobs.values().cloned().collect())
    }

    /// Somebody cancels a job.
    pub fn cancel(&self, job: u64) {
        self.change(|world| world.cancel(job));
    }

    /// Ends a running or waiting job, as if its runner had told so.
    pub fn finish_job(&self, job: u64, status: Status, failure_reason: Option<&str>) {
        self.change(|world| world.step(job, status, failure_reason));
    }

    /// Somebody pushes to a branch.
    pub fn push(&self, project: u64, branch: &str, sha: &str) {
        self.change(|world| world.push(project, branch, sha));
    }

    /// What is to go wrong with calls from now on, after what was said before.
    pub fn fault(&self, fault: Fault) {
        self.change(|world| world.faults.list.push(fault));
    }

    /// What is to go wrong with hooks from now on.
    pub fn hook_faults(&self, faults: HookFaults) {
        self.change(|world| world.hook_faults = faults);
    }

    /// Waits until a job has this status, and gives it.
    ///
    /// # Panics
    ///
    /// When it hasn't within a minute.
    pub fn wait_for_job(&self, id: u64, status: Status) -> Job {
        self.wait(&format!("job {id} is {}", status.word()), |world| {
            world.jobs.get(&id).filter(|job| job.status == status).cloned()
        })
    }
}

#[derive(Deserialize)]
struct WantedJob {
    project: u64,
    #[serde(flatten)]
    job: NewJob,
}

#[derive(Deserialize)]
struct WantedProject {
    id: u64,
    path: String,
    #[serde(default)]
    group: Option<u64>,
}

#[derive(Deserialize)]
struct WantedPush {
    project: u64,
    branch: String,
    sha: String,
}

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/projects", post(add_project))
        .route("/jobs", get(jobs).post(queue))
        .route("/jobs/{job}", get(job))
        .route("/jobs/{job}/cancel", post(cancel))
        .route("/runners", get(runners))
        .route("/push", post(push))
        .route("/deliveries", get(deliveries))
}

type Server = State<Arc<Shared>>;

async fn add_project(State(shared): Server, Json(wanted): Json<WantedProject>) -> StatusCode {
    shared.change(|world| world.add_project(wanted.id, &wanted.path, wanted.group));
    StatusCode::CREATED
}

async fn queue(State(shared): Server, Json(wanted): Json<WantedJob>) -> (StatusCode, Json<Value>) {
    let (pipeline, ids) = shared.change(|world| world.queue(wanted.project, vec![wanted.job]));
    (StatusCode::CREATED, Json(json!({ "id": ids.first(), "pipeline": pipeline })))
}

/// A job with what a person wants to see of it.
fn shown(world: &World, job: &Job) -> Value {
    let mut shown = answers::job(world, job);
    shown["trace"] = json!(String::from_utf8_lossy(&job.trace));
    shown["system_id"] = json!(job.system_id);
    shown
}

async fn jobs(State(shared): Server) -> Json<Value> {
    let world = shared.look();
    Json(world.jobs.values().map(|job| shown(&world, job)).collect())
}

async fn job(State(shared): Server, Path(id): Path<u64>) -> Result<Json<Value>, StatusCode> {
    let world = shared.look();
    world.jobs.get(&id).map(|job| Json(shown(&world, job))).ok_or(StatusCode::NOT_FOUND)
}

async fn cancel(State(shared): Server, Path(id): Path<u64>) -> StatusCode {
    let canceled = shared.change(|world| world.cancel(id));
    if canceled { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

async fn runners(State(shared): Server) -> Json<Value> {
    let world = shared.look();
    let one = |(id, runner): (&u64, &super::Runner)| {
        let mut shown = answers::full_runner(&world, *id, runner);
        shown["managers"] = json!(runner.managers.keys().collect::<Vec<_>>());
        shown
    };
    Json(world.runners.iter().map(one).collect())
}

async fn push(State(shared): Server, Json(wanted): Json<WantedPush>) -> StatusCode {
    shared.change(|world| world.push(wanted.project, &wanted.branch, &wanted.sha));
    StatusCode::CREATED
}

async fn deliveries(State(shared): Server) -> Json<Value> {
    let world = shared.look();
    let one = |delivery: &super::Delivery| {
        json!({
            "hook": delivery.hook,
            "event": delivery.event,
            "uuid": delivery.uuid,
            "idempotency_key": delivery.key,
            "status": delivery.status,
            "body": delivery.body,
        })
    };
    Json(world.deliveries.iter().map(one).collect())
}
