//! How long a decision takes: `cargo bench -p orchestrator --bench decide`.

#![allow(clippy::unwrap_used, reason = "a measurement that can't go on ends")]

use std::{collections::BTreeMap, time::Duration};

use divan::Bencher;
use flyc::artifact::RunnerType;
use orchestrator::domain::{
    Config, Deadlines, Demand, EggPolicy, Event, Fleet, Health, Job, JobId, JobStatus, Limits, Pool, PoolId,
    Pruning, Runner, Time, decide, runner_id,
};

fn main() {
    divan::main();
}

const NOW: Time = Time::from_millis(1_700_000_000_000);

fn config(eggs: usize) -> Config {
    let name = |egg: usize| format!("egg-{egg}");
    let policy = |egg: usize| EggPolicy {
        runner_type: RunnerType::Vm,
        concurrent: 20,
        idle_timeout: Duration::from_mins(30),
        ephemeral: false,
        lifetime: None,
        pool: PoolId::Condition(format!("pool-{}", egg / 10)),
        digest: "d".to_owned(),
        paused: false,
    };
    let limits = |max| Limits { min: 0, max };
    let pool = Pool { apex: limits(200), nadir: limits(50), idle_timeout: Duration::from_mins(30) };
    Config {
        eggs: (0..eggs).map(|egg| (name(egg), policy(egg))).collect(),
        pools: (0..eggs.div_ceil(10)).map(|at| (PoolId::Condition(format!("pool-{at}")), pool)).collect(),
        pruning: Pruning::default(),
        rules: Vec::new(),
        deadlines: Deadlines::default(),
    }
}

/// Ten runners an egg: some work, some wait, some sleep.
fn fleet(eggs: usize, runners: usize) -> Fleet {
    let made = Time::from_millis(NOW.as_millis() - 3_600_000);
    let all = (0..runners).map(|at| {
        let egg = format!("egg-{}", at % eggs);
        let number = at / eggs + 1;
        let runner = Runner::new(runner_id(&egg, number as u64), &egg, RunnerType::Vm, "d", made);
        let jobs = if number.is_multiple_of(3) {
            [JobId { server: "gitlab.example.com".into(), number: at as u64 }].into()
        } else {
            std::collections::BTreeSet::default()
        };
        let heard = Event::Heartbeat { health: Health::default(), agent: None, jobs, done: 0 };
        let runner = runner.after(&heard, NOW).unwrap();
        if number % 4 == 1 { runner.after(&Event::Sleep, NOW).unwrap_or(runner) } else { runner }
    });
    Fleet::new(all, BTreeMap::new())
}

/// Half of the eggs have jobs that wait.
fn demand(eggs: usize, jobs: usize) -> Demand {
    Demand::new((0..jobs).map(|at| {
        let id = JobId { server: "gitlab.example.com".into(), number: 1_000_000 + at as u64 };
        let job = Job {
            project: at as u64,
            egg: Some(format!("egg-{}", at % (eggs / 2).max(1))),
            tags: std::collections::BTreeSet::default(),
            status: JobStatus::Pending,
            since: NOW,
            told: NOW,
            runner: None,
        };
        (id, job)
    }))
}

/// Ten thousand runners of a thousand eggs, with five thousand jobs that wait.
#[divan::bench(args = [(100, 1_000), (1_000, 10_000)])]
fn a_fleet(bencher: Bencher<'_, '_>, (eggs, runners): (usize, usize)) {
    let (config, fleet, demand) = (config(eggs), fleet(eggs, runners), demand(eggs, runners / 2));
    bencher.bench(|| decide(&config, &fleet, &demand, NOW));
}
