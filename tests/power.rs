//! `gosling power` over stand-ins of the clouds' APIs: as OpenTofu calls it, with what the modules put into its environment.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

use std::{
    process::{Command, Output},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use polar_gosling_tests::tools;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A request as it came.
#[derive(Debug, Clone)]
struct Heard {
    what: String,
    target: Option<String>,
    authorization: String,
    kind: Option<String>,
    body: Value,
}

/// A cloud.
#[derive(Default)]
struct Cloud {
    heard: Vec<Heard>,
    /// The instance's status.
    status: &'static str,
    /// The tasks that run.
    tasks: Vec<String>,
    /// How many of the next calls it has no time for.
    busy: usize,
    /// Why operations fail.
    failure: Option<&'static str>,
}

type Shared = Arc<Mutex<Cloud>>;

async fn answer(
    State(cloud): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let what = format!("{method} {}", uri.path());
    let target = header("x-amz-target");
    let mut cloud = cloud.lock().unwrap();
    cloud.heard.push(Heard {
        what: what.clone(),
        target: target.clone(),
        authorization: header("authorization").unwrap_or_default(),
        kind: header("x-ycf-container-integration-type"),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    if cloud.busy > 0 {
        cloud.busy -= 1;
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "message": "later" })));
    }
    let action = target.as_deref().and_then(|target| target.rsplit('.').next());
    let said = match (what.as_str(), action) {
        ("GET /compute/v1/instances/i1", _) => json!({ "id": "i1", "status": cloud.status }),
        ("POST /compute/v1/instances/i1:start" | "POST /compute/v1/instances/i1:stop", _) => {
            match cloud.failure {
                Some(failure) => json!({ "id": "o1", "done": true, "error": { "message": failure } }),
                None => json!({ "id": "o1", "done": false }),
            }
        }
        ("GET /operations/o1", _) => json!({ "id": "o1", "done": true }),
        ("POST /container", _) => return (StatusCode::ACCEPTED, Json(Value::Null)),
        ("POST /iam/v1/tokens", _) => json!({ "iamToken": "t1.given" }),
        (_, Some("ListTasks")) => json!({ "taskArns": cloud.tasks }),
        (_, Some("RunTask")) => json!({ "tasks": [{ "taskArn": "arn:new" }], "failures": [] }),
        (_, Some("StopTask")) => json!({}),
        _ => return (StatusCode::NOT_FOUND, Json(json!({ "message": format!("no {what}") }))),
    };
    (StatusCode::OK, Json(said))
}

/// A cloud that listens, and where.
async fn cloud(cloud: Cloud) -> (Shared, String) {
    let shared = Arc::new(Mutex::new(cloud));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
    tokio::spawn(axum::serve(listener, app).into_future());
    (shared, url)
}

async fn power(arguments: &str, environment: &[(&str, &str)]) -> (i32, String) {
    let mut command = Command::new(tools::gosling());
    command.arg("power").args(arguments.split(' ')).env_clear().envs(environment.iter().copied());
    let output: Output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

const INSTANCE: &str = "--cloud yandex --instance i1 --state";

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_of_yandex_cloud_is_started_and_stopped() {
    for (state, from, verb, done) in
        [("running", "STOPPED", "start", "started"), ("stopped", "RUNNING", "stop", "stopped")]
    {
        let (cloud, url) = cloud(Cloud { status: from, busy: 1, ..Cloud::default() }).await;
        let environment = [("YC_ENDPOINT", url.as_str()), ("YC_TOKEN", "t1.secret")];
        let (code, said) = power(&format!("{INSTANCE} {state}"), &environment).await;
        assert_eq!((code, said.as_str()), (0, &*format!("the instance `i1` is {done}\n")));
        let heard = cloud.lock().unwrap().heard.clone();
        let what: Vec<&str> = heard.iter().map(|one| one.what.as_str()).collect();
        let order = format!("POST /compute/v1/instances/i1:{verb}");
        let look = "GET /compute/v1/instances/i1";
        assert_eq!(what, [look, look, &order, "GET /operations/o1"]);
        assert!(heard.iter().all(|one| one.authorization == "Bearer t1.secret"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_so_already_is_left() {
    let (cloud, url) = cloud(Cloud { status: "RUNNING", ..Cloud::default() }).await;
    let environment = [("YC_ENDPOINT", url.as_str()), ("YC_TOKEN", "t1.secret")];
    let said = power(&format!("{INSTANCE} running"), &environment).await;
    assert_eq!(said, (0, "the instance `i1` was started already\n".to_owned()));
    assert_eq!(cloud.lock().unwrap().heard.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_cloud_says_against_it_is_told_and_its_token_is_not() {
    let (_cloud, url) =
        cloud(Cloud { status: "STOPPED", failure: Some("the limit is exceeded"), ..Cloud::default() }).await;
    let environment = [("YC_ENDPOINT", url.as_str()), ("YC_TOKEN", "t1.secret")];
    let (code, said) = power(&format!("{INSTANCE} running"), &environment).await;
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("can't be started") && said.contains("the limit is exceeded"), "{said}");
    let (code, said) = power("--cloud yandex --instance other --state running", &environment).await;
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("no GET /compute/v1/instances/other") && !said.contains("t1.secret"), "{said}");
    let nobody = [("YC_ENDPOINT", "http://127.0.0.1:1"), ("YC_TOKEN", "t1.secret")];
    let (code, said) = power(&format!("{INSTANCE} running"), &nobody).await;
    assert!(code == 4 && !said.contains("t1.secret"), "{code} {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_a_service_account_is_exchanged_for_a_token() {
    let (cloud, url) = cloud(Cloud { status: "RUNNING", ..Cloud::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("key.pem");
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out"])
        .arg(&pem)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let private_key = std::fs::read_to_string(&pem).unwrap();
    let warning = "PLEASE DO NOT REMOVE THIS LINE! Yandex.Cloud SA Key ID <k1>\n";
    let key =
        json!({ "id": "k1", "service_account_id": "sa1", "private_key": format!("{warning}{private_key}") });
    let key = key.to_string();
    let environment = [("YC_ENDPOINT", url.as_str()), ("YC_SERVICE_ACCOUNT_KEY_FILE", key.as_str())];
    let (code, said) = power(&format!("{INSTANCE} running"), &environment).await;
    assert_eq!(code, 0, "{said}");
    let heard = cloud.lock().unwrap().heard.clone();
    assert_eq!(heard[0].what, "POST /iam/v1/tokens");
    assert_eq!(heard[1].authorization, "Bearer t1.given");
    let token = heard[0].body["jwt"].as_str().unwrap();
    let (text, signature) = token.rsplit_once('.').unwrap();

    // Whether it is signed as it should be is for another to say.
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text.split('.').nth(1).unwrap()).unwrap()).unwrap();
    assert_eq!(claims["iss"], "sa1");
    let [public, signed, by] = ["public.pem", "text", "signature"].map(|name| folder.path().join(name));
    std::fs::write(&signed, text).unwrap();
    std::fs::write(&by, URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    run(Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(&pem).arg("-out").arg(&public));
    run(Command::new("openssl")
        .args([
            "dgst",
            "-sha256",
            "-sigopt",
            "rsa_padding_mode:pss",
            "-sigopt",
            "rsa_pss_saltlen:32",
            "-verify",
        ])
        .arg(&public)
        .arg("-signature")
        .arg(&by)
        .arg(&signed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_is_invoked_and_ends_by_itself() {
    let (cloud, url) = cloud(Cloud::default()).await;
    let container = format!("{url}/container");
    let environment = [
        ("YC_ENDPOINT", url.as_str()),
        ("YC_TOKEN", "t1.secret"),
        ("CONTAINER_URL", container.as_str()),
        ("EGG_CONFIG", "{\"egg\":1}"),
        ("RUNNER_CONFIG", "{\"runner\":1}"),
        ("TICKET", "the-ticket"),
    ];
    let arguments = "--cloud yandex --container c1 --runner lint-1 --state";
    let (code, said) = power(&format!("{arguments} running"), &environment).await;
    assert_eq!(code, 0, "{said}");
    let heard = cloud.lock().unwrap().heard.remove(0);
    assert_eq!((heard.kind.as_deref(), &*heard.authorization), (Some("async"), "Bearer t1.secret"));
    assert_eq!(
        heard.body,
        json!({ "egg_config": "{\"egg\":1}", "runner_config": "{\"runner\":1}", "ticket": "the-ticket" })
    );
    let (code, said) = power(&format!("{arguments} stopped"), &environment[..2]).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("ends by itself") && cloud.lock().unwrap().heard.is_empty(), "{said}");
    let (code, said) = power(&format!("{arguments} running"), &environment[..2]).await;
    assert!(code == 2 && said.contains("CONTAINER_URL"), "{code} {said}");
}

/// Each invocation starts a container: what may have been carried out is not asked for again.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_is_not_invoked_twice() {
    let (cloud, url) = cloud(Cloud { busy: 1, ..Cloud::default() }).await;
    let container = format!("{url}/container");
    let environment = [
        ("YC_ENDPOINT", url.as_str()),
        ("YC_TOKEN", "t1.secret"),
        ("CONTAINER_URL", container.as_str()),
        ("EGG_CONFIG", "{}"),
        ("RUNNER_CONFIG", "{}"),
        ("TICKET", "the-ticket"),
    ];
    let arguments = "--cloud yandex --container c1 --runner lint-1 --state running";
    let (code, said) = power(arguments, &environment).await;
    assert!(code != 0 && said.contains("may have been done all the same"), "{code} {said}");
    assert_eq!(cloud.lock().unwrap().heard.len(), 1, "it was asked once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_ecs_is_started_once_and_stopped() {
    let (cloud, url) = cloud(Cloud::default()).await;
    let environment = [
        ("AWS_ENDPOINT_URL_ECS", url.as_str()),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "not-to-be-seen"),
        ("NETWORK", r#"{"subnet":"subnet-1","security_groups":["sg-1"],"public_address":true}"#),
        ("TAGS", r#"{"gosling-runner":"lint-1"}"#),
        ("RUNNER_CONFIG", "{\"runner\":1}"),
        ("TICKET", "the-ticket"),
    ];
    let start = "--cloud aws --cluster c --task lint-1 --definition arn:def --state running";
    let (code, said) = power(start, &environment).await;
    assert_eq!((code, said.as_str()), (0, "the task of the runner `lint-1` is started\n"));
    let heard = std::mem::take(&mut cloud.lock().unwrap().heard);
    assert_eq!(heard[0].body, json!({ "cluster": "c", "startedBy": "lint-1" }));
    let task = &heard[1];
    assert_eq!(task.target.as_deref(), Some("AmazonEC2ContainerServiceV20141113.RunTask"));
    assert!(task.authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
    assert!(task.authorization.contains("/eu-central-1/ecs/aws4_request"));
    assert_eq!(task.body["startedBy"], "lint-1");
    assert_eq!(task.body["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"], "ENABLED");
    assert_eq!(task.body["overrides"]["containerOverrides"][0]["environment"][1]["value"], "the-ticket");
    assert_eq!(task.body["tags"], json!([{ "key": "gosling-runner", "value": "lint-1" }]));

    cloud.lock().unwrap().tasks = vec!["arn:1".to_owned()];
    let (code, said) = power(start, &environment).await;
    assert_eq!((code, said.as_str()), (0, "the task of the runner `lint-1` was started already\n"));
    let stop = "--cloud aws --cluster c --task lint-1 --state stopped";
    let (code, said) = power(stop, &environment[..4]).await;
    assert_eq!(code, 0, "{said}");
    let heard = cloud.lock().unwrap().heard.pop().unwrap();
    assert_eq!(heard.target.as_deref(), Some("AmazonEC2ContainerServiceV20141113.StopTask"));
    assert_eq!(heard.body["task"], "arn:1");
    cloud.lock().unwrap().tasks.clear();
    let (_, said) = power(stop, &environment[..4]).await;
    assert_eq!(said, "the task of the runner `lint-1` was stopped already\n");
}
