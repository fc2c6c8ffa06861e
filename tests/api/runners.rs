//! What runners ask: their tickets and their heartbeats.

use std::collections::BTreeMap;

use orchestrator::{
    domain::{PoolKind, State, Time},
    ports::store::{Query, Value},
    records::{self, AuditEntry, EggRecord, Record, Registered, RunnerMetric, RunnerRecord},
    seal,
};
use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use serde_json::{Value as Json, json};

use crate::world::{Answer, NOW, World, egg, job, repository, world};

/// A world with an egg `api` that is registered, and its runner `api-1`.
async fn with_runner() -> World {
    let world = world();
    let mut api = egg("api", vec![repository("api", Some(7), None)]);
    api.registered = registered("gitlab.example.com/projects/7", 42);
    world.write(&api).await;
    world.secret("vault://api/runner", "s3cret-glrt-of-api");
    world.secret("vault://api/password", "s3cret-password");
    world.runner("api-1", "api").await;
    world
}

fn registered(place: &str, runner: u64) -> BTreeMap<String, Registered> {
    BTreeMap::from([(place.to_owned(), Registered { runner: Some(runner), ..Registered::default() })])
}

async fn show_ticket(world: &World, id: &str, ticket: &str, system_id: &str) -> Answer {
    let body = json!({ "ticket": ticket, "system_id": system_id, "version": "0.1.0" });
    world.post(&format!("/runners/{id}/ticket")).json(&body).send().await
}

async fn show_credential(world: &World, credential: &str) -> Answer {
    let body = json!({ "system_id": "s_1", "version": "0.2.0" });
    world.post("/runners/api-1/ticket").token(credential).json(&body).send().await
}

fn heartbeat(started: u64, sequence: u64) -> Json {
    json!({
        "sequence": sequence, "started": started, "state": "idle", "jobs": [], "jobs_done": 0, "failures": 0,
        "cpu_usage": 12.5, "version": "0.1.0", "agent_version": "17.8.1",
    })
}

async fn beat(world: &World, credential: &str, body: &Json) -> Answer {
    world.post("/runners/api-1/heartbeat").token(credential).json(body).send().await
}

/// The credential that `api-1` gets for its ticket.
async fn credential(world: &World) -> String {
    let answer = show_ticket(world, "api-1", "s3cret-ticket-api-1", "s_1").await.is(200).json();
    answer["credential"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_gives_what_the_runner_needs() {
    let world = with_runner().await;
    let answer = show_ticket(&world, "api-1", "s3cret-ticket-api-1", "s_1").await.is(200);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let answer = answer.json();
    let wanted =
        json!([{ "url": "https://gitlab.example.com", "runner": 42, "token": "s3cret-glrt-of-api" }]);
    assert_eq!(answer["registrations"], wanted);
    assert_eq!(answer["environment"], json!({ "PLAIN": "as it is", "PASSWORD": "s3cret-password" }));
    assert_eq!(answer["revision"], 4);
    let record = world.load::<RunnerRecord>("api-1").await;
    let credential = answer["credential"].as_str().unwrap();
    assert!(credential.len() >= 43);
    assert_eq!(record.credential, Some(seal::fingerprint(credential)));
    assert_eq!((record.system_id.as_deref(), record.version.as_deref()), (Some("s_1"), Some("0.1.0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_good_for_one_machine_until_its_credential_is_used() {
    let world = with_runner().await;
    show_ticket(&world, "api-1", "s3cret-ticket-other", "s_1").await.is(403);
    show_ticket(&world, "api-2", "s3cret-ticket-api-1", "s_1").await.is(403);
    let first = credential(&world).await;
    // Somebody else who has found the ticket comes too late; the answer that was lost comes anew.
    show_ticket(&world, "api-1", "s3cret-ticket-api-1", "s_2").await.is(403);
    let second = credential(&world).await;
    assert_ne!(first, second);
    beat(&world, &first, &heartbeat(1, 1)).await.is(403);
    show_credential(&world, &first).await.is(403);
    // Showing the credential for the same again is no use of it that ends the ticket.
    show_credential(&world, &second).await.is(200);
    let third = credential(&world).await;
    beat(&world, &third, &heartbeat(1, 1)).await.is(200);
    show_ticket(&world, "api-1", "s3cret-ticket-api-1", "s_1").await.is(403);
    assert_eq!(show_credential(&world, &third).await.is(200).json()["credential"], third.as_str());
    // A new ticket, for a machine that is woken, is good for whoever shows it first, and its clock is its own.
    let mut record = world.load::<RunnerRecord>("api-1").await;
    record.ticket = Some(seal::fingerprint("s3cret-another"));
    world.write(&record).await;
    let answer = show_ticket(&world, "api-1", "s3cret-another", "s_3").await.is(200).json();
    let fourth = answer["credential"].as_str().unwrap();
    beat(&world, &third, &heartbeat(1, 2)).await.is(403);
    beat(&world, fourth, &heartbeat(0, 1)).await.is(200);
    assert_eq!(world.load::<RunnerRecord>("api-1").await.heard, (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_stays_good_while_the_answer_can_not_be_had() {
    let world = with_runner().await;
    world.secrets.values.lock().unwrap().remove("vault://api/password");
    let told = show_ticket(&world, "api-1", "s3cret-ticket-api-1", "s_1").await.is(503).json();
    assert!(told["detail"].as_str().unwrap().contains("vault"), "{told}");
    world.secret("vault://api/password", "s3cret-password");
    let mut api = world.load::<EggRecord>("api").await;
    let kept = std::mem::take(&mut api.registered);
    world.write(&api).await;
    show_ticket(&world, "api-1", "s3cret-ticket-api-1", "s_1").await.is(503);
    world.write(&EggRecord { registered: kept, ..api }).await;
    show_ticket(&world, "api-1", "s3cret-ticket-api-1", "s_2").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_is_not_wanted_gets_nothing() {
    for state in [State::Failed, State::PendingTermination, State::Terminated] {
        let world = with_runner().await;
        let mut record = world.load::<RunnerRecord>("api-1").await;
        record.runner.state = state;
        world.write(&record).await;
        show_ticket(&world, "api-1", "s3cret-ticket-api-1", "s_1").await.is(410);
        record.credential = Some(seal::fingerprint("s3cret-credential"));
        world.write(&record).await;
        let status = if state == State::Terminated { 410 } else { 200 };
        show_credential(&world, "s3cret-credential").await.is(status);
        let answer = beat(&world, "s3cret-credential", &heartbeat(1, 1)).await.is(200).json();
        assert_eq!(answer["wanted"], "drain", "{state:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_and_jobs_register_for_what_they_serve() {
    let world = world();
    let mut bucket = egg("all", vec![repository("a", Some(1), None), repository("b", None, Some(2))]);
    bucket.registered = registered("gitlab.example.com/projects/1", 11);
    bucket.registered.extend(registered("gitlab.example.com/groups/2", 12));
    let mut nightly = job("nightly");
    nightly.registered = registered("gitlab.example.com/projects/900", 13);
    world.write(&bucket).await;
    world.write(&nightly).await;
    for name in ["a", "b", "nest"] {
        world.secret(&format!("vault://{name}/runner"), &format!("s3cret-{name}"));
    }
    world.secret("vault://all/password", "s3cret-password");
    world.runner("all-1", "all").await;
    world.runner("nightly-1", "jobs/nightly").await;
    let told = async |id: &str| {
        let answer = show_ticket(&world, id, &format!("s3cret-ticket-{id}"), "s_1").await.is(200).json();
        let all = answer["registrations"].as_array().unwrap().clone();
        all.iter().map(|one| (one["runner"].as_u64().unwrap(), one["token"].to_string())).collect::<Vec<_>>()
    };
    assert_eq!(told("all-1").await, [(11, "\"s3cret-a\"".to_owned()), (12, "\"s3cret-b\"".to_owned())]);
    assert_eq!(told("nightly-1").await, [(13, "\"s3cret-nest\"".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_is_taken_and_answered() {
    let world = with_runner().await;
    let credential = credential(&world).await;
    let answer = beat(&world, &credential, &heartbeat(1, 1)).await.is(200).json();
    assert_eq!(answer, json!({ "wanted": "work", "revision": 4 }));
    let record = world.load::<RunnerRecord>("api-1").await;
    assert_eq!((record.runner.state, record.runner.pool), (State::Idle, PoolKind::Apex));
    assert_eq!((record.runner.agent.as_deref(), record.runner.health.cpu), (Some("17.8.1"), Some(1250)));
    assert_eq!(world.queue.count("decide"), 1, "its state has changed");
    world.clock.go_on(std::time::Duration::from_secs(30));
    let mut busy = heartbeat(1, 2);
    (busy["jobs"], busy["failures"]) = (json!([1977]), json!(2));
    beat(&world, &credential, &busy).await.is(200);
    let record = world.load::<RunnerRecord>("api-1").await;
    let jobs: Vec<String> = record.runner.jobs.iter().map(ToString::to_string).collect();
    assert_eq!((record.runner.state, &jobs[..]), (State::Busy, &["gitlab.example.com#1977".to_owned()][..]));
    assert_eq!(record.runner.failures, 2);
    let metrics =
        records::all::<RunnerMetric>(&*world.store, None, Some(Value::Text("api-1".to_owned()))).await;
    let metrics: Vec<_> = metrics.unwrap().into_iter().map(|metric| metric.record).collect();
    assert_eq!(metrics.len(), 2);
    assert_eq!((metrics[1].state.as_str(), metrics[1].cpu, metrics[1].failures), ("busy", Some(12.5), 2));
    let of_runner = Query {
        table: AuditEntry::TABLE,
        index: Some("resource_index"),
        partition: Some(Value::Text("api-1".to_owned())),
        from: None,
        until: None,
        descending: false,
        limit: 10,
        after: None,
    };
    let entries = records::query::<AuditEntry>(&*world.store, &of_runner).await.unwrap().records;
    let mut actions: Vec<_> = entries.iter().map(|entry| entry.record.action.as_str()).collect();
    // Two came at the same moment.
    actions.sort_unstable();
    assert_eq!(actions, ["runner.heartbeat", "runner.heartbeat", "runner.ticket"]);
    assert_eq!(entries[2].record.details, json!({ "egg": "api", "from": "idle", "to": "busy" }));
    beat(&world, "s3cret-credential", &heartbeat(1, 3)).await.is(403);
    let without = world.post("/runners/api-1/heartbeat").json(&heartbeat(1, 3)).send().await.is(401);
    assert!(without.headers.contains_key("www-authenticate"));
}

#[test]
fn property_heartbeats_in_any_order_leave_the_last() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (world, credential) = runtime.block_on(async {
        let world = with_runner().await;
        let credential = credential(&world).await;
        (world, credential)
    });
    let one = (select(vec![10u64, 20, 30]), 1u64..6);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(100));
    runner
        .run(&prop::collection::vec(one, 1..8), |order| {
            runtime.block_on(async {
                let mut record = world.load::<RunnerRecord>("api-1").await;
                record.heard = (0, 0);
                world.write(&record).await;
                let mut last = (0, 0);
                for (started, sequence) in order {
                    let before = world.load::<RunnerRecord>("api-1").await;
                    let mut told = heartbeat(started, sequence);
                    told["jobs_done"] = json!(started * 10 + sequence);
                    told["agent_version"] = json!(format!("{started}.{sequence}"));
                    let answer = beat(&world, &credential, &told).await;
                    prop_assert_eq!(answer.status.as_u16(), 200);
                    let after = world.load::<RunnerRecord>("api-1").await;
                    if (started, sequence) > last {
                        last = (started, sequence);
                        prop_assert_eq!(after.runner.agent, Some(format!("{started}.{sequence}")));
                    } else {
                        prop_assert_eq!(&after, &before, "one that comes late changes nothing");
                    }
                    prop_assert_eq!(after.heard, last);
                }
                Ok(())
            })
        })
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_lose_no_heartbeat() {
    let world = with_runner().await;
    let credential = credential(&world).await;
    let all = (1..=8).map(|sequence| {
        let asked = world.post("/runners/api-1/heartbeat").token(&credential).json(&heartbeat(1, sequence));
        tokio::spawn(asked.send())
    });
    for answer in all.collect::<Vec<_>>() {
        answer.await.unwrap().is(200);
    }
    assert_eq!(world.load::<RunnerRecord>("api-1").await.heard, (1, 8));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_shall_go_is_told_until_it_has() {
    let world = with_runner().await;
    let credential = credential(&world).await;
    beat(&world, &credential, &heartbeat(1, 1)).await.is(200);
    let drained =
        world.ask(reqwest::Method::DELETE, "/runners/api-1").token(crate::world::OPERATE).send().await;
    assert_eq!(drained.is(202).json()["state"], "pending_termination");
    for sequence in [2, 2, 3] {
        assert_eq!(
            beat(&world, &credential, &heartbeat(1, sequence)).await.is(200).json()["wanted"],
            "drain"
        );
    }
    let record = world.load::<RunnerRecord>("api-1").await;
    assert_eq!(record.runner.drained, Some(Time::from_millis(NOW)));
    let mut mad = heartbeat(1, 4);
    mad["version"] = json!("x".repeat(1000));
    beat(&world, &credential, &mad).await.is(422);
}
