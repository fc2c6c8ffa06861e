//! The hooks of the fake: each step of a job once, in order, with GitLab's headers; and dropped, doubled or swapped on
//! demand.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::State, http::HeaderMap, routing::post};
use orchestrator::ports::{
    gitlab::{GitLab, Hook, Place},
    secrets::Secret,
};
use polar_gosling_tests::doubles::gitlab::{FakeGitLab, HookFaults, Status};
use serde_json::Value;

use super::{access, client};

type Got = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// Somebody who is sent hooks: its URL, and what it got.
async fn receiver() -> (String, Got) {
    let got = Got::default();
    let keep = async |State(got): State<Got>, headers: HeaderMap, Json(body): Json<Value>| {
        got.lock().unwrap().push((headers, body));
    };
    let app = Router::new().route("/webhooks/gitlab", post(keep)).with_state(Arc::clone(&got));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks/gitlab", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, got)
}

async fn subscribe(fake: &FakeGitLab, url: &str, place: Place, events: &[&str]) {
    let hook = Hook {
        id: None,
        url: url.to_owned(),
        secret: Some(Secret::new("shown")),
        events: events.iter().map(|event| ((*event).to_owned(), true)).collect::<BTreeMap<_, _>>(),
        ssl_verification: false,
    };
    client(fake).put_hook(&access(&fake.owner()), place, &hook).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_is_told_in_order() {
    let fake = FakeGitLab::start();
    fake.change(|world| {
        world.add_group(5, "team", None);
        world.add_project(7, "web", Some(5));
        world.add_project(8, "other", None);
    });
    let (url, got) = receiver().await;
    subscribe(&fake, &url, Place::Group(5), &["job_events", "pipeline_events", "push_events"]).await;
    let id = fake.queue_job(7, "test", &["a"], &["true"]);
    fake.queue_job(8, "elsewhere", &["a"], &["true"]);
    fake.finish_job(id, Status::Running, None);
    fake.finish_job(id, Status::Success, None);
    // What comes after the end changes nothing.
    fake.finish_job(id, Status::Failed, None);
    fake.push(7, "main", "95d49d1efbd941908580e79d65e4b5ecaf4a8305");
    fake.until("all hooks", |world| (world.deliveries.len() == 8).then_some(())).await;
    let got = got.lock().unwrap();
    let statuses = |event: &str, at: &str| {
        let of = got.iter().filter(|(headers, _)| headers["x-gitlab-event"] == event);
        of.map(|(_, body)| body.pointer(at).unwrap().as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(statuses("Job Hook", "/build_status"), ["created", "pending", "running", "success"]);
    assert_eq!(statuses("Pipeline Hook", "/object_attributes/status"), ["pending", "running", "success"]);
    assert_eq!(statuses("Push Hook", "/ref"), ["refs/heads/main"]);
    let mut keys: Vec<_> = got.iter().map(|(headers, _)| headers["idempotency-key"].clone()).collect();
    keys.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    keys.dedup();
    assert_eq!(keys.len(), got.len());
    for (headers, body) in got.iter() {
        assert_eq!(headers["x-gitlab-token"], "shown");
        assert!(headers.contains_key("x-gitlab-event-uuid"));
        // No hook tells the tags a job asks for.
        assert!(!body.to_string().contains("tag_list"));
    }
}

/// The fields of a body that GitLab's own have, wherever they stand.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_can_be_read_as_gitlabs_own() {
    let fake = FakeGitLab::start();
    fake.add_project(7, "web");
    let (url, got) = receiver().await;
    subscribe(&fake, &url, Place::Project(7), &["job_events", "pipeline_events", "push_events"]).await;
    let id = fake.queue_job(7, "test", &["a"], &["true"]);
    fake.push(7, "main", "95d49d1efbd941908580e79d65e4b5ecaf4a8305");
    fake.until("all hooks", |world| (world.deliveries.len() == 4).then_some(())).await;
    for (_, body) in got.lock().unwrap().iter() {
        let text = body.to_string();
        let event = flyc::routing::event::parse(&text).unwrap_or_else(|error| panic!("{error:?}: {text}"));
        if let flyc::routing::event::Event::Jobs(jobs) = event {
            assert_eq!(jobs.project_id, 7);
            assert_eq!(jobs.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [id]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_go_wrong_on_demand() {
    let fake = FakeGitLab::start();
    fake.add_project(7, "web");
    let (url, got) = receiver().await;
    subscribe(&fake, &url, Place::Project(7), &["job_events"]).await;
    fake.hook_faults(HookFaults { drop: 1.0, ..HookFaults::default() });
    fake.queue_job(7, "test", &["a"], &["true"]);
    fake.until("both were dropped", |world| (world.deliveries.len() == 2).then_some(())).await;
    assert_eq!(got.lock().unwrap().len(), 0);
    fake.hook_faults(HookFaults { double: 1.0, ..HookFaults::default() });
    fake.queue_job(7, "test", &["a"], &["true"]);
    fake.until("both came twice", |world| (world.deliveries.len() == 6).then_some(())).await;
    let keys: Vec<_> = fake.look(|world| world.deliveries[2..].iter().map(|one| one.key.clone()).collect());
    assert!(keys[0] == keys[1] && keys[1] != keys[2] && keys[2] == keys[3], "{keys:?}");
    fake.hook_faults(HookFaults { swap: 1.0, ..HookFaults::default() });
    fake.queue_job(7, "test", &["a"], &["true"]);
    fake.until("both came", |world| (world.deliveries.len() == 8).then_some(())).await;
    let statuses = fake.look(|world| {
        let last = world.deliveries[6..].iter();
        last.map(|one| one.body["build_status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    });
    assert_eq!(statuses, ["pending", "created"]);
}
