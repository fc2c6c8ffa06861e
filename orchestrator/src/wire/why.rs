//! A job of GitLab's, and why it waits.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Moment, RunnerView};

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobView {
    /// The host of its server.
    pub server: String,
    /// The number it has there.
    pub number: u64,
    /// Its project's id.
    pub project: u64,
    /// What it is called.
    pub name: String,
    /// The branch or tag.
    pub git_ref: String,
    /// Whether that is protected.
    pub ref_protected: bool,
    /// The tags it asks for.
    pub tags: Vec<String>,
    /// `created`, `pending`, `running`, `succeeded`, `failed`, `canceled`.
    pub status: String,
    /// The egg whose runners serve it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egg: Option<String>,
    /// The runner that has or had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<String>,
    /// When it was first heard of.
    pub since: Moment,
    /// When its status was last told.
    pub told: Moment,
    /// Which runner takes it and why, or why none does.
    pub reasons: Vec<String>,
}

/// The answer to `GET /why/job/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WhyJob {
    /// The job.
    pub job: JobView,
    /// The runner that has or had it, while it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<RunnerView>,
    /// Whether an operator has stopped the egg that would serve it.
    pub paused: bool,
    /// Why the last deployment of that egg failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
