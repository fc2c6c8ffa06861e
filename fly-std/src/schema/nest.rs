//! `nest`, `locals` and `variable`: what holds for the whole Nest, and names for values.

use super::{Attribute, Block, Child, Label};
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
    blocks: &[Child::optional(&NEST_GITLAB), Child::optional(&VARIABLES)],
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

/// `variables { … }` of a Nest.
pub static VARIABLES: Block = Block {
    free_attributes: Some(Attribute::optional(
        "NAME",
        Type::Any,
        "the value of the variable of that name, unless `--var` gives another",
        "\"eu-central-1\"",
    )),
    example: r#"variables {
  region = "eu-central-1"
}"#,
    ..Block::new("variables", "Values of the Nest's variables, in place of their defaults.")
};

/// `variable "name" { … }`
pub static VARIABLE: Block = Block {
    label: Label::Identifier("the variable's name"),
    attributes: &[
        Attribute::optional("type", Type::TypeName, "what its values are", "list<string>")
            .derived("the type of `default`, else `string`"),
        Attribute::optional(
            "default",
            Type::Any,
            "the value it has when neither `nest.fly` nor `--var` gives one; without it, one of them must",
            "[\"docker\"]",
        ),
        Attribute::optional(
            "allowed",
            Type::List(&Type::Any),
            "the only values it may have",
            "[[\"docker\"], [\"docker\", \"linux\"]]",
        ),
        Attribute::optional(
            "description",
            Type::String,
            "what it is for, in a sentence",
            "\"The tags of ordinary runners.\"",
        ),
        Attribute::optional(
            "sensitive",
            Type::Bool,
            "whether its value is a secret: it is never shown, and goes only where secrets may go",
            "true",
        )
        .default("false"),
    ],
    example: r#"variable "region" {
  type        = string
  default     = "ru-central1-a"
  allowed     = ["ru-central1-a", "ru-central1-b"]
  description = "Where ordinary runners are made."
}"#,
    ..Block::new("variable", "A value that is set for the whole Nest, used as `var.NAME`.")
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
