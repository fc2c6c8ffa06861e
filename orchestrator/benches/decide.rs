//! How long a decision takes: `cargo bench -p orchestrator --bench decide`.

#![allow(clippy::unwrap_used, reason = "a measurement that can't go on ends")]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use divan::Bencher;
use flyc::artifact::RunnerType;
use orchestrator::{
    adapters::store::sqlite::Sqlite,
    domain::{
        Config, Deadlines, Demand, EggPolicy, Event, Fleet, Health, Job, JobId, JobStatus, Limits, Load,
        Pool, PoolId, Pruning, Runner, Time, decide, runner_id,
    },
    ports::store::Store,
    records::{self, Care, JobRecord, RunnerRecord},
};

fn main() {
    divan::main();
}

const NOW: Time = Time::from_millis(1_700_000_000_000);

/// So many eggs, ten or all of them in a pool.
fn config(eggs: usize) -> Config {
    pooled(eggs, 10, Limits { min: 0, max: 200 }, Limits { min: 0, max: 50 })
}

fn pooled(eggs: usize, together: usize, apex: Limits, nadir: Limits) -> Config {
    let name = |egg: usize| format!("egg-{egg}");
    let policy = |egg: usize| EggPolicy {
        runner_type: RunnerType::Vm,
        concurrent: 20.max(apex.max / together),
        idle_timeout: Duration::from_mins(30),
        ephemeral: false,
        lifetime: None,
        pool: PoolId::Condition(format!("pool-{}", egg / together)),
        digest: "d".to_owned(),
        paused: false,
    };
    let pool = Pool { apex, nadir, idle_timeout: Duration::from_mins(30) };
    Config {
        eggs: (0..eggs).map(|egg| (name(egg), policy(egg))).collect(),
        pools: (0..eggs.div_ceil(together))
            .map(|at| (PoolId::Condition(format!("pool-{at}")), pool))
            .collect(),
        // Nobody tells of so much that another would relieve; it is looked for all the same.
        relief: (0..eggs.div_ceil(together))
            .map(|at| (PoolId::Condition(format!("pool-{at}")), Load { cpu: 8000, memory: 8000 }))
            .collect(),
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
            BTreeSet::default()
        };
        let heard =
            Event::Heartbeat { health: Health::default(), agent: None, jobs, done: 0, draining: false };
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
            tags: BTreeSet::default(),
            status: JobStatus::Pending,
            since: NOW,
            told: NOW,
            runner: None,
        };
        (id, job)
    }))
}

/// What is the hardest of each kind: limits, and the number of eggs and runners.
const HARD: [&str; 5] =
    ["all in one pool", "one full pool, all waits", "one egg has all", "many kept ready", "far too many"];

/// Fleets of a shape that asks for many looks: no question may look at all runners for each of them.
#[divan::bench(args = HARD)]
fn a_hard_fleet(bencher: Bencher<'_, '_>, shape: &str) {
    let (limits, none) = (|min, max| Limits { min, max }, Limits { min: 0, max: 0 });
    let (eggs, apex, nadir) = match shape {
        "all in one pool" => (1_000, limits(0, 20_000), limits(0, 5_000)),
        "one full pool, all waits" => (1_000, limits(0, 5_000), limits(0, 5_000)),
        "one egg has all" => (1, limits(0, 20_000), limits(0, 5_000)),
        "many kept ready" => (1_000, limits(9_000, 20_000), limits(6_000, 9_000)),
        _ => (1, limits(0, 20), none),
    };
    let config = pooled(eggs, eggs, apex, nadir);
    let (fleet, demand) = (fleet(eggs, 10_000), demand(eggs, 5_000));
    bencher.bench(|| decide(&config, &fleet, &demand, NOW));
}

/// Ten thousand runners of a thousand eggs, with five thousand jobs that wait.
#[divan::bench(args = [(100, 1_000), (1_000, 10_000)])]
fn a_fleet(bencher: Bencher<'_, '_>, (eggs, runners): (usize, usize)) {
    let (config, fleet, demand) = (config(eggs), fleet(eggs, runners), demand(eggs, runners / 2));
    bencher.bench(|| decide(&config, &fleet, &demand, NOW));
}

/// What a decision reads first: every runner and job, out of `SQLite`.
#[divan::bench(sample_count = 20)]
fn the_rows_of_a_fleet(bencher: Bencher<'_, '_>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("store.sqlite"), flyc::compiler::tables()).unwrap();
    let runners = fleet(1_000, 10_000);
    let runners = runners.runners().map(|runner| RunnerRecord {
        runner: runner.clone(),
        commit: "95d49d1efbd941908580e79d65e4b5ecaf4a8305".to_owned(),
        number: 1,
        system_id: Some("s_0123456789ab".to_owned()),
        managers: BTreeMap::new(),
        ticket: None,
        redeemed: None,
        credential: None,
        heard: (1, 1),
        revision: None,
        version: Some("0.1.0".to_owned()),
        why: "it is needed".to_owned(),
        care: Care::default(),
        updated: NOW,
    });
    let demand = demand(1_000, 5_000);
    let jobs = demand.jobs().map(|(id, job)| JobRecord {
        id: id.clone(),
        job: job.clone(),
        name: "build".to_owned(),
        git_ref: "main".to_owned(),
        ref_protected: true,
        reason: Vec::new(),
    });
    let rows: Vec<_> =
        runners.map(|one| records::insert(&one)).chain(jobs.map(|one| records::insert(&one))).collect();
    for some in rows.chunks(100) {
        runtime.block_on(store.commit(some.to_vec())).unwrap();
    }
    bencher.bench(|| {
        runtime.block_on(async {
            let runners = records::all::<RunnerRecord>(&store, None, None).await.unwrap();
            let jobs = records::all::<JobRecord>(&store, None, None).await.unwrap();
            assert_eq!((runners.len(), jobs.len()), (10_000, 5_000));
        });
    });
}
