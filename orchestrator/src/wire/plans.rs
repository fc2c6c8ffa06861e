//! Plans of `OpenTofu` as operators see them, and going back to one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Moment;

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanView {
    /// Its id.
    pub id: String,
    /// The egg it is for.
    pub egg: String,
    /// `deploy` or `rollback`.
    pub kind: String,
    /// `pending`, `applying`, `applied`, `failed`, `superseded`, `rolled_back`.
    pub status: String,
    /// The digest of what it was planned from.
    pub digest: String,
    /// The commit of the Nest.
    pub commit: String,
    /// The plan that it goes back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_of: Option<String>,
    /// When it was made.
    pub made: Moment,
    /// When it was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Moment>,
    /// The fleet it leads to: each runner with its pool.
    pub runners: BTreeMap<String, String>,
    /// What it does, by resource: `create`, `update`, `delete`, `replace`.
    pub changes: BTreeMap<String, String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What the next deployment of an egg would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanPreview {
    /// The egg.
    pub egg: String,
    /// When it was so.
    pub at: Moment,
    /// The digest of what it is planned from.
    pub digest: String,
    /// The commit of the Nest.
    pub commit: String,
    /// The fleet it leads to: each runner with its pool.
    pub runners: BTreeMap<String, String>,
    /// What it does, by resource: `create`, `update`, `delete`, `replace`.
    pub changes: BTreeMap<String, String>,
    /// Why it can't be planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// `POST /eggs/{name}/rollback`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackRequest {
    /// The plan to go back to; none is the one before the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}
