//! What GitLab is answered.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer to a webhook that was authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HookAnswer {
    /// What becomes of it.
    pub outcome: HookOutcome,
}

/// What becomes of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookOutcome {
    /// It stands in the queue.
    Accepted,
    /// It had come before.
    Duplicate,
    /// Nothing depends on it.
    Ignored,
}
