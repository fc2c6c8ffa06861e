//! `mothergoose`: the services, queues, database and storage the fleet is run by.
//!
//! Everything has a default or is derived, so `mothergoose {}` alone is a whole system. Each service is chosen by
//! its `type`; left out, it follows from the cloud.

mod accounts;
mod compute;
mod database;
mod gateway;
mod queues;
mod storage;
mod triggers;

use super::{Attribute, Block, Child};
use crate::types::{Type, Variant};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const MINUTE: u64 = 60;
const DAY: u64 = 24 * 3600;

/// `mothergoose { … }`
pub static MOTHERGOOSE: Block = Block {
    blocks: &[
        Child::optional(&CLOUD),
        Child::optional(&gateway::API_GATEWAY),
        Child::optional(&compute::FASTAPI_APP).aliases(&["api"]),
        Child::optional(&compute::CELERY_WORKERS).aliases(&["workers"]),
        Child::optional(&compute::UGLYFOX_WORKERS),
        Child::optional(&queues::MESSAGE_QUEUES),
        Child::optional(&triggers::TRIGGERS),
        Child::optional(&database::DATABASE),
        Child::optional(&storage::STORAGE),
        Child::optional(&accounts::SERVICE_ACCOUNTS),
        Child::optional(&accounts::NETWORK),
    ],
    example: r#"mothergoose {
  cloud {
    provider = "yandex"
    region   = "ru-central1-a"
  }

  fastapi_app {
    memory        = 512MiB
    min_instances = 1
    max_instances = 10
  }
}"#,
    ..Block::new(
        "mothergoose",
        "The system that runs the fleet. Every part has a default: `mothergoose {}` alone is a whole system.",
    )
};

/// `cloud { … }` of the installation.
static CLOUD: Block = Block {
    attributes: &[
        Attribute::optional(
            "provider",
            Type::Enum(&[
                Variant::new("yandex", "Yandex Cloud."),
                Variant::new("aws", "Amazon Web Services."),
                Variant::new("local", "Processes on one machine; needs no cloud account."),
            ]),
            "the cloud the system itself runs in",
            "\"yandex\"",
        )
        .default("\"yandex\""),
        Attribute::optional(
            "region",
            Type::Name,
            "the cloud's region or availability zone the system itself runs in",
            "\"ru-central1-a\"",
        )
        .derived("`ru-central1-a` on yandex, `eu-central-1` on aws"),
    ],
    example: r#"cloud {
  provider = "yandex"
  region   = "ru-central1-a"
}"#,
    ..Block::new(
        "cloud",
        "Where the system itself runs; eggs may run elsewhere. Left out, it is the cloud of the first `type` that names a \
         service of one, or else Yandex Cloud.",
    )
};

/// `env { … }`
static ENV: Block = Block {
    free_attributes: Some(Attribute::optional(
        "NAME",
        Type::EnvValue,
        "a variable the service sees: a string, or the URI of a secret that is read when it starts",
        "\"INFO\"",
    )),
    example: r#"env {
  LOG_LEVEL = "INFO"
}"#,
    ..Block::new("env", "Environment variables of the service.")
};

/// `env`, also known as `environment`, wherever a service takes it.
const ENV_CHILD: Child = Child::optional(&ENV).aliases(&["environment"]);

/// `service_account`, wherever something acts on the system's behalf.
const SERVICE_ACCOUNT: Attribute = Attribute::optional(
    "service_account",
    Type::Name,
    "the service account it acts as: the `name` of a block in `service_accounts`",
    "\"mothergoose-sa\"",
)
.derived("an account of its own, with only the roles it needs");
