//! The process ends at any call into the world, and another one goes on from what was written.

use std::{sync::atomic::Ordering, time::Duration};

use flyc::artifact::RunnerType;
use orchestrator::{
    domain::{JobStatus, PlanStatus},
    ports::queue::Queue,
};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use crate::world::{World, egg};

const STEP: Duration = Duration::from_secs(15);

fn run<T>(case: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(case)
}

/// A life with several starts: the process ends after so many calls each time.
async fn life(ends: &[u64], jobs: usize) -> World {
    let mut world = World::new();
    world.serve(egg("web", 7, RunnerType::Vm, &["docker"]), "d1", "c1").await;
    world.serve(egg("lambda", 8, RunnerType::Serverless, &[]), "d1", "c1").await;
    for _ in 0..jobs {
        world.ask(7, &["docker"]).await;
    }
    world.ask(8, &[]).await;
    for end in ends {
        world.fuse.arm(*end);
        let mut tries = 0;
        while tries < 40 && world.tick(STEP).await {
            tries += 1;
        }
        world.fuse.disarm();
        world.restart().await;
    }
    for _ in 0..80 {
        world.tick(STEP).await;
    }
    world
}

async fn is_whole(world: &World) {
    assert!(world.is_served(), "{:#?}", world.gitlab.state.lock().unwrap().jobs);
    // A hook that was accepted was not given up.
    assert_eq!(world.queue.dead(10).await.unwrap(), []);
    for job in world.jobs().await {
        assert_eq!(job.job.status, JobStatus::Succeeded, "{job:?}");
    }
    let plans = world.plans().await;
    let open =
        plans.iter().find(|plan| matches!(plan.plan.status, PlanStatus::Pending | PlanStatus::Applying));
    assert!(open.is_none(), "a plan is left: {open:?}");
    assert!(plans.iter().all(|plan| plan.sealed.is_empty()), "no plan's bytes are kept");
    assert_eq!(world.gitlab.state.lock().unwrap().runners.len(), 2, "one runner for each egg");
    for workspace in world.cloud.workspaces.lock().unwrap().values() {
        assert!(workspace.lock.is_none(), "a lock is left");
    }
    // Every machine is a runner that is known, and every runner that is known has its machine.
    let living: Vec<_> = world.living().await.into_iter().map(|runner| runner.runner.id).collect();
    let machines: Vec<_> = world.cloud.machines().into_iter().map(|(_, id, _)| id).collect();
    let (mut living, mut machines) = (living, machines);
    living.sort();
    machines.sort();
    assert_eq!(living, machines);
}

/// Cut off anywhere, again and again: nothing is lost, nothing is done twice, nobody is killed at work.
#[test]
fn property_31_a_restart_loses_nothing() {
    let config = ProptestConfig { cases: 100, max_shrink_iters: 30, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    let done = runner.run(&(vec(1_u64..400, 1..5), 1_usize..5), |(ends, jobs)| {
        run(async {
            let world = life(&ends, jobs).await;
            is_whole(&world).await;
        });
        Ok(())
    });
    if let Err(error) = done {
        panic!("{error}");
    }
}

/// Cut off at each single call of the first minutes, one after the other.
#[test]
fn every_call_may_be_the_last() {
    run(async {
        let mut world = World::new();
        world.serve(egg("web", 7, RunnerType::Vm, &["docker"]), "d1", "c1").await;
        world.ask(7, &["docker"]).await;
        world.tick(STEP).await;
        let calls = world.fuse.passed.load(Ordering::SeqCst);
        assert!(calls > 60, "the first deployment makes {calls} calls");
        for end in 1..=calls {
            let mut world = World::new();
            world.serve(egg("web", 7, RunnerType::Vm, &["docker"]), "d1", "c1").await;
            world.ask(7, &["docker"]).await;
            world.fuse.arm(end);
            let _ = world.tick(STEP).await;
            world.fuse.disarm();
            world.restart().await;
            for _ in 0..14 {
                world.tick(STEP).await;
            }
            assert!(world.is_served(), "ended at call {end}");
            assert_eq!(world.runners().await.len(), 1, "ended at call {end}");
            assert_eq!(world.gitlab.state.lock().unwrap().runners.len(), 1, "ended at call {end}");
            assert_eq!(world.queue.dead(10).await.unwrap(), [], "ended at call {end}");
        }
    });
}
