//! The queue, and the answer to whatever goes into it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Moment;

/// What was asked for stands in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    /// Whether it is new: a request with the same `Idempotency-Key` is accepted once.
    pub new: bool,
}

/// How many messages there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueCounts {
    /// That wait.
    pub waiting: u64,
    /// That are worked on.
    pub working: u64,
    /// That were given up.
    pub dead: u64,
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadMessage {
    /// Its id.
    pub id: String,
    /// What was to be done: `hook`, `sync`, `sweep`, `decide`, `deploy`, `rollback`, `rotate`, `trigger`.
    pub kind: String,
    /// To what: the eggs, or the job.
    pub subject: Vec<String>,
    /// Why it was given up.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was given up.
    pub at: Moment,
}
