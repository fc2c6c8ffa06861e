//! One runner: what it is, how it changes, and what may not happen to it.

use std::{collections::BTreeSet, fmt, time::Duration};

use fly_std::{Float, policy::Facts};
use flyc::artifact::RunnerType;
use serde::{Deserialize, Serialize};

use super::{JobId, Time};

/// The id of a runner: its name in GitLab, in the cloud, and in the module that makes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunnerId(String);

impl RunnerId {
    /// This id.
    pub const fn new(id: String) -> Self {
        Self(id)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The two pools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolKind {
    /// Of those that are awake.
    Apex,
    /// Of those that sleep.
    Nadir,
}

/// How far a runner is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is being made, and has not been heard of.
    Provisioning,
    /// It waits for a job.
    Idle,
    /// It has one.
    Busy,
    /// It sleeps, or is on its way there or back: [`Runner::pool`] tells where it is wanted.
    Nadir,
    /// It came to grief: it was not made, or was heard of no longer.
    Failed,
    /// It finishes its job, takes no other, and is destroyed.
    PendingTermination,
    /// Nothing of it is left.
    Terminated,
}

impl State {
    /// The name in the database, in answers and in conditions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Nadir => "nadir",
            Self::Failed => "failed",
            Self::PendingTermination => "pending_termination",
            Self::Terminated => "terminated",
        }
    }

    /// Whether a runner goes from this state straight to another.
    pub const fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Terminated, _) => false,
            (_, Self::Terminated) => matches!(self, Self::Failed | Self::PendingTermination),
            (_, Self::Failed | Self::PendingTermination) => !matches!(
                (self, next),
                (Self::Failed, Self::Failed) | (Self::PendingTermination, Self::PendingTermination)
            ),
            (Self::Provisioning | Self::Nadir, Self::Idle | Self::Busy) => true,
            (Self::Busy, Self::Idle) | (Self::Idle, Self::Busy | Self::Nadir) => true,
            _ => false,
        }
    }
}

/// What a runner told of itself last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Health {
    /// CPU in use, in hundredths of a percent.
    pub cpu: Option<u16>,
    /// Memory in use, in hundredths of a percent.
    pub memory: Option<u16>,
    /// Disk in use, in hundredths of a percent.
    pub disk: Option<u16>,
}

/// A runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runner {
    /// Its id.
    pub id: RunnerId,
    /// The egg, bucket or job it was made for.
    pub egg: String,
    /// What it is made of.
    pub runner_type: RunnerType,
    /// The cloud, for conditions.
    pub cloud: String,
    /// The region, for conditions.
    pub region: String,
    /// How far it is.
    pub state: State,
    /// The pool it is wanted in.
    pub pool: PoolKind,
    /// The pool the last deployment left it in; a new one may be awake from the moment it is decided.
    pub settled: PoolKind,
    /// When it was decided to make it.
    pub made: Time,
    /// When its state or the pool it is wanted in last changed.
    pub changed: Time,
    /// When it was last decided to wake it, or to make it.
    pub woken: Time,
    /// When it last ended a job, or was first or again heard of.
    pub idle_since: Time,
    /// When it was first heard of after it was asked to finish, or said itself that it does: from then on it takes no job.
    pub drained: Option<Time>,
    /// When it was decided to destroy it; the next deployment does.
    pub ending: Option<Time>,
    /// Its last sign of life.
    pub heartbeat: Option<Time>,
    /// When GitLab last said that it has no job.
    pub word: Option<Time>,
    /// The jobs it has.
    pub jobs: BTreeSet<JobId>,
    /// Jobs done.
    pub done: u64,
    /// Failed jobs in a row.
    pub failures: u64,
    /// The digest of what it was made from.
    pub digest: String,
    /// The version of its agent.
    pub agent: Option<String>,
    /// What it told of itself.
    pub health: Health,
}

/// What happens to a runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It was heard of.
    Heartbeat {
        /// What it told.
        health: Health,
        /// The version of its agent.
        agent: Option<String>,
        /// The jobs it says it has.
        jobs: BTreeSet<JobId>,
        /// How many it says it has done.
        done: u64,
        /// Whether it says that it takes no job any more.
        draining: bool,
    },
    /// GitLab gave it a job.
    Took(JobId),
    /// A job of its ended.
    Ended {
        /// The job.
        job: JobId,
        /// Whether it failed by the runner's fault.
        failed: bool,
    },
    /// GitLab was asked for its jobs.
    Word(BTreeSet<JobId>),
    /// A deployment has brought it to this pool.
    Applied(PoolKind),
    /// It is wanted asleep.
    Sleep,
    /// It is wanted awake.
    Wake,
    /// It shall finish and go.
    Drain,
    /// It came to grief.
    Fail,
    /// It is destroyed with the next deployment.
    Destroy,
    /// Nothing of it is left.
    Gone,
}

/// Something that can't happen to a runner in its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a runner that is {} can't {what}", .state.name())]
pub struct Illegal {
    /// Its state.
    pub state: State,
    /// What was wanted.
    pub what: &'static str,
}

impl Runner {
    /// A runner that is decided to be made.
    pub fn new(id: RunnerId, egg: &str, runner_type: RunnerType, digest: &str, now: Time) -> Self {
        Self {
            id,
            egg: egg.to_owned(),
            runner_type,
            cloud: String::new(),
            region: String::new(),
            state: State::Provisioning,
            pool: PoolKind::Apex,
            settled: PoolKind::Apex,
            made: now,
            changed: now,
            woken: now,
            idle_since: now,
            drained: None,
            ending: None,
            heartbeat: None,
            word: None,
            jobs: BTreeSet::new(),
            done: 0,
            failures: 0,
            digest: digest.to_owned(),
            agent: None,
            health: Health::default(),
        }
    }

    /// Whether it counts against the most that may be active: whatever works, may work, or has not been stopped yet.
    pub fn is_active(&self) -> bool {
        self.is_there() && (self.pool == PoolKind::Apex || self.settled == PoolKind::Apex)
    }

    /// Whether it takes jobs or soon will, and nobody has decided otherwise.
    pub fn is_serving(&self) -> bool {
        matches!(self.state, State::Idle | State::Busy) || self.is_booting()
    }

    /// Whether it is wanted asleep.
    pub fn is_asleep(&self) -> bool {
        self.state == State::Nadir && self.pool == PoolKind::Nadir
    }

    /// Whether it is on its way to take jobs.
    pub fn is_booting(&self) -> bool {
        self.state == State::Provisioning || self.state == State::Nadir && self.pool == PoolKind::Apex
    }

    /// The pool the next deployment brings it to; none when that destroys it.
    pub fn wanted(&self) -> Option<PoolKind> {
        (self.is_there() && self.ending.is_none()).then_some(self.pool)
    }

    /// Whether something of it may be there.
    pub fn is_there(&self) -> bool {
        self.state != State::Terminated
    }

    /// How long it has been without a job.
    pub fn idle_for(&self, now: Time) -> Duration {
        if self.jobs.is_empty() { now.since(self.idle_since) } else { Duration::ZERO }
    }

    /// What becomes of it. What was told late or twice changes nothing, what can't be is refused; neither loses anything.
    ///
    /// # Errors
    ///
    /// When its state forbids it.
    pub fn after(&self, event: &Event, now: Time) -> Result<Self, Illegal> {
        let mut next = self.clone();
        match event {
            Event::Heartbeat { health, agent, jobs, done, draining } => {
                if !self.is_there() {
                    return Err(self.illegal("be heard of"));
                }
                next.heartbeat = Some(now);
                // One that was taken for lost and is heard of again is told to go as well.
                let is_told = matches!(self.state, State::PendingTermination | State::Failed);
                // A serverless one ends by itself, and is not heard of again: this may be its last word.
                next.drained = if is_told || *draining { self.drained.or(Some(now)) } else { None };
                next.health = *health;
                next.done = self.done.max(*done);
                next.agent.clone_from(agent);
                next.hold(jobs.clone(), now);
            }
            Event::Took(job) => {
                if !self.is_there() {
                    return Err(self.illegal("take a job"));
                }
                if self.is_asleep() && self.settled == PoolKind::Nadir {
                    // It is off, so this is told late.
                    return Ok(next);
                }
                let mut jobs = self.jobs.clone();
                jobs.insert(job.clone());
                next.hold(jobs, now);
            }
            Event::Ended { job, failed } => {
                if !next.jobs.contains(job) && self.state == State::Terminated {
                    return Ok(next);
                }
                let mut jobs = self.jobs.clone();
                // One that it is not known to have, its own account counts.
                next.done += u64::from(jobs.remove(job));
                next.failures = if *failed { self.failures + 1 } else { 0 };
                next.hold(jobs, now);
            }
            Event::Word(jobs) => {
                next.word = jobs.is_empty().then_some(now);
                next.hold(jobs.clone(), now);
            }
            Event::Applied(pool) => next.settled = *pool,
            Event::Sleep => {
                if self.state != State::Idle || !self.jobs.is_empty() {
                    return Err(self.illegal("be put to sleep"));
                }
                next.enter(State::Nadir, now);
                next.pool = PoolKind::Nadir;
            }
            Event::Wake => {
                if !self.is_asleep() {
                    return Err(self.illegal("be woken"));
                }
                next.pool = PoolKind::Apex;
                next.changed = now;
                next.woken = now;
                next.heartbeat = None;
                next.word = None;
                next.drained = None;
            }
            Event::Drain => {
                if !self.state.may_become(State::PendingTermination) {
                    return Err(self.illegal("be drained"));
                }
                next.enter(State::PendingTermination, now);
            }
            Event::Fail => {
                if !self.state.may_become(State::Failed) {
                    return Err(self.illegal("fail"));
                }
                next.enter(State::Failed, now);
            }
            Event::Destroy => {
                if !self.is_there() {
                    return Err(self.illegal("be destroyed"));
                }
                if !matches!(self.state, State::Failed | State::PendingTermination) {
                    next.enter(State::PendingTermination, now);
                }
                next.ending = self.ending.or(Some(now));
            }
            Event::Gone => {
                if !self.state.may_become(State::Terminated) {
                    return Err(self.illegal("be gone"));
                }
                next.enter(State::Terminated, now);
                next.jobs.clear();
            }
        }
        Ok(next)
    }

    const fn illegal(&self, what: &'static str) -> Illegal {
        Illegal { state: self.state, what }
    }

    fn enter(&mut self, state: State, now: Time) {
        if self.state != state {
            self.state = state;
            self.changed = now;
        }
    }

    /// Has these jobs from now on. One that is heard of is awake.
    fn hold(&mut self, jobs: BTreeSet<JobId>, now: Time) {
        let had = !self.jobs.is_empty();
        self.jobs = jobs;
        let has = !self.jobs.is_empty();
        if has {
            self.word = None;
        }
        if had && !has {
            self.idle_since = now;
        }
        let is_heard = self.heartbeat.is_some_and(|heard| heard >= self.woken);
        match self.state {
            // It was given a job before it had been put to sleep: it stays awake.
            State::Nadir if self.is_asleep() && has => {
                self.pool = PoolKind::Apex;
                self.woken = now;
                self.enter(State::Busy, now);
            }
            State::Provisioning | State::Nadir if self.is_booting() && (has || is_heard) => {
                self.idle_since = now;
                self.enter(if has { State::Busy } else { State::Idle }, now);
            }
            State::Idle if has => self.enter(State::Busy, now),
            State::Busy if !has => self.enter(State::Idle, now),
            _ => {}
        }
    }

    /// What conditions see of it.
    pub fn facts(&self, pool_size: usize, pool_idle: usize, trusted: Duration, now: Time) -> Facts {
        let seconds = |span: Duration| span.as_secs();
        let told = self.heartbeat.is_some_and(|heard| now.since(heard) <= trusted);
        let percent = |hundredths: Option<u16>| {
            hundredths.filter(|_| told).and_then(|value| Float::new(f64::from(value) / 100.0))
        };
        let state = match self.state {
            State::Idle => "apex",
            State::Nadir if self.pool == PoolKind::Apex => "provisioning",
            state => state.name(),
        };
        let runner_type = match self.runner_type {
            RunnerType::Vm => "vm",
            RunnerType::Serverless => "serverless",
        };
        Facts {
            state: state.into(),
            runner_type: runner_type.into(),
            egg: self.egg.as_str().into(),
            cloud: self.cloud.as_str().into(),
            region: self.region.as_str().into(),
            age: seconds(now.since(self.made)),
            idle_time: seconds(self.idle_for(now)),
            heartbeat_age: self.heartbeat.map(|heard| seconds(now.since(heard))),
            failed_count: self.failures,
            job_count: self.done,
            cpu_usage: percent(self.health.cpu),
            memory_usage: percent(self.health.memory),
            disk_usage: percent(self.health.disk),
            agent_version: self.agent.as_deref().filter(|_| told).map(Into::into),
            pool_size: u64::try_from(pool_size).unwrap_or(u64::MAX),
            pool_idle: u64::try_from(pool_idle).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::{Action, Config, Demand, Fleet, Why, decide, runner_id};

    fn at(seconds: u64) -> Time {
        Time::from_millis(1_000_000 + seconds * 1000)
    }

    fn heard(draining: bool) -> Event {
        Event::Heartbeat { health: Health::default(), agent: None, jobs: BTreeSet::new(), done: 1, draining }
    }

    #[test]
    fn one_that_has_ended_by_itself_goes_at_once() {
        let made = Runner::new(runner_id("web", 1), "web", RunnerType::Serverless, "d", at(0));
        let gone_after = |last: &Event| {
            let ended = made.after(last, at(10)).unwrap().after(&Event::Drain, at(11)).unwrap();
            let told = ended.after(&Event::Word(BTreeSet::new()), at(12)).unwrap();
            let fleet = Fleet::new([told], BTreeMap::new());
            let actions = decide(&Config::default(), &fleet, &Demand::new([]), at(13));
            actions.iter().any(|action| matches!(action, Action::Destroy { why: Why::Finished, .. }))
        };
        assert!(gone_after(&heard(true)));
        // Another one may take a job yet, until it has heard that it shall not.
        assert!(!gone_after(&heard(false)));
    }

    #[test]
    fn one_that_takes_jobs_again_is_not_on_its_way_out() {
        let made = Runner::new(runner_id("web", 1), "web", RunnerType::Vm, "d", at(0));
        let stopped = made.after(&heard(true), at(10)).unwrap();
        assert_eq!(stopped.drained, Some(at(10)));
        assert_eq!(stopped.after(&heard(true), at(20)).unwrap().drained, Some(at(10)));
        assert_eq!(stopped.after(&heard(false), at(20)).unwrap().drained, None);
    }
}
