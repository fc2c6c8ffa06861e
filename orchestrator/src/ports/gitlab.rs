//! GitLab's API, as much of it as the service calls: <https://docs.gitlab.com/api/>.

use std::{collections::BTreeMap, fmt, time::Duration};

use async_trait::async_trait;

use super::secrets::Secret;
use crate::domain::{JobStatus, Time};

/// A server and the token that is shown to it.
#[derive(Debug, Clone)]
pub struct Access {
    /// Its host, with the port unless it is the usual one, as the Nest names it: `gitlab.example.com`.
    pub server: String,
    /// An access token that may do what is asked.
    pub token: Secret,
}

/// The status that GitLab's word means. One that isn't known waits for something that is no runner.
pub fn status(word: &str) -> JobStatus {
    match word {
        "pending" => JobStatus::Pending,
        "running" | "canceling" => JobStatus::Running,
        "success" => JobStatus::Succeeded,
        "failed" => JobStatus::Failed,
        "canceled" | "skipped" => JobStatus::Canceled,
        // created, manual, scheduled, preparing, waiting_for_resource, waiting_for_callback
        _ => JobStatus::Created,
    }
}

/// What a runner belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A project, by its id.
    Project(u64),
    /// A group, by its id.
    Group(u64),
}

/// A runner that is to be registered (`POST /user/runners`). Fields are GitLab's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRunner {
    /// Where.
    pub place: Place,
    /// What people see.
    pub description: String,
    /// Notes for administrators; the owner's mark stands here, so that a runner made twice by a crash is found.
    pub maintenance_note: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether it takes jobs without tags.
    pub run_untagged: bool,
    /// Whether it takes jobs of protected refs only.
    pub protected: bool,
    /// The longest a job may take; at least ten minutes.
    pub maximum_timeout: Option<Duration>,
}

/// A runner as it was registered.
#[derive(Debug, Clone)]
pub struct CreatedRunner {
    /// Its id.
    pub id: u64,
    /// The token its managers register with (`glrt-…`).
    pub token: Secret,
}

/// A runner as GitLab knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRunner {
    /// Its id.
    pub id: u64,
    /// What people see.
    pub description: String,
    /// The notes.
    pub maintenance_note: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether it takes jobs without tags.
    pub run_untagged: bool,
    /// Whether it takes jobs of protected refs only.
    pub protected: bool,
    /// The longest a job may take.
    pub maximum_timeout: Option<Duration>,
}

impl KnownRunner {
    /// Whether it has just these settings.
    pub fn is_as(&self, wanted: &NewRunner) -> bool {
        let sorted = |tags: &[String]| tags.iter().cloned().collect::<std::collections::BTreeSet<_>>();
        self.description == wanted.description
            && self.maintenance_note == wanted.maintenance_note
            && sorted(&self.tags) == sorted(&wanted.tags)
            && self.run_untagged == wanted.run_untagged
            && self.protected == wanted.protected
            && self.maximum_timeout == wanted.maximum_timeout
    }
}

/// A machine that works for a runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manager {
    /// Its id.
    pub id: u64,
    /// The id it gave itself.
    pub system_id: String,
    /// When it last asked for a job.
    pub contacted: Option<Time>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitLabJob {
    /// Its id.
    pub id: u64,
    /// Its project.
    pub project: u64,
    /// Its name.
    pub name: String,
    /// How far it is.
    pub status: JobStatus,
    /// Why it failed, in GitLab's words: `runner_system_failure`, `script_failure`, …
    pub failure_reason: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The branch or tag it runs for.
    pub git_ref: String,
    /// Whether that is a tag.
    pub is_tag: bool,
    /// When it was made.
    pub created: Option<Time>,
    /// The runner that has or had it.
    pub runner: Option<u64>,
    /// The system id of the machine that has or had it.
    pub system_id: Option<String>,
}

/// A webhook of a project or group.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Its id; none for one that is to be made.
    pub id: Option<u64>,
    /// Where it goes.
    pub url: String,
    /// What it shows there as `X-Gitlab-Token`; GitLab never tells it again.
    pub secret: Option<Secret>,
    /// Which events it is sent for, by GitLab's names: `push_events`, `job_events`, `pipeline_events`, `merge_requests_events`.
    pub events: BTreeMap<String, bool>,
    /// Whether the receiver's certificate is checked.
    pub ssl_verification: bool,
}

/// A pipeline schedule of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its id; none for one that is to be made.
    pub id: Option<u64>,
    /// What people see; one of ours is known by it.
    pub description: String,
    /// The branch.
    pub git_ref: String,
    /// When, in cron's five fields.
    pub cron: String,
    /// The time zone.
    pub cron_timezone: String,
    /// Whether it fires.
    pub active: bool,
    /// The variables of its pipelines.
    pub variables: BTreeMap<String, String>,
}

/// A key that opens a project's repository over SSH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployKey {
    /// Its id; none for one that is to be added.
    pub id: Option<u64>,
    /// What people see; one of ours is known by it.
    pub title: String,
    /// The public key: `ssh-ed25519 AAAA…`.
    pub key: String,
    /// Whether it may push as well.
    pub can_push: bool,
}

impl DeployKey {
    /// What `gosling init` has people call the key of this name in GitLab.
    pub fn given_title(name: &str) -> String {
        format!("polar-gosling {name}")
    }
}

/// Why GitLab didn't do what it was asked. Never holds a token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GitLabError {
    /// It is away or too busy; when it said so, not before then.
    #[error("{server} can't be reached: {reason}")]
    Away {
        /// The server.
        server: String,
        /// What went wrong.
        reason: String,
        /// How long it wants to be left alone (`Retry-After`).
        wait: Option<Duration>,
    },
    /// The token may not do this.
    #[error("{server} refuses `{request}`: {reason}; the token needs {needs}")]
    Forbidden {
        /// The server.
        server: String,
        /// What was asked: method and path.
        request: String,
        /// What it said.
        reason: String,
        /// The scope or role that the call needs.
        needs: &'static str,
    },
    /// There is no such thing.
    #[error("{server} knows nothing of `{request}`")]
    NotFound {
        /// The server.
        server: String,
        /// What was asked: method and path.
        request: String,
    },
    /// It was asked something wrong, or answered something that can't be read.
    #[error("{server} answers `{request}` with {reason}")]
    Wrong {
        /// The server.
        server: String,
        /// What was asked: method and path.
        request: String,
        /// What it said.
        reason: String,
    },
}

impl GitLabError {
    /// Whether the same may go well later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Away { .. })
    }
}

/// GitLab. Lists are whole: the adapter turns the pages.
#[async_trait]
pub trait GitLab: Send + Sync + fmt::Debug {
    /// Registers a runner.
    async fn create_runner(&self, access: &Access, runner: &NewRunner) -> Result<CreatedRunner, GitLabError>;

    /// Brings a registered runner's settings to what they should be (`PUT /runners/:id`).
    async fn update_runner(&self, access: &Access, id: u64, runner: &NewRunner) -> Result<(), GitLabError>;

    /// Takes a runner away, if it is there.
    async fn delete_runner(&self, access: &Access, id: u64) -> Result<(), GitLabError>;

    /// A new token for a registered runner (`POST /runners/:id/reset_authentication_token`); the old one ends at once.
    async fn reset_runner_token(&self, access: &Access, id: u64) -> Result<Secret, GitLabError>;

    /// The runners of a project or group of its own.
    async fn runners(&self, access: &Access, place: Place) -> Result<Vec<KnownRunner>, GitLabError>;

    /// The machines that work for a runner.
    async fn managers(&self, access: &Access, runner: u64) -> Result<Vec<Manager>, GitLabError>;

    /// Takes away a machine of the runner with this token, if it is there (`DELETE /runners/managers`).
    async fn delete_manager(&self, server: &str, token: &Secret, system_id: &str) -> Result<(), GitLabError>;

    /// The jobs that a machine of a runner has now (`GET /runners/:id/jobs?status=running&system_id=…`).
    async fn running_jobs(
        &self,
        access: &Access,
        runner: u64,
        system_id: &str,
    ) -> Result<Vec<GitLabJob>, GitLabError>;

    /// A job.
    async fn job(&self, access: &Access, project: u64, job: u64) -> Result<GitLabJob, GitLabError>;

    /// The jobs of a project that wait for a runner.
    async fn pending_jobs(&self, access: &Access, project: u64) -> Result<Vec<GitLabJob>, GitLabError>;

    /// Whether a branch or tag of a project is protected.
    async fn is_protected(
        &self,
        access: &Access,
        project: u64,
        git_ref: &str,
        is_tag: bool,
    ) -> Result<bool, GitLabError>;

    /// The groups a project is in, the nearest first.
    async fn groups_of(&self, access: &Access, project: u64) -> Result<Vec<u64>, GitLabError>;

    /// The projects of a group and of the groups in it.
    async fn projects_of(&self, access: &Access, group: u64) -> Result<Vec<u64>, GitLabError>;

    /// The webhooks of a project or group.
    async fn hooks(&self, access: &Access, place: Place) -> Result<Vec<Hook>, GitLabError>;

    /// Makes a webhook, or changes the one with this id, and says its id.
    async fn put_hook(&self, access: &Access, place: Place, hook: &Hook) -> Result<u64, GitLabError>;

    /// Takes a webhook away, if it is there.
    async fn delete_hook(&self, access: &Access, place: Place, id: u64) -> Result<(), GitLabError>;

    /// The pipeline schedules of a project.
    async fn schedules(&self, access: &Access, project: u64) -> Result<Vec<Schedule>, GitLabError>;

    /// Makes a pipeline schedule with its variables, or changes the one with this id, and says its id.
    async fn put_schedule(
        &self,
        access: &Access,
        project: u64,
        schedule: &Schedule,
    ) -> Result<u64, GitLabError>;

    /// The longest a job may take, where its project says so; none where it has GitLab's own default.
    async fn job_timeout(
        &self,
        _access: &Access,
        _project: u64,
        _job: u64,
    ) -> Result<Option<Duration>, GitLabError> {
        Ok(None)
    }

    /// Takes a pipeline schedule away, if it is there.
    async fn delete_schedule(&self, access: &Access, project: u64, id: u64) -> Result<(), GitLabError>;

    /// Starts a pipeline of a pipeline schedule now.
    async fn play_schedule(&self, access: &Access, project: u64, id: u64) -> Result<(), GitLabError>;

    /// The deploy keys of a project.
    async fn deploy_keys(&self, access: &Access, project: u64) -> Result<Vec<DeployKey>, GitLabError>;

    /// Adds a deploy key, or changes title and right of the one with this id, and says its id. The key itself can't be changed.
    async fn put_deploy_key(
        &self,
        access: &Access,
        project: u64,
        key: &DeployKey,
    ) -> Result<u64, GitLabError>;

    /// Takes a deploy key away, if it is there.
    async fn delete_deploy_key(&self, access: &Access, project: u64, id: u64) -> Result<(), GitLabError>;

    /// The server's version: `17.8.1`.
    async fn version(&self, access: &Access) -> Result<String, GitLabError>;
}
