//! Who is given a job: one machine, and one that flyc's own rule would choose.

use std::collections::{BTreeMap, BTreeSet};

use flyc::{
    artifact::{Cloud, EggConfig, EggKind, Executor, Provider, Repository, Resources, Runner, RunnerType},
    routing::{self, refusals},
};
use polar_gosling_tests::doubles::gitlab::{self as fake, FakeGitLab, NewJob, Status};
use proptest::prelude::*;
use serde_json::json;

fn egg(tags: &BTreeSet<String>, run_untagged: bool, protected: bool) -> EggConfig {
    EggConfig {
        format_version: EggConfig::FORMAT_VERSION,
        kind: EggKind::Egg,
        name: "web".to_owned(),
        runner_type: RunnerType::Vm,
        cloud: Cloud {
            provider: Provider::Local,
            region: String::new(),
            zone: String::new(),
            network: None,
            subnet: None,
            image: String::new(),
            offer: None,
        },
        resources: Resources { cpu: 1, memory_mib: 1024, disk_gib: 10 },
        runner: Runner {
            tags: tags.iter().cloned().collect(),
            concurrent: 1,
            idle_timeout_s: 600,
            timeout_s: 3600,
            run_untagged,
            protected,
            executor: Executor::Shell,
            image: String::new(),
            privileged: false,
            ephemeral: false,
        },
        repositories: vec![Repository {
            name: None,
            server: "gitlab.com".to_owned(),
            project_id: Some(7),
            group_id: None,
            api_token_secret: String::new(),
            token_secret: String::new(),
            webhook_secret: String::new(),
        }],
        environment: BTreeMap::new(),
        rift: None,
    }
}

/// A machine asks for a job; its id.
async fn ask(client: &reqwest::Client, fake: &FakeGitLab, token: &str, system_id: &str) -> Option<u64> {
    let body = json!({ "token": token, "system_id": system_id });
    let url = format!("{}/api/v4/jobs/request", fake.url());
    let answer = client.post(url).json(&body).send().await.unwrap();
    match answer.status().as_u16() {
        201 => answer.json::<serde_json::Value>().await.unwrap()["id"].as_u64(),
        204 => None,
        other => panic!("{other}"),
    }
}

#[test]
fn property_the_fake_matches_as_flyc_does() {
    let fake = FakeGitLab::start();
    fake.add_project(7, "web");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let client = reqwest::Client::new();
    let tags = || proptest::collection::btree_set("[abc]", 0..3);
    proptest!(|(has in tags(), asks in tags(), run_untagged: bool, protected: bool, on_main: bool)| {
        let asks: Vec<String> = asks.into_iter().collect();
        let git_ref = if on_main { "main" } else { "feature" };
        let id = fake.change(|world| {
            world.jobs.clear();
            world.runners.clear();
            let runner = fake::Runner {
                token: "glrt-1".to_owned(),
                place: fake::Place::Project(7),
                description: String::new(),
                maintenance_note: String::new(),
                tags: has.clone(),
                run_untagged,
                protected,
                maximum_timeout: None,
                paused: false,
                managers: BTreeMap::new(),
            };
            world.runners.insert(1, runner);
            let job = NewJob { tags: asks.clone(), git_ref: git_ref.to_owned(), ..NewJob::default() };
            world.queue(7, vec![job]).1[0]
        });
        let job = routing::Job { project_id: 7, tags: asks, ref_protected: on_main, ..routing::Job::default() };
        let refused = refusals(&egg(&has, run_untagged, protected), &job);
        let given = runtime.block_on(ask(&client, &fake, "glrt-1", "r_1"));
        prop_assert_eq!(given, refused.is_empty().then_some(id), "{:?}", refused);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn no_job_is_given_twice() {
    let fake = FakeGitLab::start();
    fake.add_project(7, "web");
    let access = super::access(&fake.owner());
    let made = orchestrator::ports::gitlab::GitLab::create_runner(
        &super::client(&fake),
        &access,
        &super::runner(orchestrator::ports::gitlab::Place::Project(7), &["a"]),
    )
    .await
    .unwrap();
    let queued = fake.queue_pipeline(7, vec![NewJob::new("test", &["a"], &["true"]); 60]);
    let client = reqwest::Client::new();
    let asking = (0..8).map(async |machine: u32| {
        let mut given = Vec::new();
        while let Some(job) = ask(&client, &fake, made.token.expose(), &format!("r_{machine}")).await {
            given.push(job);
        }
        given
    });
    let mut given: Vec<u64> = futures_util::future::join_all(asking).await.into_iter().flatten().collect();
    given.sort_unstable();
    assert_eq!(given, queued);
    assert!(fake.jobs().iter().all(|job| job.given == 1 && job.status == Status::Running));
}
