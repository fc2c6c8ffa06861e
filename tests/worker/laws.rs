//! What holds of any egg, job and order of events.

use std::{collections::BTreeSet, time::Duration};

use flyc::artifact::RunnerType;
use orchestrator::{
    domain::{JobStatus, State},
    ports::{
        queue::Queue,
        store::{Query, Value},
    },
    records::{self, Record, RunnerRecord},
    roles::Work,
};
use proptest::{collection::vec, prelude::*, sample::Index, test_runner::TestRunner};

use crate::world::{World, egg, job_id};

const STEP: Duration = Duration::from_secs(20);

/// Runs a case on a runtime of its own.
fn run<T>(case: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(case)
}

/// Tries a strategy 100 times.
fn each<S: Strategy>(strategy: S, case: impl AsyncFn(S::Value)) {
    let config = ProptestConfig { cases: 100, max_shrink_iters: 50, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    let done = runner.run(&strategy, |value| {
        run(case(value));
        Ok(())
    });
    if let Err(error) = done {
        panic!("{error}");
    }
}

/// What is wrong with a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    Missing,
    Refused,
    Away,
    /// The reference is none.
    Nonsense,
}

/// Whichever secret of an egg can't be had, of whatever backend and for whatever reason: its deployment fails and says which
/// it was, no machine is made, and no value is told.
#[test]
fn property_39_a_deployment_names_the_secret_that_it_lacks() {
    let lacks = prop_oneof![Just(Lack::Missing), Just(Lack::Refused), Just(Lack::Away), Just(Lack::Nonsense)];
    let backends = prop_oneof![Just("vault"), Just("aws-sm"), Just("yc-lockbox")];
    let all = (backends, "[a-z][a-z0-9]{3,12}", any::<bool>(), lacks, "[A-Za-z0-9]{20,40}");
    each(all, async |(backend, id, is_token, lack, value)| {
        let mut world = World::new();
        let mut config = egg("web", 7, RunnerType::Vm, &[]);
        let uri = match lack {
            // What stands there may be the secret itself.
            Lack::Nonsense => format!("{backend}://{value}"),
            _ => format!("{backend}://{id}/key"),
        };
        let repository = &mut config.repositories[0];
        // The runner's token is written, the API's is read; a token that isn't there yet is written.
        let is_token = is_token && lack != Lack::Missing;
        *(if is_token { &mut repository.token_secret } else { &mut repository.api_token_secret }) =
            uri.clone();
        world.vault.values.lock().unwrap().insert(uri.clone(), value.clone());
        let set = match lack {
            Lack::Missing => Some(&world.vault.missing),
            Lack::Refused => Some(&world.vault.refused),
            Lack::Away => Some(&world.vault.away),
            Lack::Nonsense => None,
        };
        if let Some(set) = set {
            set.lock().unwrap().insert(uri.clone());
        }
        world.serve(config, "d1", "c1").await;
        world.ask(7, &[]).await;
        world.ticks(3, STEP).await;
        let egg = world.egg("web").await.unwrap().record;
        assert!(egg.failures >= 1, "{lack:?} of {uri}: the deployment fails");
        let error = egg.error.clone().unwrap();
        assert!(error.contains(backend), "{lack:?} of {uri}: {error}");
        assert!(lack == Lack::Nonsense || error.contains(&id), "{lack:?} of {uri}: {error}");
        assert!(world.cloud.machines().is_empty(), "{lack:?} of {uri}: nothing is made");
        let told = format!("{:?} {:?} {:?}", egg.error, world.audit().await, world.plans().await);
        assert!(!told.contains(&value), "{lack:?} of {uri}: the value is told");
    });
}

const TAGS: [&str; 3] = ["docker", "linux", "gpu"];

/// A webhook of a project is answered by a look at every egg of that project: one serves the job, or each says why not.
#[test]
fn property_9_every_egg_of_the_project_is_considered() {
    let some_eggs = vec((1_u64..4, prop::sample::subsequence(TAGS.to_vec(), 0..=3)), 1..5);
    let tags = prop::sample::subsequence(TAGS.to_vec(), 0..=3);
    each((some_eggs, 1_u64..4, tags), async |(eggs, project, tags)| {
        let mut world = World::new();
        for (at, (project, tags)) in eggs.iter().enumerate() {
            world.serve(egg(&format!("egg{at}"), *project, RunnerType::Vm, tags), "d", "c").await;
        }
        let job = world.ask(project, &tags).await;
        assert!(world.work_off().await);
        let of_project: Vec<usize> = (0..eggs.len()).filter(|at| eggs[*at].0 == project).collect();
        let jobs = world.jobs().await;
        let Some(record) = jobs.iter().find(|record| record.id == job_id(job)) else {
            assert!(of_project.is_empty(), "a job of a project that is served is not known");
            return;
        };
        let told = record.reason.join("\n");
        let takes = |at: &&usize| {
            let its = &eggs[**at].1;
            (its.is_empty() || !tags.is_empty()) && tags.iter().all(|tag| its.contains(tag))
        };
        match &record.job.egg {
            Some(name) => {
                let at: usize = name.strip_prefix("egg").unwrap().parse().unwrap();
                assert!(of_project.iter().filter(takes).any(|other| *other == at), "{name} can't take it");
                for other in of_project.iter().filter(takes) {
                    assert!(told.contains(&format!("`egg{other}`")), "egg{other} is not named: {told}");
                }
            }
            None => {
                assert!(!of_project.iter().any(|at| takes(&at)), "some egg takes it: {told}");
                for other in &of_project {
                    assert!(told.contains(&format!("`egg{other}`")), "egg{other} is not named: {told}");
                }
            }
        }
    });
}

#[test]
fn property_10_a_job_of_an_hour_goes_to_a_vm() {
    each(1_u64..180, async |minutes| {
        let mut world = World::new();
        world.serve(egg("machine", 7, RunnerType::Vm, &["x"]), "d", "c").await;
        world.serve(egg("lambda", 7, RunnerType::Serverless, &["x"]), "d", "c").await;
        let job = world.gitlab.ask(7, &["x"]);
        world.gitlab.state.lock().unwrap().timeouts.insert(job, Duration::from_secs(60 * minutes));
        world.hook(job, JobStatus::Pending).await;
        assert!(world.work_off().await);
        let jobs = world.jobs().await;
        let expected = if minutes < 60 { "lambda" } else { "machine" };
        assert_eq!(jobs[0].job.egg.as_deref(), Some(expected));
        assert!(world.runners().await.iter().all(|runner| runner.runner.egg == expected));
    });
}

/// What was written of a runner is what is read, by its key and by its egg's index, at once.
#[test]
fn property_11_what_was_decided_is_read_back() {
    each((1_usize..5, 1_u32..8), async |(jobs, ticks)| {
        let mut world = World::new();
        world.serve(egg("web", 7, RunnerType::Vm, &[]), "d", "c").await;
        for _ in 0..jobs {
            world.ask(7, &[]).await;
        }
        for _ in 0..ticks {
            world.tick(STEP).await;
            let query = Query {
                table: RunnerRecord::TABLE,
                index: Some("egg_name_index"),
                partition: Some(Value::Text("web".to_owned())),
                from: None,
                until: None,
                descending: false,
                limit: 100,
                after: None,
            };
            let by_index = records::query::<RunnerRecord>(&*world.store, &query).await.unwrap().records;
            assert_eq!(by_index.len(), jobs.min(3));
            for found in by_index {
                let key = found.record.key();
                let by_key = records::get::<RunnerRecord>(&*world.store, key).await.unwrap().unwrap();
                assert_eq!(by_key, found);
                // What the audit record tells of it last is what it is, but for what it did by itself.
                let machine =
                    world.cloud.machines().into_iter().find(|(_, id, _)| *id == found.record.runner.id);
                assert!(machine.is_some(), "a runner that was made is there");
            }
        }
    });
}

/// Lives through one serverless runner whose job takes so many minutes; says how long it lived.
async fn serverless(minutes: u64, step: u64) -> Duration {
    let mut world = World::new();
    world.length = Duration::from_secs(60 * minutes);
    world.serve(egg("lambda", 7, RunnerType::Serverless, &[]), "d", "c").await;
    world.ask(7, &[]).await;
    world.tick(Duration::from_secs(1)).await;
    let first = world.runners().await[0].runner.clone();
    let ends = Duration::from_secs(60 * minutes.min(60));
    // Its heartbeats keep it from being taken for lost; nothing else happens until the end comes near.
    while now(&world).since(first.woken) + Duration::from_mins(4) < ends {
        world.tick(Duration::from_secs(150)).await;
    }
    for _ in 0..900 / step {
        world.tick(Duration::from_secs(step)).await;
        let gone = world.cloud.destroyed.lock().unwrap().get(&first.id).copied();
        let Some(gone) = gone else { continue };
        let row = world.runners().await.into_iter().find(|row| row.runner.id == first.id).unwrap();
        assert_eq!(row.runner.state, State::Terminated);
        assert!(world.gitlab.state.lock().unwrap().deleted.contains(&format!("s_{}", first.id)));
        return gone.since(first.woken);
    }
    panic!("it is still there");
}

#[test]
fn property_12_a_serverless_runner_is_ended_after_an_hour() {
    each((62_u64..110, 20_u64..60), async |(minutes, step)| {
        let lived = serverless(minutes, step).await;
        assert!(lived >= Duration::from_hours(1), "its whole hour was its own: {lived:?}");
        assert!(lived <= Duration::from_secs(3600 + 2 * step), "{lived:?}");
    });
}

#[test]
fn property_13_nothing_of_a_serverless_runner_is_there_five_minutes_after_its_end() {
    each((1_u64..58, 20_u64..60), async |(minutes, step)| {
        let lived = serverless(minutes, step).await;
        // It began its job a step after it had come up, and in the long steps at most one of them later.
        let began = Duration::from_secs(1 + 150 + 20);
        assert!(lived <= Duration::from_secs(60 * minutes) + began + Duration::from_mins(5), "{lived:?}");
    });
}

/// Runners that are made after an egg has changed are made from what it is now.
#[test]
fn property_28_runners_made_after_an_update_are_made_of_it() {
    each((vec(0_u32..3, 1..5), 1_usize..4), async |(waits, jobs)| {
        let mut world = World::new();
        let mut config = egg("web", 7, RunnerType::Vm, &[]);
        config.runner.ephemeral = true;
        let mut known = BTreeSet::new();
        for (version, wait) in waits.into_iter().enumerate() {
            let (digest, commit) = (format!("digest {version}"), format!("commit {version}"));
            world.serve(config.clone(), &digest, &commit).await;
            for _ in 0..jobs {
                world.ask(7, &[]).await;
            }
            for _ in 0..=wait {
                world.tick(STEP).await;
                for (_, id, machine) in world.cloud.machines() {
                    if known.insert(id.clone()) {
                        assert_eq!((&machine.digest, machine.commit.as_ref()), (&digest, Some(&commit)));
                        let row = world.runners().await.into_iter().find(|row| row.runner.id == id).unwrap();
                        assert_eq!((&row.runner.digest, &row.commit), (&digest, &commit));
                    }
                }
            }
        }
    });
}

/// Hooks come late, twice and in any order: what is known in the end is the same.
#[test]
fn hooks_in_any_order_lead_to_the_same() {
    const WORDS: [JobStatus; 3] = [JobStatus::Pending, JobStatus::Running, JobStatus::Succeeded];
    each((vec((0_usize..3, any::<Index>()), 1..10), 1_usize..4), async |(order, jobs)| {
        let mut world = World::new();
        world.lost = true;
        world.serve(egg("web", 7, RunnerType::Vm, &[]), "d", "c").await;
        let ids: Vec<u64> = (0..jobs).map(|_| world.gitlab.ask(7, &[])).collect();
        for (word, at) in order {
            let job = *at.get(&ids);
            world.hook(job, WORDS[word]).await;
            world.tick(STEP).await;
        }
        // The last word of each job, twice.
        for _ in 0..14 {
            for job in &ids {
                let status = world.gitlab.get(*job).status;
                world.hook(*job, status).await;
                world.hook(*job, status).await;
            }
            world.tick(STEP).await;
        }
        let records = world.jobs().await;
        assert_eq!(records.len(), jobs, "each job is one row");
        for record in &records {
            assert_eq!(record.job.status, JobStatus::Succeeded);
            assert_eq!(record.job.egg.as_deref(), Some("web"));
        }
        let done: u64 = world.runners().await.iter().map(|runner| runner.runner.done).sum();
        assert_eq!(done, jobs as u64, "no job is counted twice");
        // Other events are taken and do nothing to the fleet.
        let before = world.runners().await.len();
        for body in [
            serde_json::json!({ "object_kind": "merge_request", "project": { "id": 7 } }),
            serde_json::json!({ "object_kind": "push", "project_id": 7, "ref": "refs/heads/main" }),
            serde_json::json!({ "object_kind": "note" }),
            serde_json::json!({ "object_kind": "build" }),
        ] {
            world.put(Work::Hook { eggs: Vec::new(), delivery: None, at: now(&world), body }).await;
        }
        assert!(world.work_off().await);
        assert_eq!(world.runners().await.len(), before);
        assert!(world.queue.dead(10).await.unwrap().is_empty());
    });
}

fn now(world: &World) -> orchestrator::domain::Time {
    orchestrator::ports::clock::Clock::now(&*world.clock)
}
