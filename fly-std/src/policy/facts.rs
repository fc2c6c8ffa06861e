//! What is known of one runner at one time.

use smol_str::SmolStr;

use super::FieldId;
use crate::value::Float;

/// What is known of a runner: a value for every field of [`FIELDS`](super::FIELDS).
///
/// What the orchestrator keeps account of itself is always known. What the runner tells is `None` until it has told
/// it, and should be `None` again once it is too old to be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// One of [`STATES`](super::STATES).
    pub state: SmolStr,
    /// `vm` or `serverless`.
    pub runner_type: SmolStr,
    /// The name of its egg or bucket.
    pub egg: SmolStr,
    /// `yandex`, `aws` or `local`.
    pub cloud: SmolStr,
    /// The region; empty in a cloud that has none.
    pub region: SmolStr,
    /// Seconds since it was made.
    pub age: u64,
    /// Seconds without a job: since the last one ended, or since the runner was made; 0 while it has one.
    pub idle_time: u64,
    /// Seconds since it was last heard of; `None` before the first time.
    pub heartbeat_age: Option<u64>,
    /// Failed jobs in a row.
    pub failed_count: u64,
    /// Jobs done.
    pub job_count: u64,
    /// CPU in use, 0 to 100.
    pub cpu_usage: Option<Float>,
    /// Memory in use, 0 to 100.
    pub memory_usage: Option<Float>,
    /// Disk in use, 0 to 100.
    pub disk_usage: Option<Float>,
    /// The version of its agent.
    pub agent_version: Option<SmolStr>,
    /// Runners in its pool.
    pub pool_size: u64,
    /// Runners in its pool without a job.
    pub pool_idle: u64,
}

/// The value of one field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fact<'a> {
    /// A text, also one of a closed set.
    Text(&'a str),
    /// A duration in seconds.
    DurationS(u64),
    /// A count.
    Count(u64),
    /// A percentage, 0 to 100.
    Percent(Float),
}

impl Facts {
    /// The value of a field; `None` while it is not known.
    pub fn get(&self, field: FieldId) -> Option<Fact<'_>> {
        Some(match field {
            FieldId::State => Fact::Text(&self.state),
            FieldId::RunnerType => Fact::Text(&self.runner_type),
            FieldId::Egg => Fact::Text(&self.egg),
            FieldId::Cloud => Fact::Text(&self.cloud),
            FieldId::Region => Fact::Text(&self.region),
            FieldId::Age => Fact::DurationS(self.age),
            FieldId::IdleTime => Fact::DurationS(self.idle_time),
            FieldId::HeartbeatAge => Fact::DurationS(self.heartbeat_age?),
            FieldId::FailedCount => Fact::Count(self.failed_count),
            FieldId::JobCount => Fact::Count(self.job_count),
            FieldId::CpuUsage => Fact::Percent(self.cpu_usage?),
            FieldId::MemoryUsage => Fact::Percent(self.memory_usage?),
            FieldId::DiskUsage => Fact::Percent(self.disk_usage?),
            FieldId::AgentVersion => Fact::Text(self.agent_version.as_ref()?),
            FieldId::PoolSize => Fact::Count(self.pool_size),
            FieldId::PoolIdle => Fact::Count(self.pool_idle),
        })
    }
}
