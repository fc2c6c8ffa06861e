//! `config.json`: the typed, fully resolved configuration of one job.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Artifact, Cloud, EnvValue, FORMAT_VERSION, Resources, Runner, RunnerType};

/// A script that runs by the clock, on a runner made for it. Every default is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobConfig {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The name, unique in the Nest.
    pub name: String,
    /// What a runner is made of.
    pub runner_type: RunnerType,
    /// Where runners are made.
    pub cloud: Cloud,
    /// How large one runner is.
    pub resources: Resources,
    /// How the runner takes the job: one job, of a protected ref, and then it is gone.
    pub runner: Runner,
    /// When the job runs.
    pub schedule: Schedule,
    /// What it runs: a shell script, verbatim.
    pub script: String,
    /// The longest one run may take, in seconds.
    pub timeout_s: u64,
    /// The GitLab project the job runs in: the Nest's own.
    pub project: JobProject,
    /// Variables the script sees, by name.
    pub environment: BTreeMap<String, EnvValue>,
    /// Who is told when a run fails, by e-mail address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<String>,
}

impl JobConfig {
    /// The current format version, for whoever builds the struct.
    pub const FORMAT_VERSION: u32 = FORMAT_VERSION;
}

impl Artifact for JobConfig {
    const WHAT: &'static str = "job configuration";

    fn format_version(&self) -> u32 {
        self.format_version
    }
}

/// A pipeline schedule, in the words of GitLab's API (`POST /projects/:id/pipeline_schedules`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// What it is called in GitLab, and what it is found again by.
    pub description: String,
    /// The branch whose pipeline runs.
    #[serde(rename = "ref")]
    pub git_ref: String,
    /// Minute, hour, day of the month, month, day of the week.
    pub cron: String,
    /// The time zone of `cron`, by its IANA name.
    pub cron_timezone: String,
    /// Whether it fires.
    pub active: bool,
    /// The variables of the pipelines it starts: `GOSLING_JOB` tells the Nest's pipeline which job it is for.
    pub variables: BTreeMap<String, String>,
}

/// The GitLab project that holds the Nest, as a job sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobProject {
    /// The GitLab server's name.
    pub server: String,
    /// The project's id, when the Nest tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<u64>,
    /// URI of the runner's token.
    pub token_secret: String,
    /// URI of the private key that may write to the Nest.
    pub deploy_key_secret: String,
}
