//! A runner as operators see it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Moment;

/// A runner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunnerView {
    /// Its id.
    pub id: String,
    /// The egg, bucket or job it was made for.
    pub egg: String,
    /// `vm` or `serverless`.
    pub runner_type: String,
    /// The cloud.
    pub cloud: String,
    /// The region.
    pub region: String,
    /// How far it is in its life: `provisioning`, `idle`, `busy`, `nadir`, `failed`, `pending_termination`, `terminated`.
    pub state: String,
    /// The pool it is wanted in: `apex` or `nadir`.
    pub pool: String,
    /// Why it came to its state.
    pub why: String,
    /// When it was decided to make it.
    pub made: Moment,
    /// When its state last changed.
    pub changed: Moment,
    /// Its last sign of life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Moment>,
    /// The jobs it has, as `SERVER#NUMBER`.
    pub jobs: Vec<String>,
    /// How many it has done.
    pub jobs_done: u64,
    /// Failures in a row.
    pub failures: u64,
    /// CPU in use, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_usage: Option<f64>,
    /// Memory in use, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_usage: Option<f64>,
    /// Disk in use, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_usage: Option<f64>,
    /// The version of its `gitlab-runner`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// The version of its `gosling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The id its machine shows to GitLab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_id: Option<String>,
    /// The commit of the Nest it was made from.
    pub commit: String,
    /// The digest of what it was made from.
    pub digest: String,
    /// Its managers in GitLab, by project or group.
    pub managers: BTreeMap<String, u64>,
}
