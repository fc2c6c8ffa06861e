//! `test`: what should become of a GitLab job, for `flyc test`.

use super::{
    Attribute, Block, Child, Label,
    egg::{PROVIDERS, RUNNER_TYPES},
};
use crate::types::{Entities, Type};

const DAY: u64 = 24 * 3600;

/// `test "name" { … }`
pub static TEST: Block = Block {
    label: Label::Text("the test's name"),
    attributes: &[Attribute::required(
        "event",
        Type::Object(EVENT),
        "the GitLab job that asks for a runner",
        "{ project_id = 12345, tags = [\"docker\"] }",
    )],
    blocks: &[Child::once(&EXPECT)],
    example: r#"test "docker-jobs" {
  event = { project_id = 12345, tags = ["docker"] }

  expect {
    egg         = "my-app"
    runner_type = vm
  }
}"#,
    ..Block::new("test", "What should become of a GitLab job; `flyc test` routes it and compares.")
};

/// The keys of `event`.
const EVENT: &[Attribute] = &[
    Attribute::required(
        "project_id",
        Type::int(1, i64::MAX),
        "the number of the project that the job belongs to",
        "12345",
    ),
    Attribute::optional(
        "group_ids",
        Type::List(&Type::int(1, i64::MAX)),
        "the numbers of the groups that the project is in, at any depth",
        "[789]",
    )
    .default("[]"),
    Attribute::optional(
        "server",
        Type::Fqdn,
        "the host name of the GitLab server; servers are not compared without it",
        "\"gitlab.com\"",
    ),
    Attribute::optional("tags", Type::List(&Type::String), "the tags that the job asks for", "[\"docker\"]")
        .default("[]"),
    Attribute::optional("protected", Type::Bool, "whether the job's branch or tag is protected", "true")
        .default("false"),
    Attribute::optional(
        "timeout",
        Type::duration(1, 365 * DAY),
        "the longest the job may take; without it GitLab's default of 60 minutes counts",
        "30m",
    ),
    Attribute::optional("name", Type::String, "what the job is called in reports", "\"unit tests\""),
];

/// `expect { … }`
static EXPECT: Block = Block {
    attributes: &[
        Attribute::optional("served", Type::Bool, "whether any egg takes the job", "false").default("true"),
        Attribute::optional(
            "egg",
            Type::Entity(Entities::EggOrBucket),
            "the egg or bucket whose runners take the job",
            "\"my-app\"",
        ),
        Attribute::optional(
            "repository",
            Type::Name,
            "the `repo` of the bucket that the job belongs to",
            "\"api\"",
        ),
        Attribute::optional(
            "runner_type",
            Type::Keyword(RUNNER_TYPES),
            "what the runner that takes the job is made of",
            "vm",
        ),
        Attribute::optional(
            "cloud",
            Type::Keyword(PROVIDERS),
            "the cloud that the runner is made in",
            "yandex",
        ),
        Attribute::optional(
            "region",
            Type::Name,
            "the region that the runner is made in",
            "\"ru-central1-a\"",
        ),
        Attribute::optional(
            "tags",
            Type::List(&Type::String),
            "tags that the runner has; it may have more",
            "[\"docker\"]",
        ),
    ],
    example: r#"expect {
  egg         = "my-app"
  runner_type = vm
}"#,
    ..Block::new("expect", "What should come out; what is left out is not compared.")
};
