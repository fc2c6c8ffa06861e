//! The fields of conditions: what a `condition` may ask of a runner.

use serde::{Deserialize, Serialize};

use crate::types::Variant;

/// Which field. The order is that of [`FIELDS`], and the serialised name is the name in a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the table says what each of them is")]
pub enum FieldId {
    State,
    RunnerType,
    Egg,
    Cloud,
    Region,
    Age,
    IdleTime,
    HeartbeatAge,
    FailedCount,
    JobCount,
    CpuUsage,
    MemoryUsage,
    DiskUsage,
    AgentVersion,
    PoolSize,
    PoolIdle,
}

impl FieldId {
    /// How many there are.
    pub const COUNT: usize = Self::PoolIdle as usize + 1;

    /// Its entry in [`FIELDS`].
    pub fn field(self) -> &'static Field {
        &FIELDS[self as usize]
    }

    /// Its name in a condition.
    pub fn name(self) -> &'static str {
        self.field().name
    }
}

/// One field of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Which field it is.
    pub id: FieldId,
    /// The name in the condition.
    pub name: &'static str,
    /// The type it is compared as.
    pub ty: FieldType,
    /// What it is, as a phrase that can follow "`age` is" (no full stop).
    pub doc: &'static str,
    /// A condition that uses it.
    pub example: &'static str,
    /// Whether a runner may not have told it yet. A comparison with what is not known is itself not known, see
    /// [`Predicate::truth`](super::Predicate::truth).
    pub may_be_unknown: bool,
}

/// The type of a condition's field.
///
/// Matched without a wildcard: a new type makes the compiler list each place that must learn it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// A span of time, written `30m`.
    Duration,
    /// A percentage, written `80%`.
    Percent,
    /// A whole number that is not negative.
    Int,
    /// One of a closed set of strings.
    Enum(&'static [Variant]),
    /// Any text.
    String,
}

impl FieldType {
    /// The type in a sentence, with its article.
    pub fn noun(self) -> String {
        match self {
            Self::Duration => "a duration".to_owned(),
            Self::Percent => "a percentage".to_owned(),
            Self::Int => "a whole number".to_owned(),
            Self::Enum(variants) => {
                let names: Vec<_> = variants.iter().map(|variant| format!("'{}'", variant.name)).collect();
                crate::words::list(&names, "or").unwrap_or_else(|| "nothing".to_owned())
            }
            Self::String => "a string".to_owned(),
        }
    }

    /// The keyword of the type as reference pages show it.
    pub fn keyword(self) -> String {
        match self {
            Self::Duration => "duration".to_owned(),
            Self::Percent => "percent".to_owned(),
            Self::Int => "int".to_owned(),
            Self::Enum(variants) => {
                variants.iter().map(|variant| format!("'{}'", variant.name)).collect::<Vec<_>>().join(" | ")
            }
            Self::String => "string".to_owned(),
        }
    }

    /// Whether `<` and `>` have a meaning for it; `==`, `!=` and `IN` always have.
    pub const fn ordered(self) -> bool {
        match self {
            Self::Duration | Self::Percent | Self::Int => true,
            Self::Enum(_) | Self::String => false,
        }
    }
}

/// The states a runner can be in.
pub const STATES: &[Variant] = &[
    Variant::new("provisioning", "Is being made."),
    Variant::new("apex", "Is active and waits for a job."),
    Variant::new("nadir", "Sleeps; a virtual machine that is stopped."),
    Variant::new("busy", "Is at work on a job."),
    Variant::new("failed", "Came to grief: it was not made, or its heartbeat stopped."),
    Variant::new("pending_termination", "Finishes its job and is destroyed."),
];

const RUNNER_TYPES: &[Variant] =
    &[Variant::new("vm", "A virtual machine."), Variant::new("serverless", "A serverless container.")];

const CLOUDS: &[Variant] = &[
    Variant::new("yandex", "Yandex Cloud."),
    Variant::new("aws", "Amazon Web Services."),
    Variant::new("local", "Processes on the orchestrator's own machine."),
];

const fn field(
    id: FieldId,
    name: &'static str,
    ty: FieldType,
    doc: &'static str,
    example: &'static str,
) -> Field {
    Field { id, name, ty, doc, example, may_be_unknown: false }
}

/// A field that the runner itself tells.
const fn told(
    id: FieldId,
    name: &'static str,
    ty: FieldType,
    doc: &'static str,
    example: &'static str,
) -> Field {
    Field { may_be_unknown: true, ..field(id, name, ty, doc, example) }
}

/// Every field, in the order the reference and completion show them.
pub static FIELDS: &[Field] = &[
    field(
        FieldId::State,
        "state",
        FieldType::Enum(STATES),
        "the runner's state",
        "state == 'apex' AND idle_time > 30m",
    ),
    field(
        FieldId::RunnerType,
        "runner_type",
        FieldType::Enum(RUNNER_TYPES),
        "what the runner is made of",
        "runner_type == 'vm'",
    ),
    field(
        FieldId::Egg,
        "egg",
        FieldType::String,
        "the name of the runner's egg or bucket",
        "egg IN ('my-app', 'api')",
    ),
    field(
        FieldId::Cloud,
        "cloud",
        FieldType::Enum(CLOUDS),
        "the cloud the runner is made in",
        "cloud == 'aws'",
    ),
    field(
        FieldId::Region,
        "region",
        FieldType::String,
        "the region the runner is made in",
        "region == 'eu-central-1'",
    ),
    field(FieldId::Age, "age", FieldType::Duration, "the time since the runner was made", "age > 24h"),
    field(
        FieldId::IdleTime,
        "idle_time",
        FieldType::Duration,
        "how long the runner has had no job: since its last one ended, or since it was made",
        "idle_time > 30m",
    ),
    told(
        FieldId::HeartbeatAge,
        "heartbeat_age",
        FieldType::Duration,
        "the time since the runner was last heard of",
        "heartbeat_age > 5m",
    ),
    field(
        FieldId::FailedCount,
        "failed_count",
        FieldType::Int,
        "the number of the runner's failed jobs in a row",
        "failed_count >= 3",
    ),
    field(
        FieldId::JobCount,
        "job_count",
        FieldType::Int,
        "the number of jobs the runner has done",
        "job_count >= 100",
    ),
    told(
        FieldId::CpuUsage,
        "cpu_usage",
        FieldType::Percent,
        "how much of the runner's CPU is in use",
        "cpu_usage > 90%",
    ),
    told(
        FieldId::MemoryUsage,
        "memory_usage",
        FieldType::Percent,
        "how much of the runner's memory is in use",
        "memory_usage > 90%",
    ),
    told(
        FieldId::DiskUsage,
        "disk_usage",
        FieldType::Percent,
        "how much of the runner's disk is in use",
        "disk_usage > 85%",
    ),
    told(
        FieldId::AgentVersion,
        "agent_version",
        FieldType::String,
        "the version of the agent on the runner",
        "agent_version != '1.4.0'",
    ),
    field(
        FieldId::PoolSize,
        "pool_size",
        FieldType::Int,
        "the number of runners in the runner's pool",
        "pool_size > 5",
    ),
    field(
        FieldId::PoolIdle,
        "pool_idle",
        FieldType::Int,
        "the number of runners in the runner's pool that have no job",
        "pool_idle > 2 AND idle_time > 10m",
    ),
];

/// The field with this name.
pub fn find(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_documented_and_stands_once() {
        let mut names: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FIELDS.len());
        for field in FIELDS {
            assert!(!field.doc.is_empty() && !field.doc.ends_with('.'), "{}", field.name);
            assert!(field.example.contains(field.name), "{}", field.name);
            assert_eq!(find(field.name), Some(field));
            assert_eq!(field.id.field(), field);
            assert_eq!(serde_json::to_value(field.id).unwrap(), field.name);
        }
        assert_eq!(find("colour"), None);
    }
}
