//! `gosling rollback` after a deployment that fails halfway: at the first, a middle and the last thing that the cloud makes, of
//! machines, a bucket's, and containers. No machine comes up here: what counts is what OpenTofu's state says.

use std::{collections::BTreeMap, fs, process::Output};

use polar_gosling_tests::{doubles::stage::Stage, need, tools::FakeCloud};
use serde_json::{Value, json};

use crate::{AWS, LASTING, YANDEX, given};

/// A bucket on machines of AWS.
const BUCKET: &str = r#"eggsbucket "shop" {
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

  repositories {
    repo "one" {
      gitlab {
        server     = "gitlab.demo.test"
        project_id = 1

        api_token_secret = "vault://gitlab/gitlab.demo.test/shop/api-token"
        webhook_secret   = "vault://gitlab/gitlab.demo.test/shop/webhook-secret"
        token_secret     = "vault://gitlab/gitlab.demo.test/shop/one"
      }
    }

    repo "two" {
      gitlab {
        server     = "gitlab.demo.test"
        project_id = 2

        api_token_secret = "vault://gitlab/gitlab.demo.test/shop/api-token"
        webhook_secret   = "vault://gitlab/gitlab.demo.test/shop/webhook-secret"
        token_secret     = "vault://gitlab/gitlab.demo.test/shop/two"
      }
    }
  }
}
"#;

/// A serverless egg; how large it is stands where `SIZE` does.
const CONTAINER: &str = r#"egg "web" {
  type = "serverless"

  cloud {
    provider = "CLOUD"
    region   = "REGION"
  }

  resources {
    cpu    = 1
    memory = SIZEGiB
  }

  runner {
    tags       = ["web"]
    executor   = "shell"
    concurrent = 2
    image      = "IMAGE"
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

/// The serverless egg in a cloud, and what the installation gives it.
pub(crate) fn container(cloud: &str, size: u32) -> (String, Value) {
    let (region, image) = match cloud {
        "aws" => ("eu-central-1", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/gosling:1"),
        _ => ("ru-central1", "cr.yandex/crp1/gosling:1"),
    };
    let text = CONTAINER.replace("CLOUD", cloud).replace("REGION", region).replace("IMAGE", image);
    let given =
        json!({ "yandex": { "invoker_id": "aje-orchestrator" }, "aws": { "subnet_id": "subnet-of-aws" } });
    (text.replace("SIZE", &size.to_string()), given)
}

/// An egg, as it is and as it is to be, and what the installation gives it.
struct Shape {
    egg: &'static str,
    good: String,
    bad: String,
    given: Value,
}

fn machine(egg: &'static str, text: &str) -> Shape {
    Shape { egg, good: text.to_owned(), bad: text.replace("30GiB", "60GiB"), given: given() }
}

fn serverless(cloud: &str) -> Shape {
    let ((good, given), (bad, _)) = (container(cloud, 2), container(cloud, 3));
    Shape { egg: "web", good, bad, given }
}

/// What a command says as JSON.
fn asked(stage: &Stage, arguments: &[&str]) -> Value {
    serde_json::from_str(&stage.run(&[arguments, &["--output", "json"]].concat())).unwrap()
}

fn plans(stage: &Stage, egg: &str) -> Vec<Value> {
    asked(stage, &["list", "plans", egg]).as_array().unwrap().clone()
}

fn is_a(plan: &Value, kind: &str, status: &str) -> bool {
    plan["kind"] == kind && plan["status"] == status
}

/// Everything of an egg's that OpenTofu's state knows of, without when it was written. The definition of a task is never what
/// another one was: it has the next number.
fn fleet(stage: &Stage, egg: &str) -> BTreeMap<String, Value> {
    fleet_between_writes(stage, egg).unwrap()
}

/// The same while OpenTofu may be writing it; nothing while it is half there.
fn fleet_between_writes(stage: &Stage, egg: &str) -> Option<BTreeMap<String, Value>> {
    let file = stage.data().join("tofu/states").join(egg).join("terraform.tfstate");
    let kept: Value = serde_json::from_slice(&fs::read(file).unwrap()).ok()?;
    let mut known = BTreeMap::new();
    for resource in kept["resources"].as_array().unwrap() {
        let at = |key: &str| resource[key].as_str().unwrap_or_default().to_owned();
        if at("mode") != "managed" {
            continue;
        }
        for instance in resource["instances"].as_array().unwrap() {
            let name = format!("{} {} {}", at("module"), at("type"), at("name"));
            assert_eq!(instance["status"], Value::Null, "{name} is tainted");
            let mut attributes = instance["attributes"].clone();
            if let Some(object) = attributes.as_object_mut()
                && at("type") == "aws_ecs_task_definition"
            {
                object.retain(|key, _| key != "revision" && key != "arn");
            }
            known.insert(format!("{name} {}", instance["index_key"]), attributes);
        }
    }
    Some(known)
}

/// Everything there is in the cloud, the definitions of tasks without their numbers.
fn things(cloud: &FakeCloud) -> BTreeMap<(String, String), Value> {
    let known = |((of, key), mut thing): ((String, String), Value)| {
        let key = match thing.as_object_mut() {
            Some(object) if of == "aws_ecs_task_definition" => {
                object.retain(|key, _| key != "revision" && key != "arn");
                key.split(',').next().unwrap().to_owned()
            }
            _ => key,
        };
        ((of, key), thing)
    };
    cloud.things().into_iter().map(known).collect()
}

/// An egg of which one runner was made, and no more is wanted.
fn deployed(shape: &Shape) -> Option<(Stage, Value)> {
    let files = [(format!("Eggs/{}/config.fly", shape.egg), shape.good.clone())];
    let mut files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.push(("UF/config.fly", LASTING));
    let mut stage = Stage::new(&files)?.with_clouds(shape.given.clone())?;
    stage.gitlab.change(|world| world.add_project(2, "two", None));
    stage.secrets_of(shape.egg);
    stage.serve(&[]);
    stage.status_shows("the egg", |status| (!status["status"]["eggs"].as_array()?.is_empty()).then_some(()));
    stage.queue_job("first", &[shape.egg], &["true"]);
    let good = stage.status_shows("the first deployment", |_| {
        plans(&stage, shape.egg).into_iter().find(|plan| is_a(plan, "deploy", "applied"))
    });
    Some((stage, good))
}

/// The Nest has the egg otherwise from now on.
fn push(stage: &Stage, shape: &Shape, text: &str) -> String {
    let commit = stage.commit(&[(&format!("Eggs/{}/config.fly", shape.egg), text)]);
    stage.status_shows("the new Nest", |status| {
        let sync = &status["status"]["syncs"][0];
        (sync["commit"] == *commit && sync["status"] == "applied").then_some(())
    });
    commit
}

fn refused(output: &Output, code: i32, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(code) && said.contains(words), "{}: {said}", output.status);
}

/// A deployment fails at what the rule says, and is taken back.
fn goes_back(shape: &Shape, rule: Value) {
    let (mut stage, good) = need!(deployed(shape));
    let (egg, cloud) = (shape.egg, stage.cloud());
    let (earlier, there) = (fleet(&stage, egg), things(&cloud));
    let mut rule = rule;
    (rule["do"], rule["message"]) = (json!("fail"), json!("not today"));
    cloud.faults(&json!([rule]));
    let bad = push(&stage, shape, &shape.bad);
    let second = stage.queue_job("second", &[egg], &["true"]);
    let told = stage.status_shows("the failed deployment", |status| {
        status["status"]["eggs"][0]["error"].as_str().map(str::to_owned)
    });
    assert!(told.contains("not today"), "{told}");
    // Nobody waits for what is wanted no more, so that nothing else is made meanwhile.
    stage.gitlab.cancel(second);
    stage.status_shows("that nobody waits for it", |status| {
        (status["status"]["waiting_total"] == 1).then_some(())
    });

    let back = asked(&stage, &["rollback", egg, "--yes", "--wait"]);
    assert!(is_a(&back, "rollback", "applied"), "{back}");
    assert_eq!((&back["rollback_of"], &back["digest"]), (&good["id"], &good["digest"]));
    assert_eq!(fleet(&stage, egg), earlier);
    assert_eq!(things(&cloud), there);
    let history = plans(&stage, egg);
    let failed = history.iter().find(|plan| is_a(plan, "deploy", "failed")).unwrap();
    assert_eq!(failed["commit"], *bad);
    assert!(failed["error"].as_str().unwrap().contains("not today"), "{failed}");
    assert!(history.contains(&back), "{history:#?}");
    let id = failed["id"].as_str().unwrap();
    assert_eq!(stage.run(&["get", "plan", egg, id, "--field", "status"]), "failed");
    assert_eq!(stage.run(&["get", "egg", egg, "--field", "rolled_back.commit"]), good["commit"]);

    // Once more: there is nothing before it, and what never was in force is nothing to go to.
    refused(&stage.output(&["rollback", egg, "--yes"]), 3, "never deployed from anything else");
    refused(&stage.output(&["rollback", egg, "--to", id, "--yes"]), 2, "never in force");
    let again = stage.run(&["rollback", egg, "--to", good["id"].as_str().unwrap(), "--yes"]);
    assert_eq!(again, format!("{egg} is there already"));
    assert_eq!(fleet(&stage, egg), earlier);

    // The next runner is made as those before.
    cloud.faults(&json!([]));
    stage.queue_job("third", &[egg], &["true"]);
    let next = stage.status_shows("another runner", |_| {
        let mut all = plans(&stage, egg).into_iter();
        all.rfind(|plan| !history.contains(plan) && is_a(plan, "deploy", "applied"))
    });
    assert_eq!((&next["digest"], &next["commit"]), (&good["digest"], &good["commit"]));
    assert!(fleet(&stage, egg).len() > earlier.len());
    assert!(stage.stop().success(), "{}", stage.log());
}

#[test]
fn a_machine_of_aws_that_is_never_made() {
    goes_back(&machine("shop", AWS), json!({ "on": "create", "type": "aws_instance" }));
}

#[test]
fn a_machine_of_a_bucket_that_is_never_started() {
    goes_back(&machine("shop", BUCKET), json!({ "on": "create", "type": "aws_ec2_instance_state" }));
}

#[test]
fn a_machine_of_yandex_cloud_that_is_never_made() {
    goes_back(&machine("web", YANDEX), json!({ "on": "create", "type": "yandex_compute_instance" }));
}

#[test]
fn a_container_that_is_never_made() {
    goes_back(&serverless("yandex"), json!({ "on": "create", "type": "yandex_serverless_container" }));
}

#[test]
fn a_container_that_nobody_may_invoke() {
    let rule = json!({ "on": "create", "type": "yandex_serverless_container_iam_binding" });
    goes_back(&serverless("yandex"), rule);
}

#[test]
fn a_container_that_is_not_invoked() {
    goes_back(&serverless("yandex"), json!({ "on": "power" }));
}

#[test]
fn a_definition_of_a_task_that_is_never_made() {
    goes_back(&serverless("aws"), json!({ "on": "create", "type": "aws_ecs_task_definition" }));
}

#[test]
fn a_task_that_never_starts() {
    goes_back(&serverless("aws"), json!({ "on": "power" }));
}

/// Asked for while OpenTofu is at work it waits for its turn, and needs nothing of today's Nest.
#[test]
fn a_rollback_waits_for_what_is_under_way_and_for_no_good_nest() {
    let shape = machine("shop", AWS);
    let (mut stage, good) = need!(deployed(&shape));
    let (cloud, earlier) = (stage.cloud(), fleet(&stage, "shop"));
    cloud.faults(&json!([{ "do": "slow", "ms": 4000, "on": "create" }]));
    push(&stage, &shape, &shape.bad);
    let second = stage.queue_job("second", &["shop"], &["true"]);
    stage.status_shows("the second deployment", |_| {
        plans(&stage, "shop").into_iter().find(|plan| plan["status"] == "applying")
    });
    stage.gitlab.cancel(second);
    // What stands in the Nest by now can't be deployed at all.
    let broken = stage.commit(&[("Eggs/shop/config.fly", &shape.bad.replace("\"vm\"", "\"wm\""))]);
    let good_id = good["id"].as_str().unwrap();
    let back = asked(&stage, &["rollback", "shop", "--to", &good_id[..24], "--yes", "--wait"]);
    assert!(is_a(&back, "rollback", "applied") && back["rollback_of"] == good["id"], "{back}");
    stage.status_shows("the broken Nest", |status| {
        let sync = &status["status"]["syncs"][0];
        (sync["commit"] == *broken && sync["status"] == "broken").then_some(())
    });
    // What was made meanwhile goes when nobody needs it.
    stage.status_shows("the earlier fleet", |_| {
        fleet_between_writes(&stage, "shop").filter(|fleet| *fleet == earlier).map(drop)
    });
    assert!(stage.stop().success(), "{}", stage.log());
}

/// A plan whose files are gone is refused before anything is done, with what can be done instead.
#[test]
fn a_plan_that_can_not_be_had_any_more_is_refused() {
    let shape = machine("shop", AWS);
    let (mut stage, good) = need!(deployed(&shape));
    push(&stage, &shape, &shape.bad);
    stage.queue_job("second", &["shop"], &["true"]);
    stage.status_shows("the second deployment", |_| {
        let mut applied = plans(&stage, "shop").into_iter().filter(|plan| plan["status"] == "applied");
        applied.any(|plan| plan["digest"] != good["digest"]).then_some(())
    });
    fs::rename(
        stage.data().join("tofu/bundles/shop").join(good["digest"].as_str().unwrap()),
        stage.folder().join("gone"),
    )
    .unwrap();
    let before = plans(&stage, "shop");
    let output = stage.output(&["rollback", "shop", "--yes", "--wait"]);
    refused(&output, 1, "are not kept any more");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(good["id"].as_str().unwrap()) && said.contains("git revert"), "{said}");
    assert_eq!(stage.run(&["queue", "list", "--output", "json"]).trim(), "[]");
    assert_eq!(
        (plans(&stage, "shop"), &stage.status()["status"]["eggs"][0]["error"]),
        (before, &Value::Null)
    );
    assert!(stage.stop().success(), "{}", stage.log());
}
