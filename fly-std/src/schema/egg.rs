//! `egg`: the runner configuration of one GitLab project or group, and the blocks it shares with `eggsbucket`.

use super::{Attribute, Block, Child, Label, gitlab::GITLAB, rift};
use crate::types::{Type, Variant};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
const MINUTE: u64 = 60;
const DAY: u64 = 24 * 3600;

/// `egg "name" { … }`
pub static EGG: Block = Block {
    label: Label::Name("the egg's name"),
    attributes: &[EXTENDS, RUNNER_TYPE],
    blocks: &[
        Child::optional(&CLOUD),
        Child::optional(&RESOURCES),
        Child::optional(&RUNNER),
        Child::once(&GITLAB),
        Child::optional(&ENVIRONMENT),
        Child::optional(&rift::RIFT_REFERENCE),
    ],
    example: r#"egg "my-app" {
  type = "vm"

  gitlab {
    project_id = 12345
  }
}"#,
    ..Block::new("egg", "The runners of one GitLab project or of every project in one GitLab group.")
};

/// `extends`, the same for eggs and buckets.
pub(super) const EXTENDS: Attribute = Attribute::optional(
    "extends",
    Type::Profile,
    "the profile whose values hold where none is given here: attribute by attribute, lists and maps as a whole",
    "profile.standard",
);

/// `type`, the same for eggs and buckets.
pub(super) const RUNNER_TYPE: Attribute = Attribute::required(
    "type",
    Type::Enum(RUNNER_TYPES),
    "what a runner is made of: a virtual machine, or a serverless container that lives 60 minutes at most",
    "\"vm\"",
);

/// The kinds of runner.
pub(super) const RUNNER_TYPES: &[Variant] = &[
    Variant::new("vm", "A virtual machine; no time limit, can sleep in the nadir pool."),
    Variant::new("serverless", "A serverless container; starts in seconds, lives 60 minutes at most."),
];

/// The clouds.
pub(super) const PROVIDERS: &[Variant] = &[
    Variant::new("yandex", "Yandex Cloud."),
    Variant::new("aws", "Amazon Web Services."),
    Variant::new("local", "Processes on the orchestrator's own machine; needs no cloud account."),
];

/// `cloud { … }`
pub(super) static CLOUD: Block = Block {
    attributes: &[
        Attribute::optional(
            "provider",
            Type::Enum(PROVIDERS),
            "the cloud that machines are made in: runners, or a Rift server",
            "\"yandex\"",
        )
        .default("\"yandex\""),
        Attribute::optional(
            "region",
            Type::Name,
            "the cloud's region or availability zone that machines are made in",
            "\"ru-central1-a\"",
        )
        .derived("`ru-central1-a` on yandex, `eu-central-1` on aws"),
        Attribute::optional(
            "zone",
            Type::Name,
            "the availability zone within the region",
            "\"ru-central1-a\"",
        )
        .derived("the region's first zone"),
        Attribute::optional(
            "network",
            Type::Name,
            "the id of the network that machines are attached to",
            "\"enp1a2b3c\"",
        )
        .derived("the network of the MotherGoose installation"),
        Attribute::optional(
            "subnet",
            Type::Name,
            "the id of the subnet that machines are attached to",
            "\"e9b1a2b3c\"",
        )
        .derived("the subnet of the MotherGoose installation"),
        Attribute::optional(
            "image",
            Type::String,
            "the id or family of the disk image a vm starts from",
            "\"debian-12\"",
        )
        .default("\"debian-12\""),
    ],
    example: r#"cloud {
  provider = "yandex"
  region   = "ru-central1-a"
}"#,
    ..Block::new("cloud", "Where machines are made: the runners of an egg or job, or a Rift server.")
};

/// No cloud has a machine near these: how much each of them has is a rule's to know, which names the nearest that is
/// sold.
const BEYOND_ANY_CPUS: i64 = 1_000_000;
pub(super) const BEYOND_ANY_SIZE: u64 = 1024 * TIB;

/// `resources { … }`
pub(super) static RESOURCES: Block = Block {
    attributes: &[
        Attribute::optional(
            "cpu",
            Type::int(1, BEYOND_ANY_CPUS),
            "the number of virtual CPUs one runner gets; at most what the cloud sells",
            "2",
        )
        .default("2"),
        Attribute::optional(
            "memory",
            Type::megabytes(512 * MIB, BEYOND_ANY_SIZE),
            "what one runner gets: a whole number of MB, or a size from 512MiB to the largest the cloud sells",
            "4GiB",
        )
        .default("4GiB"),
        Attribute::optional(
            "disk",
            Type::gigabytes(8 * GIB, BEYOND_ANY_SIZE),
            "one runner's disk: a whole number of GB, or a size from 8GiB to the largest the cloud sells",
            "20GiB",
        )
        .derived("20GiB, but 10GiB for serverless runners on yandex, the most they have"),
    ],
    example: r"resources {
  cpu    = 2
  memory = 4GiB
  disk   = 20GiB
}",
    ..Block::new("resources", "How large one runner is.")
};

/// `runner { … }`
pub(super) static RUNNER: Block = Block {
    attributes: &[
        Attribute::optional(
            "tags",
            Type::List(&Type::String),
            "the GitLab tags the runner serves; a job is taken when all of its tags are among them",
            "[\"docker\", \"linux\"]",
        )
        .default("[]"),
        Attribute::optional(
            "concurrent",
            Type::int(1, 10_000),
            "the most runners that work at one time",
            "3",
        )
        .default("1"),
        Attribute::optional(
            "idle_timeout",
            Type::duration(MINUTE, 7 * DAY),
            "how long a runner without a job stays active",
            "10m",
        )
        .default("10m"),
        Attribute::optional(
            "timeout",
            Type::duration(MINUTE, 30 * DAY),
            "the longest a single job may take",
            "1h",
        )
        .derived("60m for serverless runners, 24h for vms"),
        Attribute::optional("run_untagged", Type::Bool, "whether jobs without tags are taken too", "true")
            .default("false"),
        Attribute::optional(
            "protected",
            Type::Bool,
            "whether only jobs of protected branches and tags are taken",
            "true",
        )
        .default("false"),
        Attribute::optional(
            "executor",
            Type::Enum(&[
                Variant::new("docker", "Each job runs in a container."),
                Variant::new("shell", "Each job runs in a shell on the runner itself."),
            ]),
            "how gitlab-runner runs a job; a serverless runner is a container itself, with no Docker in it",
            "\"docker\"",
        )
        .derived("`docker` for vms, `shell` for serverless runners"),
        Attribute::optional(
            "image",
            Type::Image,
            "the container image of jobs that name none; of a serverless runner the image it starts from itself, which has gosling as its entry point and gitlab-runner in it",
            "\"debian:12\"",
        )
        .derived("`debian:12-slim` for vms, for serverless runners the installation's image with gosling in it"),
        Attribute::optional("privileged", Type::Bool, "whether job containers run privileged", "true")
            .default("false"),
        Attribute::optional("ephemeral", Type::Bool, "whether a runner is destroyed after one job", "true")
            .derived("`true` for serverless runners, `false` for vms"),
    ],
    example: r#"runner {
  tags         = ["docker", "linux"]
  concurrent   = 3
  idle_timeout = 10m
}"#,
    ..Block::new("runner", "How the runners take jobs.")
};

/// `environment { … }`
pub(super) static ENVIRONMENT: Block = Block {
    free_attributes: Some(Attribute::optional(
        "NAME",
        Type::EnvValue,
        "a variable every job of these runners sees: a string, or the URI of a secret that is read on the runner",
        "\"overlay2\"",
    )),
    example: r#"environment {
  DOCKER_DRIVER = "overlay2"
  API_KEY       = "yc-lockbox://api-keys/my-app"
}"#,
    ..Block::new("environment", "Environment variables of the jobs.")
};
