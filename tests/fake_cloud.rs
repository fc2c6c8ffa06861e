//! The fake cloud itself, of which the tests of lowering believe that it is like a cloud: what is made stays, what was
//! changed is seen, what can't be is refused.
//!
//! Never here: what lowering writes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[allow(dead_code, reason = "shared with other test programs, which use the rest")]
#[path = "tofu/bench.rs"]
mod bench;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use bench::{Bench, changes, complaint};
use flyc::artifact::Provider;
use polar_gosling_tests::{
    need,
    tools::{self, FakeCloud},
};
use serde_json::{Value, json};

/// A module of one file; in a cloud of its own, or in that of another.
fn module(provider: Provider, text: &str, cloud: Option<&Path>) -> Option<Bench> {
    let tofu = tools::tofu()?;
    let fake_cloud = tools::fake_cloud()?;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("eggs/module");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("main.tf"), text).unwrap();
    let mut bench = Bench::over(&tofu, folder, "module").with_provider(&fake_cloud, provider);
    if let Some(cloud) = cloud {
        bench.cloud = FakeCloud::new(cloud);
        bench.environment.retain(|(name, _)| *name != "FAKE_CLOUD_DIR");
        bench.environment.push(("FAKE_CLOUD_DIR", cloud.into()));
    }
    bench.tofu(&["init", "-input=false"]);
    Some(bench)
}

/// The provider's requirement, and what follows.
fn with_header(provider: Provider, text: &str) -> String {
    let (name, source) = match provider {
        Provider::Aws => ("aws", "hashicorp/aws"),
        _ => ("yandex", "yandex-cloud/yandex"),
    };
    format!(
        "terraform {{\n  required_providers {{\n    {name} = {{ source = \"{source}\" }}\n  }}\n}}\n{text}"
    )
}

fn example(cloud: &str) -> String {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "tools/fake-cloud/examples", cloud, "main.tf"].iter().collect();
    fs::read_to_string(path).unwrap()
}

const APPLY: &[&str] = &["apply", "-auto-approve", "-input=false", "-no-color"];
const DESTROY: &[&str] = &["destroy", "-auto-approve", "-input=false", "-no-color"];

fn outputs(bench: &Bench) -> Value {
    serde_json::from_str::<Value>(&bench.tofu(&["output", "-json", "seen"])).unwrap()
}

fn refused(bench: &Bench, arguments: &[&str], message: &str) {
    let output = bench.try_tofu(arguments);
    let said = complaint(&output);
    assert!(!output.status.success() && said.contains(message), "{said}");
}

/// A resource of every type is made, is as it was made, changes, and goes.
fn every_type(cloud: &str, provider: Provider, expected: [&Value; 2]) {
    let bench = need!(module(provider, &example(cloud), None));
    for (step, expected) in [1, 2].into_iter().zip(expected) {
        bench.set(&json!({ "step": step }));
        let said = bench.tofu(APPLY);
        assert_eq!(outputs(&bench), *expected);
        bench.tofu(&["plan", "-detailed-exitcode", "-input=false"]);
        for (_, key) in bench.cloud.of("yandex_iam_service_account_static_access_key") {
            assert!(!said.contains(key["secret_key"].as_str().unwrap()), "a secret was printed");
        }
        assert!(!said.contains("not to be printed"), "a secret was printed");
    }
    bench.tofu(DESTROY);
    assert!(bench.cloud.things().is_empty(), "{:#?}", bench.cloud.things());
    let log = bench.cloud.log();
    let count = |operation: &str| log.iter().filter(|one| one.operation == operation).count();
    assert_eq!(count("create"), count("delete"));
    assert!(count("create") > 40 - usize::from(provider == Provider::Yandex) * 5 && count("update") > 0);
}

#[test]
fn every_type_of_aws_lives_and_dies() {
    let seen = |number: u32| {
        json!({
            "cidr": "10.0.0.0/16", "cluster": true, "group": "g", "state": "stopped", "subnets": true,
            "zone": "eu-central-1a", "revision": number, "version": number.to_string(),
        })
    };
    every_type("aws", Provider::Aws, [&seen(1), &seen(2)]);
}

#[test]
fn every_type_of_yandex_lives_and_dies() {
    let seen = json!({
        "account": "sa", "elsewhere": "ru-central1-b", "network": "n", "status": "running", "subnet": true,
    });
    every_type("yandex", Provider::Yandex, [&seen, &seen]);
}

#[test]
fn what_is_not_there_can_not_be_referred_to() {
    let aws = r#"
resource "aws_instance" "i" {
  ami           = "ami-1"
  instance_type = "t3.micro"
  subnet_id     = "subnet-0fa4e00000000dead"
}
"#;
    let bench = need!(module(Provider::Aws, &with_header(Provider::Aws, aws), None));
    refused(&bench, APPLY, "InvalidSubnetID.NotFound");
    let yandex = "resource \"yandex_vpc_subnet\" \"s\" {\n  network_id     = \"enpfakedeaddeaddeadd\"\n  \
                  v4_cidr_blocks = [\"10.0.0.0/24\"]\n}\n";
    let bench = need!(module(Provider::Yandex, &with_header(Provider::Yandex, yandex), None));
    refused(&bench, APPLY, "NotFound");
    assert!(bench.cloud.things().is_empty());
}

#[test]
fn what_is_in_use_can_not_be_deleted() {
    let network = "resource \"aws_vpc\" \"v\" {\n  cidr_block = \"10.0.0.0/16\"\n}\n\
                   output \"seen\" {\n  value = aws_vpc.v.id\n}\n";
    let first = need!(module(Provider::Aws, &with_header(Provider::Aws, network), None));
    first.tofu(APPLY);
    let subnet = format!(
        "resource \"aws_subnet\" \"s\" {{\n  vpc_id     = {}\n  cidr_block = \"10.0.1.0/24\"\n}}\n",
        outputs(&first)
    );
    let second =
        need!(module(Provider::Aws, &with_header(Provider::Aws, &subnet), Some(first.cloud.folder())));
    second.tofu(APPLY);
    refused(&first, DESTROY, "DependencyViolation");
    second.tofu(DESTROY);
    first.tofu(DESTROY);
    assert!(first.cloud.things().is_empty());
}

#[test]
fn a_name_is_given_once() {
    let text = "resource \"yandex_vpc_network\" \"n\" {\n  name = \"n\"\n}\n";
    let first = need!(module(Provider::Yandex, &with_header(Provider::Yandex, text), None));
    first.tofu(APPLY);
    let second =
        need!(module(Provider::Yandex, &with_header(Provider::Yandex, text), Some(first.cloud.folder())));
    refused(&second, APPLY, "AlreadyExists desc = VpcNetwork with name \"n\" already exists");
}

#[test]
fn what_the_cloud_would_refuse_is_refused() {
    let task = "resource \"aws_ecs_task_definition\" \"t\" {\n  family = \"f\"\n  cpu = 256\n  memory = 4096\n  \
                requires_compatibilities = [\"FARGATE\"]\n  network_mode = \"awsvpc\"\n  \
                container_definitions = \"[]\"\n}\n";
    let bench = need!(module(Provider::Aws, &with_header(Provider::Aws, task), None));
    refused(&bench, &["plan", "-input=false", "-no-color"], "No Fargate configuration exists");
    let disk = "resource \"yandex_compute_disk\" \"d\" {\n  labels = {\n    who = \"Somebody\"\n  }\n}\n";
    let bench = need!(module(Provider::Yandex, &with_header(Provider::Yandex, disk), None));
    refused(&bench, &["plan", "-input=false", "-no-color"], "characters that labels can't have");
}

#[test]
fn drift_is_seen_and_an_import_takes_what_is_there() {
    let text = "resource \"aws_cloudwatch_log_group\" \"l\" {\n  name              = \"l\"\n  \
                retention_in_days = 7\n}\n";
    let bench = need!(module(Provider::Aws, &with_header(Provider::Aws, text), None));
    bench.tofu(APPLY);
    bench.cloud.change("aws_cloudwatch_log_group", "l", |group| group["retention_in_days"] = json!(30));
    let planned = changes(&bench.plan());
    assert_eq!(planned["aws_cloudwatch_log_group.l"].0, "update");

    fs::remove_file(bench.egg.join("terraform.tfstate")).unwrap();
    refused(&bench, APPLY, "already exists");
    bench.tofu(&["import", "-input=false", "aws_cloudwatch_log_group.l", "l"]);
    bench.tofu(APPLY);
    assert_eq!(bench.cloud.of("aws_cloudwatch_log_group")["l"]["retention_in_days"], 7);
}

#[test]
fn many_processes_of_both_providers_share_one_cloud() {
    let cloud = tempfile::tempdir().unwrap();
    let one = |at: usize| {
        let (provider, text) = if at.is_multiple_of(2) {
            (
                Provider::Aws,
                format!(
                    "resource \"aws_sqs_queue\" \"q\" {{\n  count = 20\n  name  = \"q{at}-${{count.index}}\"\n}}\n"
                ),
            )
        } else {
            (
                Provider::Yandex,
                format!(
                    "resource \"yandex_compute_disk\" \"d\" {{\n  count = 20\n  name  = \"d{at}-${{count.index}}\"\n}}\n"
                ),
            )
        };
        let bench = need!(module(provider, &with_header(provider, &text), Some(cloud.path())));
        bench.tofu(APPLY);
        bench.tofu(&["plan", "-detailed-exitcode", "-input=false"]);
    };
    thread::scope(|scope| {
        for at in 0..4 {
            scope.spawn(move || one(at));
        }
    });
    need!(tools::tofu());
    need!(tools::fake_cloud());
    let cloud = FakeCloud::new(cloud.path());
    assert_eq!((cloud.of("aws_sqs_queue").len(), cloud.of("yandex_compute_disk").len()), (40, 40));
    assert_eq!(cloud.log().iter().filter(|one| one.operation == "create").count(), 80);
}
