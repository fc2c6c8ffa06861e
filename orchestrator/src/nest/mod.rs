//! What a Nest that was synced means to the rules: its limits and policies as the domain's [`Config`], and which owner's
//! runners take a job. Pure: records in, answers out; every judgement about Fly is `flyc`'s.

mod routes;

use std::time::Duration;

use flyc::artifact::{Block, BlockConfig, BlockValue};

use crate::{
    domain::{Config, Deadlines, EggPolicy, Limits, Load, Pool, PoolId, Pruning, Rule, RuleAction},
    records::{EggRecord, Served},
};
pub use routes::{Choice, Routes};

/// How many runners of an egg sleep at most, and how long one goes without a job before it does, where the Nest has no
/// `uglyfox` block. They are the language's own defaults.
const ASLEEP: usize = 5;
const IDLE: Duration = Duration::from_mins(30);

/// What the rules decide by. Eggs that left the Nest are not in it.
///
/// The eggs of a `runners_condition` share its pools. One that no condition names has pools of its own, within the limits
/// that stand directly in `uglyfox`; in a Nest without that block an egg is limited by its own `concurrent` alone. A job of the
/// Nest's own is in no condition: one runner, one job, and it is gone.
pub fn config(eggs: &[EggRecord], uglyfox: Option<&BlockConfig>, deadlines: Deadlines) -> Config {
    let uglyfox = uglyfox.map(|config| &config.block);
    let mut config = Config {
        pruning: uglyfox.and_then(|block| block.block("pruning")).map(pruning).unwrap_or_default(),
        rules: uglyfox.and_then(|block| block.block("policies")).map(rules).unwrap_or_default(),
        deadlines,
        ..Config::default()
    };
    for record in eggs.iter().filter(|record| !record.removed) {
        let condition = uglyfox.and_then(|block| condition_of(block, &record.name));
        let policy = policy(record, condition, deadlines);
        let pool = match (&record.served, condition, uglyfox) {
            (Served::Job(_), ..) => Pool {
                apex: Limits { min: 0, max: policy.concurrent },
                nadir: Limits { min: 0, max: 0 },
                idle_timeout: policy.idle_timeout,
            },
            (Served::Egg(_), Some(limits), _) | (Served::Egg(_), None, Some(limits)) => pool(limits),
            (Served::Egg(_), None, None) => Pool {
                apex: Limits { min: 0, max: policy.concurrent },
                nadir: Limits { min: 0, max: ASLEEP },
                idle_timeout: IDLE,
            },
        };
        if let (Served::Egg(_), Some(limits)) = (&record.served, condition.or(uglyfox)) {
            config.relief.insert(policy.pool.clone(), load(limits));
        }
        config.pools.insert(policy.pool.clone(), pool);
        config.eggs.insert(record.name.clone(), policy);
    }
    config
}

fn policy(record: &EggRecord, condition: Option<&Block>, deadlines: Deadlines) -> EggPolicy {
    let (runner_type, runner) = match &record.served {
        Served::Egg(egg) => (egg.runner_type, &egg.runner),
        Served::Job(job) => (job.runner_type, &job.runner),
    };
    let is_job = matches!(record.served, Served::Job(_));
    let bound = match runner_type {
        flyc::artifact::RunnerType::Vm => None,
        flyc::artifact::RunnerType::Serverless => Some(Config::SERVERLESS),
    };
    let lifetime = if is_job {
        // The ten minutes are the job's; its runner has to come up before.
        let most = Config::JOB + deadlines.boot;
        Some(bound.map_or(most, |bound| bound.min(most)))
    } else {
        bound
    };
    let pool = match condition {
        Some(condition) if !is_job => PoolId::Condition(condition.name.clone().unwrap_or_default()),
        _ => PoolId::Own(record.name.clone()),
    };
    EggPolicy {
        runner_type,
        concurrent: usize::try_from(runner.concurrent).unwrap_or(usize::MAX),
        idle_timeout: Duration::from_secs(runner.idle_timeout_s),
        ephemeral: runner.ephemeral,
        lifetime,
        pool,
        digest: record.digest.clone(),
        // Without a runner in GitLab its machines would have nothing to do.
        paused: record.paused || record.is_unlinked(),
    }
}

/// The `runners_condition` that names an egg; the compiler sees to it that there is one at most.
fn condition_of<'a>(uglyfox: &'a Block, egg: &str) -> Option<&'a Block> {
    let names = |block: &&Block| match block.attributes.get("eggs_entities") {
        Some(BlockValue::List(names)) => names.iter().any(|name| text(name) == Some(egg)),
        _ => false,
    };
    uglyfox.blocks.iter().filter(|block| block.kind == "runners_condition").find(names)
}

/// The pools of a block with `apex` and `nadir` in it. `flyc` writes every default out, so what is missing is nothing.
fn pool(block: &Block) -> Pool {
    let (apex, nadir) = (block.block("apex"), block.block("nadir"));
    Pool {
        apex: limits(apex),
        nadir: limits(nadir),
        idle_timeout: nadir.and_then(|nadir| duration(nadir, "idle_timeout")).unwrap_or(IDLE),
    }
}

fn limits(block: Option<&Block>) -> Limits {
    let count = |name| block.and_then(|block| int(block, name)).and_then(|count| usize::try_from(count).ok());
    Limits { min: count("min_count").unwrap_or(0), max: count("max_count").unwrap_or(0) }
}

/// The load from which on one more is brought up. `flyc` writes every default out; nothing is over 100%.
fn load(block: &Block) -> Load {
    let apex = block.block("apex");
    let percent = |name| match apex.and_then(|apex| apex.attributes.get(name)) {
        Some(BlockValue::Percent(percent)) => hundredths(*percent),
        _ => WHOLE,
    };
    Load { cpu: percent("cpu_threshold"), memory: percent("memory_threshold") }
}

/// 100%
const WHOLE: u16 = 10_000;

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 0 and 10,000")]
fn hundredths(percent: f64) -> u16 {
    (percent.clamp(0.0, 100.0) * 100.0).round() as u16
}

/// How often all runners are looked at, at least; none where the Nest has no `uglyfox` block.
pub fn check_interval(uglyfox: &BlockConfig) -> Option<Duration> {
    duration(uglyfox.block.block("pruning")?, "check_interval")
}

fn pruning(block: &Block) -> Pruning {
    let default = Pruning::default();
    Pruning {
        failed_threshold: int(block, "failed_threshold").unwrap_or(default.failed_threshold),
        max_age: duration(block, "max_age").unwrap_or(default.max_age),
    }
}

fn rules(policies: &Block) -> Vec<Rule> {
    let rule = |block: &Block| {
        let BlockValue::Condition(condition) = block.attributes.get("condition")? else { return None };
        let action = match text(block.attributes.get("action")?)? {
            "terminate" => RuleAction::Terminate,
            "demote_to_nadir" => RuleAction::Demote,
            "promote_to_apex" => RuleAction::Promote,
            "alert" => RuleAction::Alert,
            _ => return None,
        };
        let name = block.name.clone().unwrap_or_default();
        Some(Rule { name, condition: condition.predicate.clone(), action })
    };
    policies.blocks.iter().filter(|block| block.kind == "rule").filter_map(rule).collect()
}

fn text(value: &BlockValue) -> Option<&str> {
    match value {
        BlockValue::Text(text) => Some(text),
        _ => None,
    }
}

fn int(block: &Block, name: &str) -> Option<u64> {
    match block.attributes.get(name)? {
        BlockValue::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

fn duration(block: &Block, name: &str) -> Option<Duration> {
    match block.attributes.get(name)? {
        BlockValue::DurationS(seconds) => Some(Duration::from_secs(*seconds)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
