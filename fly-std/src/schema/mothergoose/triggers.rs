//! `triggers`: what the system does by the clock.

use super::{Attribute, Block, SERVICE_ACCOUNT, Type, Variant, gateway::METHODS};

/// `triggers { … }`
pub(super) static TRIGGERS: Block = Block {
    free_blocks: Some(&TRIGGER),
    example: r#"triggers {
  git_sync {
    schedule = "*/5 * * * *"
    endpoint = "/internal/sync-git"
  }
}"#,
    ..Block::new(
        "triggers",
        "Calls made by the clock, each a block with a name of your own. `git_sync`, `health_check` and \
         `metrics_collection` are there even when not written.",
    )
};

/// One trigger in `triggers`.
static TRIGGER: Block = Block {
    attributes: &[
        Attribute::optional(
            "type",
            Type::Enum(&[
                Variant::new("yandex_timer_trigger", "A timer trigger of Yandex Cloud Functions."),
                Variant::new("aws_eventbridge_scheduler", "A schedule of Amazon EventBridge."),
                Variant::new("local", "A timer within the API process on this machine."),
            ]),
            "the cloud service that keeps the time",
            "\"aws_eventbridge_scheduler\"",
        )
        .derived("`yandex_timer_trigger` on yandex, `aws_eventbridge_scheduler` on aws, `local` on local"),
        Attribute::optional(
            "name",
            Type::Name,
            "what the trigger is called in the cloud",
            "\"git-sync-trigger\"",
        )
        .derived("the name of its block, with `-` for `_`, and `-trigger`"),
        Attribute::optional(
            "schedule",
            Type::Cron,
            "when the call is made: minute, hour, day of the month, month, day of the week",
            "\"*/5 * * * *\"",
        )
        .derived(
            "every 5 minutes for `git_sync`, 10 for `health_check`, 1 for `metrics_collection` and any other",
        ),
        Attribute::optional(
            "target_function",
            Type::Name,
            "the service that is called: the `name` of `fastapi_app`, `celery_workers` or `uglyfox_workers`",
            "\"mothergoose-api\"",
        )
        .derived("the name of `fastapi_app`"),
        Attribute::optional(
            "endpoint",
            Type::String,
            "the path of the API that is called",
            "\"/internal/sync-git\"",
        )
        .derived(
            "`/internal/` and the name of its block, with `-` for `_`, unless MotherGoose knows the trigger",
        ),
        Attribute::optional("method", Type::Enum(METHODS), "the HTTP method of the call", "\"POST\"")
            .default("\"POST\""),
        SERVICE_ACCOUNT,
    ],
    example: r#"git_sync {
  name            = "git-sync-trigger"
  schedule        = "*/5 * * * *"
  target_function = "mothergoose-api"
  endpoint        = "/internal/sync-git"
  method          = "POST"
}"#,
    ..Block::new("trigger", "One call made by the clock.")
};
