//! How a runner is: what it has heard of its agent, and what it tells `MotherGoose` of that. No time and no process in it.

use std::collections::BTreeSet;

use super::lines::{Event, Outcome};
use crate::wire::runner::RunnerMood;

/// How the agent's process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Starting,
    Working,
    Down,
}

/// How a runner is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) phase: Phase,
    /// It takes no job any more.
    pub(super) draining: bool,
    pub(super) jobs: BTreeSet<u64>,
    pub(super) jobs_done: u64,
    /// Jobs in a row that failed by the runner's fault, and deaths of the agent since one went well.
    pub(super) failures: u64,
    pub(super) agent_version: Option<String>,
    /// The revision of what the agent was told and has read.
    pub(super) revision: Option<u64>,
}

impl Condition {
    pub(super) const fn new() -> Self {
        Self {
            phase: Phase::Starting,
            draining: false,
            jobs: BTreeSet::new(),
            jobs_done: 0,
            failures: 0,
            agent_version: None,
            revision: None,
        }
    }

    pub(super) fn mood(&self) -> RunnerMood {
        match self.phase {
            _ if self.draining => RunnerMood::Draining,
            Phase::Down => RunnerMood::Failing,
            _ if !self.jobs.is_empty() => RunnerMood::Busy,
            Phase::Starting => RunnerMood::Starting,
            Phase::Working => RunnerMood::Idle,
        }
    }

    /// The agent said something.
    pub(super) fn heard(&mut self, event: Event) {
        if self.phase == Phase::Starting && !matches!(event, Event::Loaded | Event::Stopping) {
            self.phase = Phase::Working;
        }
        match event {
            Event::Ready | Event::Loaded | Event::Stopping => {}
            Event::Took(job) => {
                self.jobs.insert(job);
            }
            // It is still busy: who destroyed the machine now would take from GitLab how the job ended.
            Event::Ended(_, Outcome::Ran) => self.failures = 0,
            Event::Ended(_, Outcome::SystemFailure) => self.failures += 1,
            Event::Left(job) => {
                if self.jobs.remove(&job) {
                    self.jobs_done += 1;
                }
            }
        }
    }

    /// The agent is started.
    pub(super) const fn started(&mut self) {
        self.phase = Phase::Starting;
    }

    /// The agent has ended as it was asked to.
    pub(super) fn stopped(&mut self) {
        self.jobs.clear();
    }

    /// The agent has died, or could not be started.
    pub(super) fn died(&mut self) {
        self.phase = Phase::Down;
        self.jobs.clear();
        self.failures += 1;
    }
}

#[cfg(test)]
mod tests;
