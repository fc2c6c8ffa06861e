//! `assert`: rules that an organisation makes for its own Nest.

use super::{Attribute, Block, Label};
use crate::types::{Type, Variant};

/// `assert "name" { … }`
pub static ASSERT: Block = Block {
    label: Label::Text("the rule's name"),
    attributes: &[
        Attribute::required(
            "over",
            Type::Keyword(OVER),
            "what the rule is about; it is tried for each of these, and called by this word in the condition",
            "egg",
        ),
        Attribute::required(
            "condition",
            Type::Predicate,
            "what must hold, over the block with all its defaults",
            "egg.resources.cpu <= 16",
        ),
        Attribute::required(
            "message",
            Type::String,
            "what is told when it does not hold",
            "\"Runners have 16 CPUs at most.\"",
        ),
        Attribute::optional(
            "severity",
            Type::Keyword(&[
                Variant::new("error", "The Nest can't be built."),
                Variant::new("warning", "The Nest is built all the same."),
            ]),
            "how grave it is when it does not hold",
            "warning",
        )
        .default("error"),
    ],
    example: r#"assert "small-runners" {
  over      = egg
  condition = egg.resources.cpu <= 16
  message   = "Runners have 16 CPUs at most."
}"#,
    ..Block::new("assert", "A rule of your own that the whole Nest is checked for.")
};

/// What a rule can be about.
pub const OVER: &[Variant] = &[
    Variant::new("egg", "Every egg and every bucket."),
    Variant::new("job", "Every job."),
    Variant::new("nest", "The Nest as a whole, once."),
];
