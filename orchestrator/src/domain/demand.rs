//! Who waits for a runner. Hooks and sweeps change it, in any order and as often as they come.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{RunnerId, Time};

/// A job of GitLab's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobId {
    /// The host of its server.
    pub server: SmolStr,
    /// The number it has there.
    pub number: u64,
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.server, self.number)
    }
}

/// What GitLab says of a job. A job only ever goes on: what comes late changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// Waits for other jobs or for a person.
    Created,
    /// Waits for a runner.
    Pending,
    /// A runner has it.
    Running,
    /// It ended well.
    Succeeded,
    /// It ended badly.
    Failed,
    /// Somebody ended it.
    Canceled,
}

impl JobStatus {
    /// Whether nothing more becomes of it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }

    /// How far a job with this status is. All ends are as far: the first that is told counts.
    const fn progress(self) -> u8 {
        match self {
            Self::Created => 0,
            Self::Pending => 1,
            Self::Running => 2,
            Self::Succeeded | Self::Failed | Self::Canceled => 3,
        }
    }
}

/// A job that is or was waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its project.
    pub project: u64,
    /// The egg whose runners serve it; none serves it when none matches.
    pub egg: Option<String>,
    /// The tags it asks for, in order.
    pub tags: BTreeSet<String>,
    /// How far it is.
    pub status: JobStatus,
    /// When it was first heard of.
    pub since: Time,
    /// When its status was last told.
    pub told: Time,
    /// The runner that has or had it.
    pub runner: Option<RunnerId>,
}

/// Whether something told of a job was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It was.
    New,
    /// It was told before, or comes after something later.
    Known,
}

/// All jobs that are not long over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Demand {
    jobs: BTreeMap<JobId, Job>,
}

impl Demand {
    /// Of these jobs.
    pub fn new(jobs: impl IntoIterator<Item = (JobId, Job)>) -> Self {
        Self { jobs: jobs.into_iter().collect() }
    }

    /// A job.
    pub fn get(&self, id: &JobId) -> Option<&Job> {
        self.jobs.get(id)
    }

    /// Every job, by number.
    pub fn jobs(&self) -> impl Iterator<Item = (&JobId, &Job)> {
        self.jobs.iter()
    }

    /// Takes what was told of a job. What is not further than what is known changes nothing.
    pub fn tell(&mut self, id: JobId, told: Job) -> Seen {
        let Some(known) = self.jobs.get_mut(&id) else {
            self.jobs.insert(id, told);
            return Seen::New;
        };
        if told.status.progress() <= known.status.progress() {
            return Seen::Known;
        }
        // Who was told first keeps its place in the line; what an earlier hook knew, a later one may not.
        let since = known.since.min(told.since);
        let egg = told.egg.or_else(|| known.egg.take());
        let runner = told.runner.or_else(|| known.runner.take());
        *known = Job { egg, since, runner, ..told };
        Seen::New
    }

    /// Takes the list of all jobs of a project that wait, as GitLab gave it at a moment: what it doesn't name waits no
    /// longer, unless it was told of since. Those it names must have been told already.
    pub fn sweep(&mut self, server: &str, project: u64, waiting: &BTreeSet<JobId>, asked: Time) -> usize {
        let before = self.jobs.len();
        self.jobs.retain(|id, job| {
            id.server != server
                || job.project != project
                || job.status > JobStatus::Pending
                || waiting.contains(id)
                || job.told >= asked
        });
        before - self.jobs.len()
    }

    /// Forgets jobs that have been over for this long: no hook of theirs comes any more.
    pub fn forget(&mut self, over_before: Time) {
        self.jobs.retain(|_, job| !job.status.is_over() || job.told >= over_before);
    }

    /// The jobs that wait for a runner of an egg, by egg, the first in the line first.
    pub fn waiting(&self) -> BTreeMap<&str, Vec<(Time, &JobId)>> {
        let mut waiting: BTreeMap<&str, Vec<(Time, &JobId)>> = BTreeMap::new();
        for (id, job) in self.jobs.iter().filter(|(_, job)| job.status == JobStatus::Pending) {
            if let Some(egg) = &job.egg {
                waiting.entry(egg).or_default().push((job.since, id));
            }
        }
        for line in waiting.values_mut() {
            line.sort_unstable();
        }
        waiting
    }

    /// How many jobs wait, by egg and the tags they ask for.
    pub fn classes(&self) -> BTreeMap<(Option<&str>, &BTreeSet<String>), usize> {
        let mut classes = BTreeMap::new();
        for job in self.jobs.values().filter(|job| job.status == JobStatus::Pending) {
            *classes.entry((job.egg.as_deref(), &job.tags)).or_default() += 1;
        }
        classes
    }
}
