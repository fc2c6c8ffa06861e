//! What `gosling status` shows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{EggSummary, JobView, Moment, QueueCounts};

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// When it was so.
    pub at: Moment,
    /// The Nest's name.
    pub nest: String,
    /// The last looks at the Nest's repository, the last first.
    pub syncs: Vec<SyncView>,
    /// The eggs.
    pub eggs: Vec<EggSummary>,
    /// The jobs that wait, the first in the line first; at most a hundred.
    pub waiting: Vec<JobView>,
    /// How many wait in all.
    pub waiting_total: u64,
    /// The last changes of runners and of other things, the last first.
    pub transitions: Vec<AuditView>,
    /// The queue.
    pub queue: QueueCounts,
}

/// A look at the Nest's repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SyncView {
    /// Its id.
    pub id: String,
    /// The commit; none when it was not to be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// `applied`, `broken`, `failed`.
    pub status: String,
    /// Eggs that came.
    pub added: Vec<String>,
    /// That are built otherwise now.
    pub changed: Vec<String>,
    /// That went.
    pub removed: Vec<String>,
    /// The diagnostics, as `flyc check` shows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When.
    pub at: Moment,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditView {
    /// Its id.
    pub id: String,
    /// When.
    pub at: Moment,
    /// Who: `policy:idle`, `api:NAME-OF-TOKEN`, `runner:ID`, `git-sync`.
    pub actor: String,
    /// What: `runner.drain`, `plan.apply`.
    pub action: String,
    /// The kind of thing: `runner`, `egg`, `plan`, `secret`.
    pub resource_type: String,
    /// Which.
    pub resource: String,
    /// What else is to be known.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
}
