//! Many webhooks at once: an installation with many eggs, jobs of GitLab's, their webhooks as GitLab sends them, and what
//! became of each. `tests/load.rs` and the client `gosling_load` play with it.
//!
//! What never lives here: what is expected of it.

#![allow(clippy::expect_used, reason = "without its parts there is nothing to play with")]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::{Barrier, Semaphore};

use super::{
    gitlab::{NewJob, Status, World},
    stage::{HOOK_SECRET, HOST, Stage},
};

/// What GitLab's documentation has as the webhook of a job.
const JOB_HOOK: &str = include_str!("../api/fixtures/job.json");

/// The project of the first egg; the others follow.
pub const FIRST: u64 = 10_001;

/// The name of an egg.
pub fn egg(number: usize) -> String {
    format!("load-{number}")
}

/// The project of an egg.
pub fn project(number: usize) -> u64 {
    FIRST + number as u64
}

/// A Nest of so many eggs, whose runners are processes of this machine.
pub fn nest(eggs: usize) -> Vec<(String, String)> {
    let file = |number: usize| {
        let mut text = format!("egg \"{}\" {{\n  type = \"vm\"\n\n", egg(number));
        let _ = write!(text, "  cloud {{\n    provider = \"local\"\n  }}\n\n");
        let _ = write!(
            text,
            "  runner {{\n    tags       = [\"load\"]\n    executor   = \"shell\"\n    concurrent = 2\n  }}\n\n"
        );
        let _ = write!(
            text,
            "  gitlab {{\n    server     = \"{HOST}\"\n    project_id = {}\n  }}\n}}\n",
            project(number)
        );
        (format!("Eggs/{}/config.fly", egg(number)), text)
    };
    (0..eggs).map(file).collect()
}

/// An installation with so many eggs and their secrets. None when there is no `OpenTofu` to be had.
///
/// # Panics
///
/// When this machine lacks something else.
pub fn installation(program: &Path, eggs: usize) -> Option<Stage> {
    let files = nest(eggs);
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let mut stage = Stage::with(program, &files)?;
    stage.gitlab.change(|world| {
        for number in 0..eggs {
            world.add_project(project(number), &egg(number), None);
        }
    });
    for number in 0..eggs {
        stage.secrets_of(&egg(number));
    }
    // Nothing but webhooks tells of jobs.
    stage.intervals = ["15s", "1h", "1h"];
    Some(stage)
}

/// Waits until the service has nothing to do and GitLab shows something.
///
/// # Panics
///
/// When that doesn't come.
pub fn rest(stage: &Stage, patience: Duration, is_there: impl Fn(&World) -> bool) {
    let end = Instant::now() + patience;
    loop {
        if stage.gitlab.look(&is_there) {
            let queue = stage.status()["status"]["queue"].clone();
            if queue["waiting"] == 0 && queue["working"] == 0 {
                return;
            }
        }
        assert!(Instant::now() < end, "the service didn't come to rest in {patience:?}\n{}", stage.log());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A webhook that is to be sent.
#[derive(Debug, Clone)]
pub struct Hook {
    /// The job it tells of.
    pub job: u64,
    /// Its project.
    pub project: u64,
    /// GitLab's id of the delivery.
    pub key: String,
    body: Arc<str>,
}

/// Jobs that have ended, one a webhook, shared out among the eggs. No sweep tells of such: what is known of them came by a
/// webhook.
///
/// # Panics
///
/// Never: the body is well formed.
pub fn hooks(stage: &Stage, eggs: usize, count: usize) -> Vec<Hook> {
    let mut body: Value = serde_json::from_str(JOB_HOOK).expect("the body is JSON");
    let url = stage.gitlab.url();
    let mut one = |world: &mut World, number: usize| {
        let project = project(number % eggs);
        let (pipeline, jobs) = world.queue(project, vec![NewJob::new("load", &["load"], &["true"])]);
        let id = jobs[0];
        if let Some(job) = world.jobs.get_mut(&id) {
            job.status = Status::Success;
            job.finished = job.queued;
        }
        body["build_id"] = json!(id);
        body["build_status"] = json!("success");
        body["pipeline_id"] = json!(pipeline);
        body["project_id"] = json!(project);
        body["repository"]["homepage"] = json!(format!("{url}/someone/{}", egg(number % eggs)));
        let key = format!("{project:08x}-load-{id}");
        Hook { job: id, project, key, body: body.to_string().into() }
    };
    stage.gitlab.change(|world| (0..count).map(|number| one(world, number)).collect())
}

/// What was answered to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status; none when nobody answered.
    pub status: Option<u16>,
    /// `accepted`, `duplicate`, `ignored`.
    pub outcome: String,
    /// From the beginning of the connection to the end of the answer.
    pub took: Duration,
}

impl Answer {
    /// Whether the webhook was taken.
    pub fn is_taken(&self) -> bool {
        self.status == Some(200)
    }
}

/// Sends webhooks over so many connections, all at once, and gives their answers in their order.
///
/// # Panics
///
/// When there can't be a client.
pub async fn send(url: &str, hooks: &[Hook], connections: usize) -> Vec<Answer> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(connections)
        .timeout(Duration::from_secs(30))
        .build()
        .expect("there can be a client");
    let url = format!("{}/webhooks/gitlab", url.trim_end_matches('/'));
    let places = Arc::new(Semaphore::new(connections));
    let ready = Arc::new(Barrier::new(hooks.len()));
    let tasks: Vec<_> = hooks
        .iter()
        .map(|hook| {
            let request = client
                .post(&url)
                .header("Content-Type", "application/json")
                .header("User-Agent", "GitLab/17.8.1")
                .header("X-Gitlab-Event", "Job Hook")
                .header("X-Gitlab-Token", HOOK_SECRET)
                .header("Idempotency-Key", &hook.key)
                .body(hook.body.to_string());
            let (places, ready) = (Arc::clone(&places), Arc::clone(&ready));
            tokio::spawn(async move {
                ready.wait().await;
                let _place = places.acquire().await;
                let began = Instant::now();
                let answer = async {
                    let answer = request.send().await?;
                    Ok::<_, reqwest::Error>((answer.status().as_u16(), answer.bytes().await?))
                };
                let answer = answer.await.ok();
                let took = began.elapsed();
                let outcome = answer.as_ref().and_then(|(_, body)| {
                    serde_json::from_slice::<Value>(body).ok()?["outcome"].as_str().map(str::to_owned)
                });
                Answer {
                    status: answer.map(|(status, _)| status),
                    outcome: outcome.unwrap_or_default(),
                    took,
                }
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("a request ends"));
    }
    answers
}

/// How often GitLab was asked for each job by its number: once for each webhook that was worked on.
#[derive(Debug, Default)]
pub struct Asked {
    jobs: BTreeMap<u64, usize>,
    read: usize,
}

impl Asked {
    /// Reads on in what GitLab was asked.
    pub fn read(&mut self, world: &World) -> &BTreeMap<u64, usize> {
        for call in &world.calls[self.read.min(world.calls.len())..] {
            let job = call.path.rsplit_once("/jobs/").and_then(|(_, job)| job.parse().ok());
            if let Some(job) = job.filter(|_| call.method == "GET" && call.status == 200) {
                *self.jobs.entry(job).or_default() += 1;
            }
        }
        self.read = world.calls.len();
        &self.jobs
    }
}
