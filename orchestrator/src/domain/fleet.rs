//! All runners, and how many there are of which kind.

use std::collections::BTreeMap;

use super::{Config, PoolId, Runner, RunnerId, State};

/// The runners of an installation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fleet {
    runners: BTreeMap<RunnerId, Runner>,
    /// The number that the next runner of an egg gets: it is above every one that was ever given.
    next: BTreeMap<String, u64>,
}

/// How many runners there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// That count against the most that may be active.
    pub active: usize,
    /// That take jobs or soon will.
    pub serving: usize,
    /// That wait for a job.
    pub idle: usize,
    /// That are being made or woken.
    pub booting: usize,
    /// That sleep.
    pub asleep: usize,
}

impl Tally {
    pub(super) fn count(&mut self, runner: &Runner) {
        self.active += usize::from(runner.is_active());
        self.serving += usize::from(runner.is_serving());
        self.idle += usize::from(runner.state == State::Idle);
        self.booting += usize::from(runner.is_booting());
        self.asleep += usize::from(runner.is_asleep());
    }
}

impl Fleet {
    /// These runners, and the next number of each egg.
    pub fn new(runners: impl IntoIterator<Item = Runner>, next: BTreeMap<String, u64>) -> Self {
        Self { runners: runners.into_iter().map(|runner| (runner.id.clone(), runner)).collect(), next }
    }

    /// A runner.
    pub fn get(&self, id: &RunnerId) -> Option<&Runner> {
        self.runners.get(id)
    }

    /// Every runner, by id.
    pub fn runners(&self) -> impl Iterator<Item = &Runner> {
        self.runners.values()
    }

    /// The number that the next runner of an egg gets.
    pub fn next_number(&self, egg: &str) -> u64 {
        self.next.get(egg).copied().unwrap_or(1)
    }

    /// Adds a runner, or takes its new state.
    pub fn put(&mut self, runner: Runner) {
        self.runners.insert(runner.id.clone(), runner);
    }

    /// Gives away the next number of an egg.
    pub fn take_number(&mut self, egg: &str) -> u64 {
        let number = self.next_number(egg);
        self.next.insert(egg.to_owned(), number + 1);
        number
    }

    /// Forgets a runner of which nothing is left.
    pub fn remove(&mut self, id: &RunnerId) {
        self.runners.remove(id);
    }

    /// How many there are by egg.
    pub fn by_egg(&self) -> BTreeMap<&str, Tally> {
        let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
        for runner in self.runners.values() {
            tallies.entry(&runner.egg).or_default().count(runner);
        }
        tallies
    }

    /// How many there are by pool; those of eggs that are in the Nest no longer are in none.
    pub fn by_pool<'c>(&self, config: &'c Config) -> BTreeMap<&'c PoolId, Tally> {
        let mut tallies: BTreeMap<&PoolId, Tally> = BTreeMap::new();
        for runner in self.runners.values() {
            if let Some(egg) = config.eggs.get(&runner.egg) {
                tallies.entry(&egg.pool).or_default().count(runner);
            }
        }
        tallies
    }
}
