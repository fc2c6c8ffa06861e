//! `fastapi_app`, `celery_workers` and `uglyfox_workers`: the running services.

use super::{Attribute, Block, Child, ENV_CHILD, GIB, MIB, SERVICE_ACCOUNT, Type, Variant};
use crate::schema::Constraint;

const TYPE: Attribute = Attribute::optional(
    "type",
    Type::Enum(&[
        Variant::new("yandex_serverless_container", "A Yandex Serverless Container."),
        Variant::new("aws_lambda", "An AWS Lambda function made from a container image."),
        Variant::new("local", "A process on this machine."),
    ]),
    "the cloud service it runs on",
    "\"aws_lambda\"",
)
.derived("`yandex_serverless_container` on yandex, `aws_lambda` on aws, `local` on local");

const NAME: Attribute = Attribute::optional(
    "name",
    Type::Name,
    "what the service is called in the cloud and in triggers",
    "\"my-api\"",
);

const RUNTIME: Attribute = Attribute::optional(
    "runtime",
    Type::String,
    "the language runtime of a service that is not a container image of ours",
    "\"python312\"",
);

const MEMORY: Attribute = Attribute::optional(
    "memory",
    Type::megabytes(128 * MIB, 10 * GIB),
    "what one instance gets: a whole number of MB, or a size from 128MiB to 10GiB",
    "512MiB",
);

const TIMEOUT: Attribute = Attribute::optional(
    "timeout",
    Type::seconds(1, 3600),
    "how long one request or task may take: a whole number of seconds, or a duration up to 1h",
    "30s",
);

const MIN_INSTANCES: Attribute = Attribute::optional(
    "min_instances",
    Type::int(0, 1000),
    "the number of instances that are kept running when there is nothing to do",
    "1",
);

const MAX_INSTANCES: Attribute =
    Attribute::optional("max_instances", Type::int(1, 1000), "the most instances that run at one time", "10");

const IMAGE: Attribute = Attribute::optional(
    "image",
    Type::Image,
    "the container image it runs",
    "\"cr.yandex/polar-gosling/mothergoose:latest\"",
)
.derived("the `gosling` image of the compiler's own version");

const COMMAND: Attribute = Attribute::optional(
    "command",
    Type::List(&Type::String),
    "the command and its arguments that the image is started with",
    "[\"gosling\", \"serve\"]",
)
.derived("the command the image was made with");

const MIN_NOT_ABOVE_MAX: &[Constraint] = &[Constraint::NotAbove("min_instances", "max_instances")];

/// `fastapi_app { … }`
pub(super) static FASTAPI_APP: Block = Block {
    attributes: &[
        TYPE,
        NAME.default("\"mothergoose-api\""),
        RUNTIME,
        MEMORY.default("512MiB"),
        TIMEOUT.default("30s"),
        MIN_INSTANCES.default("1"),
        MAX_INSTANCES.default("10"),
        IMAGE,
        COMMAND,
        SERVICE_ACCOUNT,
    ],
    blocks: &[ENV_CHILD, Child::optional(&SCALING)],
    constraints: MIN_NOT_ABOVE_MAX,
    example: r#"fastapi_app {
  name          = "mothergoose-api"
  memory        = 512MiB
  timeout       = 30s
  min_instances = 1
  max_instances = 10

  env {
    LOG_LEVEL = "INFO"
  }
}"#,
    ..Block::new("fastapi_app", "The API: takes webhooks, and answers runners and operators.")
};

/// `celery_workers { … }`
pub(super) static CELERY_WORKERS: Block = Block {
    attributes: &[
        TYPE,
        NAME.default("\"mothergoose-celery\""),
        RUNTIME,
        MEMORY.default("1GiB"),
        TIMEOUT.default("5m"),
        MIN_INSTANCES.default("1"),
        MAX_INSTANCES.default("20"),
        IMAGE,
        COMMAND,
        SERVICE_ACCOUNT,
    ],
    blocks: &[ENV_CHILD, Child::optional(&SCALING)],
    constraints: MIN_NOT_ABOVE_MAX,
    example: r"celery_workers {
  memory        = 1GiB
  timeout       = 5m
  min_instances = 2
  max_instances = 20
}",
    ..Block::new("celery_workers", "The workers: sync the Nest, plan and deploy runners.")
};

/// `uglyfox_workers { … }`
pub(super) static UGLYFOX_WORKERS: Block = Block {
    attributes: &[
        TYPE,
        NAME.default("\"uglyfox-celery\""),
        RUNTIME,
        MEMORY.default("512MiB"),
        TIMEOUT.default("3m"),
        MIN_INSTANCES.default("1"),
        MAX_INSTANCES.default("5"),
        IMAGE,
        COMMAND,
        SERVICE_ACCOUNT,
    ],
    blocks: &[ENV_CHILD, Child::optional(&SCALING)],
    constraints: MIN_NOT_ABOVE_MAX,
    example: r"uglyfox_workers {
  memory        = 512MiB
  max_instances = 5
}",
    ..Block::new("uglyfox_workers", "UglyFox: looks after runners, and prunes them.")
};

/// `scaling { … }`
static SCALING: Block = Block {
    attributes: &[
        Attribute::optional(
            "metric",
            Type::Enum(&[
                Variant::new("queue_depth", "The number of messages that wait."),
                Variant::new("concurrency", "The number of requests one instance is at work on."),
                Variant::new("cpu_usage", "The CPU use of the instances, in percent."),
            ]),
            "what is watched to tell how many instances are needed",
            "\"queue_depth\"",
        )
        .default("\"queue_depth\""),
        Attribute::optional(
            "target_value",
            Type::int(1, 1_000_000),
            "the value of the metric that each instance is to come to",
            "10",
        )
        .default("10"),
        Attribute::optional(
            "scale_up_threshold",
            Type::int(1, 1_000_000),
            "the value of the metric over which an instance is added",
            "20",
        )
        .default("20"),
        Attribute::optional(
            "scale_down_threshold",
            Type::int(0, 1_000_000),
            "the value of the metric under which an instance is taken away",
            "5",
        )
        .default("5"),
    ],
    constraints: &[Constraint::NotAbove("scale_down_threshold", "scale_up_threshold")],
    example: r#"scaling {
  metric               = "queue_depth"
  target_value         = 10
  scale_up_threshold   = 20
  scale_down_threshold = 5
}"#,
    ..Block::new("scaling", "When instances are added and taken away.")
};
