//! `runner_metrics`: what runners told of themselves, one row a heartbeat.

use std::time::Duration;

use super::{
    Record,
    row::{Columns, int, maybe_float, maybe_text, text, time},
};
use crate::{
    domain::Time,
    ports::store::{Row, StoreError, Table, Value},
};

/// A heartbeat as it was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct RunnerMetric {
    /// The runner.
    pub runner: String,
    /// When it came.
    pub at: Time,
    /// The state the runner was in from then on.
    pub state: String,
    /// How many jobs it had done.
    pub jobs_done: u64,
    /// CPU in use, in percent.
    pub cpu: Option<f64>,
    /// Memory in use, in percent.
    pub memory: Option<f64>,
    /// Disk in use, in percent.
    pub disk: Option<f64>,
    /// The version of its agent.
    pub agent: Option<String>,
    /// Its failures in a row.
    pub failures: u64,
}

impl RunnerMetric {
    /// How long they are kept.
    pub const KEPT: Duration = Duration::from_hours(24 * 7);
}

impl Record for RunnerMetric {
    const TABLE: Table = Table("runner_metrics");

    fn key(&self) -> Vec<Value> {
        vec![Value::Text(self.runner.clone()), Value::Time(self.at)]
    }

    fn to_row(&self) -> Row {
        Columns::default()
            .text("runner_id", &self.runner)
            .time("at", self.at)
            .text("state", &self.state)
            .int("job_count", self.jobs_done)
            .maybe_float("cpu_usage", self.cpu)
            .maybe_float("memory_usage", self.memory)
            .maybe_float("disk_usage", self.disk)
            .maybe_text("agent_version", self.agent.as_deref())
            .int("failure_count", self.failures)
            .time("expires_at", self.at.plus(Self::KEPT))
            .row()
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            runner: text(row, "runner_id")?,
            at: time(row, "at")?,
            state: text(row, "state")?,
            jobs_done: int(row, "job_count")?,
            cpu: maybe_float(row, "cpu_usage"),
            memory: maybe_float(row, "memory_usage"),
            disk: maybe_float(row, "disk_usage"),
            agent: maybe_text(row, "agent_version"),
            failures: int(row, "failure_count")?,
        })
    }
}
