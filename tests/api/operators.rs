//! What operators and timers ask.

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Duration};

use orchestrator::{
    domain::{Fence, Job, JobId, JobStatus, Plan, PlanStatus, RunnerId, State, StateMark, Time},
    ports::queue::Dead,
    records::{Changes, EggRecord, JobRecord, PlanKind, PlanRecord, RunnerRecord, SyncRecord, SyncStatus},
    roles::Work,
    seal,
    settings::{ApiToken, Scope},
};
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::doubles::PRUNED;
use crate::world::{NOW, OPERATE, READ, SERVER, TRIGGER, World, egg, job, repository, world};

fn plan(id: &str, egg: &str, status: PlanStatus, made: u64) -> PlanRecord {
    PlanRecord {
        plan: Plan {
            id: id.to_owned(),
            egg: egg.to_owned(),
            digest: "digest".to_owned(),
            commit: "c0ffee".to_owned(),
            on: StateMark { lineage: String::new(), serial: 0 },
            fence: Fence(1),
            status,
            made: Time::from_millis(made),
        },
        kind: PlanKind::Deploy,
        sealed: b"s3cret".to_vec(),
        rollback_of: None,
        runners: BTreeMap::from([(format!("{egg}-1"), "apex".to_owned())]),
        changes: BTreeMap::from([("aws_instance.x".to_owned(), "create".to_owned())]),
        outputs: BTreeMap::new(),
        applied: None,
        error: None,
    }
}

fn waiting(number: u64, server: &str, egg: Option<&str>) -> JobRecord {
    JobRecord {
        id: JobId { server: server.into(), number },
        job: Job {
            project: 7,
            egg: egg.map(ToOwned::to_owned),
            tags: ["docker".to_owned()].into(),
            status: JobStatus::Pending,
            since: Time::from_millis(NOW - number),
            told: Time::from_millis(NOW),
            runner: None,
        },
        name: "test".to_owned(),
        git_ref: "main".to_owned(),
        ref_protected: true,
        reason: vec!["no runner has the tag `gpu`".to_owned()],
    }
}

fn sync(id: &str, status: SyncStatus, message: Option<&str>) -> SyncRecord {
    SyncRecord {
        id: id.to_owned(),
        commit: Some("c0ffee".to_owned()),
        status,
        changes: Changes { added: vec!["api".to_owned()], ..Changes::default() },
        message: message.map(ToOwned::to_owned),
        at: Time::from_millis(NOW),
    }
}

/// All pages of a list, `limit` at a time: the items, and how many pages there were.
async fn pages(world: &World, path: &str, limit: usize) -> (Vec<Json>, usize) {
    let (mut items, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let sign = if path.contains('?') { '&' } else { '?' };
        let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = world.read(&format!("{path}{sign}limit={limit}{after}")).await;
        let on_it = page["items"].as_array().unwrap();
        assert!(on_it.len() <= limit);
        items.extend(on_it.iter().cloned());
        pages += 1;
        match page.get("next") {
            Some(next) => cursor = Some(next.as_str().unwrap().to_owned()),
            None => return (items, pages),
        }
    }
}

fn names(items: &[Json], field: &str) -> Vec<String> {
    items.iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_by_egg_and_status() {
    let world = world();
    world.egg("web", 7).await;
    for number in 1..=3 {
        world.write(&waiting(number, SERVER, Some("web"))).await;
    }
    let mut running = waiting(4, SERVER, Some("web"));
    running.job.status = JobStatus::Running;
    world.write(&running).await;
    world.write(&waiting(5, SERVER, None)).await;
    let numbers =
        |items: &[Json]| items.iter().map(|job| job["number"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(numbers(&pages(&world, "/jobs", 2).await.0), [1, 2, 3, 4, 5]);
    let (items, count) = pages(&world, "/jobs?egg=web&status=pending", 2).await;
    assert_eq!((numbers(&items), count), (vec![3, 2, 1], 2), "the first in the line first");
    assert_eq!(numbers(&pages(&world, "/jobs?egg=nobody", 2).await.0), [] as [u64; 0]);
}

/// A plan that nobody keeps is for who may operate, and of an egg that there is.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_asked_for() {
    let world = world();
    world.egg("web", 7).await;
    world.post("/eggs/web/plan").token(READ).send().await.is(403);
    world.post("/eggs/wbe/plan").token(OPERATE).send().await.is(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_and_nothing_is_left_out() {
    let world = world();
    for number in 0..7 {
        world.egg(&format!("egg{number}"), number).await;
        let mut runner = world.runner(&format!("egg{number}-1"), &format!("egg{number}")).await;
        if number % 2 == 0 {
            runner.runner.state = State::Idle;
            world.write(&runner).await;
        }
        world.write(&plan(&format!("plan{number}"), "egg1", PlanStatus::Applied, NOW + number)).await;
        let dead = Dead {
            id: format!("dead{number}"),
            kind: "deploy".to_owned(),
            body: serde_json::to_string(&Work::Deploy { egg: "egg1".to_owned() }).unwrap(),
            reason: "it failed".to_owned(),
            attempts: 5,
            at: Time::from_millis(NOW),
        };
        world.queue.dead.lock().unwrap().push(dead);
    }
    let gone = world.load::<EggRecord>("egg3").await;
    world.write(&EggRecord { removed: true, ..gone }).await;
    let (eggs, count) = pages(&world, "/eggs", 2).await;
    assert_eq!(names(&eggs, "name"), ["egg0", "egg1", "egg2", "egg4", "egg5", "egg6"]);
    assert!(count >= 3);
    assert_eq!(pages(&world, "/eggs?removed=true", 3).await.0.len(), 7);
    assert_eq!(pages(&world, "/runners", 3).await.0.len(), 7);
    let (idle, _) = pages(&world, "/runners?state=idle", 3).await;
    assert_eq!(names(&idle, "id"), ["egg0-1", "egg2-1", "egg4-1", "egg6-1"]);
    assert_eq!(names(&pages(&world, "/runners?egg=egg5", 3).await.0, "id"), ["egg5-1"]);
    assert_eq!(pages(&world, "/runners?egg=egg5&state=idle", 3).await.0.len(), 0);
    let (plans, _) = pages(&world, "/eggs/egg1/plans", 2).await;
    assert_eq!(names(&plans, "id"), ["plan6", "plan5", "plan4", "plan3", "plan2", "plan1", "plan0"]);
    let (dead, _) = pages(&world, "/queue/dead", 3).await;
    assert_eq!((dead.len(), &dead[0]["subject"]), (7, &json!(["egg1"])));
    for path in ["/eggs", "/runners", "/eggs/egg1/plans", "/queue/dead", "/audit"] {
        for wrong in ["limit=0", "limit=1001", "limit=x", "cursor=rubbish"] {
            world.get(&format!("{path}?{wrong}")).token(READ).send().await.is(422);
        }
        // One list's end is nothing to another.
        let next = world.read("/eggs?limit=1").await["next"].as_str().unwrap().to_owned();
        if path != "/eggs" {
            world.get(&format!("{path}?cursor={next}")).token(READ).send().await.is(422);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_goes_back_over_days() {
    let world = world();
    world.egg("api", 7).await;
    world.egg("web", 8).await;
    for day in 0..4 {
        for name in ["api", "web"] {
            let what = if day % 2 == 0 { "pause" } else { "resume" };
            world.post(&format!("/eggs/{name}/{what}")).token(OPERATE).send().await.is(200);
        }
        // Days without an entry are no end.
        world.clock.go_on(Duration::from_hours(24 * 20));
    }
    let (entries, _) = pages(&world, "/audit", 3).await;
    let done: Vec<_> =
        entries.iter().map(|entry| format!("{} {}", entry["action"], entry["resource"])).collect();
    assert_eq!(done.len(), 8, "{done:?}");
    let times = names(&entries, "at");
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    assert_eq!(times[7], "2026-11-21T10:00:00Z");
    assert_eq!(entries[0]["actor"], "api:operator");
    let (of_api, _) = pages(&world, "/audit?resource=api", 3).await;
    assert_eq!(names(&of_api, "action"), ["egg.resume", "egg.pause", "egg.resume", "egg.pause"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn runners_are_shown_and_drained_once() {
    let world = world();
    world.egg("api", 7).await;
    world.runner("api-1", "api").await;
    let shown = world.read("/runners/api-1").await;
    assert_eq!((&shown["state"], &shown["made"]), (&json!("provisioning"), &json!("2026-11-21T10:00:00Z")));
    let drain = || world.ask(Method::DELETE, "/runners/api-1").token(OPERATE);
    assert_eq!(drain().send().await.is(202).json()["state"], "pending_termination");
    assert_eq!(drain().send().await.is(202).json()["state"], "pending_termination");
    assert_eq!(world.queue.count("decide"), 1);
    assert_eq!(pages(&world, "/audit", 10).await.0.len(), 1);
    assert_eq!(world.load::<RunnerRecord>("api-1").await.runner.state, State::PendingTermination);
    let missing = world.get("/runners/api-2").token(READ).send().await.is(404).json();
    assert!(missing["detail"].as_str().unwrap().contains("`api-2`"), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn eggs_are_shown_stopped_and_let_go_on() {
    let world = world();
    let mut api = egg("api", vec![repository("api", Some(7), None)]);
    api.error = Some("no money".to_owned());
    world.write(&api).await;
    world.write(&job("nightly")).await;
    world.runner("api-1", "api").await;
    world.write(&waiting(5, SERVER, Some("api"))).await;
    world.write(&plan("p1", "api", PlanStatus::Applied, NOW)).await;
    let shown = world.read("/eggs/api").await;
    assert_eq!((&shown["kind"], &shown["concurrent"]), (&json!("egg"), &json!(3)));
    assert_eq!(
        shown["repositories"],
        json!([{ "place": "gitlab.example.com/projects/7", "gitlab": { "server": "gitlab.example.com", "project_id": 7 } }])
    );
    assert!(!shown.to_string().contains("vault"), "nobody needs the URIs of secrets: {shown}");
    let nightly = world.read("/eggs/jobs%2Fnightly").await;
    assert_eq!((&nightly["name"], &nightly["kind"]), (&json!("jobs/nightly"), &json!("job")));
    let status = world.read("/eggs/api/status").await;
    assert_eq!((&status["runners"], &status["waiting_total"]), (&json!({ "provisioning": 1 }), &json!(1)));
    assert_eq!((&status["plan"]["id"], &status["egg"]["error"]), (&json!("p1"), &json!("no money")));
    for (what, paused) in [("pause", true), ("pause", true), ("resume", false)] {
        let answer = world.post(&format!("/eggs/api/{what}")).token(OPERATE).send().await.is(200).json();
        assert_eq!(answer["paused"], paused);
        assert_eq!(world.load::<EggRecord>("api").await.paused, paused);
    }
    assert_eq!(world.queue.count("decide"), 2, "what changes nothing is not decided on");
    world.post("/eggs/none/pause").token(OPERATE).send().await.is(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_and_starting_jobs_are_put_into_the_queue_once() {
    let world = world();
    world.egg("api", 7).await;
    world.egg("web", 8).await;
    world.write(&job("nightly")).await;
    let mut good = plan("good", "api", PlanStatus::Applied, NOW);
    "earlier".clone_into(&mut good.plan.digest);
    world.write(&good).await;
    world.write(&plan("bad", "api", PlanStatus::Failed, NOW)).await;
    let mut now = plan("others", "web", PlanStatus::Applied, NOW);
    egg("web", Vec::new()).made_from().0.clone_into(&mut now.plan.digest);
    world.write(&now).await;
    let mut lost = plan("lost", "api", PlanStatus::Applied, NOW - 1);
    PRUNED.clone_into(&mut lost.plan.digest);
    world.write(&lost).await;
    let mut gone = egg("gone", Vec::new());
    gone.removed = true;
    world.write(&gone).await;
    assert_eq!(world.read("/eggs/api/plans/good").await["changes"], json!({ "aws_instance.x": "create" }));
    world.get("/eggs/api/plans/others").token(READ).send().await.is(404);
    let back = |to: Json| world.post("/eggs/api/rollback").token(OPERATE).json(&to);
    back(json!({ "to": "bad" })).send().await.is(409);
    back(json!({ "to": "others" })).send().await.is(404);
    back(json!({ "too": "good" })).send().await.is(422);
    let not_kept = back(json!({ "to": "lost" })).send().await.is(409).json();
    let detail = not_kept["detail"].as_str().unwrap();
    assert!(detail.contains("`lost`") && detail.contains("not kept any more"), "{detail}");
    let left = world.post("/eggs/gone/rollback").token(OPERATE).json(&json!({})).send().await.is(409).json();
    assert!(left["detail"].as_str().unwrap().contains("has left the Nest"), "{left}");
    let never = world.post("/eggs/web/rollback").token(OPERATE).json(&json!({})).send().await.is(409).json();
    assert!(never["detail"].as_str().unwrap().contains("never deployed from anything else"), "{never}");
    assert_eq!(world.queue.len(), 0);
    let once = || back(json!({ "to": "good" })).header("idempotency-key", "k").send();
    assert_eq!(once().await.is(202).json(), json!({ "new": true }));
    assert_eq!(once().await.is(202).json(), json!({ "new": false }));
    back(json!({})).send().await.is(202);
    world.post("/jobs/nightly/trigger").token(OPERATE).send().await.is(202);
    world.post("/jobs/hourly/trigger").token(OPERATE).send().await.is(404);
    assert_eq!(
        world.queue.bodies(),
        [
            json!({ "kind": "rollback", "egg": "api", "to": "good", "actor": "api:operator" }),
            json!({ "kind": "rollback", "egg": "api", "to": "good", "actor": "api:operator" }),
            json!({ "kind": "trigger", "job": "nightly", "actor": "api:operator" }),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_explained() {
    let world = world();
    let mut api = egg("api", vec![repository("api", Some(7), None)]);
    (api.paused, api.error) = (true, Some("no money".to_owned()));
    let mut there = repository("web", Some(8), None);
    there.server = "mapped.example.com".to_owned();
    world.write(&api).await;
    world.write(&egg("web", vec![there])).await;
    world.runner("api-1", "api").await;
    let mut five = waiting(5, SERVER, Some("api"));
    five.job.runner = Some(RunnerId::new("api-1".to_owned()));
    world.write(&five).await;
    world.write(&waiting(6, SERVER, None)).await;
    world.write(&waiting(6, "mapped.example.com", Some("web"))).await;
    let why = world.read("/why/job/5").await;
    assert_eq!((&why["paused"], &why["error"]), (&json!(true), &json!("no money")));
    assert_eq!((&why["runner"]["id"], &why["job"]["status"]), (&json!("api-1"), &json!("pending")));
    assert_eq!(why["job"]["reasons"], json!(["no runner has the tag `gpu`"]));
    let several = world.get("/why/job/6").token(READ).send().await.is(409).json();
    assert!(several["detail"].as_str().unwrap().contains("mapped.example.com"), "{several}");
    let one = world.read("/why/job/6?server=gitlab.example.com").await;
    assert_eq!(one["job"].get("egg"), None);
    world.get("/why/job/7").token(READ).send().await.is(404);
    world.get("/why/job/x").token(READ).send().await.is(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_shows_everything() {
    let world = world();
    world.egg("api", 7).await;
    let mut web = egg("web", vec![repository("web", Some(8), None)]);
    web.error = Some("no money".to_owned());
    world.write(&web).await;
    world.runner("api-1", "api").await;
    for number in 1..=120 {
        world.write(&waiting(number, SERVER, Some("api"))).await;
    }
    world.write(&sync("01", SyncStatus::Applied, None)).await;
    world.write(&sync("02", SyncStatus::Broken, Some("error: `apex` is no number"))).await;
    world.post("/eggs/web/pause").token(OPERATE).send().await.is(200);
    let status = world.read("/status").await;
    assert_eq!((&status["nest"], &status["at"]), (&json!("nest"), &json!("2026-11-21T10:00:00Z")));
    assert_eq!(names(status["syncs"].as_array().unwrap(), "status"), ["broken", "applied"]);
    assert_eq!(status["syncs"][0]["message"], "error: `apex` is no number");
    assert_eq!(status["syncs"][1]["added"], json!(["api"]));
    let (api, web) = (&status["eggs"][0], &status["eggs"][1]);
    assert_eq!((&api["runners"], &api["waiting"]), (&json!({ "provisioning": 1 }), &json!(120)));
    assert_eq!((&web["error"], &web["paused"]), (&json!("no money"), &json!(true)));
    assert_eq!((status["waiting"].as_array().unwrap().len(), &status["waiting_total"]), (100, &json!(120)));
    assert_eq!(status["waiting"][0]["number"], 120, "who has waited longest is first");
    assert_eq!(status["transitions"][0]["action"], "egg.pause");
    assert_eq!(status["queue"], json!({ "waiting": 1, "working": 0, "dead": 0 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_tried_again() {
    let world = world();
    let body = serde_json::to_string(&Work::Sweep).unwrap();
    let (kind, reason) = ("sweep".to_owned(), "it failed".to_owned());
    let dead = Dead { id: "d1".to_owned(), kind, body, reason, attempts: 5, at: Time::from_millis(NOW) };
    world.queue.dead.lock().unwrap().push(dead);
    assert_eq!(world.read("/queue").await, json!({ "waiting": 0, "working": 0, "dead": 1 }));
    world.post("/queue/dead/d1/replay").token(OPERATE).send().await.is(202);
    world.post("/queue/dead/d1/replay").token(OPERATE).send().await.is(404);
    assert_eq!(world.read("/queue/dead").await, json!({ "items": [] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_put_work_into_the_queue() {
    let world = world();
    let kinds = [("sync-git", "sync"), ("health-check", "sweep"), ("uglyfox/health-check", "decide")];
    for (path, kind) in kinds {
        let path = format!("/internal/{path}");
        world.post(&path).send().await.is(401);
        world.post(&path).token(TRIGGER).send().await.is(401);
        world.post(&path).header("x-trigger-auth", OPERATE).send().await.is(403);
        world.post(&path).header("x-trigger-auth", "rubbish").send().await.is(401);
        // Two timers that fire at one moment have one key.
        for shown in [TRIGGER.to_owned(), format!("Bearer {TRIGGER}")] {
            let asked = world.post(&path).header("x-trigger-auth", &shown);
            asked.header("idempotency-key", "2026-11-21T10:00").send().await.is(202);
        }
        assert_eq!(world.queue.count(kind), 1, "{kind}");
    }
    world.post("/internal/metrics/collect").header("x-trigger-auth", TRIGGER).send().await.is(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_each_dependency() {
    let world = world();
    let new = world.get("/health").send().await.is(200).json();
    assert_eq!((&new["live"], &new["ready"]), (&json!(true), &json!(false)));
    assert_eq!(new["dependencies"]["nest"], json!({ "ok": false }));
    world.get("/health/ready").send().await.is(503);
    world.write(&sync("01", SyncStatus::Applied, None)).await;
    world.write(&sync("02", SyncStatus::Broken, None)).await;
    let ready = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let answer = world.get("/health/ready").token(READ).send().await;
            if answer.status == 200 {
                return answer.json();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let ready = ready.await.unwrap();
    assert_eq!(ready["dependencies"]["tofu"], json!({ "ok": true, "detail": "1.12.6" }));
    assert_eq!(ready["dependencies"]["nest"], json!({ "ok": true, "detail": "commit c0ffee" }));
    let anybody = world.get("/health").send().await.is(200).json();
    assert_eq!(anybody["dependencies"]["tofu"], json!({ "ok": true }));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_what_there_is() {
    let world = world();
    world.egg("api", 7).await;
    world.runner("api-1", "api").await;
    world.write(&waiting(5, SERVER, Some("api"))).await;
    world.get("/metrics").send().await.is(401);
    world.get("/nothing/here").send().await.is(404);
    let text = world.get("/metrics").token(READ).send().await.is(200).text;
    for line in [
        "gosling_runners{egg=\"api\",state=\"provisioning\"} 1",
        "gosling_jobs_waiting{egg=\"api\"} 1",
        "gosling_queue_messages{state=\"waiting\"} 0",
        "gosling_http_requests_total{method=\"GET\",route=\"/metrics\",status=\"401\"} 1",
        "gosling_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 1",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    world.queue.away.store(true, Ordering::SeqCst);
    world.get("/metrics").token(READ).send().await.is(200);
}

/// An egg whose deployment failed for want of a secret is tried again once that is there, however long it was to wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_comes_is_tried_at_once() {
    let world = world();
    let later = Some(Time::from_millis(NOW + 3_600_000));
    for (name, project, failures) in [("api", 7, 6), ("web", 8, 2), ("well", 9, 0)] {
        let egg = world.egg(name, project).await;
        let retry_at = if failures > 0 { later } else { None };
        world.write(&EggRecord { failures, retry_at, error: Some("no token".to_owned()), ..egg }).await;
    }
    let put = |uri: &str| {
        let body = json!({ "uri": uri, "value": "s3cret-value" });
        world.post("/secrets/put").token(OPERATE).json(&body).send()
    };
    put("vault://nobody/needs").await.is(200);
    put("vault://well/api").await.is(200);
    assert_eq!(world.queue.len(), 0);
    put("vault://api/api").await.is(200);
    assert_eq!(world.queue.bodies(), [json!({ "kind": "deploy", "egg": "api" })]);
    let (api, web) = (world.load::<EggRecord>("api").await, world.load::<EggRecord>("web").await);
    assert_eq!((api.retry_at, api.failures), (None, 1));
    assert_eq!((web.retry_at, web.failures), (later, 2), "it needs another one");
}

/// What is done to a runner is told with its egg, so that `gosling logs --egg` has it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_a_runner_is_of_its_egg() {
    let world = world();
    world.egg("api", 7).await;
    world.runner("api-1", "api").await;
    world.ask(Method::DELETE, "/runners/api-1").token(OPERATE).send().await.is(202);
    let entries = world.read("/audit?kind=runner").await;
    let entries = entries["items"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["details"]["egg"], "api");
}

/// Tokens come and go while the API is served.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_for_as_long_as_it_is_known() {
    let world = world();
    let read = |token: &str| world.get("/eggs").token(token).send();
    read(READ).await.is(200);
    read("s3cret-new").await.is(401);
    let mut tokens = world.context.tokens().to_vec();
    tokens.retain(|token| token.name != "reader");
    tokens.push(ApiToken {
        name: "new".to_owned(),
        sha256: seal::fingerprint("s3cret-new"),
        scopes: [Scope::Read].into(),
    });
    world.context.set_tokens(tokens);
    read(READ).await.is(401);
    read("s3cret-new").await.is(200);
    read(OPERATE).await.is(200);
}
