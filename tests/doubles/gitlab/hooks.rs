//! Webhooks as GitLab sends them: bodies, headers, once, in the order of what happened, and never again when they fail.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    Shared,
    answers::hook_moment,
    state::{Delivery, World},
};

/// The commit everything runs for.
pub(super) const SHA: &str = "95d49d1efbd941908580e79d65e4b5ecaf4a8305";

/// How long GitLab waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A webhook that is to go out.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    url: String,
    token: Option<String>,
    instance: String,
    hook_uuid: String,
    delivery: Delivery,
}

/// Puts an event into the hooks of a project, and of the groups it is in, that want it.
fn put(world: &mut World, project: u64, wanted: &str, event: &str, body: &Value) {
    let uuid = Uuid::new_v4().to_string();
    let mut outgoing = Vec::new();
    for (id, hook) in &world.hooks {
        if !world.is_of(hook.place, project) || hook.events.get(wanted) != Some(&true) {
            continue;
        }
        let delivery = Delivery {
            hook: *id,
            event: event.to_owned(),
            uuid: uuid.clone(),
            key: Uuid::new_v4().to_string(),
            body: body.clone(),
            status: None,
        };
        outgoing.push(Outgoing {
            url: hook.url.clone(),
            token: hook.token.clone(),
            instance: world.url.clone(),
            hook_uuid: hook.uuid.clone(),
            delivery,
        });
    }
    world.outgoing.extend(outgoing);
}

fn user() -> Value {
    json!({ "id": 42, "name": "User1", "username": "user1", "avatar_url": null, "email": "user1@example.com" })
}

fn runner_of(world: &World, runner: Option<u64>) -> Value {
    let Some((id, runner)) = runner.and_then(|id| Some((id, world.runners.get(&id)?))) else {
        return Value::Null;
    };
    let kind = match runner.place {
        super::Place::Project(_) => "project_type",
        super::Place::Group(_) => "group_type",
    };
    json!({
        "id": id,
        "description": runner.description,
        "runner_type": kind,
        "active": !runner.paused,
        "is_shared": false,
        "tags": runner.tags,
    })
}

/// A job has another status.
pub(super) fn job(world: &mut World, id: u64) {
    let Some(job) = world.jobs.get(&id) else { return };
    let (project, path) = (job.project, world.project_path(job.project));
    let name = path.rsplit('/').next().unwrap_or_default();
    let span = |from: Option<u64>, to: Option<u64>| {
        let millis = to?.saturating_sub(from?);
        Some(Duration::from_millis(millis).as_secs_f64())
    };
    let body = json!({
        "object_kind": "build",
        "ref": job.spec.git_ref,
        "tag": job.spec.is_tag,
        "before_sha": "0000000000000000000000000000000000000000",
        "sha": SHA,
        "build_id": job.id,
        "build_name": job.spec.name,
        "build_stage": job.spec.stage,
        "build_status": job.status.word(),
        "build_created_at": hook_moment(job.created),
        "build_started_at": job.started.map(hook_moment),
        "build_finished_at": job.finished.map(hook_moment),
        "build_duration": span(job.started, job.finished),
        "build_queued_duration": span(job.queued, job.started),
        "build_allow_failure": false,
        "build_failure_reason": job.failure_reason.as_deref().unwrap_or("unknown_failure"),
        "retries_count": 0,
        "pipeline_id": job.pipeline,
        "project_id": project,
        "project_name": path.replace('/', " / "),
        "runner": runner_of(world, job.runner),
        "user": user(),
        "commit": {
            "id": job.pipeline,
            "name": null,
            "sha": SHA,
            "message": "Change something",
            "author_name": "User1",
            "author_email": "user1@example.com",
            "author_url": format!("{}/user1", world.url),
            "status": world.pipeline_status(job.pipeline).word(),
            "duration": null,
            "started_at": null,
            "finished_at": null,
        },
        "repository": {
            "name": name,
            "url": format!("git@gitlab.example.com:{path}.git"),
            "description": "",
            "homepage": format!("{}/{path}", world.url),
            "git_http_url": format!("{}/{path}.git", world.url),
            "git_ssh_url": format!("git@gitlab.example.com:{path}.git"),
            "visibility_level": 0,
        },
        "project": project_of(world, project),
        "environment": null,
    });
    put(world, project, "job_events", "Job Hook", &body);
}

fn project_of(world: &World, project: u64) -> Value {
    let path = world.project_path(project);
    json!({
        "id": project,
        "name": path.rsplit('/').next(),
        "description": "",
        "web_url": format!("{}/{path}", world.url),
        "avatar_url": null,
        "git_ssh_url": format!("git@gitlab.example.com:{path}.git"),
        "git_http_url": format!("{}/{path}.git", world.url),
        "namespace": path.rsplit_once('/').map(|(namespace, _)| namespace),
        "visibility_level": 0,
        "path_with_namespace": path,
        "default_branch": "main",
        "ci_config_path": "",
    })
}

/// A pipeline has another status.
pub(super) fn pipeline(world: &mut World, pipeline: u64) {
    let jobs: Vec<_> = world.jobs.values().filter(|job| job.pipeline == pipeline).collect();
    let Some(first) = jobs.first() else { return };
    let project = first.project;
    let status = world.pipeline_status(pipeline);
    let mut stages: Vec<&str> = jobs.iter().map(|job| &*job.spec.stage).collect();
    stages.dedup();
    let builds: Vec<Value> = jobs
        .iter()
        .map(|job| {
            json!({
                "id": job.id,
                "stage": job.spec.stage,
                "name": job.spec.name,
                "status": job.status.word(),
                "created_at": hook_moment(job.created),
                "started_at": job.started.map(hook_moment),
                "finished_at": job.finished.map(hook_moment),
                "duration": null,
                "queued_duration": null,
                "failure_reason": job.failure_reason,
                "when": "on_success",
                "manual": false,
                "allow_failure": false,
                "user": user(),
                "runner": runner_of(world, job.runner),
                "artifacts_file": { "filename": null, "size": null },
                "environment": null,
            })
        })
        .collect();
    let body = json!({
        "object_kind": "pipeline",
        "object_attributes": {
            "id": pipeline,
            "iid": pipeline,
            "name": null,
            "ref": first.spec.git_ref,
            "tag": first.spec.is_tag,
            "sha": SHA,
            "before_sha": "0000000000000000000000000000000000000000",
            "source": "push",
            "status": status.word(),
            "detailed_status": if status.word() == "success" { "passed" } else { status.word() },
            "stages": stages,
            "created_at": hook_moment(first.created),
            "finished_at": if status.is_over() { first.finished.map(hook_moment) } else { None },
            "duration": null,
            "queued_duration": null,
            "variables": [],
            "url": format!("{}/{}/-/pipelines/{pipeline}", world.url, world.project_path(project)),
        },
        "merge_request": null,
        "user": user(),
        "project": project_of(world, project),
        "commit": {
            "id": SHA,
            "message": "Change something\n",
            "title": "Change something",
            "timestamp": "2026-01-01T00:00:00+00:00",
            "url": format!("{}/{}/-/commit/{SHA}", world.url, world.project_path(project)),
            "author": { "name": "User1", "email": "user1@example.com" },
        },
        "builds": builds,
    });
    put(world, project, "pipeline_events", "Pipeline Hook", &body);
}

impl World {
    /// Somebody pushed commits to a branch.
    pub fn push(&mut self, project: u64, branch: &str, sha: &str) {
        let body = json!({
            "object_kind": "push",
            "event_name": "push",
            "before": "0000000000000000000000000000000000000000",
            "after": sha,
            "ref": format!("refs/heads/{branch}"),
            "ref_protected": self.is_protected(project, branch, false),
            "checkout_sha": sha,
            "message": null,
            "user_id": 42,
            "user_name": "User1",
            "user_username": "user1",
            "user_email": "",
            "user_avatar": null,
            "project_id": project,
            "project": project_of(self, project),
            "commits": [{
                "id": sha,
                "message": "Change something\n",
                "title": "Change something",
                "timestamp": "2026-01-01T00:00:00+00:00",
                "url": format!("{}/{}/-/commit/{sha}", self.url, self.project_path(project)),
                "author": { "name": "User1", "email": "user1@example.com" },
                "added": [],
                "modified": ["nest.fly"],
                "removed": [],
            }],
            "total_commits_count": 1,
            "push_options": {},
            "repository": { "name": "nest", "url": "", "description": "", "homepage": "" },
        });
        put(self, project, "push_events", "Push Hook", &body);
    }
}

/// Sends what comes, one after another, with what goes wrong on demand.
pub(super) async fn send(shared: Arc<Shared>, mut outgoing: mpsc::UnboundedReceiver<Outgoing>) {
    let Ok(client) = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build() else { return };
    let mut held: Option<Outgoing> = None;
    while let Some(one) = outgoing.recv().await {
        let (dropped, doubled, swapped) = shared.change(|world| {
            let faults = &mut world.hook_faults;
            let (drop, double, swap) = (faults.drop, faults.double, faults.swap);
            (faults.happens(drop), faults.happens(double), faults.happens(swap))
        });
        if dropped {
            shared.change(|world| world.deliveries.push(one.delivery));
        } else if swapped && held.is_none() && !outgoing.is_empty() {
            held = Some(one);
            continue;
        } else {
            for _ in 0..=u8::from(doubled) {
                deliver(&client, &shared, one.clone()).await;
            }
        }
        if let Some(before) = held.take() {
            deliver(&client, &shared, before).await;
        }
    }
}

async fn deliver(client: &reqwest::Client, shared: &Shared, one: Outgoing) {
    let Outgoing { url, token, instance, hook_uuid, mut delivery } = one;
    let mut request = client
        .post(url)
        .header("User-Agent", format!("GitLab/{}", super::VERSION))
        .header("X-Gitlab-Event", &delivery.event)
        .header("X-Gitlab-Webhook-UUID", hook_uuid)
        .header("X-Gitlab-Event-UUID", &delivery.uuid)
        .header("X-Gitlab-Instance", instance)
        .header("Idempotency-Key", &delivery.key);
    if let Some(token) = token {
        request = request.header("X-Gitlab-Token", token);
    }
    let answer = request.json(&delivery.body).send().await;
    delivery.status = answer.ok().map(|answer| answer.status().as_u16());
    shared.change(|world| world.deliveries.push(delivery));
}
