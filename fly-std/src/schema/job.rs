//! `job`: a script that runs by the clock on a runner of its own.

use super::{
    Attribute, Block, Child, Label,
    egg::{CLOUD, ENVIRONMENT, RESOURCES, RUNNER_TYPES},
    rift,
};
use crate::types::{Type, Variant};

const DAY: u64 = 24 * 3600;

/// `job "name" { … }`
pub static JOB: Block = Block {
    label: Label::Name("the job's name"),
    attributes: &[
        Attribute::required(
            "schedule",
            Type::Cron,
            "when the job runs: minute, hour, day of the month, month, day of the week",
            "\"0 2 * * *\"",
        ),
        Attribute::optional(
            "timezone",
            Type::Timezone,
            "the time zone the schedule is read in",
            "\"Europe/Berlin\"",
        )
        .default("\"UTC\""),
        Attribute::required(
            "script",
            Type::Script,
            "what the job runs: a shell script, taken verbatim, with `${…}` left to the shell",
            "\"gosling rotate-tokens --all\"",
        ),
        Attribute::optional(
            "timeout",
            Type::duration(1, 30 * DAY),
            "how long one run may take before it is stopped: 10 minutes at most",
            "5m",
        )
        .default("10m"),
    ],
    blocks: &[
        Child::optional(&JOB_RUNNER),
        Child::optional(&CLOUD),
        Child::optional(&RESOURCES),
        Child::optional(&ENVIRONMENT),
        Child::optional(&ON_FAILURE),
        Child::never(&rift::RIFT_REFERENCE, "a job's runner has no access to Rift; leave this block out"),
    ],
    example: r#"job "rotate-secrets" {
  schedule = "0 2 * * *"
  script   = "gosling rotate-tokens --all"

  on_failure {
    notify = ["ops@example.com"]
  }
}"#,
    ..Block::new("job", "A script that runs by the clock, on a runner made for it.")
};

/// `runner { … }` of a job.
static JOB_RUNNER: Block = Block {
    attributes: &[
        Attribute::optional(
            "type",
            Type::Enum(RUNNER_TYPES),
            "what the job's runner is made of: a virtual machine or a serverless container",
            "\"serverless\"",
        )
        .default("\"vm\""),
        Attribute::optional(
            "tags",
            Type::List(&Type::String),
            "the GitLab tags of the job and of the runner made for it",
            "[\"privileged\"]",
        )
        .default("[]"),
        Attribute::optional(
            "executor",
            Type::Enum(&[
                Variant::new("docker", "The script runs in a container."),
                Variant::new("shell", "The script runs in a shell on the runner itself."),
            ]),
            "how gitlab-runner runs the script",
            "\"shell\"",
        )
        .default("\"shell\""),
        Attribute::optional(
            "image",
            Type::Image,
            "the container image the script runs in, with the `docker` executor; of a serverless runner the image it starts from itself, which has gosling as its entry point and gitlab-runner in it",
            "\"debian:12\"",
        )
        .derived("`debian:12-slim` for vms, for serverless runners the installation's image with gosling in it"),
        Attribute::optional(
            "privileged",
            Type::Bool,
            "whether the script's container runs privileged",
            "true",
        )
        .default("false"),
    ],
    example: r#"runner {
  type = "vm"
  tags = ["privileged"]
}"#,
    ..Block::new("runner", "The runner that is made for the job.")
};

/// `on_failure { … }`
static ON_FAILURE: Block = Block {
    attributes: &[Attribute::required(
        "notify",
        Type::List(&Type::Email),
        "the people who are told when a run fails",
        "[\"ops@example.com\"]",
    )],
    example: r#"on_failure {
  notify = ["ops@example.com"]
}"#,
    ..Block::new("on_failure", "What happens when a run fails.")
};
