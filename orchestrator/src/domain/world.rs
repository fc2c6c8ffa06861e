//! A small world to decide in: a GitLab that hands out jobs, a cloud that takes its time and fails, hooks that are lost,
//! doubled and late. What must hold is looked at after every step.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use flyc::artifact::RunnerType;
use proptest::prelude::*;

use super::*;

const STEP: Duration = Duration::from_secs(10);

/// Chance that is the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

#[derive(Debug, Clone, Default)]
struct Machine {
    /// When it will be up; none while it is off.
    up: Option<Time>,
    job: Option<(u64, Time)>,
    draining: bool,
    done: u64,
    /// It has broken down and says nothing.
    dead: bool,
}

struct Deployment {
    wanted: BTreeMap<RunnerId, PoolKind>,
    until: Time,
    fails: bool,
}

struct GitlabJob {
    egg: String,
    status: JobStatus,
    length: Duration,
}

struct World {
    config: Config,
    chance: Chance,
    now: Time,
    fleet: Fleet,
    demand: Demand,
    machines: BTreeMap<RunnerId, Machine>,
    deployments: BTreeMap<String, Deployment>,
    jobs: BTreeMap<u64, GitlabJob>,
    hooks: Vec<(Time, u64, JobStatus, Option<RunnerId>)>,
    /// Whether things go wrong.
    rough: bool,
    /// The runners that may be destroyed with a job, because their time was up.
    late: BTreeSet<RunnerId>,
}

impl World {
    fn new(config: Config, seed: u64) -> Self {
        Self {
            config,
            chance: Chance(seed),
            now: Time::from_millis(1_000_000),
            fleet: Fleet::default(),
            demand: Demand::default(),
            machines: BTreeMap::new(),
            deployments: BTreeMap::new(),
            jobs: BTreeMap::new(),
            hooks: Vec::new(),
            rough: true,
            late: BTreeSet::new(),
        }
    }

    fn happens(&mut self, id: &RunnerId, event: &Event) {
        let Some(runner) = self.fleet.get(id) else { return };
        if let Ok(next) = runner.after(event, self.now) {
            if next.state != runner.state {
                assert!(runner.state.may_become(next.state), "{:?} → {:?}", runner.state, next.state);
            }
            self.fleet.put(next);
        }
    }

    fn hook(&mut self, job: u64, status: JobStatus, runner: Option<&RunnerId>) {
        let times =
            if self.rough { [1, 1, 1, 0, 2][usize::try_from(self.chance.below(5)).unwrap()] } else { 1 };
        for _ in 0..times {
            let late = Duration::from_secs(self.chance.below(if self.rough { 180 } else { 5 }));
            self.hooks.push((self.now.plus(late), job, status, runner.cloned()));
        }
    }

    fn tell(&mut self, id: u64, status: JobStatus, runner: Option<RunnerId>) -> Seen {
        let egg = self.jobs[&id].egg.clone();
        let (now, project) = (self.now, 1);
        self.demand.tell(
            job_id(id),
            Job { project, egg: Some(egg), tags: BTreeSet::new(), status, since: now, told: now, runner },
        )
    }

    fn ask_for_jobs(&mut self) {
        if self.chance.one_in(3) {
            let eggs: Vec<String> = self.config.eggs.keys().cloned().collect();
            let egg = eggs[usize::try_from(self.chance.below(eggs.len() as u64)).unwrap()].clone();
            let id = self.jobs.len() as u64 + 1;
            let length = Duration::from_secs(30 + self.chance.below(900));
            self.jobs.insert(id, GitlabJob { egg, status: JobStatus::Pending, length });
            self.hook(id, JobStatus::Pending, None);
        }
    }

    fn gitlab(&mut self) {
        let ids: Vec<RunnerId> = self.machines.keys().cloned().collect();
        for id in ids {
            let Some(runner) = self.fleet.get(&id).cloned() else { continue };
            let ephemeral = self.config.eggs.get(&runner.egg).is_some_and(|egg| egg.ephemeral);
            let machine = self.machines.get_mut(&id).unwrap();
            if machine.dead || machine.up.is_none_or(|up| self.now < up) {
                continue;
            }
            if self.rough && self.chance.one_in(400) {
                machine.dead = true;
                if let Some((job, _)) = machine.job.take() {
                    self.jobs.get_mut(&job).unwrap().status = JobStatus::Failed;
                    self.hook(job, JobStatus::Failed, Some(&id));
                }
                continue;
            }
            if let Some((job, until)) = machine.job
                && self.now >= until
            {
                machine.job = None;
                machine.done += 1;
                self.jobs.get_mut(&job).unwrap().status = JobStatus::Succeeded;
                self.hook(job, JobStatus::Succeeded, Some(&id));
            }
            let machine = self.machines.get_mut(&id).unwrap();
            if machine.job.is_none() && !machine.draining && !(ephemeral && machine.done > 0) {
                let next = self.jobs.iter_mut();
                let mut next =
                    next.filter(|(_, job)| job.status == JobStatus::Pending && job.egg == runner.egg);
                if let Some((job, waiting)) = next.next() {
                    waiting.status = JobStatus::Running;
                    machine.job = Some((*job, self.now.plus(waiting.length)));
                    let job = *job;
                    self.hook(job, JobStatus::Running, Some(&id));
                }
            }
        }
    }

    fn heartbeats(&mut self) {
        let ids: Vec<RunnerId> = self.machines.keys().cloned().collect();
        for id in ids {
            let machine = self.machines[&id].clone();
            let is_up = !machine.dead && machine.up.is_some_and(|up| up <= self.now);
            if !is_up || self.rough && self.chance.one_in(4) {
                continue;
            }
            let jobs = machine.job.iter().map(|(job, _)| job_id(*job)).collect();
            self.happens(
                &id,
                &Event::Heartbeat {
                    health: Health::default(),
                    agent: None,
                    jobs,
                    done: machine.done,
                    draining: false,
                },
            );
            let leaving = self
                .fleet
                .get(&id)
                .is_none_or(|runner| matches!(runner.state, State::PendingTermination | State::Failed));
            self.machines.get_mut(&id).unwrap().draining = leaving;
        }
    }

    fn hooks_arrive(&mut self) {
        let (due, later): (Vec<_>, Vec<_>) = self.hooks.drain(..).partition(|(at, ..)| *at <= self.now);
        self.hooks = later;
        for (_, job, status, runner) in due {
            if self.tell(job, status, runner.clone()) == Seen::Known {
                continue;
            }
            let Some(runner) = runner else { continue };
            match status {
                JobStatus::Running => self.happens(&runner, &Event::Took(job_id(job))),
                status if status.is_over() => {
                    self.happens(&runner, &Event::Ended { job: job_id(job), failed: false });
                }
                _ => {}
            }
        }
    }

    fn sweep(&mut self) {
        let waiting: BTreeSet<u64> =
            self.jobs.iter().filter(|(_, job)| job.status == JobStatus::Pending).map(|(id, _)| *id).collect();
        for id in &waiting {
            self.tell(*id, JobStatus::Pending, None);
        }
        let waiting = waiting.into_iter().map(job_id).collect();
        self.demand.sweep(SERVER, 1, &waiting, self.now);
    }

    fn decide(&mut self) {
        let actions = decide(&self.config, &self.fleet, &self.demand, self.now);
        for action in &actions {
            match action {
                Action::Make { egg, runner, number } => {
                    assert_eq!(self.fleet.take_number(egg), *number);
                    assert!(self.fleet.get(runner).is_none(), "{runner} was made twice");
                    let policy = &self.config.eggs[egg];
                    let made = Runner::new(runner.clone(), egg, policy.runner_type, &policy.digest, self.now);
                    self.fleet.put(made);
                }
                Action::Wake { runner, .. } => self.must(runner, &Event::Wake),
                Action::Sleep { runner, .. } => self.must(runner, &Event::Sleep),
                Action::Drain { runner, .. } => self.must(runner, &Event::Drain),
                Action::Fail { runner, .. } => self.must(runner, &Event::Fail),
                Action::Ask { runner } => {
                    let machine = self.machines.get(runner);
                    let jobs = machine.and_then(|machine| machine.job).map(|(job, _)| job_id(job));
                    self.must(runner, &Event::Word(jobs.into_iter().collect()));
                }
                Action::Destroy { runner, why } => {
                    if matches!(why, Why::Lifetime | Why::DrainDeadline) {
                        self.late.insert(runner.clone());
                    }
                    self.must(runner, &Event::Destroy);
                }
                Action::Alert { .. } => {}
            }
        }
        // What was carried out is not asked for again.
        let again = decide(&self.config, &self.fleet, &self.demand, self.now);
        let ripe = |action: &&Action| {
            !matches!(action, Action::Ask { .. } | Action::Alert { .. } | Action::Destroy { .. })
        };
        let again: Vec<_> = again.iter().filter(ripe).collect();
        assert!(again.is_empty(), "{actions:?}\nand then {again:?}");
    }

    fn must(&mut self, id: &RunnerId, event: &Event) {
        let runner = self.fleet.get(id).expect("it is there").clone();
        let next = runner.after(event, self.now).unwrap_or_else(|error| panic!("{id}: {error}: {runner:?}"));
        self.fleet.put(next);
    }

    fn deploy(&mut self) {
        let eggs: BTreeSet<String> = self.fleet.runners().map(|runner| runner.egg.clone()).collect();
        for egg in eggs {
            match self.deployments.get(&egg) {
                None => {
                    let wanted: BTreeMap<_, _> = self
                        .fleet
                        .runners()
                        .filter(|runner| runner.egg == egg)
                        .filter_map(|runner| Some((runner.id.clone(), runner.wanted()?)))
                        .collect();
                    let there: BTreeSet<_> = self
                        .machines
                        .keys()
                        .filter(|id| self.fleet.get(id).is_some_and(|runner| runner.egg == egg))
                        .cloned()
                        .collect();
                    let is_so = self.fleet.runners().filter(|runner| runner.egg == egg).all(|runner| {
                        runner.wanted() == there.contains(&runner.id).then_some(runner.settled)
                            && self.machines.get(&runner.id).is_none_or(|machine| {
                                machine.up.is_some() == (runner.settled == PoolKind::Apex)
                            })
                    });
                    if !is_so {
                        let until = self.now.plus(Duration::from_secs(5 + self.chance.below(90)));
                        let fails = self.rough && self.chance.one_in(6);
                        self.deployments.insert(egg, Deployment { wanted, until, fails });
                    }
                }
                Some(deployment) if deployment.until <= self.now => {
                    let deployment = self.deployments.remove(&egg).unwrap();
                    if !deployment.fails {
                        self.applied(&egg, &deployment.wanted);
                    }
                }
                Some(_) => {}
            }
        }
    }

    fn applied(&mut self, egg: &str, wanted: &BTreeMap<RunnerId, PoolKind>) {
        let known: Vec<RunnerId> =
            self.fleet.runners().filter(|runner| runner.egg == egg).map(|runner| runner.id.clone()).collect();
        for id in known {
            match wanted.get(&id) {
                Some(pool) => {
                    let boot = self.now.plus(Duration::from_secs(20 + self.chance.below(60)));
                    let machine = self.machines.entry(id.clone()).or_default();
                    match pool {
                        PoolKind::Apex => machine.up = machine.up.or(Some(boot)),
                        // A stop lets the job finish first: the machine is told to, and stops when it has.
                        PoolKind::Nadir if machine.job.is_some() => {}
                        PoolKind::Nadir => machine.up = None,
                    }
                    let is_up = machine.up.is_some();
                    self.happens(&id, &Event::Applied(if is_up { PoolKind::Apex } else { *pool }));
                }
                None if self.fleet.get(&id).is_some_and(|runner| runner.ending.is_some()) => {
                    if let Some(machine) = self.machines.remove(&id) {
                        assert!(machine.job.is_none() || self.late.contains(&id), "{id} was killed at work");
                        if let Some((job, _)) = machine.job {
                            self.jobs.get_mut(&job).unwrap().status = JobStatus::Failed;
                        }
                    }
                    self.happens(&id, &Event::Gone);
                    self.fleet.remove(&id);
                }
                // Made while the deployment ran: the next one brings it.
                None => {}
            }
        }
    }

    fn look(&self) {
        let mut active: BTreeMap<&PoolId, usize> = BTreeMap::new();
        let mut by_egg: BTreeMap<&str, usize> = BTreeMap::new();
        for (id, _) in self.machines.iter().filter(|(_, machine)| machine.up.is_some()) {
            let runner = self.fleet.get(id).expect("every machine is known");
            *active.entry(&self.config.eggs[&runner.egg].pool).or_default() += 1;
            *by_egg.entry(&runner.egg).or_default() += 1;
        }
        for (id, count) in active {
            assert!(count <= self.config.pools[id].apex.max, "{count} active in {id:?}");
        }
        for (egg, count) in by_egg {
            assert!(count <= self.config.eggs[egg].concurrent, "{count} active of {egg}");
        }
        for (id, pool) in &self.config.pools {
            let asleep = self.fleet.runners().filter(|runner| runner.is_asleep());
            let asleep = asleep.filter(|runner| self.config.eggs[&runner.egg].pool == *id).count();
            assert!(asleep <= pool.nadir.max, "{asleep} asleep in {id:?}");
        }
    }

    /// The pools that are not what they are to be when nobody asks for anything, each with what is wrong.
    fn restless(&self) -> BTreeMap<PoolId, String> {
        let mut found = BTreeMap::new();
        for (id, pool) in &self.config.pools {
            let of_pool = |runner: &&Runner| self.config.eggs[&runner.egg].pool == *id;
            let serving = self.fleet.runners().filter(of_pool).filter(|runner| runner.is_serving()).count();
            let asleep = self.fleet.runners().filter(of_pool).filter(|runner| runner.is_asleep()).count();
            let eggs = || self.config.eggs.values().filter(|egg| egg.pool == *id);
            let can: usize = eggs().map(|egg| egg.concurrent).sum();
            let lasting: usize = eggs().filter(|egg| !egg.ephemeral).map(|egg| egg.concurrent).sum();
            let ready = pool.apex.min.min(can);
            // One that comes up to sleep may be on its way.
            let keeps = lasting > pool.apex.min && pool.apex.max > pool.apex.min;
            if serving < ready || serving > pool.apex.min + pool.nadir.min {
                found.insert(id.clone(), format!("{serving} serving"));
            } else if keeps && asleep + serving < pool.nadir.min.min(1) + ready {
                found.insert(id.clone(), format!("{asleep} asleep"));
            }
        }
        found
    }

    fn step(&mut self, asks: bool) {
        self.now = self.now.plus(STEP);
        if asks {
            self.ask_for_jobs();
        }
        self.gitlab();
        self.hooks_arrive();
        self.heartbeats();
        if self.chance.one_in(if self.rough { 24 } else { 6 }) {
            self.sweep();
        }
        self.decide();
        self.deploy();
        self.look();
    }
}

fn config(eggs: Vec<(usize, bool, bool, usize)>, pools: Vec<(usize, usize, usize, usize)>) -> Config {
    let pools: Vec<Pool> = pools
        .into_iter()
        .map(|(min, more, nadir_min, nadir_more)| Pool {
            apex: Limits { min, max: min + more },
            nadir: Limits { min: nadir_min, max: nadir_min + nadir_more },
            idle_timeout: Duration::from_mins(5),
        })
        .collect();
    let mut config = Config::default();
    for (at, (concurrent, ephemeral, serverless, pool)) in eggs.into_iter().enumerate() {
        let id = PoolId::Condition(format!("p{}", pool % pools.len()));
        config.pools.insert(id.clone(), pools[pool % pools.len()]);
        config.eggs.insert(
            format!("egg{at}"),
            EggPolicy {
                runner_type: if serverless { RunnerType::Serverless } else { RunnerType::Vm },
                concurrent,
                idle_timeout: Duration::from_mins(10),
                ephemeral,
                lifetime: serverless.then_some(Config::SERVERLESS),
                pool: id,
                digest: "d".to_owned(),
                paused: false,
            },
        );
    }
    config
}

fn configs() -> impl Strategy<Value = Config> {
    (
        prop::collection::vec((1_usize..5, any::<bool>(), any::<bool>(), 0_usize..3), 1..5),
        prop::collection::vec((0_usize..3, 1_usize..4, 0_usize..2, 0_usize..3), 1..4),
    )
        .prop_map(|(eggs, pools)| config(eggs, pools))
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// Never above a limit, nobody killed at work, nothing decided twice; and when the world is calm again every job is
    /// served, what nobody needs rests, and what has to be kept ready is.
    #[test]
    fn a_rough_world_comes_to_rest(config in configs(), seed: u64) {
        let mut world = World::new(config, seed);
        for _ in 0..200 {
            world.step(true);
        }
        world.rough = false;
        // A job takes 15 minutes at most, and at worst they come one after the other.
        let waits = |world: &World| world.jobs.values().any(|job| job.status == JobStatus::Pending);
        for _ in 0..world.jobs.len() * 100 {
            if !waits(&world) {
                break;
            }
            world.step(false);
        }
        for _ in 0..500 {
            world.step(false);
        }
        let waiting: Vec<_> =
            world.jobs.iter().filter(|(_, job)| job.status == JobStatus::Pending).map(|(id, job)| (id, &job.egg)).collect();
        prop_assert!(waiting.is_empty(), "still waiting: {waiting:?}\n{:#?}", world.fleet);
        // A container has its hour, and where an egg may have no more runners the next one comes only when it is gone:
        // every pool is at rest at some moment, not all at this one.
        let mut restless = world.restless();
        for _ in 0..60 {
            if restless.is_empty() {
                break;
            }
            world.step(false);
            let still = world.restless();
            restless.retain(|id, _| still.contains_key(id));
        }
        prop_assert!(restless.is_empty(), "{restless:?}: {:#?}", world.fleet);
    }
}
