//! The decision: what is done now. One file a question; this one asks them in order.
//!
//! First what must happen to single runners, then what the waiting jobs need, then what nobody needs any more, and last
//! what is kept ready. Each question sees what the ones before decided.

mod keep;
mod one;
mod relief;
mod rest;
mod supply;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    Config, Demand, EggPolicy, Fleet, JobId, Pool, PoolId, PoolKind, Runner, RunnerId, Tally, Time,
    naming::runner_id,
};

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A new runner is made.
    Make {
        /// The egg.
        egg: String,
        /// The id it gets.
        runner: RunnerId,
        /// Its number, which is given once.
        number: u64,
    },
    /// A sleeping runner is woken.
    Wake {
        /// The runner.
        runner: RunnerId,
        /// Why.
        why: Why,
    },
    /// A runner without a job is put to sleep.
    Sleep {
        /// The runner.
        runner: RunnerId,
        /// Why.
        why: Why,
    },
    /// A runner finishes its job, takes no other, and is destroyed then.
    Drain {
        /// The runner.
        runner: RunnerId,
        /// Why.
        why: Why,
    },
    /// A runner is taken for lost.
    Fail {
        /// The runner.
        runner: RunnerId,
        /// Why.
        why: Why,
    },
    /// GitLab is asked whether a runner has a job.
    Ask {
        /// The runner.
        runner: RunnerId,
    },
    /// A runner is destroyed.
    Destroy {
        /// The runner.
        runner: RunnerId,
        /// Why.
        why: Why,
    },
    /// A person is told of a runner.
    Alert {
        /// The runner.
        runner: RunnerId,
        /// The rule that says so.
        rule: String,
    },
}

/// Why something is done: the reason that stands in the log and in the audit record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A job waits for it.
    Demand,
    /// The others of its pool have much to do.
    Load,
    /// So many are always kept active, or ready to wake.
    KeptReady,
    /// It had no job for long enough.
    Idle,
    /// It had no job, and another egg's job waits for its place.
    GivesWay,
    /// There are more than the configuration allows by now.
    TooMany,
    /// Its egg is in the Nest no longer.
    EggGone,
    /// It sleeps, and was made from an older configuration.
    Outdated,
    /// It was made from what its egg was rolled back from.
    RolledBack,
    /// It takes one job, and has had it.
    OneJob,
    /// Too many of its jobs failed in a row.
    Failures,
    /// It is too old.
    Age,
    /// It was not heard of in time after it was made or woken.
    Boot,
    /// It was not heard of for too long.
    Silent,
    /// The longest it may live is over.
    Lifetime,
    /// It was asked to finish long ago and has not.
    DrainDeadline,
    /// It has finished.
    Finished,
    /// A rule of `UglyFox` says so.
    Rule(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Demand => "a job waits for it",
            Self::Load => "the others have much to do",
            Self::KeptReady => "so many are kept ready",
            Self::Idle => "it had no job for long enough",
            Self::GivesWay => "it had no job, and another egg's job waits for its place",
            Self::TooMany => "there are more than the configuration allows",
            Self::EggGone => "its egg is in the Nest no longer",
            Self::Outdated => "it sleeps, and was made from an older configuration",
            Self::RolledBack => "it was made from what its egg was rolled back from",
            Self::OneJob => "it takes one job, and has had it",
            Self::Failures => "too many of its jobs failed in a row",
            Self::Age => "it is too old",
            Self::Boot => "it was not heard of in time after it was made or woken",
            Self::Silent => "it was not heard of for too long",
            Self::Lifetime => "the longest it may live is over",
            Self::DrainDeadline => "it was asked to finish long ago and has not",
            Self::Finished => "it has finished",
            Self::Rule(name) => return write!(f, "the rule `{name}` says so"),
        })
    }
}

impl Why {
    /// Who decided it, for the audit record: `policy:idle`, `rule:NAME`.
    pub fn actor(&self) -> String {
        let policy = match self {
            Self::Demand => "demand",
            Self::Load => "load",
            Self::KeptReady => "kept-ready",
            Self::Idle => "idle",
            Self::GivesWay => "gives-way",
            Self::TooMany => "too-many",
            Self::EggGone => "egg-gone",
            Self::Outdated => "outdated",
            Self::RolledBack => "rolled-back",
            Self::OneJob => "one-job",
            Self::Failures => "failures",
            Self::Age => "age",
            Self::Boot => "boot",
            Self::Silent => "silent",
            Self::Lifetime => "lifetime",
            Self::DrainDeadline => "drain-deadline",
            Self::Finished => "finished",
            Self::Rule(name) => return format!("rule:{name}"),
        };
        format!("policy:{policy}")
    }
}

/// What is to be done, in this order. The same arguments always give the same answer, and an answer that was carried out
/// gives no further actions but those that time brings.
pub fn decide(config: &Config, fleet: &Fleet, demand: &Demand, now: Time) -> Vec<Action> {
    let mut desk = Desk::new(config, fleet, demand, now);
    one::look(&mut desk);
    supply::serve(&mut desk);
    relief::relieve(&mut desk);
    rest::put_to_sleep(&mut desk);
    keep::keep_ready(&mut desk);
    desk.actions
}

/// What is known while deciding: the fleet as it stands, and what was decided so far.
struct Desk<'a> {
    config: &'a Config,
    fleet: &'a Fleet,
    now: Time,
    /// The jobs that wait, by egg.
    waiting: BTreeMap<&'a str, Vec<(Time, &'a JobId)>>,
    by_egg: BTreeMap<&'a str, Tally>,
    by_pool: BTreeMap<&'a PoolId, Tally>,
    /// The runners of each egg that are there, by id.
    runners: BTreeMap<&'a str, Vec<&'a Runner>>,
    /// The eggs of each pool, by name.
    eggs: BTreeMap<&'a PoolId, Vec<&'a str>>,
    /// The sleeping runners of each egg, the one that slept last behind the others.
    sleeping: BTreeMap<&'a str, Vec<&'a Runner>>,
    /// The runners something was decided of.
    taken: BTreeSet<&'a RunnerId>,
    /// How many were made of each egg.
    made: BTreeMap<&'a str, u64>,
    actions: Vec<Action>,
}

impl<'a> Desk<'a> {
    fn new(config: &'a Config, fleet: &'a Fleet, demand: &'a Demand, now: Time) -> Self {
        let mut runners: BTreeMap<&str, Vec<&Runner>> = BTreeMap::new();
        let mut sleeping: BTreeMap<&str, Vec<&Runner>> = BTreeMap::new();
        for runner in fleet.runners().filter(|runner| runner.is_there()) {
            runners.entry(&runner.egg).or_default().push(runner);
            if runner.is_asleep() {
                sleeping.entry(&runner.egg).or_default().push(runner);
            }
        }
        for asleep in sleeping.values_mut() {
            asleep.sort_unstable_by_key(|runner| (runner.changed, &runner.id));
        }
        let mut eggs: BTreeMap<&PoolId, Vec<&str>> = BTreeMap::new();
        for (name, egg) in &config.eggs {
            eggs.entry(&egg.pool).or_default().push(name);
        }
        Self {
            config,
            fleet,
            now,
            waiting: demand.waiting(),
            by_egg: fleet.by_egg(),
            by_pool: fleet.by_pool(config),
            runners,
            eggs,
            sleeping,
            taken: BTreeSet::new(),
            made: BTreeMap::new(),
            actions: Vec::new(),
        }
    }

    fn egg(&self, name: &str) -> Option<(&'a EggPolicy, &'a Pool)> {
        let egg = self.config.eggs.get(name)?;
        Some((egg, self.config.pool(egg)?))
    }

    fn of_egg(&self, name: &str) -> Tally {
        self.by_egg.get(name).copied().unwrap_or_default()
    }

    fn of_pool(&self, id: &PoolId) -> Tally {
        self.by_pool.get(id).copied().unwrap_or_default()
    }

    /// How many jobs wait for an egg.
    fn waiting(&self, egg: &str) -> usize {
        self.waiting.get(egg).map_or(0, Vec::len)
    }

    /// How many runners of an egg wait for a job, or soon will, beyond those that its waiting jobs will take.
    fn spare(&self, egg: &str) -> usize {
        let tally = self.of_egg(egg);
        (tally.idle + tally.booting).saturating_sub(self.waiting(egg))
    }

    /// The runners of an egg of which nothing was decided.
    fn free(&self, egg: &str) -> impl Iterator<Item = &'a Runner> {
        let runners = self.runners.get(egg).into_iter().flatten().copied();
        runners.filter(|runner| !self.taken.contains(&runner.id))
    }

    /// Whether one more runner of an egg may be active.
    fn has_room(&self, name: &str) -> bool {
        let Some((egg, pool)) = self.egg(name) else { return false };
        !egg.paused
            && self.of_egg(name).active < egg.concurrent
            && self.of_pool(&egg.pool).active < pool.apex.max
    }

    /// Changes the tallies of a runner's egg and pool.
    fn count(&mut self, egg: &'a str, change: impl Fn(&mut Tally)) {
        change(self.by_egg.entry(egg).or_default());
        if let Some(policy) = self.config.eggs.get(egg) {
            change(self.by_pool.entry(&policy.pool).or_default());
        }
    }

    /// Takes a runner out of the tallies as it was, for something was decided of it. It is active until that is done.
    fn take(&mut self, runner: &'a Runner) {
        self.taken.insert(&runner.id);
        let mut was = Tally::default();
        was.count(runner);
        self.count(&runner.egg, |tally| {
            tally.serving -= was.serving;
            tally.idle -= was.idle;
            tally.booting -= was.booting;
            tally.asleep -= was.asleep;
        });
    }

    fn drain(&mut self, runner: &'a Runner, why: Why) {
        self.take(runner);
        self.actions.push(Action::Drain { runner: runner.id.clone(), why });
    }

    fn sleep(&mut self, runner: &'a Runner, why: Why) {
        self.take(runner);
        self.count(&runner.egg, |tally| tally.asleep += 1);
        self.actions.push(Action::Sleep { runner: runner.id.clone(), why });
    }

    /// Puts a runner without a job to sleep; where no more may sleep, or it would not be woken again, it goes.
    fn dismiss(&mut self, runner: &'a Runner, why: Why) {
        let sleeps = self.egg(&runner.egg).is_some_and(|(egg, pool)| {
            !egg.ephemeral && runner.digest == egg.digest && self.of_pool(&egg.pool).asleep < pool.nadir.max
        });
        if sleeps {
            self.sleep(runner, why);
        } else {
            self.drain(runner, why);
        }
    }

    fn wake(&mut self, runner: &'a Runner, why: Why) {
        self.take(runner);
        let was_active = runner.settled == PoolKind::Apex;
        self.count(&runner.egg, |tally| {
            tally.serving += 1;
            tally.booting += 1;
            tally.active += usize::from(!was_active);
        });
        self.actions.push(Action::Wake { runner: runner.id.clone(), why });
    }

    /// One more runner of an egg: one that sleeps, else a new one.
    fn add(&mut self, name: &'a str, why: Why) {
        // The one that slept last has the warmest disk.
        while let Some(runner) = self.sleeping.get_mut(name).and_then(Vec::pop) {
            if !self.taken.contains(&runner.id) {
                return self.wake(runner, why);
            }
        }
        self.make(name);
    }

    /// A new runner of an egg.
    fn make(&mut self, name: &'a str) {
        let made = self.made.entry(name).or_default();
        let number = self.fleet.next_number(name) + *made;
        *made += 1;
        self.count(name, |tally| {
            tally.active += 1;
            tally.serving += 1;
            tally.booting += 1;
        });
        self.actions.push(Action::Make { egg: name.to_owned(), runner: runner_id(name, number), number });
    }
}
