//! `nest`: which commit of the Nest is in force, and what of it belongs to no egg: a row that the sync writes last. What the
//! Nest's own project has in GitLab is another row, which `gosling link` writes.

use std::collections::BTreeMap;

use flyc::artifact::{BlockConfig, MothergooseConfig};
use serde::{Deserialize, Serialize};

use super::{
    LinkedHook, Record, Stale,
    row::{Columns, json, maybe_text, maybe_time, text, time},
    sync::Changes,
};
use crate::{
    domain::Time,
    ports::store::{Row, StoreError, Table, Value},
};

/// A sync that has begun to write eggs. It stands here until the Nest is in force as a whole, so that one that is cut off
/// is finished by the next, which still tells everything that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The commit.
    pub commit: String,
    /// What it changes.
    pub changes: Changes,
}

/// The Nest.
#[derive(Debug, Clone, PartialEq)]
pub struct NestRecord {
    /// The commit in force; none before the first good sync.
    pub commit: Option<String>,
    /// The digest of the Nest in force.
    pub digest: Option<String>,
    /// The version of the compiler that last looked at the Nest: another one looks again.
    pub compiler: String,
    /// The policies in force; none when the Nest has none.
    pub uglyfox: Option<BlockConfig>,
    /// The installation in force; none when the Nest describes none.
    pub mothergoose: Option<MothergooseConfig>,
    /// A sync that has begun.
    pub pending: Option<Pending>,
    /// The commit that was looked at last, be it in force or broken.
    pub seen: Option<String>,
    /// Why the repository was not to be had, or could not be brought into force, when it was last looked at; without secrets.
    /// What is wrong with a broken commit stands in `sync_history`.
    pub failure: Option<String>,
    /// When the commit in force came into force.
    pub applied: Option<Time>,
    /// When the repository was last looked at.
    pub looked: Time,
}

impl NestRecord {
    /// The key of the one row.
    pub fn id() -> Vec<Value> {
        vec![Value::Text("nest".to_owned())]
    }

    /// Nothing is in force.
    pub const fn new(now: Time) -> Self {
        Self {
            commit: None,
            digest: None,
            compiler: String::new(),
            uglyfox: None,
            mothergoose: None,
            pending: None,
            seen: None,
            failure: None,
            applied: None,
            looked: now,
        }
    }
}

/// A document that may be left out.
fn maybe_json<T: serde::de::DeserializeOwned>(row: &Row, name: &str) -> Result<Option<T>, StoreError> {
    if row.contains_key(name) { json(row, name) } else { Ok(None) }
}

impl Record for NestRecord {
    const TABLE: Table = Table("nest");

    fn key(&self) -> Vec<Value> {
        Self::id()
    }

    fn to_row(&self) -> Row {
        Columns::default()
            .text("nest_name", "nest")
            .maybe_text("git_commit", self.commit.as_deref())
            .maybe_text("nest_digest", self.digest.as_deref())
            .text("compiler_version", &self.compiler)
            .json("uglyfox", &self.uglyfox)
            .json("mothergoose", &self.mothergoose)
            .json("pending", &self.pending)
            .maybe_text("seen_commit", self.seen.as_deref())
            .maybe_text("error_message", self.failure.as_deref())
            .maybe_time("applied_at", self.applied)
            .time("looked_at", self.looked)
            .row()
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            commit: maybe_text(row, "git_commit"),
            digest: maybe_text(row, "nest_digest"),
            compiler: text(row, "compiler_version")?,
            uglyfox: maybe_json(row, "uglyfox")?,
            mothergoose: maybe_json(row, "mothergoose")?,
            pending: maybe_json(row, "pending")?,
            seen: maybe_text(row, "seen_commit"),
            failure: maybe_text(row, "error_message"),
            applied: maybe_time(row, "applied_at"),
            looked: time(row, "looked_at")?,
        })
    }
}

/// What the Nest's own project has in GitLab of ours.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NestLink {
    /// The webhook, by its project: `SERVER/projects/ID`.
    #[serde(default)]
    pub hooks: BTreeMap<String, LinkedHook>,
    /// The deploy keys, by name: GitLab's ids.
    #[serde(default)]
    pub keys: BTreeMap<String, u64>,
    /// Whether an operator has taken it out of GitLab.
    #[serde(default)]
    pub unlinked: bool,
    /// The webhook's secret was changed: GitLab's webhook shows the one before until `gosling link --nest` tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<Stale>,
}

impl NestLink {
    /// The key of the one row.
    pub fn id() -> Vec<Value> {
        vec![Value::Text("gitlab".to_owned())]
    }
}

impl Record for NestLink {
    const TABLE: Table = Table("nest");

    fn key(&self) -> Vec<Value> {
        Self::id()
    }

    fn to_row(&self) -> Row {
        Columns::default().text("nest_name", "gitlab").json("linked", self).row()
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        json(row, "linked")
    }
}
