//! The numbered properties that the core holds by itself, each on any fleet, however it came about.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use flyc::artifact::RunnerType;
use proptest::{collection::vec, prelude::*};

use super::*;

const NOW: Time = Time::from_millis(1_000_000_000);

/// What a runner of a fleet is like: its egg, its life so far, seconds since it was made, heard of, and idle.
type Draw = (usize, u8, u64, u64, u64);

fn runner(number: u64, (egg, life, made, heard, idle): Draw) -> Runner {
    let ago = |seconds: u64| Time::from_millis(NOW.as_millis() - seconds * 1000);
    let egg = format!("egg{}", egg % 3);
    let mut runner = Runner::new(runner_id(&egg, number), &egg, RunnerType::Vm, "d", ago(made));
    if life > 0 {
        runner.state = State::Idle;
        runner.heartbeat = Some(ago(heard));
        runner.idle_since = ago(idle);
    }
    match life {
        2 => {
            runner.state = State::Busy;
            runner.jobs.insert(job_id(number));
        }
        3 => {
            runner.state = State::Nadir;
            runner.pool = PoolKind::Nadir;
            runner.settled = PoolKind::Nadir;
        }
        4 => runner.state = State::PendingTermination,
        5 => runner.state = State::Failed,
        _ => {}
    }
    runner
}

fn fleets() -> impl Strategy<Value = Fleet> {
    let draw = (0_usize..3, 0_u8..6, 0_u64..90_000, 0_u64..400, 0_u64..4000);
    vec(draw, 0..14).prop_map(|draws| {
        let runners = draws.into_iter().enumerate().map(|(at, draw)| runner(at as u64 + 1, draw));
        Fleet::new(runners, (0..3).map(|egg| (format!("egg{egg}"), 100)).collect())
    })
}

fn demands() -> impl Strategy<Value = Demand> {
    vec((0_usize..3, 0_u64..4000), 0..12).prop_map(|jobs| {
        let job = |(at, (egg, ago)): (usize, (usize, u64))| {
            let since = Time::from_millis(NOW.as_millis() - ago * 1000);
            let egg = Some(format!("egg{egg}"));
            let (tags, status) = (BTreeSet::new(), JobStatus::Pending);
            (
                job_id(1000 + at as u64),
                Job { project: 1, egg, tags, status, since, told: since, runner: None },
            )
        };
        Demand::new(jobs.into_iter().enumerate().map(job))
    })
}

fn configs() -> impl Strategy<Value = Config> {
    let pool = (0_usize..4, 0_usize..6, 0_usize..3, 0_usize..4);
    (pool, vec((1_usize..6, any::<bool>(), any::<bool>()), 3)).prop_map(|((min, more, low, above), eggs)| {
        let id = PoolId::Condition("all".to_owned());
        let pool = Pool {
            apex: Limits { min, max: min + more },
            nadir: Limits { min: low, max: low + above },
            idle_timeout: Duration::from_mins(30),
        };
        let egg = |(at, (concurrent, ephemeral, paused)): (usize, (usize, bool, bool))| {
            let policy = EggPolicy {
                runner_type: RunnerType::Vm,
                concurrent,
                idle_timeout: Duration::from_mins(40),
                ephemeral,
                lifetime: None,
                pool: id.clone(),
                digest: "d".to_owned(),
                paused: paused && at == 2,
            };
            (format!("egg{at}"), policy)
        };
        Config {
            eggs: eggs.into_iter().enumerate().map(egg).collect(),
            pools: BTreeMap::from([(id.clone(), pool)]),
            ..Config::default()
        }
    })
}

/// A pool of two machines at most, whose busy ones use so much.
fn under_load(cpu: u16, idle: bool) -> (Config, Fleet) {
    let id = PoolId::Own("egg0".to_owned());
    let pool = Pool {
        apex: Limits { min: 0, max: 3 },
        nadir: Limits { min: 0, max: 1 },
        idle_timeout: Duration::from_mins(5),
    };
    let policy = EggPolicy {
        runner_type: RunnerType::Vm,
        concurrent: 3,
        idle_timeout: Duration::from_mins(5),
        ephemeral: false,
        lifetime: None,
        pool: id.clone(),
        digest: "d".to_owned(),
        paused: false,
    };
    let config = Config {
        eggs: BTreeMap::from([("egg0".to_owned(), policy)]),
        pools: BTreeMap::from([(id.clone(), pool)]),
        relief: BTreeMap::from([(id, Load { cpu: 8000, memory: 8000 })]),
        ..Config::default()
    };
    let mut runners = vec![runner(1, (0, 2, 900, 1, 0))];
    if idle {
        runners.push(runner(2, (0, 1, 900, 1, 900)));
    }
    for runner in &mut runners {
        runner.cloud = "aws".to_owned();
        runner.health = Health { cpu: Some(cpu), memory: Some(1000), disk: None };
    }
    (config, Fleet::new(runners, [("egg0".to_owned(), 10)].into()))
}

#[test]
fn machines_with_much_to_do_get_one_more() {
    let decided = |cpu, idle| {
        let (config, fleet) = under_load(cpu, idle);
        decide(&config, &fleet, &Demand::default(), NOW)
    };
    assert!(matches!(&decided(8001, false)[..], [Action::Make { egg, .. }] if egg == "egg0"));
    assert_eq!(decided(8000, false), []);
    // It stays as long as the others need it, however long it waits.
    assert_eq!(decided(9000, true), []);
    assert!(matches!(&decided(100, true)[..], [Action::Sleep { why: Why::Idle, .. }]));
    // Another process of the same machine would relieve nobody.
    let (config, fleet) = under_load(9000, false);
    let local = fleet.runners().map(|runner| Runner { cloud: "local".to_owned(), ..runner.clone() });
    let fleet = Fleet::new(local, [("egg0".to_owned(), 10)].into());
    assert_eq!(decide(&config, &fleet, &Demand::default(), NOW), []);
}

/// The fleet once everything that was decided has been done and deployed.
fn carried_out(config: &Config, fleet: &Fleet, actions: &[Action]) -> Fleet {
    let mut fleet = fleet.clone();
    for action in actions {
        let (id, event) = match action {
            Action::Make { egg, runner, .. } => {
                fleet.take_number(egg);
                fleet.put(Runner::new(runner.clone(), egg, config.eggs[egg].runner_type, "d", NOW));
                continue;
            }
            Action::Wake { runner, .. } => (runner, Event::Wake),
            Action::Sleep { runner, .. } => (runner, Event::Sleep),
            Action::Drain { runner, .. } => (runner, Event::Drain),
            Action::Fail { runner, .. } => (runner, Event::Fail),
            Action::Destroy { runner, .. } => (runner, Event::Destroy),
            Action::Ask { .. } | Action::Alert { .. } => continue,
        };
        let next = fleet.get(id).unwrap().after(&event, NOW).unwrap();
        fleet.put(next);
    }
    fleet
}

proptest! {
    /// Property 14: a pool never gets more active runners than its most, and what is decided never makes it worse.
    #[test]
    fn property_14_apex_pool_size_limits(config in configs(), fleet in fleets(), demand in demands()) {
        let actions = decide(&config, &fleet, &demand, NOW);
        let after = carried_out(&config, &fleet, &actions);
        let count = |fleet: &Fleet| fleet.runners().filter(|runner| runner.is_active()).count();
        let most = config.pools.values().next().unwrap().apex.max;
        prop_assert!(count(&after) <= most.max(count(&fleet)));
        for (name, egg) in &config.eggs {
            let count = |fleet: &Fleet| {
                fleet.runners().filter(|runner| runner.is_active() && runner.egg == *name).count()
            };
            prop_assert!(count(&after) <= egg.concurrent.max(count(&fleet)));
            if egg.paused {
                prop_assert!(count(&after) <= count(&fleet), "a paused egg gets nothing");
            }
        }
    }

    /// Property 15: while a job waits, its egg has a sleeping runner, and there is room, the runner is woken, and none is
    /// made instead.
    #[test]
    fn property_15_nadir_to_apex_promotion(config in configs(), fleet in fleets(), demand in demands()) {
        let actions = decide(&config, &fleet, &demand, NOW);
        for (name, egg) in &config.eggs {
            let made = actions.iter().any(|action| matches!(action, Action::Make { egg, .. } if egg == name));
            let after = carried_out(&config, &fleet, &actions);
            let of_egg = |runner: &&Runner| runner.egg == *name;
            let asleep = after.runners().filter(of_egg).filter(|runner| runner.is_asleep()).count();
            let coming = after.runners().filter(of_egg).filter(|runner| runner.state == State::Idle || runner.is_booting()).count();
            let waiting = demand.waiting().get(name.as_str()).map_or(0, Vec::len);
            let pool = &config.pools[&egg.pool];
            let active = after.runners().filter(|runner| runner.is_active()).count();
            let own = after.runners().filter(of_egg).filter(|runner| runner.is_active()).count();
            let room = active < pool.apex.max && own < egg.concurrent && !egg.paused;
            prop_assert!(!(waiting > coming && asleep > 0 && room), "{actions:?}");
            if made && waiting >= coming {
                let was = fleet.runners().filter(of_egg).filter(|runner| runner.is_asleep()).count();
                prop_assert!(asleep == 0 || asleep < was || asleep <= pool.nadir.min, "{actions:?}");
            }
        }
    }

    /// Property 16: a runner without a job for longer than the timeout goes to sleep, unless it is kept ready or a job is
    /// on its way to it; where no more may sleep it goes.
    #[test]
    fn property_16_apex_to_nadir_demotion(config in configs(), fleet in fleets()) {
        let after = carried_out(&config, &fleet, &decide(&config, &fleet, &Demand::default(), NOW));
        let pool = config.pools.values().next().unwrap();
        let long = |runner: &&Runner| runner.state == State::Idle && runner.idle_for(NOW) >= pool.idle_timeout;
        let serving = after.runners().filter(|runner| runner.is_serving()).count();
        let asleep = |fleet: &Fleet| fleet.runners().filter(|runner| runner.is_asleep()).count();
        // A new one has to come up once before it can sleep.
        let fresh = after.runners().filter(|runner| runner.is_booting() || runner.state == State::Idle && !long(runner));
        let rising = fresh.count().min(pool.nadir.min.saturating_sub(asleep(&after)));
        prop_assert!(after.runners().filter(long).count() == 0 || serving <= pool.apex.min + rising);
        prop_assert!(asleep(&after) <= pool.nadir.max.max(asleep(&fleet)));
    }

    /// Properties 12 and 13: a runner whose time is over is destroyed at once, even with a job, and the others are not.
    #[test]
    fn property_12_serverless_runner_timeout_enforcement(mut config in configs(), fleet in fleets(), demand in demands()) {
        for egg in config.eggs.values_mut() {
            egg.lifetime = Some(Config::SERVERLESS);
        }
        let actions = decide(&config, &fleet, &demand, NOW);
        for runner in fleet.runners() {
            let over = runner.is_active() && NOW.since(runner.woken) >= Config::SERVERLESS;
            let ended = actions.iter().any(|action| {
                matches!(action, Action::Destroy { runner: id, why: Why::Lifetime } if *id == runner.id)
            });
            prop_assert_eq!(over, ended, "{:?}", runner);
        }
    }

    /// Nobody at work is destroyed, unless time is up or it was asked to finish a day ago.
    #[test]
    fn no_busy_runner_is_killed_by_a_policy(config in configs(), fleet in fleets(), demand in demands()) {
        for action in decide(&config, &fleet, &demand, NOW) {
            let Action::Destroy { runner, why } = action else { continue };
            let busy = !fleet.get(&runner).unwrap().jobs.is_empty();
            prop_assert!(!busy || matches!(why, Why::Lifetime | Why::DrainDeadline));
        }
    }

    /// Hooks may come in any order and as often as they like: what is known in the end is the same, as long as each came
    /// once.
    #[test]
    fn hooks_in_any_order_come_to_the_same(
        order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle(),
        doubled in vec(0..12_usize, 0..12),
    ) {
        let hook = |at: usize| {
            let status = [JobStatus::Pending, JobStatus::Running, JobStatus::Succeeded][at % 3];
            let told = NOW.plus(Duration::from_secs(at as u64 % 3));
            (job_id(at as u64 / 3), Job {
                project: 1, egg: Some("egg0".to_owned()), tags: BTreeSet::new(), status, since: NOW, told, runner: None,
            })
        };
        let mut demand = Demand::default();
        for at in order.iter().chain(&doubled) {
            let (id, job) = hook(*at);
            demand.tell(id, job);
        }
        let mut straight = Demand::default();
        for at in 0..12 {
            let (id, job) = hook(at);
            straight.tell(id, job);
        }
        prop_assert_eq!(demand, straight);
    }
}
