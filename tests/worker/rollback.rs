//! After a deployment that failed, going back brings what was there before.

use std::{collections::BTreeSet, time::Duration};

use flyc::artifact::RunnerType;
use orchestrator::{
    domain::{PlanStatus, RunnerId, State},
    ports::queue::Queue,
    records::PlanKind,
    roles::Work,
};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::world::{World, egg};

const STEP: Duration = Duration::from_secs(15);

fn run<T>(case: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(case)
}

/// The machines that are there, with what each is made of.
fn machines(world: &World) -> BTreeSet<(RunnerId, String)> {
    world.cloud.machines().into_iter().map(|(_, id, machine)| (id, machine.digest)).collect()
}

/// `jobs` before and after the bad push, how long it is bad, whether the plan is named, and whether the cloud is full besides.
async fn back((before, after): (usize, usize), ticks: u32, named: bool, full: u32) {
    let mut world = World::new();
    world.length = Duration::from_mins(4);
    world.serve(egg("web", 7, RunnerType::Vm, &[]), "d1", "c1").await;
    for _ in 0..before {
        world.ask(7, &[]).await;
    }
    world.ticks(3, STEP).await;
    let fleet = machines(&world);
    assert_eq!(fleet.len(), before);
    let good = world.plans().await.into_iter().filter(|plan| plan.plan.status == PlanStatus::Applied);
    let good = good.max_by_key(|plan| plan.plan.made).unwrap().plan;

    world.cloud.bad.lock().unwrap().insert("d2".to_owned());
    world.serve(egg("web", 7, RunnerType::Vm, &[]), "d2", "c2").await;
    for _ in 0..after {
        world.ask(7, &[]).await;
    }
    world.ticks(ticks, STEP).await;
    let egg = world.egg("web").await.unwrap().record;
    assert!(egg.failures > 0, "the deployment fails");

    *world.cloud.failing.lock().unwrap() = full;
    let to = named.then(|| good.id.clone());
    world.put(Work::Rollback { egg: "web".to_owned(), to, actor: "api:me".to_owned() }).await;
    world.ticks(8, STEP).await;
    // What is in force is what was; what was made of the bad one goes; what was there before is there.
    let egg = world.egg("web").await.unwrap().record;
    assert_eq!(egg.made_from(), ("d1", "c1"));
    assert_eq!((egg.failures, egg.error, egg.retry_at), (0, None, None));
    let now = machines(&world);
    for row in world.living().await.into_iter().filter(|row| row.runner.digest == "d2") {
        assert_eq!(
            row.runner.state,
            State::PendingTermination,
            "{} finishes its job and goes",
            row.runner.id
        );
    }
    assert!(now.is_superset(&fleet), "{fleet:?} was there, and {now:?} is");
    // The history of plans shows both.
    let plans = world.plans().await;
    let failed = plans.iter().filter(|plan| plan.plan.digest == "d2");
    assert!(failed.clone().any(|plan| plan.plan.status == PlanStatus::Failed && plan.error.is_some()));
    assert!(failed.clone().all(|plan| plan.plan.status != PlanStatus::Applied));
    let back = plans.iter().filter(|plan| plan.kind == PlanKind::Rollback);
    let back: Vec<_> = back.filter(|plan| plan.plan.status == PlanStatus::Applied).collect();
    assert_eq!(back.len(), 1);
    assert_eq!((back[0].rollback_of.as_ref(), &*back[0].plan.digest), (Some(&good.id), "d1"));
    // And the jobs that the bad one kept waiting are served.
    world.ticks(60, STEP).await;
    assert!(world.is_served());
    assert!(machines(&world).iter().all(|(_, digest)| digest == "d1"), "{:?}", machines(&world));
    assert!(world.cloud.killed.lock().unwrap().is_empty(), "no job was lost");
    assert_eq!(world.queue.dead(10).await.unwrap(), []);
}

#[test]
fn property_25_deployment_rollback() {
    let config = ProptestConfig { cases: 100, max_shrink_iters: 30, ..ProptestConfig::default() };
    let cases = ((1_usize..3, 1_usize..4), 1_u32..6, any::<bool>(), 0_u32..2);
    let done = TestRunner::new(config).run(&cases, |(jobs, ticks, named, full)| {
        run(back(jobs, ticks, named, full));
        Ok(())
    });
    if let Err(error) = done {
        panic!("{error}");
    }
}
