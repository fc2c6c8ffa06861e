//! The fields of policy conditions: what a `condition` may ask of a runner.

use crate::types::Variant;

/// One field of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The name in the condition.
    pub name: &'static str,
    /// The type it is compared as.
    pub ty: FieldType,
    /// What it is, as a phrase that can follow "`age` is" (no full stop).
    pub doc: &'static str,
    /// A condition that uses it.
    pub example: &'static str,
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
                match names.split_last() {
                    Some((last, [])) => last.clone(),
                    Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
                    None => "nothing".to_owned(),
                }
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

const fn field(name: &'static str, ty: FieldType, doc: &'static str, example: &'static str) -> Field {
    Field { name, ty, doc, example }
}

/// Every field, in the order the reference and completion show them.
pub static FIELDS: &[Field] = &[
    field("state", FieldType::Enum(STATES), "the runner's state", "state == 'apex' AND idle_time > 30m"),
    field("runner_type", FieldType::Enum(RUNNER_TYPES), "what the runner is made of", "runner_type == 'vm'"),
    field("egg", FieldType::String, "the name of the runner's egg or bucket", "egg IN ('my-app', 'api')"),
    field("cloud", FieldType::Enum(CLOUDS), "the cloud the runner is made in", "cloud == 'aws'"),
    field("region", FieldType::String, "the region the runner is made in", "region == 'eu-central-1'"),
    field("age", FieldType::Duration, "the time since the runner was made", "age > 24h"),
    field("idle_time", FieldType::Duration, "the time since the runner's last job ended", "idle_time > 30m"),
    field(
        "heartbeat_age",
        FieldType::Duration,
        "the time since the runner was last heard of",
        "heartbeat_age > 5m",
    ),
    field(
        "failed_count",
        FieldType::Int,
        "the number of the runner's failed jobs in a row",
        "failed_count >= 3",
    ),
    field("job_count", FieldType::Int, "the number of jobs the runner has done", "job_count >= 100"),
    field("cpu_usage", FieldType::Percent, "how much of the runner's CPU is in use", "cpu_usage > 90%"),
    field(
        "memory_usage",
        FieldType::Percent,
        "how much of the runner's memory is in use",
        "memory_usage > 90%",
    ),
    field("disk_usage", FieldType::Percent, "how much of the runner's disk is in use", "disk_usage > 85%"),
    field(
        "agent_version",
        FieldType::String,
        "the version of the agent on the runner",
        "agent_version != '1.4.0'",
    ),
    field("pool_size", FieldType::Int, "the number of runners in the runner's pool", "pool_size > 5"),
    field(
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
        }
        assert_eq!(find("colour"), None);
    }
}
