//! `message_queues`: the queues between the API, the workers and `UglyFox`.

use super::{Attribute, Block, Child, DAY, MINUTE, Type, Variant};

/// `message_queues { … }`
pub(super) static MESSAGE_QUEUES: Block = Block {
    attributes: &[Attribute::optional(
        "type",
        Type::Enum(&[
            Variant::new("yandex_message_queue", "Yandex Message Queue."),
            Variant::new("aws_sqs", "Amazon SQS."),
            Variant::new("local", "A file on this machine."),
        ]),
        "the cloud service that holds the queues",
        "\"aws_sqs\"",
    )
    .derived("`yandex_message_queue` on yandex, `aws_sqs` on aws, `local` on local")],
    blocks: &[
        Child::optional(&WEBHOOK_QUEUE),
        Child::optional(&UGLYFOX_QUEUE),
        Child::many(&DEAD_LETTER_QUEUE),
    ],
    example: r#"message_queues {
  webhook_queue {
    name              = "mothergoose-webhooks"
    dead_letter_queue = "mothergoose-dlq"
  }

  dead_letter_queue {
    name              = "mothergoose-dlq"
    message_retention = 7d
  }
}"#,
    ..Block::new("message_queues", "The queues between the API, the workers and UglyFox.")
};

const NAME: Attribute = Attribute::optional(
    "name",
    Type::Name,
    "what the queue is called in the cloud",
    "\"mothergoose-webhooks\"",
);

const VISIBILITY: Attribute = Attribute::optional(
    "visibility_timeout",
    Type::seconds(0, 12 * 3600),
    "how long a message is hidden from others once a worker took it: a whole number of seconds, or a duration up to 12h",
    "5m",
);

const RETENTION: Attribute = Attribute::optional(
    "message_retention",
    Type::seconds(MINUTE, 14 * DAY),
    "how long a message nobody took is kept: a whole number of seconds, or a duration from 1m to 14d",
    "1d",
);

const MAX_RECEIVES: Attribute = Attribute::optional(
    "max_receives",
    Type::int(1, 1000),
    "how often a message is tried before it goes to the dead letter queue",
    "3",
);

const DEAD_LETTER: Attribute = Attribute::optional(
    "dead_letter_queue",
    Type::Name,
    "the queue for messages that failed too often: the `name` of a `dead_letter_queue` block",
    "\"mothergoose-dlq\"",
)
.derived("a dead letter queue of its own, kept 7d");

/// `webhook_queue { … }`
static WEBHOOK_QUEUE: Block = Block {
    attributes: &[
        NAME.default("\"mothergoose-webhooks\""),
        VISIBILITY.default("5m"),
        RETENTION.default("1d"),
        MAX_RECEIVES.default("3"),
        DEAD_LETTER,
    ],
    example: r#"webhook_queue {
  name               = "mothergoose-webhooks"
  visibility_timeout = 5m
  message_retention  = 1d
  max_receives       = 3
}"#,
    ..Block::new("webhook_queue", "Where webhooks wait for a worker.")
};

/// `uglyfox_queue { … }`
static UGLYFOX_QUEUE: Block = Block {
    attributes: &[
        NAME.default("\"uglyfox-tasks\""),
        VISIBILITY.default("3m"),
        RETENTION.default("1d"),
        MAX_RECEIVES.default("3"),
        DEAD_LETTER,
    ],
    example: r#"uglyfox_queue {
  name               = "uglyfox-tasks"
  visibility_timeout = 3m
}"#,
    ..Block::new("uglyfox_queue", "Where UglyFox's tasks wait.")
};

/// `dead_letter_queue { … }`
static DEAD_LETTER_QUEUE: Block = Block {
    attributes: &[
        Attribute::required(
            "name",
            Type::Name,
            "what the queue is called in the cloud",
            "\"mothergoose-dlq\"",
        ),
        RETENTION.default("7d"),
    ],
    example: r#"dead_letter_queue {
  name              = "mothergoose-dlq"
  message_retention = 7d
}"#,
    ..Block::new("dead_letter_queue", "A queue for messages that failed too often.")
};
