//! `sync_history`: what each look at the Nest's repository brought.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Record,
    row::{Columns, json, maybe_text, text, time, word},
};
use crate::{
    domain::Time,
    ports::store::{Row, StoreError, Table, Value},
};

/// How a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncStatus {
    /// The commit is in force.
    Applied,
    /// The Nest has errors; what was in force stays.
    Broken,
    /// The repository was not to be had, or the build failed.
    Failed,
}

/// What a sync changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changes {
    /// Eggs that came, by name.
    pub added: Vec<String>,
    /// That are built otherwise now.
    pub changed: Vec<String>,
    /// That went.
    pub removed: Vec<String>,
}

/// A sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRecord {
    /// Its id: a UUID of version 7.
    pub id: String,
    /// The commit; none when it was not to be had.
    pub commit: Option<String>,
    /// How it ended.
    pub status: SyncStatus,
    /// What it changed.
    pub changes: Changes,
    /// The diagnostics as `flyc check` shows them, or why the repository was not to be had.
    pub message: Option<String>,
    /// When.
    pub at: Time,
}

impl SyncRecord {
    /// How long they are kept.
    pub const KEPT: Duration = Duration::from_hours(24 * 90);
}

impl Record for SyncRecord {
    const TABLE: Table = Table("sync_history");

    fn key(&self) -> Vec<Value> {
        vec![Value::Text(self.id.clone())]
    }

    fn to_row(&self) -> Row {
        Columns::default()
            .text("sync_id", &self.id)
            .maybe_text("git_commit", self.commit.as_deref())
            .word("status", &self.status)
            .json("changes_detected", &self.changes)
            .maybe_text("error_message", self.message.as_deref())
            .time("synced_at", self.at)
            .time("expires_at", self.at.plus(Self::KEPT))
            .row()
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: text(row, "sync_id")?,
            commit: maybe_text(row, "git_commit"),
            status: word(row, "status")?,
            changes: json(row, "changes_detected")?,
            message: maybe_text(row, "error_message"),
            at: time(row, "synced_at")?,
        })
    }
}
