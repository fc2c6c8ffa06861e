//! Eggs, buckets and jobs as operators see them. Never here: URIs of secrets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{JobView, Moment, PlanView};

/// An egg, a bucket, or a job of the Nest's own (`jobs/NAME`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EggView {
    /// Its name.
    pub name: String,
    /// `egg`, `bucket` or `job`.
    pub kind: String,
    /// `vm` or `serverless`.
    pub runner_type: String,
    /// The cloud.
    pub cloud: String,
    /// The region.
    pub region: String,
    /// The tags of its runners.
    pub tags: Vec<String>,
    /// The most runners that are active at one time.
    pub concurrent: u32,
    /// What it serves.
    pub repositories: Vec<RepositoryView>,
    /// The project or group in GitLab, when it serves exactly one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gitlab: Option<GitlabView>,
    /// When it runs, for a job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The digest of what was built for it.
    pub digest: String,
    /// The commit of the Nest it was built from.
    pub commit: String,
    /// Whether an operator has stopped it.
    pub paused: bool,
    /// Whether it is in the Nest no longer.
    pub removed: bool,
    /// Grows when what its runners are given changes.
    pub revision: u64,
    /// Deployments that failed in a row.
    pub failures: u32,
    /// When the next deployment is tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Moment>,
    /// Why the last deployment failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The rollback that holds until the egg changes in the Nest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<RolledBack>,
    /// Whether an operator has taken it out of GitLab: no runner is made until it is linked again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlinked: bool,
    /// The rotation of its runner tokens that goes on, or the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<RotationView>,
    /// When it was last in the Nest that was synced.
    pub synced: Moment,
}

/// What an egg went back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolledBack {
    /// The plan.
    pub plan: String,
    /// The digest that runners are made from.
    pub digest: String,
    /// Its commit.
    pub commit: String,
}

/// A rotation of an egg's runner tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RotationView {
    /// `register`: the new runner is registered; `drain`: the machines go over to it; `revoke`: the old one is revoked; `done`.
    pub step: String,
    /// Whether it is undone, or was.
    pub undo: bool,
    /// Who asked for it.
    pub actor: String,
    /// When.
    pub since: Moment,
    /// When it came to its step.
    pub moved: Moment,
    /// What it waits for, or why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// `POST /eggs/{name}/rotate`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateRequest {
    /// Go back to the token before, as long as it is not revoked.
    #[serde(default)]
    pub undo: bool,
}

/// A project or group of GitLab's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GitlabView {
    /// The host of its server.
    pub server: String,
    /// The project's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<u64>,
    /// The group's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<u64>,
}

/// A project or group that an egg serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RepositoryView {
    /// Its name within its bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `SERVER/projects/ID` or `SERVER/groups/ID`.
    pub place: String,
    /// The same in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gitlab: Option<GitlabView>,
    /// GitLab's id of the runner that serves it, once it is registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<u64>,
}

/// How an egg is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EggStatus {
    /// The egg.
    pub egg: EggView,
    /// Its runners that are there, by state.
    pub runners: BTreeMap<String, u64>,
    /// The jobs that wait for it, the first in the line first; at most a hundred.
    pub waiting: Vec<JobView>,
    /// How many wait in all.
    pub waiting_total: u64,
    /// Its last plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanView>,
}

/// An egg in the list of `gosling status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EggSummary {
    /// Its name.
    pub name: String,
    /// Its runners that are there, by state.
    pub runners: BTreeMap<String, u64>,
    /// How many jobs wait for it.
    pub waiting: u64,
    /// The most runners that are active at one time.
    pub concurrent: u32,
    /// The commit of the Nest it was built from.
    pub commit: String,
    /// Whether an operator has stopped it.
    pub paused: bool,
    /// Whether it is in the Nest no longer.
    pub removed: bool,
    /// When the next deployment is tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Moment>,
    /// Why the last deployment failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What a rollback went back to, while that holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<RolledBack>,
    /// Whether an operator has taken it out of GitLab.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlinked: bool,
    /// The rotation of its runner tokens that goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<RotationView>,
}
