//! `uglyfox`: how many runners are kept in each pool, and which are pruned.

use super::{Attribute, Block, Child, Constraint, Label};
use crate::types::{Entities, Type, Variant};

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 3600;

/// `uglyfox { … }`
pub static UGLYFOX: Block = Block {
    blocks: &[
        Child::optional(&PRUNING),
        Child::optional(&APEX),
        Child::optional(&NADIR),
        Child::many(&RUNNERS_CONDITION),
        Child::optional(&POLICIES),
    ],
    example: r#"uglyfox {
  pruning {
    failed_threshold = 3
    max_age          = 24h
  }

  runners_condition "default" {
    eggs_entities = ["my-app"]

    apex {
      max_count = 10
      min_count = 2
    }
  }

  policies {
    rule "terminate_old_failed" {
      condition = "failed_count >= 3 AND age > 1h"
      action    = "terminate"
    }
  }
}"#,
    ..Block::new("uglyfox", "The life of runners: pools, pruning and policies.")
};

/// `pruning { … }`
static PRUNING: Block = Block {
    attributes: &[
        Attribute::optional(
            "failed_threshold",
            Type::int(1, 1000),
            "the number of failed jobs in a row after which a runner is terminated",
            "3",
        )
        .default("3"),
        Attribute::optional(
            "max_age",
            Type::duration(MINUTE, 365 * DAY),
            "the age at which a runner is replaced, however healthy it is",
            "24h",
        )
        .default("24h"),
        Attribute::optional(
            "check_interval",
            Type::duration(MINUTE, DAY),
            "how often the health of every runner is looked at",
            "5m",
        )
        .default("5m"),
    ],
    example: r"pruning {
  failed_threshold = 3
  max_age          = 24h
  check_interval   = 5m
}",
    ..Block::new("pruning", "When runners are taken out of service.")
};

const APEX_MAX: Attribute = Attribute::optional(
    "max_count",
    Type::int(0, 10_000),
    "the most runners that are active at one time",
    "10",
);
const APEX_MIN: Attribute = Attribute::optional(
    "min_count",
    Type::int(0, 10_000),
    "the number of runners that are always kept active",
    "2",
);
const APEX_CPU: Attribute = Attribute::optional(
    "cpu_threshold",
    Type::Percent,
    "the CPU use over which another runner is brought up",
    "80%",
);
const APEX_MEMORY: Attribute = Attribute::optional(
    "memory_threshold",
    Type::Percent,
    "the memory use over which another runner is brought up",
    "70%",
);
const NADIR_MAX: Attribute =
    Attribute::optional("max_count", Type::int(0, 10_000), "the most runners that sleep at one time", "5");
const NADIR_MIN: Attribute = Attribute::optional(
    "min_count",
    Type::int(0, 10_000),
    "the number of sleeping runners kept ready to wake",
    "0",
);
const NADIR_IDLE: Attribute = Attribute::optional(
    "idle_timeout",
    Type::duration(MINUTE, 7 * DAY),
    "how long an active runner goes without a job before it is put to sleep",
    "30m",
);

const MIN_NOT_ABOVE_MAX: &[Constraint] = &[Constraint::NotAbove("min_count", "max_count")];

const APEX_DOC: &str = "The pool of active runners, ready to take a job at once.";
const APEX_EXAMPLE: &str = r"apex {
  max_count        = 10
  min_count        = 2
  cpu_threshold    = 80%
  memory_threshold = 70%
}";

const NADIR_DOC: &str =
    "The pool of sleeping runners: stopped virtual machines that wake faster than new ones start.";
const NADIR_EXAMPLE: &str = r"nadir {
  max_count    = 5
  min_count    = 0
  idle_timeout = 30m
}";

/// `apex { … }` directly in `uglyfox`: what holds where a `runners_condition` says nothing.
static APEX: Block = Block {
    attributes: &[
        APEX_MAX.default("10"),
        APEX_MIN.default("0"),
        APEX_CPU.default("80%"),
        APEX_MEMORY.default("80%"),
    ],
    constraints: MIN_NOT_ABOVE_MAX,
    example: APEX_EXAMPLE,
    ..Block::new("apex", APEX_DOC)
};

/// `nadir { … }` directly in `uglyfox`: what holds where a `runners_condition` says nothing.
static NADIR: Block = Block {
    attributes: &[NADIR_MAX.default("5"), NADIR_MIN.default("0"), NADIR_IDLE.default("30m")],
    constraints: MIN_NOT_ABOVE_MAX,
    example: NADIR_EXAMPLE,
    ..Block::new("nadir", NADIR_DOC)
};

/// `apex { … }` in a `runners_condition`.
static CONDITION_APEX: Block = Block {
    attributes: &[
        APEX_MAX.derived("`max_count` of the `apex` block directly in `uglyfox`, else 10"),
        APEX_MIN.derived("`min_count` of the `apex` block directly in `uglyfox`, else 0"),
        APEX_CPU.derived("`cpu_threshold` of the `apex` block directly in `uglyfox`, else 80%"),
        APEX_MEMORY.derived("`memory_threshold` of the `apex` block directly in `uglyfox`, else 80%"),
    ],
    constraints: MIN_NOT_ABOVE_MAX,
    example: APEX_EXAMPLE,
    ..Block::new("apex", APEX_DOC)
};

/// `nadir { … }` in a `runners_condition`.
static CONDITION_NADIR: Block = Block {
    attributes: &[
        NADIR_MAX.derived("`max_count` of the `nadir` block directly in `uglyfox`, else 5"),
        NADIR_MIN.derived("`min_count` of the `nadir` block directly in `uglyfox`, else 0"),
        NADIR_IDLE.derived("`idle_timeout` of the `nadir` block directly in `uglyfox`, else 30m"),
    ],
    constraints: MIN_NOT_ABOVE_MAX,
    example: NADIR_EXAMPLE,
    ..Block::new("nadir", NADIR_DOC)
};

/// `runners_condition "name" { … }`
static RUNNERS_CONDITION: Block = Block {
    label: Label::Name("the condition's name"),
    attributes: &[Attribute::required(
        "eggs_entities",
        Type::List(&Type::Entity(Entities::EggOrBucket)),
        "the eggs and buckets whose runners these pools hold",
        "[\"my-app\", \"microservices\"]",
    )],
    blocks: &[Child::optional(&CONDITION_APEX), Child::optional(&CONDITION_NADIR)],
    example: r#"runners_condition "default" {
  eggs_entities = ["my-app", "microservices"]

  apex {
    max_count = 10
    min_count = 2
  }

  nadir {
    max_count    = 5
    idle_timeout = 30m
  }
}"#,
    ..Block::new("runners_condition", "The pools of some eggs and buckets.")
};

/// `policies { … }`
static POLICIES: Block = Block {
    blocks: &[Child::many(&RULE)],
    example: r#"policies {
  rule "demote_idle" {
    condition = "state == 'apex' AND idle_time > 30m"
    action    = "demote_to_nadir"
  }
}"#,
    ..Block::new(
        "policies",
        "Rules that are tried in order for every runner; the first that holds is acted on.",
    )
};

/// `rule "name" { … }`
static RULE: Block = Block {
    label: Label::Name("the rule's name"),
    attributes: &[
        Attribute::required(
            "condition",
            Type::Condition,
            "what must hold of a runner for the action to be taken",
            "\"failed_count >= 3 AND age > 1h\"",
        ),
        Attribute::required(
            "action",
            Type::Enum(&[
                Variant::new("terminate", "The runner finishes its job and is destroyed."),
                Variant::new("demote_to_nadir", "The runner is put to sleep."),
                Variant::new("promote_to_apex", "The runner is woken."),
                Variant::new("alert", "The runner is left as it is, and its state is reported."),
            ]),
            "what is done with the runner",
            "\"terminate\"",
        ),
    ],
    example: r#"rule "terminate_old_failed" {
  condition = "failed_count >= 3 AND age > 1h"
  action    = "terminate"
}"#,
    ..Block::new("rule", "One condition on a runner, and what is done when it holds.")
};
