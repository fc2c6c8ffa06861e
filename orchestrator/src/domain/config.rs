//! What the Nest says of the fleet, as the rules need it: limits and times, and nothing of clouds or files.

use std::{collections::BTreeMap, time::Duration};

use fly_std::policy::Predicate;
use flyc::artifact::RunnerType;
use serde::{Deserialize, Serialize};

/// The whole of it.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Eggs, buckets and jobs by name.
    pub eggs: BTreeMap<String, EggPolicy>,
    /// The pools that hold their runners.
    pub pools: BTreeMap<PoolId, Pool>,
    /// From which load on a pool gets one more runner before jobs wait for it.
    pub relief: BTreeMap<PoolId, Load>,
    /// When runners are taken out of service.
    pub pruning: Pruning,
    /// `UglyFox`'s rules, in order: the first that holds of a runner is acted on.
    pub rules: Vec<Rule>,
    /// How long things may take.
    pub deadlines: Deadlines,
}

/// The name of a pool: that of its `runners_condition`, or of the egg that is in none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PoolId {
    /// The pools of a `runners_condition`.
    Condition(String),
    /// The pools of an egg that no `runners_condition` names.
    Own(String),
}

/// What holds for the runners of one egg, bucket or job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EggPolicy {
    /// What runners are made of.
    pub runner_type: RunnerType,
    /// The most runners that are active at one time.
    pub concurrent: usize,
    /// How long a runner without a job stays active; the pool may say less.
    pub idle_timeout: Duration,
    /// Whether a runner takes one job and is destroyed.
    pub ephemeral: bool,
    /// The longest one of its runners may live once it is awake; none has no bound.
    pub lifetime: Option<Duration>,
    /// The pool its runners are in.
    pub pool: PoolId,
    /// The digest of what runners are made from; a runner made of another is older than its egg.
    pub digest: String,
    /// Whether an operator has stopped it: no runner is made or woken, and what runs is let finish.
    pub paused: bool,
}

/// A pool of active runners and one of sleeping ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Of active runners.
    pub apex: Limits,
    /// Of sleeping runners.
    pub nadir: Limits,
    /// How long an active runner goes without a job before it is put to sleep.
    pub idle_timeout: Duration,
}

/// How many there are at least and at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// At least.
    pub min: usize,
    /// At most.
    pub max: usize,
}

/// How much of its runners is in use, in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Of their CPU.
    pub cpu: u16,
    /// Of their memory.
    pub memory: u16,
}

/// `pruning`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruning {
    /// The failed jobs in a row after which a runner is terminated.
    pub failed_threshold: u64,
    /// The age at which a runner is replaced.
    pub max_age: Duration,
}

impl Default for Pruning {
    fn default() -> Self {
        Self { failed_threshold: 3, max_age: Duration::from_hours(24) }
    }
}

/// A rule of `policies`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// What must hold of a runner.
    pub condition: Predicate,
    /// What is done then.
    pub action: RuleAction,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleAction {
    /// The runner finishes its job and is destroyed.
    Terminate,
    /// It is put to sleep.
    Demote,
    /// It is woken.
    Promote,
    /// It is left as it is, and told of.
    Alert,
}

/// How long things may take before something is done about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// From the decision to make or wake a runner until it is heard of.
    pub boot: Duration,
    /// Between two signs of life.
    pub heartbeat: Duration,
    /// How old GitLab's word that a runner has no job may be when the runner is destroyed.
    pub word: Duration,
    /// From the moment a runner is asked to finish until it is destroyed even with a job.
    pub drain: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            boot: Duration::from_mins(15),
            heartbeat: Duration::from_mins(3),
            word: Duration::from_mins(1),
            drain: Duration::from_hours(24),
        }
    }
}

impl Config {
    /// The longest a serverless runner lives.
    pub const SERVERLESS: Duration = Duration::from_hours(1);
    /// What of that is kept for its start and its end, when no job runs.
    pub const SERVERLESS_MARGIN: Duration = Duration::from_mins(2);
    /// The longest job that a serverless runner takes: what is left gives it time to wait for one.
    pub const SERVERLESS_JOB: Duration = Duration::from_mins(56);
    /// The longest a job of the Nest's own takes.
    pub const JOB: Duration = Duration::from_mins(10);

    /// The pool of an egg.
    pub fn pool(&self, egg: &EggPolicy) -> Option<&Pool> {
        self.pools.get(&egg.pool)
    }
}
