//! A serverless egg from the webhook to its end: OpenTofu over the fake cloud makes the container or the task's definition,
//! `gosling power` itself starts it, and a stand-in of the platform's API runs what the module told it to run: a `gosling
//! runner`, which knows nothing but what it was started with.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use polar_gosling_tests::{
    doubles::{gitlab::Status, stage::Stage},
    need,
    tools::{self, FakeCloud},
};
use serde_json::{Value, json};

use crate::{LASTING, rollback::container, signal, succeeded};

/// The platform on which containers run.
struct Platform {
    cloud: FakeCloud,
    /// Where the disks of containers are.
    disks: PathBuf,
    path: std::ffi::OsString,
    /// What was ever started, by runner.
    containers: BTreeMap<String, Child>,
    /// What it was asked.
    asked: Vec<String>,
}

type Shared = Arc<Mutex<Platform>>;

fn lock(shared: &Shared) -> MutexGuard<'_, Platform> {
    shared.lock().unwrap()
}

impl Platform {
    /// A container comes up with these arguments and variables, and nothing else.
    fn start(&mut self, runner: &str, source: &str, variables: &[(&str, String)]) {
        let disk = self.disks.join(runner);
        fs::create_dir_all(&disk).unwrap();
        let log = fs::File::create(disk.join("log")).unwrap();
        let mut container = Command::new(tools::gosling());
        container.args(["runner", "--from", source, "--heartbeat", "1"]).env_clear().current_dir(&disk);
        container.env("PATH", &self.path).env("HOME", &disk).env("GOSLING_FOLDER", disk.join("gosling"));
        container.envs(variables.iter().map(|(name, value)| (name, value)));
        let child = container.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let before = self.containers.insert(runner.to_owned(), child);
        assert!(before.is_none(), "{runner} is started once");
    }

    /// Whether what runs for a runner is still there.
    fn is_up(&mut self, runner: &str) -> bool {
        self.containers.get_mut(runner).is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// ECS, as far as `gosling power` asks it.
    fn ecs(&mut self, action: &str, body: &Value) -> Value {
        let runner = body["startedBy"].as_str().unwrap_or_default().to_owned();
        match action {
            "ListTasks" if self.is_up(&runner) => json!({ "taskArns": [format!("arn:{runner}")] }),
            "ListTasks" => json!({ "taskArns": [] }),
            "RunTask" => {
                let definitions = self.cloud.of("aws_ecs_task_definition");
                let wanted = body["taskDefinition"].as_str().unwrap();
                let definition = definitions.values().find(|one| one["arn"] == wanted).unwrap();
                let containers = definition["container_definitions"].as_str().unwrap();
                let containers: Value = serde_json::from_str(containers).unwrap();
                assert_eq!(containers[0]["command"], json!(["runner", "--from", "environment"]));
                // Nothing lives longer than an hour.
                assert_eq!(
                    (&containers[1]["essential"], &containers[1]["command"]),
                    (&json!(true), &json!(["3600"]))
                );
                let told = &body["overrides"]["containerOverrides"][0]["environment"];
                let all = [&containers[0]["environment"], told]
                    .into_iter()
                    .flat_map(|list| list.as_array().unwrap());
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let all: Vec<(String, String)> =
                    all.map(|one| (text(&one["name"]), text(&one["value"]))).collect();
                let all: Vec<_> = all.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
                self.start(&runner, "environment", &all);
                json!({ "tasks": [{ "taskArn": format!("arn:{runner}") }], "failures": [] })
            }
            "StopTask" => {
                let runner = body["task"].as_str().unwrap().trim_start_matches("arn:");
                let id = self.containers[runner].id().to_string();
                let _ = Command::new("kill").args(["-TERM", &id]).status();
                json!({})
            }
            other => panic!("{other}"),
        }
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        for (runner, container) in &mut self.containers {
            if std::thread::panicking() {
                let log = fs::read_to_string(self.disks.join(runner).join("log")).unwrap_or_default();
                eprintln!("{runner}:\n{log}");
            }
            let _ = container.kill();
            let _ = container.wait();
        }
    }
}

async fn answer(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let body: Value = serde_json::from_slice(&body).unwrap();
    if let Some(target) = header("x-amz-target") {
        let action = target.rsplit('.').next().unwrap();
        let mut platform = lock(&shared);
        platform.asked.push(action.to_owned());
        return (StatusCode::OK, Json(platform.ecs(action, &body)));
    }
    let Some(runner) = uri.path().strip_prefix("/container/").map(str::to_owned) else {
        return (StatusCode::NOT_FOUND, Json(Value::Null));
    };
    assert_eq!(header("x-ycf-container-integration-type").as_deref(), Some("async"));
    assert_eq!(header("authorization").as_deref(), Some("Bearer t1.of-the-test"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    {
        let mut platform = lock(&shared);
        platform.asked.push("invoke".to_owned());
        platform.start(&runner, "request", &[("PORT", port.to_string())]);
    }
    // The platform hands the request on when the container listens, and ends the container when it has answered.
    tokio::spawn(async move {
        let client = reqwest::Client::new();
        let url = format!("http://127.0.0.1:{port}/");
        loop {
            match client.post(&url).json(&body).send().await {
                Err(error) if error.is_connect() => {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                answer => {
                    assert!(answer.is_ok_and(|answer| answer.status().is_success()), "the life of a runner");
                    break;
                }
            }
        }
        let mut platform = lock(&shared);
        let container = platform.containers.get_mut(&runner).unwrap();
        container.kill().unwrap();
        container.wait().unwrap();
    });
    (StatusCode::ACCEPTED, Json(Value::Null))
}

/// A platform that listens, and where; it is there for as long as the runtime.
fn platform(stage: &Stage) -> (Shared, String, tokio::runtime::Runtime) {
    let bin = stage.folder().join("bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let disks = stage.folder().join("disks");
    let (containers, asked) = (BTreeMap::new(), Vec::new());
    let cloud = FakeCloud::new(stage.folder().join("cloud"));
    let shared = Arc::new(Mutex::new(Platform { cloud, disks, path, containers, asked }));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
    runtime.spawn(axum::serve(listener, app).into_future());
    (shared, url, runtime)
}

/// A program that calls gosling as OpenTofu does. The fake cloud gives containers a URL of its own, at which nobody listens.
fn power(place: &Path, platform: &str) {
    let gosling = tools::gosling().display();
    let text =
        format!("#!/bin/sh\nCONTAINER_URL=\"{platform}/container/$RUNNER_ID\" exec '{gosling}' \"$@\"\n");
    fs::write(place, text).unwrap();
    fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What of a runner's is in the cloud.
fn of_runners(cloud: &FakeCloud) -> Vec<(String, String)> {
    let kinds = ["yandex_serverless_container", "yandex_serverless_container_iam_binding"];
    cloud.things().into_keys().filter(|(kind, _)| kinds.contains(&kind.as_str())).collect()
}

fn from_the_webhook_to_the_end(cloud: &str, asked: &[&str]) {
    let (egg, mut given) = container(cloud, 2);
    let stage = need!(Stage::new(&[("Eggs/web/config.fly", &egg), ("UF/config.fly", LASTING)]));
    stage.secrets_of("web");
    let (platform, url, runtime) = platform(&stage);
    let program = stage.folder().join("power");
    power(&program, &url);
    given[cloud]["gosling"] = program.to_str().unwrap().into();
    let mut stage = need!(stage.with_clouds(given));
    // They end before its folder goes.
    let (platform, _runtime) = (platform, runtime);
    stage.serve(&[
        ("YC_ENDPOINT", &url),
        ("YC_TOKEN", "t1.of-the-test"),
        ("AWS_ENDPOINT_URL_ECS", &url),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "not-to-be-seen"),
    ]);
    let (go, until_told) = signal(&stage);
    let job = stage.queue_job("lint", &["web"], &[&until_told, "echo linted by $CI_JOB_NAME"]);
    stage.status_shows("that it runs", |status| {
        let error = &status["status"]["eggs"][0]["error"];
        assert!(error.is_null(), "{error}");
        status["runners"].as_array()?.iter().any(|runner| runner["state"] == "busy").then_some(())
    });
    stage.gitlab.wait_for_job(job, Status::Running);
    let runner = stage.transition("web", "busy");
    if cloud == "yandex" {
        let containers = stage.cloud().of("yandex_serverless_container");
        let (_, made) = containers.iter().next().unwrap();
        assert_eq!((containers.len(), &made["labels"]["gosling-runner"]), (1, &json!(runner)));
        assert_eq!(made["execution_timeout"], "3600s", "nothing lives longer than an hour");
    }
    stage.gitlab.look(|world| {
        // The agent is told when a job must have ended, which is before the platform ends everything.
        let longest: Vec<_> = world.runners.values().map(|runner| runner.maximum_timeout).collect();
        assert_eq!(longest, [Some(56 * 60)]);
        let told = world.deliveries.iter().filter(|one| one.event.contains("Job") && one.status == Some(200));
        assert!(told.count() > 0, "it was told by its webhook");
    });
    fs::write(go, "").unwrap();
    assert!(succeeded(&stage, job).contains("linted by lint"));
    // It takes one job and ends, and nothing of it stays.
    assert_eq!(stage.transition("web", "terminated"), runner);
    stage.gitlab.wait("no machine of a runner", |world| {
        world.runners.values().all(|runner| runner.managers.is_empty()).then_some(())
    });
    assert_eq!(of_runners(&stage.cloud()), []);
    stage.status_shows("that the container has ended", |_| (!lock(&platform).is_up(&runner)).then_some(()));
    assert_eq!(lock(&platform).asked, asked);
    assert!(!stage.log().contains("not-to-be-seen") && !stage.log().contains("t1.of-the-test"));
    assert!(stage.stop().success(), "{}", stage.log());
}

#[test]
fn a_container_of_yandex_cloud_does_its_job_and_goes() {
    from_the_webhook_to_the_end("yandex", &["invoke"]);
}

#[test]
fn a_task_of_fargate_does_its_job_and_goes() {
    from_the_webhook_to_the_end("aws", &["ListTasks", "RunTask", "ListTasks"]);
}
