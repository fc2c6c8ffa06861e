//! Single stories, told step by step.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use flyc::artifact::RunnerType;
use orchestrator::{
    domain::{JobStatus, PlanStatus, State},
    ports::queue::Queue,
    records::PlanKind,
    roles::{
        Work,
        worker::{self, Previewed},
    },
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    cloud::Machine,
    gitlab::SERVER,
    world::{World, egg},
};

const STEP: Duration = Duration::from_secs(15);

/// From the hook of a job that waits to a runner that is gone.
#[tokio::test]
async fn a_job_is_served_and_its_runner_goes() {
    let mut world = World::new();
    world.serve(egg("web", 7, RunnerType::Vm, &["docker"]), "d1", "c1").await;
    let job = world.ask(7, &["docker"]).await;
    world.ticks(1, STEP).await;
    assert_eq!(world.cloud.machines().len(), 1);
    world.ticks(8, STEP).await;
    assert_eq!(world.gitlab.get(job).status, JobStatus::Succeeded);
    let record = &world.jobs().await[0];
    assert_eq!(record.job.status, JobStatus::Succeeded);
    assert_eq!(record.job.runner.as_ref().unwrap().as_str(), "web-1");
    assert_eq!(world.living().await[0].runner.state, State::Idle);
    // Nobody needs it: it sleeps, and is not destroyed.
    world.ticks(30, STEP).await;
    let runners = world.living().await;
    assert_eq!(runners[0].runner.state, State::Nadir);
    assert!(world.cloud.machines()[0].2.up.is_none());
    // It is woken for the next job.
    let job = world.ask(7, &["docker"]).await;
    world.ticks(10, STEP).await;
    assert_eq!(world.gitlab.get(job).status, JobStatus::Succeeded);
    assert_eq!(world.runners().await.len(), 1);
    // The egg leaves the Nest: nothing of it stays.
    world.change_egg("web", |egg| egg.removed = true).await;
    world.ticks(10, STEP).await;
    assert_eq!(world.cloud.machines().len(), 0);
    assert_eq!(world.runners().await[0].runner.state, State::Terminated);
    assert!(world.gitlab.state.lock().unwrap().runners.is_empty());
    assert_eq!(world.gitlab.state.lock().unwrap().deleted, ["s_web-1"]);
    assert_eq!(*world.cloud.forgotten.lock().unwrap(), ["web"]);
    world.ticks(3, STEP).await;
    assert_eq!(*world.cloud.forgotten.lock().unwrap(), ["web"], "it was forgotten once");
    assert_eq!(world.queue.dead(10).await.unwrap(), []);
    let audit = world.audit().await;
    for action in ["runner.make", "runner.sleep", "runner.wake", "runner.drain", "runner.gone", "plan.apply"]
    {
        assert!(audit.iter().any(|entry| entry.action == action), "{action} is not in the audit record");
    }
}

/// A job that nobody can serve is told of with the reason, and served once the Nest can.
#[tokio::test]
async fn a_job_that_nobody_serves_is_explained() {
    let mut world = World::new();
    world.serve(egg("web", 7, RunnerType::Vm, &["docker"]), "d1", "c1").await;
    let job = world.ask(7, &["gpu"]).await;
    world.ticks(2, STEP).await;
    let record = &world.jobs().await[0];
    assert_eq!(record.job.egg, None);
    assert!(record.reason.join("\n").contains("gpu"), "{:?}", record.reason);
    world.serve(egg("web", 7, RunnerType::Vm, &["docker", "gpu"]), "d2", "c2").await;
    world.put(Work::Sweep).await;
    world.ticks(10, STEP).await;
    assert_eq!(world.gitlab.get(job).status, JobStatus::Succeeded);
    let tags = world.gitlab.state.lock().unwrap().runners.values().next().unwrap().settings.tags.clone();
    assert_eq!(tags, ["docker", "gpu"], "the runner's settings follow the Nest");
}

/// No hook comes at all.
#[tokio::test]
async fn a_sweep_makes_up_for_lost_hooks() {
    let mut world = World::new();
    world.lost = true;
    let mut group = egg("group", 0, RunnerType::Vm, &[]);
    group.repositories[0].project_id = None;
    group.repositories[0].group_id = Some(70);
    world.serve(group, "d1", "c1").await;
    world.gitlab.state.lock().unwrap().groups.insert(7, vec![71, 70]);
    let job = world.ask(7, &[]).await;
    let canceled = world.ask(7, &[]).await;
    world.ticks(1, STEP).await;
    assert!(world.jobs().await.is_empty());
    world.put(Work::Sweep).await;
    world.ticks(1, STEP).await;
    assert_eq!(world.jobs().await.len(), 2);
    // One that waits no longer is waited for no longer.
    world.gitlab.end(canceled, JobStatus::Canceled, None);
    world.put(Work::Sweep).await;
    world.ticks(10, STEP).await;
    assert!(world.jobs().await.iter().all(|known| known.id.number != canceled));
    assert_eq!(world.gitlab.get(job).status, JobStatus::Succeeded);
    assert_eq!(&*world.jobs().await.first().map_or(SERVER.into(), |job| job.id.server.clone()), SERVER);
}

/// An apply that fails half-way is tried again, with the same tickets.
#[tokio::test]
async fn a_deployment_that_fails_is_tried_again() {
    let mut world = World::new();
    world.serve(egg("web", 7, RunnerType::Vm, &[]), "d1", "c1").await;
    *world.cloud.failing.lock().unwrap() = 3;
    for _ in 0..3 {
        world.ask(7, &[]).await;
    }
    world.ticks(1, STEP).await;
    let egg = world.egg("web").await.unwrap().record;
    assert!(egg.failures >= 1 && egg.retry_at.is_some());
    assert!(egg.error.unwrap().contains("the cloud is full"));
    world.ticks(20, STEP).await;
    assert!(world.is_served());
    let egg = world.egg("web").await.unwrap().record;
    assert_eq!((egg.failures, egg.error, egg.retry_at), (0, None, None));
    assert!(world.plans().await.iter().any(|plan| plan.plan.status == PlanStatus::Failed));
    assert!(world.plans().await.iter().all(|plan| plan.sealed.is_empty()), "no bytes are kept");
}

#[tokio::test]
async fn a_secret_that_is_missing_heals() {
    let mut world = World::new();
    world.serve(egg("web", 7, RunnerType::Vm, &[]), "d1", "c1").await;
    let missing = "vault://eggs/web/api-token";
    world.vault.missing.lock().unwrap().insert(missing.to_owned());
    world.ticks(2, STEP).await;
    let egg = world.egg("web").await.unwrap().record;
    let error = egg.error.unwrap();
    assert!(error.contains("vault") && error.contains("eggs/web") && error.contains("api-token"), "{error}");
    assert!(egg.failures >= 1);
    world.vault.missing.lock().unwrap().clear();
    world.ask(7, &[]).await;
    world.ticks(15, STEP).await;
    assert!(world.is_served());
    assert_eq!(world.egg("web").await.unwrap().record.error, None);
}

/// The newest machine.
fn last(world: &World) -> Machine {
    world.cloud.machines().pop().unwrap().2
}

#[tokio::test]
async fn a_rollback_holds_until_the_egg_changes() {
    let mut world = World::new();
    let mut config = egg("web", 7, RunnerType::Vm, &[]);
    // Each job has a runner of its own.
    config.runner.ephemeral = true;
    world.serve(config.clone(), "d1", "c1").await;
    world.ask(7, &[]).await;
    world.ticks(12, STEP).await;
    world.serve(config.clone(), "d2", "c2").await;
    world.ask(7, &[]).await;
    world.ticks(1, STEP).await;
    assert_eq!(last(&world).digest, "d2");
    world.ticks(12, STEP).await;
    let back = Work::Rollback { egg: "web".to_owned(), to: None, actor: "api:me".to_owned() };
    world.put(back.clone()).await;
    world.ticks(1, STEP).await;
    let egg = world.egg("web").await.unwrap().record;
    assert_eq!(egg.made_from(), ("d1", "c1"));
    let plans = world.plans().await;
    let rollback = plans.iter().find(|plan| plan.kind == PlanKind::Rollback).unwrap();
    assert!(rollback.rollback_of.is_some() && rollback.plan.status == PlanStatus::Applied);
    assert!(plans.iter().any(|plan| plan.plan.status == PlanStatus::RolledBack));
    assert!(world.audit().await.iter().any(|entry| entry.actor == "api:me" && entry.action == "plan.apply"));
    world.ask(7, &[]).await;
    world.ticks(1, STEP).await;
    assert_eq!((last(&world).digest.as_str(), last(&world).commit.as_deref()), ("d1", Some("c1")));
    world.ticks(12, STEP).await;
    world.serve(config, "d3", "c3").await;
    world.ask(7, &[]).await;
    world.ticks(1, STEP).await;
    assert_eq!(last(&world).digest, "d3");
    // Files that are gone can't be gone back to; that is said, and nothing else happens.
    world.cloud.bundles.lock().unwrap().remove(&("web".to_owned(), "d2".to_owned()));
    world.ticks(12, STEP).await;
    world.put(Work::Rollback { egg: "nobody".to_owned(), to: None, actor: "api:me".to_owned() }).await;
    world.ticks(1, STEP).await;
    assert!(world.queue.dead(10).await.unwrap()[0].reason.contains("nobody"));
}

/// A lock of a run that went away is freed with an entry in the audit record; one of a person's is left alone.
#[tokio::test]
async fn a_lock_of_a_persons_is_left_alone() {
    use orchestrator::ports::tofu::FoundLock;
    let mut world = World::new();
    world.serve(egg("web", 7, RunnerType::Vm, &[]), "d1", "c1").await;
    world.ask(7, &[]).await;
    let lock = FoundLock {
        id: "1".to_owned(),
        who: "anna@laptop".to_owned(),
        operation: "OperationTypeApply".to_owned(),
        created: "2027-01-01 00:00:00 +0000 UTC".to_owned(),
    };
    world.cloud.workspaces.lock().unwrap().entry("web".to_owned()).or_default().lock = Some(lock);
    world.ticks(3, STEP).await;
    assert!(world.cloud.workspaces.lock().unwrap()["web"].lock.is_some());
    assert!(world.egg("web").await.unwrap().record.error.unwrap().contains("anna@laptop"));
    world.cloud.workspaces.lock().unwrap().get_mut("web").unwrap().lock = None;
    world.ticks(15, STEP).await;
    assert!(world.is_served());
}

/// What GitLab's absence delays is done when it is back.
#[tokio::test]
async fn gitlab_may_be_away_for_a_while() {
    let mut world = World::new();
    world.serve(egg("web", 7, RunnerType::Vm, &[]), "d1", "c1").await;
    world.gitlab.state.lock().unwrap().away = 7;
    world.ask(7, &[]).await;
    world.ticks(30, STEP).await;
    assert!(world.is_served());
    assert_eq!(world.queue.dead(10).await.unwrap(), []);
}

/// `OpenTofu` may take minutes, for many eggs at once: webhooks are worked on meanwhile, and no more of it runs than there are
/// workers.
#[tokio::test(flavor = "multi_thread")]
async fn webhooks_do_not_wait_for_deployments() {
    let world = World::new();
    for (name, project) in [("one", 7), ("two", 8), ("three", 9)] {
        world.serve(egg(name, project, RunnerType::Vm, &[name]), "d1", "c1").await;
        world.ask(project, &[name]).await;
    }
    let gate = Arc::new(Semaphore::new(0));
    *world.cloud.gate.lock().unwrap() = Some(gate.clone());
    let shutdown = CancellationToken::new();
    let working = tokio::spawn(worker::run(world.context.clone(), shutdown.clone()));
    let wait = async |what: &str, is_so: &dyn Fn(&World, usize) -> bool| {
        let waiting = async {
            loop {
                let jobs = world.jobs().await.len();
                if is_so(&world, jobs) {
                    return;
                }
                world.clock.add(Duration::from_millis(250));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_mins(1), waiting).await.is_ok(), "{what}");
    };
    let applies = |world: &World| world.cloud.waiting.load(Ordering::SeqCst);
    wait("an apply begins", &|world, _| applies(world) == 1).await;
    // The only worker is free for it, though a deployment runs and two wait.
    world.ask(7, &["one"]).await;
    wait("a webhook is worked on", &|world, jobs| {
        assert_eq!(applies(world), 1, "as many as there are workers");
        jobs == 4
    })
    .await;
    gate.add_permits(1_000);
    wait("every egg has a machine", &|world, _| {
        let owners: BTreeSet<String> = world.cloud.machines().into_iter().map(|(owner, ..)| owner).collect();
        owners.len() == 3
    })
    .await;
    shutdown.cancel();
    working.await.unwrap();
}

/// What a deployment would do is planned in a place of the deployments': while others have them all, no more of `OpenTofu`
/// runs.
#[tokio::test(flavor = "multi_thread")]
async fn no_more_plans_run_than_there_are_places() {
    let world = World::new();
    world.serve(egg("web", 7, RunnerType::Vm, &["docker"]), "d1", "c1").await;
    let taken = world.context.places().acquire_owned().await.unwrap();
    let mut planned = Box::pin(worker::preview(&world.context, "web"));
    // A plan of this double takes no time at all.
    let early = tokio::time::timeout(Duration::from_secs(2), &mut planned).await;
    assert!(early.is_err(), "nothing is planned meanwhile: {early:?}");
    drop(taken);
    let plan = planned.await.unwrap();
    assert!(matches!(plan, Previewed::Plan(_)), "{plan:?}");
    assert_eq!(world.context.places().available_permits(), 1, "it is given back");
}
