//! The installation on AWS.

use std::collections::{BTreeMap, BTreeSet};

use flyc::{
    artifact::{Artifact, Component, Components, EnvValue, LifecycleRule, MothergooseConfig, Provider},
    compiler::Compiler,
    lower::{self, Backend, Installation, LowerError, Options},
};
use polar_gosling_tests::need;
use serde_json::{Value, json};

use crate::{
    HOSTILE,
    aws_rights::{many, may_do_no_more_than_it_must},
    bench::{Bench, changes, complaint, origins},
    installation::{self, Row, build, compiler, is_settled, is_well_formed, lay, set},
    with,
};

const OWN_OPENAPI: &str = "openapi: \"3.0.3\"
info: {title: own, version: \"1\"}
paths:
  /webhooks/gitlab:
    post: {responses: {default: {description: done}}}
  /runners/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {responses: {default: {description: done}}}
    x-odd: \"${var.x} %{if}\"
  /internal/sync-git:
    post: {responses: {default: {description: done}}}
";

fn variables() -> Value {
    json!({ "deletion_protection": false })
}

/// The shortest installation on AWS.
fn shortest() -> Row {
    Row {
        name: "aws",
        provider: Provider::Aws,
        fly: "mothergoose {\n  cloud {\n    provider = \"aws\"\n  }\n}\n",
        assets: &[],
        variables: variables(),
    }
}

/// Every installation on AWS that is tried.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        shortest(),
        Row { name: "the seeds' example on aws", fly: include_str!("seed-aws.fly"), ..shortest() },
        full(),
        Row {
            name: "a network that is there already",
            fly: "mothergoose {
  cloud {
    provider = \"aws\"
  }

  network {
    id      = \"vpc-1\"
    subnets = [\"subnet-1\", \"subnet-2\"]
  }
}
",
            ..shortest()
        },
        Row {
            name: "the network's own subnets and somebody's security groups",
            fly: "mothergoose {
  cloud {
    provider = \"aws\"
  }

  network {
    id              = \"vpc-1\"
    security_groups = [\"sg-1\"]
    nat             = false
  }
}
",
            ..shortest()
        },
    ]
}

/// An installation that says everything.
fn full() -> Row {
    Row {
        name: "every option on aws",
        fly: include_str!("full-aws.fly"),
        assets: &[("MG/openapi.yaml", OWN_OPENAPI)],
        variables: with(
            variables(),
            &json!({
                "auth_function_package": concat!(env!("CARGO_MANIFEST_DIR"), "/mothergoose/full-aws.fly"),
                "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/0",
                "log_retention_days": 7,
                "secret_names": ["gitlab", "team/*"],
                "table_capacity": { "read": 2, "write": 3 },
            }),
        ),
        ..shortest()
    }
}

/// What a plan of the whole makes.
fn planned(row: &Row) -> Option<BTreeMap<String, (String, Value)>> {
    let bench = row.bench(Components::ALL)?;
    bench.tofu(&["init", "-input=false"]);
    Some(changes(&bench.plan()))
}

fn apply(bench: &Bench) {
    bench.tofu(&["apply", "-input=false", "-auto-approve"]);
}

/// What there is of a type after an apply, by name.
pub(crate) fn resources(bench: &Bench, kind: &str) -> BTreeMap<String, Value> {
    let state: Value = serde_json::from_str(&bench.tofu(&["show", "-json"])).unwrap();
    let all = state["values"]["root_module"]["resources"].as_array().unwrap().iter();
    let of_kind = all.filter(|one| one["type"] == kind);
    of_kind.map(|one| (one["address"].as_str().unwrap().to_owned(), one["values"].clone())).collect()
}

#[test]
fn an_installation_on_aws_is_made_stays_as_it_is_may_do_what_it_must_and_goes_without_a_trace() {
    for row in rows() {
        let bench = need!(row.bench(Components::ALL));
        is_well_formed(&bench);
        apply(&bench);
        assert!(!bench.cloud.things().is_empty());
        assert!(is_settled(&bench), "{}", row.name);
        may_do_no_more_than_it_must(&bench);
        bench.tofu(&["destroy", "-input=false", "-auto-approve"]);
        assert_eq!(bench.cloud.things(), BTreeMap::new(), "{}", row.name);
    }
}

#[test]
fn what_is_written_reaches_aws() {
    let all = need!(planned(&full()));
    let value = |address: &str, path: &str| {
        let value = all.get(address).and_then(|(_, after)| after.pointer(path)).cloned();
        value.unwrap_or_else(|| panic!("{address} has no {path}"))
    };
    for (address, path, wanted) in [
        ("aws_lambda_function.fastapi_app", "/timeout", json!(60)),
        ("aws_lambda_function.fastapi_app", "/memory_size", json!(512)),
        ("aws_lambda_function.fastapi_app", "/reserved_concurrent_executions", json!(7)),
        ("aws_lambda_function.fastapi_app", "/image_config/0/entry_point", json!(["gosling"])),
        ("aws_lambda_function.fastapi_app", "/image_config/0/command", json!(["serve"])),
        ("aws_lambda_function.fastapi_app", "/environment/0/variables/LOG_LEVEL", json!("INFO")),
        ("aws_lambda_function.auth_function", "/environment/0/variables/TOKEN", json!("aws-sm://team/hook")),
        ("aws_lambda_function.auth_function", "/runtime", json!("python3.12")),
        ("aws_lambda_function.auth_function", "/handler", json!("auth.validate_webhook")),
        ("aws_apigatewayv2_integration.fastapi_app", "/timeout_milliseconds", json!(30_000)),
        (
            "aws_apigatewayv2_authorizer.webhooks",
            "/identity_sources/0",
            json!("$request.header.X-Gitlab-Token"),
        ),
        (
            "aws_apigatewayv2_api.main",
            "/cors_configuration/0/allow_origins/0",
            json!("https://gitlab.company.com"),
        ),
        ("aws_apigatewayv2_api.main", "/disable_execute_api_endpoint", json!(true)),
        ("aws_lambda_event_source_mapping.celery_workers", "/batch_size", json!(50)),
        ("aws_lambda_event_source_mapping.celery_workers", "/maximum_batching_window_in_seconds", json!(1)),
        ("aws_lambda_event_source_mapping.uglyfox_workers", "/batch_size", json!(1)),
        (
            "aws_lambda_event_source_mapping.uglyfox_workers",
            "/scaling_config/0/maximum_concurrency",
            json!(5),
        ),
        (
            "aws_lambda_event_source_mapping.uglyfox_workers",
            "/function_response_types/0",
            json!("ReportBatchItemFailures"),
        ),
        ("aws_sqs_queue.webhook_queue", "/visibility_timeout_seconds", json!(600)),
        ("aws_sqs_queue.dead_letter[\"dead\"]", "/message_retention_seconds", json!(604_800)),
        ("aws_dynamodb_table.runners", "/name", json!("db-fleet")),
        ("aws_dynamodb_table.runners", "/billing_mode", json!("PROVISIONED")),
        ("aws_dynamodb_table.ledger", "/range_key", json!("at")),
        ("aws_dynamodb_table.ledger", "/global_secondary_index/0/write_capacity", json!(3)),
        ("aws_s3_bucket.state_bucket", "/bucket", json!("my-own-state")),
        (
            "aws_s3_bucket_lifecycle_configuration.state_bucket",
            "/rule/0/noncurrent_version_expiration/0/noncurrent_days",
            json!(7),
        ),
        ("aws_s3_bucket_versioning.binary_bucket", "/versioning_configuration/0/status", json!("Suspended")),
        ("aws_scheduler_schedule.git_sync[\"1\"]", "/schedule_expression", json!("cron(0/7 * 13 * ? *)")),
        ("aws_scheduler_schedule.git_sync[\"2\"]", "/schedule_expression", json!("cron(0/7 * ? * 6 *)")),
        ("aws_vpc.main", "/cidr_block", json!("10.1.0.0/20")),
        ("aws_subnet.public[\"us-east-1b\"]", "/cidr_block", json!("10.1.9.0/24")),
        ("aws_cloudwatch_log_group.fastapi_app", "/retention_in_days", json!(7)),
        (
            "aws_iam_role_policy_attachment.mg[\"arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess\"]",
            "/policy_arn",
            json!("arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess"),
        ),
    ] {
        assert_eq!(value(address, path), wanted, "{address} {path}");
    }
    let input = value("aws_scheduler_schedule.git_sync[\"1\"]", "/target/0/input");
    let event: Value = serde_json::from_str(input.as_str().unwrap()).unwrap();
    assert_eq!(event["requestContext"]["http"], json!({ "method": "POST", "path": "/internal/sync-git" }));
    assert_eq!(event["rawQueryString"], "full=1");
    assert_eq!(event["headers"]["idempotency-key"], "git_sync <aws.scheduler.scheduled-time>");
    assert_eq!(event["requestContext"].get("apiId"), None, "only the gateway says this");

    let routes = all.keys().filter(|address| address.starts_with("aws_apigatewayv2_route."));
    assert_eq!(
        routes.collect::<Vec<_>>(),
        [
            "aws_apigatewayv2_route.main[\"GET /runners/{id}\"]",
            "aws_apigatewayv2_route.main[\"POST /webhooks/gitlab\"]"
        ],
        "those of the author's own description, and none of the internal ones"
    );
    assert!(!all.keys().any(|address| address.starts_with("aws_nat_gateway")), "nat = false");
    assert!(value("aws_lambda_function.celery_workers", "/vpc_config").as_array().unwrap().is_empty());
    assert!(!all.contains_key("aws_lambda_provisioned_concurrency_config.fastapi_app"), "min_instances = 0");
}

#[test]
fn webhooks_alone_are_shown_to_the_authentication_function() {
    let all = need!(planned(&shortest()));
    let routes: BTreeMap<&str, &Value> = all
        .iter()
        .filter(|(address, _)| address.starts_with("aws_apigatewayv2_route."))
        .map(|(_, (_, after))| (after["route_key"].as_str().unwrap(), &after["authorization_type"]))
        .collect();
    assert!(routes.len() > 10, "{routes:?}");
    for (route, authorization) in routes {
        assert_eq!(
            *authorization,
            if route == "POST /webhooks/gitlab" { "CUSTOM" } else { "NONE" },
            "{route}"
        );
        assert!(!route.contains("/internal"), "{route}");
    }
}

#[test]
fn each_service_reaches_its_own_queue_alone() {
    let bench = need!(shortest().bench(Components::ALL));
    bench.tofu(&["init", "-input=false"]);
    apply(&bench);
    let policies = resources(&bench, "aws_iam_policy");
    let taken = |part: &str| {
        let values = &policies[&format!("aws_iam_policy.{part}")];
        let policy: Value = serde_json::from_str(values["policy"].as_str().unwrap()).unwrap();
        let statements = policy["Statement"].as_array().unwrap().clone();
        let takes = statements.into_iter().filter(|one| many(&one["Action"]).contains(&"sqs:ReceiveMessage"));
        takes
            .flat_map(|one| many(&one["Resource"]).into_iter().map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    assert_eq!(taken("fastapi_app"), Vec::<String>::new());
    assert!(
        matches!(taken("celery_workers").as_slice(), [arn] if arn.ends_with(":my-nest-mothergoose-webhooks"))
    );
    assert!(matches!(taken("uglyfox_workers").as_slice(), [arn] if arn.ends_with(":my-nest-uglyfox-tasks")));
}

#[test]
fn the_secrets_of_the_whole_nest_may_be_read() {
    let egg = r#"egg "web" {
  type = "vm"

  cloud {
    provider = "aws"
    region   = "eu-central-1"
  }

  resources {
    cpu    = 2
    memory = 4GiB
    disk   = 20GiB
  }

  runner {
    tags = ["docker"]
  }

  gitlab {
    project_id = 1
  }

  environment {
    API_KEY = "aws-sm://payments/api-key"
    OTHER   = "vault://kv/other/key"
  }
}
"#;
    let system = r#"mothergoose {
  cloud {
    provider = "aws"
  }

  api {
    env {
      TOKEN = "aws-sm://team/token"
    }
  }
}

rift "main" {
  server = "rift.example.com"
  port   = 443

  upstreams {
    hub {
      url             = "https://registry-1.docker.io"
      username        = "robot"
      password_secret = "aws-sm://registries/docker-hub"
    }
  }
}
"#;
    let nest = "nest {\n  name = \"my-nest\"\n}\n";
    let compiler =
        Compiler::new([("nest.fly", nest), ("Eggs/web/config.fly", egg), ("MG/config.fly", system)]);
    let built = build(&compiler, Components::ALL);
    let variables = &built.files["mothergoose/variables.tf"];
    let wanted = r#"["deploy-keys", "gitlab", "nest", "payments", "registries", "team"]"#;
    assert!(variables.contains(&format!("default     = {wanted}")), "{variables}");
}

/// What has a name that is its own in a whole account, or in a region of it.
const NAMED: [&str; 10] = [
    "aws_cloudwatch_log_group.",
    "aws_dynamodb_table.",
    "aws_ecr_repository.",
    "aws_ecs_cluster.",
    "aws_iam_policy.",
    "aws_iam_role.",
    "aws_lambda_function.",
    "aws_s3_bucket.",
    "aws_scheduler_schedule_group.",
    "aws_sqs_queue.",
];

#[test]
fn installations_of_two_nests_share_an_account() {
    let names = |nest: &str| {
        let nest = format!("nest {{\n  name = \"{nest}\"\n}}\n");
        let compiler = Compiler::new([("nest.fly", nest.as_str()), ("MG/config.fly", shortest().fly)]);
        let bench = installation::bench(Provider::Aws)?;
        lay(&bench, build(&compiler, Components::ALL).files);
        set(&bench, &variables());
        bench.tofu(&["init", "-input=false"]);
        let all = changes(&bench.plan());
        let named = all.into_iter().filter(|(address, _)| NAMED.iter().any(|kind| address.starts_with(kind)));
        let name = |(address, (_, after)): (String, (String, Value))| {
            let name = ["function_name", "bucket", "name"].iter().find_map(|key| after[key].as_str());
            format!("{} {}", address.split('.').next().unwrap(), name.unwrap())
        };
        Some(named.map(name).collect::<BTreeSet<_>>())
    };
    let (one, two) = (need!(names("one")), need!(names("two")));
    for kind in NAMED {
        assert!(one.iter().any(|name| name.starts_with(kind.trim_end_matches('.'))), "{kind}: {one:?}");
    }
    assert_eq!(one.intersection(&two).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn hostile_values_stay_plain_on_aws() {
    let built = build(&full().compiler(), Components::ALL);
    let mut config = MothergooseConfig::from_json(&built.files["mothergoose/config.json"]).unwrap();
    let odd = HOSTILE.concat();
    for (at, text) in HOSTILE.iter().enumerate() {
        config.celery_workers.env.insert(format!("KEY_{at}"), EnvValue::Text((*text).to_owned()));
        config.celery_workers.command.push((*text).to_owned());
        let rule = LifecycleRule { expiration_days: 1, prefix: (*text).to_owned() };
        config.storage.state_bucket.lifecycle_rules.insert(format!("rule_{at} {text}"), rule);
    }
    let gateway = &mut config.api_gateway;
    gateway.name.clone_from(&odd);
    gateway.domain = Some(odd.clone());
    gateway.cors.as_mut().unwrap().allowed_origins.push(odd.clone());
    config.database.name = HOSTILE[0].to_owned();
    config.message_queues.webhook_queue.name.clone_from(&odd);
    config.message_queues.dead_letter_queues[0].name.clone_from(&odd);
    config.message_queues.webhook_queue.dead_letter_queue.clone_from(&odd);
    config.message_queues.uglyfox_queue.dead_letter_queue.clone_from(&odd);
    for trigger in config.triggers.values_mut() {
        trigger.endpoint.clone_from(&odd);
        trigger.method.clone_from(&odd);
    }
    let lowered = |config: &MothergooseConfig, nest: &str| {
        let options = Options { backend: Some(Backend::Local), ..Options::new(nest) };
        let openapi = Some(OWN_OPENAPI);
        lower::mothergoose(config, &origins(), &options, Installation { openapi, ..Installation::default() })
    };
    let bench = need!(installation::bench(Provider::Aws));
    lay(&bench, lowered(&config, &odd).unwrap());
    set(&bench, &full().variables);
    bench.tofu(&["init", "-input=false"]);
    bench.tofu(&["validate"]);
    // Names such as these are refused by the cloud, and long before by the checker; as texts they stay plain too.
    let said = complaint(&bench.try_tofu(&["plan", "-input=false", "-no-color"]));
    assert!(said.contains("aws_sqs_queue"), "{said}");

    // With names as they should be, every other text arrives as it is.
    let fine = build(&full().compiler(), Components::ALL);
    let fine = MothergooseConfig::from_json(&fine.files["mothergoose/config.json"]).unwrap();
    config.api_gateway.name = fine.api_gateway.name;
    config.api_gateway.domain = fine.api_gateway.domain;
    config.database.name = fine.database.name;
    config.message_queues = fine.message_queues;
    lay(&bench, lowered(&config, &odd).unwrap());
    is_well_formed(&bench);
    let all = changes(&bench.plan());
    let workers = &all["aws_lambda_function.celery_workers"].1;
    let rules = all["aws_s3_bucket_lifecycle_configuration.state_bucket"].1["rule"].as_array().unwrap();
    for (at, text) in HOSTILE.iter().enumerate() {
        assert_eq!(workers.pointer(&format!("/environment/0/variables/KEY_{at}")), Some(&json!(text)));
        assert_eq!(workers.pointer(&format!("/image_config/0/command/{at}")), Some(&json!(text)));
        assert!(rules.iter().any(|rule| rule["filter"][0]["prefix"] == *text), "{text:?}");
    }

    // Names of functions and roles, and roles, are looked at before anything is written.
    config.service_accounts.values_mut().next().unwrap().roles.push(odd.clone());
    config.fastapi_app.name = odd.clone();
    let error = lowered(&config, "nest").unwrap_err();
    assert!(matches!(error, LowerError::Limit { .. }), "{error}");
    config.fastapi_app.env.insert("NUL".to_owned(), EnvValue::Text("\0".to_owned()));
    assert_eq!(lowered(&config, "nest").unwrap_err().path(), Some("fastapi_app.env.NUL.text"));
}

#[test]
fn each_component_can_be_made_by_itself_on_aws() {
    let whole = build(&full().compiler(), Components::ALL);
    let config = MothergooseConfig::from_json(&whole.files["mothergoose/config.json"]).unwrap();
    for component in Component::ALL {
        let components = Components::with_needs([component]).with_targets(&config);
        let built = build(&full().compiler(), components);
        let bench = need!(full().bench(components));
        let mut variables = full().variables;
        let declared = &built.files["mothergoose/variables.tf"];
        variables
            .as_object_mut()
            .unwrap()
            .retain(|name, _| declared.contains(&format!("variable \"{name}\"")));
        set(&bench, &variables);
        is_well_formed(&bench);
        let made: BTreeSet<String> = changes(&bench.plan()).into_keys().collect();
        let targets = &whole.files[&format!("mothergoose/targets/{}.targets", component.name())];
        for target in targets.lines() {
            assert!(made.iter().any(|address| address.starts_with(target)), "{target} of {component:?}");
        }
        let file = |other: Component| format!("mothergoose/{}.tf", other.name());
        for other in Component::ALL {
            let there = built.files.contains_key(&file(other));
            assert_eq!(there, components.contains(other), "{} for {component:?}", file(other));
        }
    }
}

#[test]
fn a_part_of_a_running_installation_on_aws_is_updated_alone() {
    let bench = need!(shortest().bench(Components::ALL));
    bench.tofu(&["init", "-input=false"]);
    apply(&bench);
    let after = shortest().fly.replace(
        "\n}\n",
        "\n  workers {\n    memory = 2GiB\n  }\n\n  uglyfox_workers {\n    memory = 1GiB\n  }\n}\n",
    );
    lay(&bench, build(&compiler(&after, &[]), Components::ALL).files);
    let changed = |arguments: &[&str]| {
        bench.tofu(&[&["plan", "-input=false", "-out=plan.bin"][..], arguments].concat());
        let plan: Value = serde_json::from_str(&bench.tofu(&["show", "-json", "plan.bin"])).unwrap();
        let all = changes(&plan).into_iter().filter(|(_, (done, _))| done != "no-op");
        all.map(|(address, (done, _))| format!("{done} {address}")).collect::<BTreeSet<_>>()
    };
    let update = |part: &str| format!("update aws_lambda_function.{part}");
    let workers = changed(&["-target-file=targets/celery_workers.targets"]);
    assert!(workers.contains(&update("celery_workers")), "{workers:?}");
    assert!(workers.iter().all(|one| one.ends_with(".celery_workers")), "{workers:?}");
    let all = changed(&[]);
    assert!(all.contains(&update("celery_workers")) && all.contains(&update("uglyfox_workers")), "{all:?}");
}

#[test]
fn errors_of_opentofu_are_found_in_the_fly_source() {
    let files = build(&full().compiler(), Components::ALL).files;
    let map = flyc::artifact::SourceMap::from_json(&files["mothergoose/source-map.json"]).unwrap();
    let lines: Vec<&str> = full().fly.lines().collect();
    for (address, written) in [
        ("aws_lambda_function.fastapi_app.timeout", "timeout         = 60"),
        ("aws_lambda_function.celery_workers.image_uri", "image           = \"123456789012"),
        ("aws_lambda_event_source_mapping.celery_workers.batch_size", "target_value = 50"),
        ("aws_sqs_queue.webhook_queue.visibility_timeout_seconds", "visibility_timeout = 10m"),
        ("aws_dynamodb_table.runners.name", "name = \"fleet\""),
        ("aws_dynamodb_table.ledger.hash_key", "primary_key = [\"account\", \"at\"]"),
        ("aws_s3_bucket.state_bucket.bucket", "name       = \"my-own-state\""),
        ("aws_scheduler_schedule.git_sync.name", "name            = \"sync\""),
        ("aws_iam_role.mg.name", "name  = \"mothergoose-sa\""),
        ("aws_vpc.main.cidr_block", "cidr = \"10.1.0.0/20\""),
        ("aws_apigatewayv2_domain_name.main.domain_name", "domain       = \"gosling.company.com\""),
    ] {
        let found = map.at_address(address).unwrap_or_else(|| panic!("{address} is not mapped"));
        let line = lines[usize::try_from(found.line).unwrap() - 1];
        assert!(line.trim_start().starts_with(written), "{address} is at: {line}");
    }
}
