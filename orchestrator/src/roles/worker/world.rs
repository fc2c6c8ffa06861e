//! What decisions see: eggs, runners and jobs as the database has them, and which eggs are not as they should be.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
};

use super::{Failure, register};
use crate::{
    domain::{Config, Demand, Fleet, JobId, JobStatus, PoolKind, RunnerId, State},
    nest,
    records::{self, EggRecord, JobRecord, Made, NestRecord, RunnerRecord, Versioned},
    roles::Context,
};

/// Everything there is.
pub(super) struct World {
    /// Every egg that was ever in the Nest, by name.
    pub(super) eggs: BTreeMap<String, Versioned<EggRecord>>,
    /// Every runner of which something may be there, by id.
    pub(super) runners: BTreeMap<RunnerId, Versioned<RunnerRecord>>,
    /// What the Nest says.
    pub(super) config: Config,
    /// Who waits.
    pub(super) demand: Demand,
}

impl World {
    pub(super) async fn load(context: &Context) -> Result<Self, Failure> {
        let store = &*context.ports.store;
        let eggs = records::all::<EggRecord>(store, None, None).await?;
        // The runners before the jobs: one that takes a job in between is seen idle, and its job waits no longer. The other
        // way round its job would wait and no runner be free for it, and one would be made that nobody needs.
        let runners = records::all::<RunnerRecord>(store, None, None).await?;
        let jobs = records::all::<JobRecord>(store, None, None).await?;
        let nest = records::get::<NestRecord>(store, NestRecord::id()).await?;
        let uglyfox = nest.as_ref().and_then(|nest| nest.record.uglyfox.as_ref());
        let known: Vec<EggRecord> = eggs.iter().map(|egg| egg.record.clone()).collect();
        let mut config = nest::config(&known, uglyfox, context.settings.deadlines);
        for record in &known {
            if let Some((egg, pin)) = config.eggs.get_mut(&record.name).zip(record.pin()) {
                egg.digest.clone_from(&pin.digest);
            }
        }
        // A runner's heartbeat may be here before the hook of the job that it has.
        let taken: BTreeSet<JobId> =
            runners.iter().flat_map(|runner| &runner.record.runner.jobs).cloned().collect();
        let jobs = jobs.into_iter().map(|mut job| {
            if job.record.job.status == JobStatus::Pending && taken.contains(&job.record.id) {
                job.record.job.status = JobStatus::Running;
            }
            job
        });
        let there = runners.into_iter().filter(|runner| runner.record.runner.state != State::Terminated);
        Ok(Self {
            eggs: eggs.into_iter().map(|egg| (egg.record.name.clone(), egg)).collect(),
            runners: there.map(|runner| (runner.record.runner.id.clone(), runner)).collect(),
            config,
            demand: Demand::new(jobs.map(|job| (job.record.id, job.record.job))),
        })
    }

    /// The runners, and the next number of each egg.
    pub(super) fn fleet(&self) -> Fleet {
        let runners = self.runners.values().map(|runner| runner.record.runner.clone());
        let next = self.eggs.iter().map(|(name, egg)| (name.clone(), egg.record.next_number));
        Fleet::new(runners, next.collect())
    }

    /// The runners of each egg.
    pub(super) fn by_egg(&self) -> BTreeMap<&str, Vec<&RunnerRecord>> {
        let mut found: BTreeMap<&str, Vec<&RunnerRecord>> = BTreeMap::new();
        for runner in self.runners.values() {
            found.entry(&runner.record.runner.egg).or_default().push(&runner.record);
        }
        found
    }
}

/// Whether a deployment has something to do for a runner.
pub(super) fn is_unsettled(record: &RunnerRecord) -> bool {
    match record.runner.wanted() {
        Some(pool) => record.care.made != Made::Yes || record.runner.settled != pool,
        None => record.runner.is_there(),
    }
}

/// Whether a deployment of an egg has something to do.
pub(super) fn needs_deployment(context: &Context, egg: &EggRecord, runners: &[&RunnerRecord]) -> bool {
    egg.failures > 0
        || runners.iter().any(|runner| is_unsettled(runner))
        || register::is_due(context, egg, runners)
}

/// Tells one wanted fleet from another.
pub(super) fn fingerprint(egg: &EggRecord, runners: &[&RunnerRecord]) -> u64 {
    let wanted: Vec<(&RunnerId, Option<PoolKind>, PoolKind, Made)> = runners
        .iter()
        .map(|record| {
            let runner = &record.runner;
            (&runner.id, runner.wanted(), runner.settled, record.care.made)
        })
        .collect();
    let text = format!("{wanted:?}/{}/{}/{}", egg.made_from().0, egg.failures, egg.removed);
    BuildHasherDefault::<DefaultHasher>::default().hash_one(text)
}
