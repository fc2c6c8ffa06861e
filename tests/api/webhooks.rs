//! GitLab's webhooks.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use orchestrator::{records::EggRecord, settings::Settings};
use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use serde_json::{Value as Json, json};
use sha2::Sha256;

use crate::world::{
    Answer, Asked, NEST, NEST_SECRET, NOW, OPERATE, World, egg, repository, settings, world, world_with,
};

const HOOKS: &str = "/webhooks/gitlab";

/// An event of GitLab's, as its own client is tested with, of a project.
fn fixture(name: &str, project: u64) -> Json {
    let text = match name {
        "build" => include_str!("fixtures/build.json"),
        "job" => include_str!("fixtures/job.json"),
        "pipeline" => include_str!("fixtures/pipeline.json"),
        "merge_request" => include_str!("fixtures/merge_request.json"),
        _ => include_str!("fixtures/push.json"),
    };
    let mut event: Json = serde_json::from_str(text).unwrap();
    if event.get("project_id").is_some() {
        event["project_id"] = project.into();
    }
    if event.get("project").is_some() {
        event["project"]["id"] = project.into();
    }
    event
}

fn hook(world: &World, body: &Json, token: &str) -> Asked {
    world.post(HOOKS).header("x-gitlab-token", token).json(body)
}

async fn outcome(asked: Asked) -> String {
    asked.send().await.is(200).json()["outcome"].as_str().unwrap().to_owned()
}

fn sign(key: &[u8], id: &str, timestamp: u64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

/// How a request shows its secret.
#[derive(Debug, Clone)]
enum Shows {
    Nothing,
    Token(String),
    /// Key, how many seconds ago, and whether the body is the one that was signed.
    Signature(String, i64, bool),
}

fn shows() -> impl Strategy<Value = Shows> {
    let secret = || {
        prop_oneof![
            4 => (1u64..=4).prop_map(|number| format!("s3cret-egg{number}")),
            1 => Just(NEST_SECRET.to_owned()),
            1 => (1u64..=4, 1usize..10).prop_map(|(number, less)| format!("s3cret-egg{number}")[..10 - less].to_owned()),
            1 => (1u64..=4, "[ -~]").prop_map(|(number, more)| format!("s3cret-egg{number}{more}")),
            1 => "[!-~]{0,40}",
        ]
    };
    prop_oneof![
        1 => Just(Shows::Nothing),
        6 => secret().prop_map(Shows::Token),
        4 => (secret(), select(vec![0, 299, 301, -299, -301, 1_000_000]), prop::bool::weighted(0.8))
            .prop_map(|(key, ago, whole)| Shows::Signature(key, ago, whole)),
    ]
}

#[test]
fn property_33_webhook_authentication() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let world = runtime.block_on(async {
        let world = world();
        for number in 1..=3 {
            world.egg(&format!("egg{number}"), number).await;
        }
        // An egg that left the Nest lets nobody in.
        let gone = world.egg("egg4", 4).await;
        world.write(&EggRecord { removed: true, ..gone }).await;
        world
    });
    let body = prop_oneof![8 => Just(0u8), 1 => Just(1), 1 => Just(2)];
    let project = prop_oneof![8 => 1u64..=5, 1 => Just(NEST)];
    let cases = (project, shows(), body, select(vec!["build", "job", "pipeline", "merge_request"]));
    let sent = AtomicU64::new(0);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(256));
    runner
        .run(&cases, |(project, shows, body, kind)| {
            let number = sent.fetch_add(1, Ordering::SeqCst);
            let text = match body {
                0 => fixture(kind, project).to_string(),
                1 => format!("{{ no JSON {project}"),
                _ => json!({ "object_kind": kind }).to_string(),
            };
            let mut asked = world.post(HOOKS).header("idempotency-key", &format!("key-{number}"));
            let shown = match &shows {
                Shows::Nothing => None,
                Shows::Token(token) => {
                    asked = asked.header("x-gitlab-token", token);
                    // Blanks around a header are none of its value.
                    Some(token.trim())
                }
                Shows::Signature(key, ago, whole) => {
                    let at = (NOW / 1000).checked_add_signed(-ago).unwrap();
                    let signed = if *whole { text.clone() } else { format!("{text} ") };
                    let signature = sign(key.as_bytes(), "id", at, &signed);
                    asked = asked.header("webhook-id", "id").header("webhook-timestamp", &at.to_string());
                    asked = asked.header("webhook-signature", &format!("v1,AAAA {signature}"));
                    (*whole && ago.abs() <= 300).then_some(key.as_str())
                }
            };
            let own = match project {
                1..=3 => Some(format!("s3cret-egg{project}")),
                NEST => Some(NEST_SECRET.to_owned()),
                _ => None,
            };
            let is_in = body == 0 && own.is_some() && own.as_deref() == shown;
            let before = world.queue.len();
            let answer = runtime.block_on(asked.body(text).send());
            let put = world.queue.bodies().split_off(before);
            prop_assert_eq!(answer.status.as_u16(), if is_in { 200 } else { 403 }, "{:?}", answer);
            prop_assert_eq!(put.len(), usize::from(is_in));
            if let Some(work) = put.first() {
                let eggs = if project == NEST { json!([]) } else { json!([format!("egg{project}")]) };
                prop_assert_eq!(&work["eggs"], &eggs);
                prop_assert_eq!(&work["delivery"], &json!(format!("key-{number}")));
            }
            if !is_in {
                // Whatever is wrong, the answer says the same.
                let told = answer.json()["detail"].clone();
                prop_assert!(told.as_str().unwrap().starts_with("no egg of this installation"), "{}", told);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn property_26_gitlab_webhook_event_support() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let world = runtime.block_on(async {
        let world = world();
        world.egg("api", 7).await;
        world
    });
    let kinds = vec!["push", "build", "job", "pipeline", "merge_request", "note", "tag_push"];
    let branch = prop_oneof![Just("refs/heads/main".to_owned()), "refs/(heads|tags)/(main|[a-z]{1,8})"];
    let status = select(vec!["created", "pending", "running", "success", "failed", "canceled", "skipped"]);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(128));
    runner
        .run(&(select(kinds), branch, status, any::<bool>()), |(kind, branch, status, of_nest)| {
            let (project, secret) = if of_nest { (NEST, NEST_SECRET) } else { (7, "s3cret-api") };
            let mut event = fixture(kind, project);
            if matches!(kind, "note" | "tag_push") {
                event["object_kind"] = kind.into();
            }
            match kind {
                "push" => event["ref"] = branch.as_str().into(),
                "build" | "job" => event["build_status"] = status.into(),
                _ => {}
            }
            let is_wanted = match kind {
                "push" => of_nest && branch == "refs/heads/main",
                "note" | "tag_push" => false,
                _ => true,
            };
            let before = world.queue.len();
            let answer = runtime.block_on(hook(&world, &event, secret).send());
            prop_assert_eq!(answer.status.as_u16(), 200);
            let put = world.queue.bodies().split_off(before);
            prop_assert_eq!(put.len(), usize::from(is_wanted), "{} {}", kind, branch);
            prop_assert_eq!(answer.json()["outcome"] == "accepted", is_wanted);
            if let Some(work) = put.first() {
                prop_assert_eq!(&work["kind"], "hook");
                prop_assert_eq!(&work["body"]["object_kind"], &event["object_kind"]);
                for field in ["build_id", "build_status", "project_id", "ref", "checkout_sha"] {
                    prop_assert_eq!(work["body"].get(field), event.get(field));
                }
            }
            Ok(())
        })
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_comes_again_does_nothing_again() {
    let world = world();
    world.egg("api", 7).await;
    world.egg("web", 8).await;
    let (of_api, of_web) = (fixture("build", 7), fixture("build", 8));
    let send = |key: &str| outcome(hook(&world, &of_api, "s3cret-api").header("idempotency-key", key));
    let (a, b, c) = tokio::join!(send("one"), send("one"), send("one"));
    let mut all = [a, b, c];
    all.sort();
    assert_eq!(all, ["accepted", "duplicate", "duplicate"]);
    assert_eq!(send("two").await, "accepted");
    // The same id from somebody else is another delivery.
    let other = hook(&world, &of_web, "s3cret-web").header("idempotency-key", "one");
    assert_eq!(outcome(other).await, "accepted");
    // An older GitLab names the event alone; hooks that led to one another have one name.
    let older = |event: &Json| outcome(hook(&world, event, "s3cret-api").header("x-gitlab-event-uuid", "e"));
    assert_eq!(older(&of_api).await, "accepted");
    assert_eq!(older(&of_api).await, "duplicate");
    assert_eq!(older(&fixture("job", 7)).await, "accepted");
    assert_eq!(world.queue.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_serve_every_project_and_one_secret_may_serve_several() {
    let world = world();
    world.write(&egg("group", vec![repository("group", None, Some(5))])).await;
    world.secret("vault://group/webhook", "s3cret-shared");
    world.write(&egg("api", vec![repository("api", Some(7), None)])).await;
    world.secret("vault://api/webhook", "s3cret-shared");
    assert_eq!(outcome(hook(&world, &fixture("build", 12345), "s3cret-shared")).await, "accepted");
    assert_eq!(outcome(hook(&world, &fixture("build", 7), "s3cret-shared")).await, "accepted");
    world.secret("vault://nest/webhook", "s3cret-shared");
    let push = |branch: &str| {
        let mut push = fixture("push", NEST);
        push["ref"] = branch.into();
        push
    };
    until_let_in(|| hook(&world, &push("refs/heads/other"), "s3cret-shared")).await;
    assert_eq!(outcome(hook(&world, &push("refs/heads/main"), "s3cret-shared")).await, "accepted");
    assert_eq!(outcome(hook(&world, &fixture("build", NEST), "s3cret-shared")).await, "accepted");
    let eggs: Vec<Json> = world.queue.bodies().iter().map(|work| work["eggs"].clone()).collect();
    assert_eq!(eggs, [json!(["group"]), json!(["api", "group"]), json!([]), json!([]), json!(["group"])]);
}

/// The first webhooks of many eggs wait for no secret: each was read when its egg had come, once.
#[tokio::test(flavor = "multi_thread")]
async fn the_secrets_of_eggs_that_have_come_are_read_before_a_webhook_needs_them() {
    let world = world();
    for (name, project) in [("api", 7), ("web", 8)] {
        world.egg(name, project).await;
        let uri = format!("vault://{name}/webhook");
        let waited = tokio::time::timeout(Duration::from_mins(1), async {
            while !world.secrets.read.lock().unwrap().contains_key(&uri) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        assert!(waited.await.is_ok(), "nobody has read the secret of {name}");
    }
    let read = world.secrets.read.lock().unwrap().clone();
    assert!(read.values().all(|count| *count == 1), "what was read once is not read again: {read:?}");
    assert!(read.keys().all(|uri| uri.ends_with("/webhook")), "what nobody needs is not read: {read:?}");
}

/// The Nest's own webhook shows what its secret was until GitLab is told, for a day: as those of eggs.
#[tokio::test(flavor = "multi_thread")]
async fn the_secret_that_the_nest_had_is_let_in_for_a_day() {
    let world = world();
    let mut push = fixture("push", NEST);
    push["ref"] = "refs/heads/main".into();
    let rotate = |value: &str| {
        let body = json!({ "uri": "vault://nest/webhook", "value": value });
        world.post("/secrets/rotate").token(OPERATE).json(&body).send()
    };
    let told = rotate("s3cret-second").await.is(200).json();
    assert_eq!(
        (&told["kind"], &told["nest"], &told["eggs"]),
        (&json!("webhook_secret"), &json!(true), &json!([]))
    );
    assert_eq!(told["before_until"], "2026-11-22T10:00:00Z");
    rotate("s3cret-third").await.is(200);
    until_let_in(|| hook(&world, &push, "s3cret-third")).await;
    until_let_in(|| hook(&world, &push, NEST_SECRET)).await;
    hook(&world, &push, "s3cret-second").send().await.is(403);
    world.clock.go_on(Duration::from_hours(24));
    hook(&world, &push, NEST_SECRET).send().await.is(403);
    hook(&world, &push, "s3cret-third").send().await.is(200);
    let audit = world.read("/audit").await.to_string();
    assert_eq!(audit.matches("webhook.stale").count(), 2, "{audit}");
}

/// Waits until what has just changed is known.
async fn until_let_in(asked: impl Fn() -> Asked) -> Answer {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let answer = asked().send().await;
            if answer.status == 200 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_egg_that_has_come_is_known_soon_and_nobody_elses_server_counts() {
    let world = world();
    hook(&world, &fixture("build", 7), "s3cret-api").send().await.is(403);
    world.egg("api", 7).await;
    until_let_in(|| hook(&world, &fixture("build", 7), "s3cret-api")).await;
    // The same number on another server, with the same secret: the event says which.
    let mut there = repository("there", Some(9), None);
    there.server = "192.168.64.1:3005".to_owned();
    world.write(&egg("there", vec![there])).await;
    world.secret("vault://there/webhook", "s3cret-api");
    world.write(&egg("here", vec![repository("here", Some(9), None)])).await;
    world.secret("vault://here/webhook", "s3cret-api");
    let before = world.queue.len();
    until_let_in(|| hook(&world, &fixture("build", 9), "s3cret-api")).await;
    assert_eq!(world.queue.bodies()[before]["eggs"], json!(["there"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signing_token_is_a_key_in_base64() {
    let world = world();
    world.egg("api", 7).await;
    let key = [0xA5; 32];
    world.secret("vault://api/webhook", &format!("whsec_{}", BASE64_STANDARD.encode(key)));
    let body = fixture("build", 7).to_string();
    let signature = sign(&key, "msg_1", NOW / 1000, &body);
    let signed = |signature: &str| {
        let asked = world.post(HOOKS).header("webhook-id", "msg_1").body(body.clone());
        asked.header("webhook-timestamp", &(NOW / 1000).to_string()).header("webhook-signature", signature)
    };
    assert_eq!(outcome(signed(&signature)).await, "accepted");
    assert_eq!(outcome(signed(&signature)).await, "duplicate");
    signed(&signature.replacen("v1,", "v1a,", 1)).send().await.is(403);
    world.clock.go_on(Duration::from_secs(301));
    signed(&signature).send().await.is(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_kept_is_not_accepted() {
    let world = world();
    world.egg("api", 7).await;
    world.queue.away.store(true, Ordering::SeqCst);
    let answer = hook(&world, &fixture("build", 7), "s3cret-api").send().await.is(503);
    assert!(answer.headers.contains_key("retry-after"));
    world.queue.away.store(false, Ordering::SeqCst);
    outcome(hook(&world, &fixture("build", 7), "s3cret-api")).await;
    assert_eq!(world.queue.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_can_not_be_read_lets_nobody_in() {
    let world = world();
    world.egg("api", 7).await;
    world.secrets.away.store(true, Ordering::SeqCst);
    hook(&world, &fixture("build", 7), "s3cret-api").send().await.is(503);
    world.secrets.away.store(false, Ordering::SeqCst);
    world.secret("vault://api/webhook", "");
    let empty = || hook(&world, &fixture("build", 7), "");
    assert_eq!(empty().send().await.status.as_u16(), 403);
    world.secrets.values.lock().unwrap().clear();
    empty().send().await.is(403);
    assert_eq!(world.queue.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_of_pipelines_are_not_kept() {
    let world = world();
    world.egg("api", 7).await;
    let mut event = fixture("pipeline", 7);
    event["object_attributes"]["variables"] =
        json!([{ "key": "TOKEN", "value": "of-a-person" }, { "key": "GOSLING_JOB", "value": "nightly" }]);
    assert_eq!(outcome(hook(&world, &event, "s3cret-api")).await, "accepted");
    let kept = world.queue.bodies()[0].to_string();
    assert!(kept.contains("nightly") && !kept.contains("of-a-person"), "{kept}");
    assert!(!kept.contains("email") && !kept.contains("User1"), "people are of no interest: {kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_at_once_are_all_accepted() {
    let world = world();
    for number in 0..100 {
        world.egg(&format!("egg{number}"), number).await;
    }
    let all = (0..1000u64).map(|number| {
        let (egg, body) = (number % 100, fixture("build", number % 100));
        let asked = hook(&world, &body, &format!("s3cret-egg{egg}"));
        tokio::spawn(asked.header("idempotency-key", &number.to_string()).send())
    });
    for answer in all.collect::<Vec<_>>() {
        answer.await.unwrap().is(200);
    }
    assert_eq!(world.queue.count("hook"), 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_and_too_many_are_refused() {
    let world = world_with(Settings { rate: (1, 5), body_limit: 1000, ..settings() });
    let large = "x".repeat(1001);
    let problem = world.post(HOOKS).header("x-gitlab-token", "a").body(large).send().await.is(413).json();
    assert_eq!(problem["type"], "urn:gosling:problem:too-large");
    let mut refused = None;
    for _ in 0..10 {
        let answer = hook(&world, &json!({}), "a").send().await;
        if answer.status == 429 {
            refused = Some(answer);
        }
    }
    let refused = refused.expect("ten at once are more than five");
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(refused.json()["type"], "urn:gosling:problem:too-many-requests");
}

/// Who is behind a proxy that is trusted has a share of his own; whoever else writes such a header has not.
#[tokio::test(flavor = "multi_thread")]
async fn each_sender_behind_a_trusted_proxy_has_his_own_share() {
    const MANY: u8 = 40;
    let proxies = vec!["127.0.0.0/8".parse().unwrap()];
    for (proxies, is_believed) in [(proxies, true), (Vec::new(), false)] {
        let world = world_with(Settings { rate: (1, 3), proxies, ..settings() });
        let hook = |from: String| {
            tokio::spawn(world.post(HOOKS).header("x-forwarded-for", &from).json(&json!({})).send())
        };
        let refused = async |all: Vec<tokio::task::JoinHandle<Answer>>| {
            let mut refused = 0;
            for answer in all {
                refused += u32::from(answer.await.unwrap().status == 429);
            }
            refused
        };
        let many = refused((0..MANY).map(|at| hook(format!("192.0.2.{at}"))).collect()).await;
        assert_eq!(many == 0, is_believed, "{many} of many senders were refused");
        // The proxy adds to whatever the sender had written.
        let one = refused((0..MANY).map(|at| hook(format!("203.0.113.{at}, 192.0.2.200"))).collect()).await;
        assert!(one > 0, "one sender is one, whatever it calls itself");
    }
}
