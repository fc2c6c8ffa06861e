//! Tokens of runners are rotated, whatever runs meanwhile and wherever it is cut off.

use std::{sync::atomic::Ordering, time::Duration};

use flyc::artifact::RunnerType;
use orchestrator::{
    domain::{JobStatus, Time},
    ports::{clock::Clock, queue::Queue},
    records::{Rotation, RotationStep},
    roles::Work,
};
use proptest::{option, prelude::*, test_runner::TestRunner};

use crate::world::{World, egg, token_of};

/// Between two heartbeats: the interval within which a new value arrives.
const STEP: Duration = Duration::from_secs(15);

fn run<T>(case: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(case)
}

fn now(world: &World) -> Time {
    world.clock.now()
}

/// As the API writes it.
async fn rotate(world: &mut World) {
    world.rotates = true;
    let now = now(world);
    world.change_egg("web", |egg| egg.rotation = Some(Rotation::new("api:me", now))).await;
    world.put(Work::Rotate { egg: "web".to_owned() }).await;
}

/// As the API writes it; `false` when the API would refuse.
async fn undo(world: &World) -> bool {
    let now = now(world);
    let known = rotation(world).await;
    if known.step >= RotationStep::Revoke {
        return false;
    }
    let change = |egg: &mut orchestrator::records::EggRecord| {
        let rotation = egg.rotation.as_mut().unwrap();
        rotation.undo = true;
        rotation.come_to(RotationStep::Register, now);
    };
    world.change_egg("web", change).await;
    world.put(Work::Rotate { egg: "web".to_owned() }).await;
    true
}

async fn rotation(world: &World) -> Rotation {
    world.egg("web").await.unwrap().record.rotation.unwrap()
}

/// The ids of the egg's runners in GitLab, and the token of the last.
fn in_gitlab(world: &World) -> Vec<(u64, String)> {
    let state = world.gitlab.state.lock().unwrap();
    state.runners.iter().map(|(id, runner)| (*id, runner.token.clone())).collect()
}

fn current(world: &World) -> String {
    world.vault.values.lock().unwrap()[&token_of("web")].clone()
}

/// Nobody who works has a token that is good for nothing: the old one works until all have the new one.
fn nobody_is_locked_out(world: &World) {
    let known: Vec<String> = in_gitlab(world).into_iter().map(|(_, token)| token).collect();
    for (_, id, machine) in world.cloud.machines() {
        if let Some((token, _)) = machine.token.filter(|_| machine.up.is_some() && !machine.draining) {
            assert!(known.contains(&token), "{id} works with a token that is revoked");
        }
    }
}

/// Everybody who works has the current value.
fn everybody_has(world: &World, value: &str) {
    for (_, id, machine) in world.cloud.machines() {
        if let Some((token, _)) = machine.token.filter(|_| machine.up.is_some() && !machine.draining) {
            assert_eq!(token, value, "{id} has not heard of the new token within a heartbeat");
        }
    }
}

/// It is over, and all is as if there had only ever been one runner.
async fn is_one_state(world: &World) {
    assert_eq!(rotation(world).await.step, RotationStep::Done, "{:?}", rotation(world).await);
    let left = in_gitlab(world);
    assert_eq!(left.len(), 1, "one runner is left in GitLab: {left:?}");
    let egg = world.egg("web").await.unwrap().record;
    let registered: Vec<_> = egg.registered.values().map(|known| known.runner).collect();
    assert_eq!(registered, [Some(left[0].0)], "it is the one that is known");
    assert_eq!(left[0].1, current(world), "the secret's current version is its token");
    assert!(world.cloud.killed.lock().unwrap().is_empty(), "no job was lost");
    assert_eq!(world.queue.dead(10).await.unwrap(), []);
}

#[derive(Debug, Clone)]
struct Case {
    /// Jobs before it, and while it goes on.
    jobs: (usize, usize),
    /// How long each takes, in seconds.
    length: u64,
    /// Ticks before it.
    before: u32,
    /// Ticks until it is undone.
    undone: Option<u32>,
    /// Whether machines take one job each.
    ephemeral: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    ((1_usize..4, 0_usize..3), 5_u64..200, 1_u32..30, option::weighted(0.3, 0_u32..4), any::<bool>())
        .prop_map(|(jobs, length, before, undone, ephemeral)| Case {
            jobs,
            length,
            before,
            undone,
            ephemeral,
        })
}

async fn whole(case: &Case) {
    let mut world = World::new();
    world.length = Duration::from_secs(case.length);
    let mut config = egg("web", 7, RunnerType::Vm, &[]);
    config.runner.ephemeral = case.ephemeral;
    world.serve(config, "d1", "c1").await;
    let mut jobs = Vec::new();
    for _ in 0..case.jobs.0 {
        jobs.push(world.ask(7, &[]).await);
    }
    world.ticks(case.before, STEP).await;
    let (first, old) = in_gitlab(&world).remove(0);
    rotate(&mut world).await;
    let mut undone = false;
    for tick in 0..90 {
        let is_over = !world.gitlab.state.lock().unwrap().jobs.values().any(|job| !job.status.is_over());
        if tick > 5 && is_over && rotation(&world).await.step == RotationStep::Done {
            break;
        }
        if case.undone == Some(tick) {
            undone = undo(&world).await;
        }
        assert!(world.tick(STEP).await);
        nobody_is_locked_out(&world);
        let known = rotation(&world).await;
        // The value was changed in this tick at the latest; the next heartbeat brings it.
        if known.step == RotationStep::Drain {
            let value = current(&world);
            assert_eq!(value == old, known.undo, "the secret holds the token of the runner that stays");
            assert!(world.tick(STEP).await);
            if rotation(&world).await.undo == known.undo {
                everybody_has(&world, &value);
            }
        }
        if tick == 1 {
            for _ in 0..case.jobs.1 {
                jobs.push(world.ask(7, &[]).await);
            }
        }
    }
    is_one_state(&world).await;
    let (last, token) = in_gitlab(&world).remove(0);
    assert_eq!((last == first, token == old), (undone, undone), "undone: {undone}");
    for job in jobs {
        assert_eq!(world.gitlab.get(job).status, JobStatus::Succeeded, "every job was served: {job}");
    }
    // The next job is served as well.
    let job = world.ask(7, &[]).await;
    world.ticks(20, STEP).await;
    let job = world.gitlab.get(job);
    assert_eq!((job.status, job.runner), (JobStatus::Succeeded, Some(last)));
}

/// Every runner that works with a secret has its new value a heartbeat after it was rotated, and the old one works until then.
#[test]
fn property_40_secret_rotation_propagation() {
    let config = ProptestConfig { cases: 100, max_shrink_iters: 30, ..ProptestConfig::default() };
    let done = TestRunner::new(config).run(&cases(), |case| {
        run(whole(&case));
        Ok(())
    });
    if let Err(error) = done {
        panic!("{error}");
    }
}

/// One with a job that runs, at the moment it is rotated; `back` undoes it a tick later.
async fn story(end: Option<u64>, back: bool) -> World {
    let mut world = World::new();
    world.length = Duration::from_secs(80);
    world.serve(egg("web", 7, RunnerType::Vm, &[]), "d1", "c1").await;
    let job = world.ask(7, &[]).await;
    world.ticks(4, STEP).await;
    assert_eq!(world.gitlab.get(job).status, JobStatus::Running);
    let old = in_gitlab(&world);
    rotate(&mut world).await;
    if back {
        assert!(world.tick(STEP).await);
        assert!(undo(&world).await);
    }
    world.fuse.passed.store(0, Ordering::SeqCst);
    if let Some(end) = end {
        world.fuse.arm(end);
    }
    let mut cut_off = false;
    for _ in 0..40 {
        if !world.tick(STEP).await {
            cut_off = true;
            world.fuse.disarm();
            world.restart().await;
        }
        nobody_is_locked_out(&world);
        if rotation(&world).await.step == RotationStep::Done
            && world.gitlab.get(job).status == JobStatus::Succeeded
        {
            break;
        }
    }
    world.fuse.disarm();
    assert_eq!(cut_off, end.is_some(), "cut off at {end:?}");
    is_one_state(&world).await;
    assert_eq!(world.gitlab.get(job).status, JobStatus::Succeeded, "cut off at {end:?}");
    assert_eq!(in_gitlab(&world) == old, back, "cut off at {end:?}");
    world
}

/// Cut off at one call of a rotation after the other, there and back.
#[test]
fn a_rotation_may_be_cut_off_anywhere() {
    run(async {
        for back in [false, true] {
            let calls = story(None, back).await.fuse.passed.load(Ordering::SeqCst);
            assert!(calls > 60, "a rotation makes {calls} calls");
            // Most calls look at what others wrote; which of them end it differs from way to way.
            for end in (1..=calls).step_by(if back { 5 } else { 2 }) {
                story(Some(end), back).await;
            }
        }
    });
}
