//! `nest` and `locals`: what holds for the whole Nest, and names for values.

use super::{Attribute, Block, Child};
use crate::types::Type;

/// `nest { … }`
pub static NEST: Block = Block {
    attributes: &[
        Attribute::optional(
            "edition",
            Type::int(EDITION, EDITION),
            "the edition of the Fly language the Nest is written in; this version of Fly knows 2026",
            "2026",
        )
        .default("2026"),
        Attribute::optional(
            "name",
            Type::Name,
            "what the Nest is called in labels and reports",
            "\"platform\"",
        )
        .default("\"nest\""),
    ],
    blocks: &[Child::optional(&NEST_GITLAB)],
    example: r#"nest {
  edition = 2026
  name    = "platform"

  gitlab {
    server     = "gitlab.company.com"
    project_id = 42
  }
}"#,
    ..Block::new("nest", "What holds for the whole Nest.")
};

const EDITION: i64 = crate::DEFAULT_EDITION as i64;

/// `gitlab { … }` of a Nest.
static NEST_GITLAB: Block = Block {
    attributes: &[
        Attribute::optional(
            "server",
            Type::Fqdn,
            "the GitLab server of the Nest's own repository, and of every egg that names none",
            "\"gitlab.company.com\"",
        )
        .default("\"gitlab.com\""),
        Attribute::optional(
            "project_id",
            Type::int(1, i64::MAX),
            "the number of the project that holds the Nest; its pipelines run the jobs",
            "42",
        ),
        Attribute::optional("branch", Type::String, "the branch that is deployed", "\"main\"")
            .default("\"main\""),
    ],
    example: r#"gitlab {
  server     = "gitlab.company.com"
  project_id = 42
  branch     = "main"
}"#,
    ..Block::new("gitlab", "Where the Nest itself is kept.")
};

/// `locals { … }`
pub static LOCALS: Block = Block {
    free_attributes: Some(Attribute::optional(
        "NAME",
        Type::Any,
        "a value other places refer to as `local.NAME`",
        "[\"docker\", \"linux\"]",
    )),
    example: r#"locals {
  region = "ru-central1-a"
  tags   = ["docker", "linux"]
}"#,
    ..Block::new("locals", "Names for values that are used in more than one place.")
};
