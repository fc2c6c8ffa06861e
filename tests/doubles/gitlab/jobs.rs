//! Jobs of the fake GitLab: from `created` to their end, with the hooks each step sends, and who is given one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    hooks,
    state::{Job, World, now, takes, token},
};

/// How far a job is, in GitLab's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Waits for others, or for a person.
    Created,
    /// Waits for a runner.
    Pending,
    /// A runner has it.
    Running,
    /// Somebody ends it, and its runner is still at it.
    Canceling,
    /// It ended well.
    Success,
    /// It ended badly.
    Failed,
    /// Somebody ended it.
    Canceled,
}

impl Status {
    /// GitLab's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Canceling => "canceling",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Whether nothing more becomes of it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Success | Self::Failed | Self::Canceled)
    }
}

/// A job as `.gitlab-ci.yml` has it, with the ref it runs for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewJob {
    /// Its name.
    pub name: String,
    /// Its stage.
    pub stage: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its lines.
    pub script: Vec<String>,
    /// Its variables.
    pub variables: BTreeMap<String, String>,
    /// The branch or tag.
    #[serde(rename = "ref")]
    pub git_ref: String,
    /// Whether it is a tag.
    pub is_tag: bool,
    /// In seconds.
    pub timeout: u64,
    /// Its `image:`, as runners get it.
    pub image: serde_json::Value,
}

impl Default for NewJob {
    fn default() -> Self {
        Self {
            name: "test".to_owned(),
            stage: "test".to_owned(),
            tags: Vec::new(),
            script: vec!["true".to_owned()],
            variables: BTreeMap::new(),
            git_ref: "main".to_owned(),
            is_tag: false,
            timeout: 3600,
            image: serde_json::Value::Null,
        }
    }
}

impl NewJob {
    /// A job with these tags and lines, on `main`.
    pub fn new(name: &str, tags: &[&str], script: &[&str]) -> Self {
        let texts = |these: &[&str]| these.iter().map(|text| (*text).to_owned()).collect();
        Self { name: name.to_owned(), tags: texts(tags), script: texts(script), ..Self::default() }
    }
}

impl World {
    /// A pipeline of these jobs: all wait for a runner at once. The pipeline's id, and theirs.
    pub fn queue(&mut self, project: u64, jobs: Vec<NewJob>) -> (u64, Vec<u64>) {
        let pipeline = self.id();
        let mut ids = Vec::new();
        for spec in jobs {
            let id = self.id();
            ids.push(id);
            self.jobs.insert(
                id,
                Job {
                    id,
                    token: token("glcbt-"),
                    project,
                    pipeline,
                    spec,
                    status: Status::Created,
                    failure_reason: None,
                    runner: None,
                    system_id: None,
                    trace: Vec::new(),
                    created: now(),
                    queued: None,
                    started: None,
                    finished: None,
                    given: 0,
                },
            );
            hooks::job(self, id);
        }
        for id in &ids {
            self.step(*id, Status::Pending, None);
        }
        (pipeline, ids)
    }

    /// Brings a job further, and tells the hooks. One that is over stays as it is.
    pub fn step(&mut self, id: u64, status: Status, failure_reason: Option<&str>) -> bool {
        let moment = now();
        let known = self.jobs.get(&id).filter(|job| !job.status.is_over() && job.status != status);
        let Some(pipeline) = known.map(|job| job.pipeline) else { return false };
        let before = self.pipeline_status(pipeline);
        let Some(job) = self.jobs.get_mut(&id) else { return false };
        job.status = status;
        job.failure_reason = failure_reason.map(str::to_owned);
        match status {
            Status::Created | Status::Canceling => {}
            Status::Pending => {
                job.queued = Some(moment);
                self.queue += 1;
            }
            Status::Running => job.started = Some(moment),
            Status::Success | Status::Failed | Status::Canceled => job.finished = Some(moment),
        }
        hooks::job(self, id);
        if before != self.pipeline_status(pipeline) {
            hooks::pipeline(self, pipeline);
        }
        true
    }

    /// Somebody cancels a job: the machine that has it ends it in its own time, when it can.
    pub fn cancel(&mut self, id: u64) -> bool {
        let Some(job) = self.jobs.get(&id) else { return false };
        let machine = job.runner.zip(job.system_id.as_ref());
        let machine = machine.and_then(|(runner, id)| self.runners.get(&runner)?.managers.get(id));
        let gracefully = machine.is_some_and(|machine| machine.info["features"]["cancel_gracefully"] == true);
        let is_run = matches!(job.status, Status::Running | Status::Canceling);
        self.step(id, if is_run && gracefully { Status::Canceling } else { Status::Canceled }, None)
    }

    /// What the jobs of a pipeline make of it.
    pub fn pipeline_status(&self, pipeline: u64) -> Status {
        let all: Vec<Status> =
            self.jobs.values().filter(|job| job.pipeline == pipeline).map(|job| job.status).collect();
        let any = |status| all.contains(&status);
        if any(Status::Canceling) {
            Status::Canceling
        } else if any(Status::Running) || (any(Status::Pending) && all.iter().any(|status| status.is_over()))
        {
            Status::Running
        } else if any(Status::Pending) {
            Status::Pending
        } else if any(Status::Created) {
            Status::Created
        } else if any(Status::Failed) {
            Status::Failed
        } else if any(Status::Canceled) {
            Status::Canceled
        } else {
            Status::Success
        }
    }

    /// Whether a runner would be given a job.
    pub fn fits(&self, runner: u64, job: u64) -> bool {
        let (Some(runner), Some(job)) = (self.runners.get(&runner), self.jobs.get(&job)) else {
            return false;
        };
        self.is_of(runner.place, job.project)
            && takes(
                runner,
                &job.spec.tags,
                self.is_protected(job.project, &job.spec.git_ref, job.spec.is_tag),
            )
    }

    /// Gives a machine of a runner the job that has waited longest of those that fit. All of it happens at once, so that
    /// no job is given twice.
    pub fn give(&mut self, runner: u64, system_id: &str) -> Option<u64> {
        if self.runners.get(&runner)?.paused {
            return None;
        }
        let waiting = self.jobs.values().filter(|job| job.status == Status::Pending);
        let found = waiting.map(|job| job.id).find(|job| self.fits(runner, *job))?;
        let job = self.jobs.get_mut(&found)?;
        job.runner = Some(runner);
        job.system_id = Some(system_id.to_owned());
        job.given += 1;
        self.step(found, Status::Running, None);
        Some(found)
    }
}
