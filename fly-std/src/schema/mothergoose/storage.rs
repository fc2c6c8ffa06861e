//! `storage`: the buckets for the state and for binaries.

use super::{Attribute, Block, Child, Type, Variant};

/// `storage { … }`
pub(super) static STORAGE: Block = Block {
    attributes: &[Attribute::optional(
        "type",
        Type::Enum(&[
            Variant::new("yandex_storage", "Yandex Object Storage."),
            Variant::new("aws_s3", "Amazon S3."),
            Variant::new("local", "Folders on this machine."),
        ]),
        "the cloud service that holds the buckets",
        "\"aws_s3\"",
    )
    .derived("`yandex_storage` on yandex, `aws_s3` on aws, `local` on local")],
    blocks: &[Child::optional(&STATE_BUCKET), Child::optional(&BINARY_BUCKET)],
    example: r#"storage {
  state_bucket {
    name       = "polar-gosling-state"
    versioning = true
  }

  binary_bucket {
    name = "polar-gosling-binaries"
  }
}"#,
    ..Block::new("storage", "Where OpenTofu's state and the binaries of runners are kept.")
};

const NAME: Attribute = Attribute::optional(
    "name",
    Type::Name,
    "what the bucket is called in the cloud",
    "\"polar-gosling-state\"",
);

const VERSIONING: Attribute = Attribute::optional(
    "versioning",
    Type::Bool,
    "whether earlier versions of a file are kept when it changes",
    "true",
);

/// `state_bucket { … }`
static STATE_BUCKET: Block = Block {
    attributes: &[NAME.default("\"polar-gosling-state\""), VERSIONING.default("true")],
    blocks: &[Child::optional(&LIFECYCLE_RULES)],
    example: r#"state_bucket {
  name       = "polar-gosling-state"
  versioning = true

  lifecycle_rules {
    old_versions {
      expiration_days = 90
    }
  }
}"#,
    ..Block::new("state_bucket", "The bucket for OpenTofu's state.")
};

/// `binary_bucket { … }`
static BINARY_BUCKET: Block = Block {
    attributes: &[NAME.default("\"polar-gosling-binaries\""), VERSIONING.default("false")],
    blocks: &[Child::optional(&LIFECYCLE_RULES)],
    example: r#"binary_bucket {
  name       = "polar-gosling-binaries"
  versioning = false
}"#,
    ..Block::new("binary_bucket", "The bucket for the binaries that runners download.")
};

/// `lifecycle_rules { … }`
static LIFECYCLE_RULES: Block = Block {
    free_blocks: Some(&LIFECYCLE_RULE),
    example: r"lifecycle_rules {
  old_versions {
    expiration_days = 90
  }
}",
    ..Block::new("lifecycle_rules", "When files are removed, each rule a block with a name of your own.")
};

/// One rule in `lifecycle_rules`.
static LIFECYCLE_RULE: Block = Block {
    attributes: &[
        Attribute::required(
            "expiration_days",
            Type::int(1, 36_500),
            "the number of days after which earlier versions of a file are removed",
            "90",
        ),
        Attribute::optional(
            "prefix",
            Type::String,
            "the beginning of the names of the files it is about",
            "\"logs/\"",
        )
        .derived("every file"),
    ],
    example: r"old_versions {
  expiration_days = 90
}",
    ..Block::new("lifecycle_rule", "One rule about the removal of files.")
};
