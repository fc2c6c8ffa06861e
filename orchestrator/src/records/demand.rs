//! `demand`: the jobs that wait, run, or were over not long ago.

use std::time::Duration;

use super::{
    Record,
    row::{Columns, flag, int, json, maybe_text, text, time, word},
};
use crate::{
    domain::{Job, JobId, RunnerId},
    ports::store::{Row, StoreError, Table, Value},
};

/// A job, and what else is known of it beside what decisions need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// Which.
    pub id: JobId,
    /// What decisions need.
    pub job: Job,
    /// What it is called.
    pub name: String,
    /// The branch or tag.
    pub git_ref: String,
    /// Whether that is protected.
    pub ref_protected: bool,
    /// Which runner takes it and why, or why none does: sentences for `gosling why`.
    pub reason: Vec<String>,
}

impl JobRecord {
    /// How long a job is remembered once it has been told of last.
    pub const KEPT: Duration = Duration::from_hours(24);
}

impl Record for JobRecord {
    const TABLE: Table = Table("demand");

    fn key(&self) -> Vec<Value> {
        vec![
            Value::Text(self.id.server.to_string()),
            Value::Int(i64::try_from(self.id.number).unwrap_or(i64::MAX)),
        ]
    }

    fn to_row(&self) -> Row {
        Columns::default()
            .text("server", &self.id.server)
            .int("job_id", self.id.number)
            .text("egg_name", self.job.egg.as_deref().unwrap_or_default())
            .int("project_id", self.job.project)
            .word("status", &self.job.status)
            .json("tags", &self.job.tags)
            .time("seen_at", self.job.since)
            .time("told_at", self.job.told)
            .maybe_text("runner_id", self.job.runner.as_ref().map(RunnerId::as_str))
            .text("name", &self.name)
            .text("ref", &self.git_ref)
            .flag("ref_protected", self.ref_protected)
            .json("reason", &self.reason)
            .time("expires_at", self.job.told.plus(Self::KEPT))
            .row()
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        let egg = text(row, "egg_name")?;
        Ok(Self {
            id: JobId { server: text(row, "server")?.into(), number: int(row, "job_id")? },
            job: Job {
                project: int(row, "project_id")?,
                egg: (!egg.is_empty()).then_some(egg),
                tags: json(row, "tags")?,
                status: word(row, "status")?,
                since: time(row, "seen_at")?,
                told: time(row, "told_at")?,
                runner: maybe_text(row, "runner_id").map(RunnerId::new),
            },
            name: text(row, "name")?,
            git_ref: text(row, "ref")?,
            ref_protected: flag(row, "ref_protected"),
            reason: json(row, "reason")?,
        })
    }
}
