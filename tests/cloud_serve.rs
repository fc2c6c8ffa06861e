//! `gosling serve` with eggs in a cloud: real OpenTofu over the fake cloud, whose machines run a real `gosling runner` that
//! knows what their user data tells them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "this is a test"
)]

#[path = "cloud_serve/machines.rs"]
mod machines;
#[path = "cloud_serve/rollback.rs"]
mod rollback;
#[path = "cloud_serve/serverless.rs"]
mod serverless;

use std::{collections::BTreeSet, path::PathBuf};

use machines::{Machines, files};
use polar_gosling_tests::{
    doubles::{gitlab::Status, stage::Stage},
    need,
    tools::{FakeCloud, Operation},
};
use serde_json::{Value, json};

/// A runner on a machine of Yandex Cloud.
const YANDEX: &str = r#"egg "web" {
  type = "vm"

  cloud {
    provider = "yandex"
    region   = "ru-central1-a"
  }

  resources {
    cpu    = 2
    memory = 4GiB
    disk   = 30GiB
  }

  runner {
    tags       = ["web"]
    executor   = "shell"
    concurrent = 2
  }

  gitlab {
    server     = "gitlab.demo.test"
    project_id = 1

    api_token_secret = "vault://gitlab/gitlab.demo.test/web/api-token"
    webhook_secret   = "vault://gitlab/gitlab.demo.test/web/webhook-secret"
    token_secret     = "vault://gitlab/gitlab.demo.test/web/runner-token"
  }
}
"#;

/// A runner on a machine of AWS.
const AWS: &str = r#"egg "shop" {
  type = "vm"

  cloud {
    provider = "aws"
    region   = "eu-central-1"
  }

  resources {
    cpu    = 2
    memory = 4GiB
    disk   = 30GiB
  }

  runner {
    tags       = ["shop"]
    executor   = "shell"
    concurrent = 2
  }

  gitlab {
    server     = "gitlab.demo.test"
    project_id = 1

    api_token_secret = "vault://gitlab/gitlab.demo.test/shop/api-token"
    webhook_secret   = "vault://gitlab/gitlab.demo.test/shop/webhook-secret"
    token_secret     = "vault://gitlab/gitlab.demo.test/shop/runner-token"
  }
}
"#;

/// Runners sleep soon after their last job, and go soon after that.
const RESTLESS: &str = r#"uglyfox {
  apex {
    max_count        = 2
    cpu_threshold    = 100%
    memory_threshold = 100%
  }

  nadir {
    max_count = 2
  }

  policies {
    rule "rest" {
      condition = "state == 'apex' AND idle_time > 2s"
      action    = "demote_to_nadir"
    }

    rule "leave" {
      condition = "state == 'nadir' AND idle_time > 6s"
      action    = "terminate"
    }
  }
}
"#;

/// Runners stay.
const LASTING: &str = "uglyfox {\n  apex {\n    max_count        = 2\n    cpu_threshold    = 100%\n    memory_threshold = 100%\n  }\n}\n";

/// What an installation gives its eggs.
fn given() -> Value {
    let download = json!({ "url": "https://gosling.example.com/gosling", "sha256": "0".repeat(64) });
    json!({
        "yandex": { "subnet_id": "subnet-of-yandex", "gosling_download": download },
        "aws": { "subnet_id": "subnet-of-aws", "gosling_download": download },
    })
}

/// An installation with the fake cloud, whose machines come up.
fn installation(nest: &[(&str, &str)], given: Value) -> Option<(Stage, Machines)> {
    let stage = Stage::new(nest)?.with_clouds(given)?;
    for egg in ["web", "shop"] {
        stage.secrets_of(egg);
    }
    let bin = stage.folder().join("bin");
    let machines = Machines::of(stage.cloud().folder(), stage.folder().join("machines"), &bin);
    Some((stage, machines))
}

fn succeeded(stage: &Stage, job: u64) -> String {
    let done = stage.gitlab.wait_for_job(job, Status::Success);
    assert_eq!(done.given, 1, "a job is given to one machine");
    String::from_utf8_lossy(&done.trace).into_owned()
}

/// A file, and the line of a job that waits until it is there.
fn signal(stage: &Stage) -> (PathBuf, String) {
    let go = stage.folder().join("go");
    let line = format!("while [ ! -e '{}' ]; do sleep 0.1; done", go.display());
    (go, line)
}

/// What was done to things of one kind, in order.
fn done(cloud: &FakeCloud, kind: &str) -> Vec<String> {
    let looks = ["read", "data"];
    let log = cloud.log().into_iter().filter(|one| one.kind == kind);
    log.map(|one| one.operation).filter(|operation| !looks.contains(&operation.as_str())).collect()
}

#[test]
fn machines_in_two_clouds_serve_sleep_and_go() {
    let nest = [("Eggs/web/config.fly", YANDEX), ("Eggs/shop/config.fly", AWS), ("UF/config.fly", RESTLESS)];
    let (mut stage, _machines) = need!(installation(&nest, given()));
    stage.serve(&[]);
    let (go, until_told) = signal(&stage);
    let jobs =
        ["web", "shop"].map(|egg| stage.queue_job(egg, &[egg], &[&until_told, "echo made on $CI_JOB_NAME"]));
    for job in jobs {
        stage.gitlab.wait_for_job(job, Status::Running);
    }

    // Whose it is, of which size, where, and what it was told.
    let commit = stage.status()["status"]["eggs"][0]["commit"].as_str().unwrap().to_owned();
    let (cloud, url) = (stage.cloud(), stage.url());
    for (kind, owner, subnet, user_data) in [
        ("yandex_compute_instance", "/labels", "/network_interface/0/subnet_id", "/metadata/user-data"),
        ("aws_instance", "/tags", "/subnet_id", "/user_data"),
    ] {
        let things = cloud.of(kind);
        let (_, thing) = things.iter().next().unwrap();
        let at = |place: &str| thing.pointer(place).unwrap_or(&Value::Null);
        let egg = if kind == "aws_instance" { "shop" } else { "web" };
        assert_eq!(things.len(), 1);
        assert_eq!(at(owner)["gosling-egg"], egg);
        assert_eq!(at(owner)["gosling-runner"], format!("{egg}-1"));
        assert_eq!(at(owner)["gosling-commit"], *commit);
        assert!(at(subnet).as_str().unwrap().starts_with("subnet-of-"), "{thing:#}");
        let files = files(at(user_data).as_str().unwrap());
        let told: Value = serde_json::from_str(&files["/etc/gosling/runner.json"]).unwrap();
        assert_eq!(told["orchestrator_url"], url.trim_end_matches('/'));
        assert!(!files["/etc/gosling/ticket"].is_empty());
    }
    assert_eq!(cloud.of("aws_instance").values().next().unwrap()["instance_type"], "t3.medium");

    std::fs::write(go, "").unwrap();
    for (job, egg) in jobs.into_iter().zip(["web", "shop"]) {
        assert!(succeeded(&stage, job).contains(&format!("made on {egg}")));
        let runner = stage.transition(egg, "idle");
        for state in ["nadir", "pending_termination", "terminated"] {
            assert_eq!(stage.transition(egg, state), runner);
        }
    }
    stage.gitlab.wait("no machine of a runner", |world| {
        world.runners.values().all(|runner| runner.managers.is_empty()).then_some(())
    });
    assert!(cloud.things().is_empty(), "{:#?}", cloud.things());
    // Made running; stopped while it slept; deleted.
    assert_eq!(done(&cloud, "yandex_compute_instance"), ["create", "power", "power", "delete"]);
    assert_eq!(done(&cloud, "aws_instance"), ["create", "delete"]);
    assert!(done(&cloud, "aws_ec2_instance_state").contains(&"update".to_owned()));
    assert!(stage.stop().success(), "{}", stage.log());
}

#[test]
fn what_a_cloud_lacks_is_told_on_the_egg() {
    let mut lacking = given();
    lacking["yandex"].as_object_mut().unwrap().remove("subnet_id");
    let nest = [("Eggs/web/config.fly", YANDEX), ("UF/config.fly", LASTING)];
    let (mut stage, _machines) = need!(installation(&nest, lacking));
    stage.options.extend(["--credential", "yandex.YC_TOKEN=vault://clouds/yandex"].map(str::to_owned));
    stage.serve(&[]);
    let job = stage.queue_job("hello", &["web"], &["true"]);
    let error = |what: &str| {
        stage.status_shows(what, |status| {
            let error = status["status"]["eggs"][0]["error"].as_str()?;
            error.contains(what).then(|| error.to_owned())
        })
    };
    // First what opens the cloud, then what its module needs.
    let told = error("YC_TOKEN");
    assert!(told.contains("yandex") && told.contains("vault"), "{told}");
    stage.put_secret("vault://clouds/yandex", "t1.not-to-be-seen");
    let told = error("subnet_id");
    assert!(told.contains("`web` can't be deployed to yandex") && told.contains("--variables"), "{told}");
    assert!(stage.run(&["status"]).contains("`subnet_id`"));
    assert!(stage.cloud().things().is_empty());

    // The same installation once somebody has read that.
    assert!(stage.stop().success(), "{}", stage.log());
    stage.give(&given());
    stage.serve(&[]);
    succeeded(&stage, job);
    assert!(!stage.log().contains("not-to-be-seen"));
    assert!(stage.stop().success(), "{}", stage.log());
}

/// The plans of an egg, the last first.
fn plans(stage: &Stage, egg: &str) -> Vec<Value> {
    let page: Value = serde_json::from_str(&stage.ask("GET", &format!("eggs/{egg}/plans"), None)).unwrap();
    page["items"].as_array().unwrap().clone()
}

#[test]
fn a_rollback_brings_the_earlier_fleet_back() {
    let nest = [("Eggs/shop/config.fly", AWS), ("UF/config.fly", LASTING)];
    let (mut stage, machines) = need!(installation(&nest, given()));
    stage.serve(&[]);
    let (go, until_told) = signal(&stage);
    let first = stage.queue_job("first", &["shop"], &[&until_told]);
    stage.gitlab.wait_for_job(first, Status::Running);
    let cloud = stage.cloud();
    // Its machine may be up before all that belongs to it is.
    let good = stage.status_shows("the first deployment", |_| {
        plans(&stage, "shop").into_iter().find(|plan| plan["status"] == "applied")
    });
    let earlier = cloud.things();
    let seen = cloud.log().len();

    // The next runner is to have a larger disk; the cloud makes its instance and then no more.
    machines.slow(true);
    cloud.faults(&json!([{
        "do": "fail", "on": "create", "type": "aws_ec2_instance_state", "message": "UnsupportedOperation: not today"
    }]));
    let bad = stage.commit(&[("Eggs/shop/config.fly", &AWS.replace("30GiB", "60GiB"))]);
    stage.status_shows("the new Nest", |status| {
        let sync = &status["status"]["syncs"][0];
        (sync["commit"] == *bad && sync["status"] == "applied").then_some(())
    });
    let second = stage.queue_job("second", &["shop"], &["true"]);
    let told = stage.status_shows("the failed deployment", |status| {
        status["status"]["eggs"][0]["error"].as_str().map(str::to_owned)
    });
    assert!(told.contains("Eggs/shop/config.fly:") && told.contains("not today"), "{told}");
    let human = stage.run(&["status"]);
    assert!(human.contains("Eggs/shop/config.fly:") && human.contains("not today"), "{human}");
    let instances = || -> BTreeSet<String> { cloud.of("aws_instance").into_keys().collect() };
    let before: BTreeSet<String> =
        earlier.keys().filter(|(kind, _)| kind == "aws_instance").map(|(_, id)| id.clone()).collect();
    let begun: Vec<String> = instances().difference(&before).cloned().collect();
    assert_eq!((before.len(), begun.len()), (1, 1), "it failed half-way");
    let failed = plans(&stage, "shop").into_iter().find(|plan| plan["status"] == "failed").unwrap();
    assert_eq!(failed["commit"], *bad);

    // Back, even while the cloud is as it is: of what was begun nothing stays, and what worked goes on working.
    stage.ask("POST", "eggs/shop/rollback", Some("{}"));
    let back = stage.status_shows("the rollback", |_| {
        plans(&stage, "shop")
            .into_iter()
            .find(|plan| plan["kind"] == "rollback" && plan["status"] == "applied")
    });
    assert_eq!(back["rollback_of"], good["id"]);
    assert_eq!((&back["commit"], &back["digest"]), (&good["commit"], &good["digest"]));
    let is_deleted = |one: &Operation| one.operation == "delete" && one.id == begun[0];
    assert!(cloud.changed_since(seen).iter().any(is_deleted) && !instances().contains(&begun[0]));
    for id in &before {
        assert_eq!(cloud.of("aws_instance")[id], earlier[&("aws_instance".to_owned(), id.clone())]);
        assert!(!cloud.changed_since(seen).iter().any(|one| one.id == *id), "it was left alone");
    }

    // The next runner is made as those before.
    cloud.faults(&json!([]));
    machines.slow(false);
    succeeded(&stage, second);
    let disks: BTreeSet<String> = cloud
        .of("aws_instance")
        .values()
        .map(|thing| thing["root_block_device"][0]["volume_size"].to_string())
        .collect();
    assert_eq!(disks.len(), 1, "{disks:?}");
    assert_eq!(instances().len(), 2);
    let history = plans(&stage, "shop");
    let has = |kind: &str, status: &str| {
        history.iter().any(|plan| plan["kind"] == kind && plan["status"] == status)
    };
    assert!(has("deploy", "failed") && has("rollback", "applied"), "{history:#?}");
    std::fs::write(go, "").unwrap();
    succeeded(&stage, first);
    assert!(stage.stop().success(), "{}", stage.log());
}
