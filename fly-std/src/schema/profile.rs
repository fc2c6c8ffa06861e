//! `profile`: values that several eggs and buckets share.

use super::{
    Attribute, Block, Child, Label,
    egg::{CLOUD, ENVIRONMENT, RESOURCES, RUNNER, RUNNER_TYPES},
    gitlab::GITLAB,
    rift,
};
use crate::types::Type;

/// `profile "name" { … }`
pub static PROFILE: Block = Block {
    label: Label::Name("the profile's name"),
    attributes: &[
        Attribute::optional(
            "extends",
            Type::Profile,
            "another profile, whose values hold where this one gives none",
            "profile.standard",
        ),
        Attribute::optional("type", Type::Enum(RUNNER_TYPES), "what the runners are made of", "\"vm\""),
    ],
    blocks: &[
        Child::optional(&CLOUD),
        Child::optional(&RESOURCES),
        Child::optional(&RUNNER),
        Child::optional(&PROFILE_GITLAB),
        Child::optional(&ENVIRONMENT),
        Child::optional(&rift::RIFT_REFERENCE),
    ],
    example: r#"profile "standard" {
  type = "vm"

  resources {
    cpu    = 2
    memory = 4GiB
  }

  runner {
    tags = ["docker", "linux"]
  }
}"#,
    ..Block::new(
        "profile",
        "Values for the eggs and buckets that say `extends = profile.NAME`; what these give themselves wins.",
    )
};

/// `gitlab { … }` of a profile: which project it is may be left to the eggs.
static PROFILE_GITLAB: Block = Block { constraints: &[], ..GITLAB };
