//! What all paths have in common: who may ask, how the answer says no, and that the description tells the truth.

use std::{collections::BTreeSet, sync::atomic::Ordering, time::Duration};

use fly_std::endpoints::ENDPOINTS;
use orchestrator::settings::Settings;
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::world::{MARK, OPERATE, READ, TRIGGER, World, log, settings, world, world_with};

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

async fn description(world: &World) -> Json {
    world.get("/openapi.json").send().await.is(200).json()
}

/// Every operation of the description: method, path with something in the place of what stands for anything, and itself.
fn operations(description: &Json) -> Vec<(Method, String, Json)> {
    let mut all = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let path = path.replace("{id}", "1").replace("{name}", "api");
            all.push((method, path, operation.clone()));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_has_exactly_the_paths_there_are() {
    let world = world();
    let description = description(&world).await;
    let paths = description["paths"].as_object().unwrap();
    for (path, item) in paths {
        let asked = path.replace("{id}", "1").replace("{name}", "api");
        for method in METHODS {
            let is_described = item.get(method).is_some() || method == "head" && item.get("get").is_some();
            let answer = world.ask(Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(), &asked);
            let response = answer.send().await;
            assert_eq!(response.status != 405, is_described, "{method} {path}: {response:?}");
            if response.status == 404 && method != "head" {
                // A thing is missing, and not the path.
                assert_ne!(
                    response.json()["detail"],
                    "there is nothing at this path; see /openapi.json",
                    "{path}"
                );
            }
        }
    }
    // All that the gateway leads here is served.
    for endpoint in ENDPOINTS {
        for method in endpoint.methods {
            let is_served =
                paths.get(endpoint.path).is_some_and(|path| path.get(method.to_lowercase()).is_some());
            assert!(is_served, "{method} {}", endpoint.path);
        }
    }
}

#[test]
fn every_path_is_added_with_its_description() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../orchestrator/src/roles/api");
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        if file.is_file() {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(!text.contains(".route("), "{} adds a path that isn't described", file.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_whole() {
    let world = world();
    let description = description(&world).await;
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    let schemes: BTreeSet<&String> =
        description["components"]["securitySchemes"].as_object().unwrap().keys().collect();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&description) {
        let what = format!("{method} {path}");
        assert!(operation["description"].is_string() || operation["summary"].is_string(), "{what}");
        assert!(operation["tags"].is_array(), "{what}");
        let security = operation["security"].as_array().unwrap_or_else(|| panic!("{what} says not who may"));
        for scheme in security.iter().flat_map(|one| one.as_object().unwrap().keys()) {
            assert!(schemes.contains(scheme), "{what}: {scheme}");
        }
        assert!(ids.insert(format!("{path} {method}")), "{what}");
    }
    // Every reference leads somewhere.
    let text = description.to_string();
    for rest in text.split("\"$ref\":\"#").skip(1) {
        let place = rest.split('"').next().unwrap();
        assert!(description.pointer(place).is_some(), "{place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_does_what_the_token_does_not_allow() {
    let world = world();
    world.egg("api", 7).await;
    for (method, path, operation) in operations(&description(&world).await) {
        let security = operation["security"].as_array().unwrap();
        let Some(scopes) = security.iter().find_map(|one| one.get("token").or_else(|| one.get("trigger")))
        else {
            continue;
        };
        if security.len() > 1 {
            continue;
        }
        let what = format!("{method} {path}");
        let ask = |token: &str| {
            let asked = world.ask(method.clone(), &path).json(&json!({}));
            asked.token(token).header("x-trigger-auth", token).send()
        };
        let nobody = world.ask(method.clone(), &path).json(&json!({})).send().await.is(401);
        assert!(nobody.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"), "{what}");
        ask("s3cret-of-nobody").await.is(401);
        let wanted = scopes[0].as_str().unwrap();
        for (scope, token) in [("read", READ), ("operate", OPERATE), ("trigger", TRIGGER)] {
            let may = scope == wanted || scope == "operate" && wanted == "read";
            let answer = ask(token).await;
            assert_eq!(answer.status != 403, may, "{what} with {scope}: {answer:?}");
            assert_ne!(answer.status, 401, "{what} with {scope}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_no_has_one_form() {
    let world = world_with(Settings { body_limit: 1000, ..settings() });
    world.egg("api", 7).await;
    let missing = world.get("/no/such/path").send().await.is(404).json();
    assert_eq!(
        (&missing["type"], &missing["title"]),
        (&json!("urn:gosling:problem:not-found"), &json!("Not Found"))
    );
    let method = world.ask(Method::PUT, "/eggs").send().await.is(405);
    assert_eq!(method.json()["type"], "urn:gosling:problem:method-not-allowed");
    assert!(method.headers["allow"].to_str().unwrap().contains("GET"));
    let rollback = || world.post("/eggs/api/rollback").token(OPERATE);
    let media = rollback().body("{}").send().await.is(415).json();
    assert_eq!(media["type"], "urn:gosling:problem:unsupported-media-type");
    rollback().header("content-type", "application/json").body("{").send().await.is(400);
    rollback().json(&json!({ "to": 5 })).send().await.is(422);
    let large = "x".repeat(2000);
    rollback().json(&json!({ "to": large })).send().await.is(413);
    world.queue.away.store(true, Ordering::SeqCst);
    let away = world.get("/queue").token(READ).send().await.is(503);
    assert!(away.headers.contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_of_the_program_tells_nothing() {
    let world = world();
    world.queue.broken.store(true, Ordering::SeqCst);
    let answer = world.get("/queue").token(READ).send().await.is(500).json();
    assert_eq!(answer["type"], "urn:gosling:problem:internal");
    world.queue.broken.store(false, Ordering::SeqCst);
    world.read("/queue").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_have_ids_that_the_log_has_too() {
    let world = world();
    let own = world.get("/queue").token(READ).header("x-request-id", "of-the-caller.1").send().await.is(200);
    assert_eq!(own.headers["x-request-id"], "of-the-caller.1");
    for indecent in ["with blank", "\"quoted\"", &"x".repeat(65)] {
        let answer = world.get("/queue").token(READ).header("x-request-id", indecent).send().await.is(200);
        assert_ne!(answer.headers["x-request-id"], indecent);
    }
    let log = log();
    let line = log.lines().find(|line| line.contains("of-the-caller.1")).unwrap();
    let line: Json = serde_json::from_str(line).unwrap();
    let fields = &line["fields"];
    assert_eq!((&line["target"], &fields["route"]), (&json!("gosling::access"), &json!("/queue")));
    assert_eq!((&fields["method"], &fields["status"]), (&json!("GET"), &json!(200)));
    assert!(fields["millis"].is_number());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_comes_into_the_log() {
    let world = world();
    world.egg("api", 7).await;
    world.runner("api-1", "api").await;
    // Whatever goes well or not; what the answers hold is looked at by whoever sends.
    let build = json!({ "object_kind": "build", "project_id": 7 });
    world.post("/webhooks/gitlab").header("x-gitlab-token", "s3cret-api").json(&build).send().await.is(200);
    world.post("/webhooks/gitlab").header("x-gitlab-token", "s3cret-x").json(&build).send().await.is(403);
    let ticket = json!({ "ticket": "s3cret-ticket-api-1", "system_id": "s_1", "version": "1" });
    world.post("/runners/api-1/ticket").json(&ticket).send().await.is(503);
    world.post("/runners/api-1/ticket").json(&json!({ "ticket": "s3cret-x" })).send().await.is(422);
    world.post("/runners/api-1/heartbeat").token("s3cret-x").json(&json!({})).send().await.is(422);
    world.get("/eggs").token("s3cret-x").send().await.is(401);
    let queue = format!("{:?}", world.queue);
    assert!(!queue.contains(MARK), "{queue}");
    let log = log();
    assert!(log.contains("/webhooks/gitlab"));
    let told = log.lines().find(|line| line.contains(MARK) && !line.contains("panicked"));
    assert_eq!(told, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_it_is_told_to() {
    let mut world = world();
    world.get("/health").send().await.is(200);
    world.shutdown.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(15), world.served.take().unwrap()).await;
    ended.expect("it ends within its bound").unwrap().unwrap();
    assert!(std::net::TcpStream::connect(world.address).is_err(), "nobody is let in any more");
}
