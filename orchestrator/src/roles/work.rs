//! The messages of the queue: what is to be done, each at least once. Doing one twice does nothing twice.

use serde::{Deserialize, Serialize};

use crate::{
    domain::Time,
    ports::queue::{Message, Priority},
};

/// Something to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// A webhook came that had been authenticated.
    Hook {
        /// The eggs whose secret it showed; empty for the Nest's own.
        eggs: Vec<String>,
        /// GitLab's id of the delivery (`Idempotency-Key`), if it sent one.
        delivery: Option<String>,
        /// When it came.
        at: Time,
        /// Its body.
        body: serde_json::Value,
    },
    /// The Nest's repository is looked at.
    Sync {
        /// Why: `timer`, `push`, `start`, `operator`.
        reason: String,
    },
    /// GitLab is asked for all jobs that wait.
    Sweep,
    /// It is decided what is to be done.
    Decide,
    /// The runners of an egg are brought to what is wanted.
    Deploy {
        /// The egg.
        egg: String,
    },
    /// An egg goes back to what an earlier plan had.
    Rollback {
        /// The egg.
        egg: String,
        /// The plan; none is the one before the last.
        to: Option<String>,
        /// Who asked for it.
        actor: String,
    },
    /// The rotation of an egg's runner tokens goes on. How far it is stands in the egg's row.
    Rotate {
        /// The egg.
        egg: String,
    },
    /// A job's pipeline is started now (`POST /jobs/{name}/trigger`).
    Trigger {
        /// The job.
        job: String,
        /// Who asked for it.
        actor: String,
    },
}

impl Work {
    /// The kinds that run `OpenTofu`, and so take long.
    pub const SLOW: [&'static str; 2] = ["deploy", "rollback"];

    /// The name of what is to be done.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Hook { .. } => "hook",
            Self::Sync { .. } => "sync",
            Self::Sweep => "sweep",
            Self::Decide => "decide",
            Self::Deploy { .. } => "deploy",
            Self::Rollback { .. } => "rollback",
            Self::Rotate { .. } => "rotate",
            Self::Trigger { .. } => "trigger",
        }
    }

    /// Whether it comes again by itself: one that fails too often is left to the next.
    pub const fn recurs(&self) -> bool {
        matches!(
            self,
            Self::Sync { .. } | Self::Sweep | Self::Decide | Self::Deploy { .. } | Self::Rotate { .. }
        )
    }

    /// It as a message. `key` keeps a second one with the same key out.
    pub fn message(&self, key: Option<String>) -> Message {
        let priority = match self {
            Self::Sync { .. } | Self::Sweep => Priority::Normal,
            _ => Priority::High,
        };
        // No type of ours fails to be written.
        let body = serde_json::to_string(self).unwrap_or_default();
        Message { kind: self.kind().to_owned(), body, priority, not_before: None, key }
    }
}
