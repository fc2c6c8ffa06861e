//! The installation itself through the whole compiler and real `OpenTofu`: on the clouds in the fake cloud, on this
//! machine as a real process.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[path = "mothergoose/aws.rs"]
mod aws;
#[path = "mothergoose/aws_rights.rs"]
mod aws_rights;
#[allow(dead_code, reason = "shared with other test programs, which use the rest")]
#[path = "tofu/bench.rs"]
mod bench;
#[path = "mothergoose/bench.rs"]
mod installation;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
    time::{Duration, Instant},
};

use bench::{changes, complaint, origins, script};
use fly_std::endpoints::ENDPOINTS;
use flyc::{
    artifact::{Artifact, Component, Components, EnvValue, MothergooseConfig, Provider, SourceMap},
    lower::{self, Backend, Installation, Options},
};
use hcl_edit::structure::Body;
use installation::{Row, build, compiler, is_settled, is_well_formed, lay, set};
use polar_gosling_tests::{need, tools};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Value, json};

const OWN_OPENAPI: &str = "openapi: 3.0.3\ninfo: {title: own, version: \"1\"}\npaths: {}\nx-odd: \"${var.x} %{if} GOSLING_API_CONTAINER_ID\"\n";

fn yandex_variables() -> Value {
    json!({ "folder_id": "b1g0000000000000000", "deletion_protection": false })
}

fn with(mut variables: Value, more: &Value) -> Value {
    variables.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    variables
}

/// The shortest installation on Yandex Cloud.
fn yandex() -> Row {
    Row {
        name: "yandex",
        provider: Provider::Yandex,
        fly: "mothergoose {}\n",
        assets: &[],
        variables: with(yandex_variables(), &json!({ "gosling_image": "cr.yandex/crp0/gosling:1" })),
    }
}

/// Every installation that is tried in clouds.
fn rows() -> Vec<Row> {
    let package = json!({ "bucket": "code", "object": "auth.zip", "sha256": "0".repeat(64) });
    vec![
        yandex(),
        Row {
            name: "the seeds' example on yandex",
            fly: include_str!("mothergoose/seed-yandex.fly"),
            variables: with(yandex_variables(), &json!({ "auth_function_package": package })),
            ..yandex()
        },
        Row {
            name: "every option on yandex",
            fly: include_str!("mothergoose/full-yandex.fly"),
            assets: &[("MG/api/own.yaml", OWN_OPENAPI)],
            variables: with(yandex().variables, &json!({ "certificate_id": "fpq0" })),
            ..yandex()
        },
    ]
}

#[test]
fn an_installation_is_made_stays_as_it_is_and_goes_without_a_trace() {
    for row in rows() {
        let bench = need!(row.bench(Components::ALL));
        is_well_formed(&bench);
        bench.tofu(&["apply", "-input=false", "-auto-approve"]);
        assert!(!bench.cloud.things().is_empty());
        assert!(is_settled(&bench), "{}", row.name);
        bench.tofu(&["destroy", "-input=false", "-auto-approve"]);
        assert_eq!(bench.cloud.things(), BTreeMap::new(), "{}", row.name);
    }
}

/// The resource changes of a plan of the whole.
fn planned(row: &Row) -> Option<BTreeMap<String, (String, Value)>> {
    let bench = row.bench(Components::ALL)?;
    bench.tofu(&["init", "-input=false"]);
    Some(changes(&bench.plan()))
}

#[test]
fn what_is_written_reaches_the_cloud() {
    let [_, seed, full] = rows().try_into().unwrap_or_else(|_| panic!("three rows"));
    let all = need!(planned(&seed));
    let value = |address: &str, path: &str| {
        let value = all[address].1.pointer(path).cloned();
        value.unwrap_or_else(|| panic!("{address} has no {path}: {:#}", all[address].1))
    };
    assert_eq!(value("yandex_serverless_container.fastapi_app", "/image/0/environment/LOG_LEVEL"), "INFO");
    assert_eq!(value("yandex_serverless_container.celery_workers", "/memory"), 1024);
    assert_eq!(value("yandex_serverless_container.celery_workers", "/provision_policy/0/min_instances"), 2);
    assert_eq!(value("yandex_serverless_container.celery_workers", "/execution_timeout"), "300s");
    assert_eq!(value("yandex_function_trigger.celery_workers", "/message_queue/0/batch_size"), "10");
    assert_eq!(
        value("yandex_message_queue.dead_letter[\"uglyfox-dlq\"]", "/message_retention_seconds"),
        604_800
    );
    assert_eq!(value("yandex_function_trigger.git_sync", "/timer/0/cron_expression"), "*/5 * * * ? *");
    assert_eq!(value("yandex_function_trigger.git_sync", "/container/0/path"), "/internal/sync-git");
    assert_eq!(value("yandex_function.auth_function", "/entrypoint"), "auth.validate_webhook");
    assert_eq!(
        value("yandex_storage_bucket.state_bucket", "/lifecycle_rule/0/noncurrent_version_expiration/0/days"),
        90
    );
    let roles: BTreeSet<&str> = all
        .keys()
        .filter_map(|address| {
            address.strip_prefix("yandex_resourcemanager_folder_iam_member.uglyfox[\"")?.strip_suffix("\"]")
        })
        .collect();
    let wanted = ["compute.admin", "lockbox.payloadViewer", "ydb.viewer", "ymq.reader", "ymq.writer"];
    assert_eq!(roles, BTreeSet::from(wanted));

    let all = need!(planned(&full));
    let value = |address: &str, path: &str| all[address].1.pointer(path).cloned();
    assert_eq!(
        value("yandex_serverless_container.celery_workers", "/image/0/command/2"),
        Some(json!("it's 2")),
        "Fly's own expression, and nothing of OpenTofu's"
    );
    assert_eq!(
        value("yandex_serverless_container.celery_workers", "/image/0/environment/TOKEN"),
        Some(json!("yc-lockbox://e6q0000000000000000/token")),
        "a secret stays where it is kept"
    );
    assert_eq!(value("yandex_serverless_container.celery_workers", "/memory"), Some(json!(1024)));
    assert_eq!(value("yandex_serverless_container.fastapi_app", "/concurrency"), Some(json!(16)));
    let expression = |address: &str| value(address, "/timer/0/cron_expression");
    assert_eq!(expression("yandex_function_trigger.git_sync"), Some(json!("0 3 13 * ? *")));
    assert_eq!(expression("yandex_function_trigger.git_sync_weekday"), Some(json!("0 3 ? * FRI *")));
    assert_eq!(expression("yandex_function_trigger.weekly"), Some(json!("0 4 ? * MON,TUE,WED,THU,FRI *")));
    assert_eq!(value("yandex_ydb_table.runners", "/path"), Some(json!("all_runners")));
    assert_eq!(
        value("yandex_ydb_table_index.runners[\"team_index\"]", "/columns"),
        Some(json!(["team"])),
        "the author's index beside MotherGoose's own"
    );
    assert!(all.contains_key("yandex_ydb_table_index.runners[\"egg_name_index\"]"));
    assert!(!all.keys().any(|address| address.starts_with("yandex_vpc_")), "the network is there already");
    assert_eq!(
        value("yandex_api_gateway.api_gateway", "/custom_domains/0/fqdn"),
        Some(json!("gosling.example.com"))
    );
}

#[test]
fn no_secret_reaches_the_state() {
    let bench = need!(yandex().bench(Components::ALL));
    bench.tofu(&["init", "-input=false"]);
    bench.tofu(&["apply", "-input=false", "-auto-approve"]);
    let state: Value = serde_json::from_str(&bench.tofu(&["show", "-json"])).unwrap();
    let resources = state["values"]["root_module"]["resources"].as_array().unwrap();
    let keys: Vec<&Value> = resources
        .iter()
        .filter(|one| one["type"] == "yandex_iam_service_account_static_access_key")
        .collect();
    assert_eq!(keys.len(), 3, "one for each account that works with queues and buckets");
    for key in keys {
        assert_eq!(key["values"]["output_to_lockbox"][0]["entry_for_secret_key"], "secret_key");
    }
    for queue in resources.iter().filter(|one| one["type"] == "yandex_message_queue") {
        assert_eq!(
            (&queue["values"]["access_key"], &queue["values"]["secret_key"]),
            (&Value::Null, &Value::Null)
        );
    }
}

/// What people with bad intent, or bad luck, write.
const HOSTILE: &[&str] = &[
    "${file(\"/etc/passwd\")}",
    "$${a} %%{b} $%{c}",
    "%{ for x in [1] }%{ endfor }",
    "\"quoted\" \\ 'single' \\n",
    "two\nlines\r\n\ttab",
    "$(rm -rf /) `id` ; & | > <",
    "}\n}\nresource \"x\" \"y\" {",
    "\u{7f}\u{202e}\u{feff}\u{e000}cloud\u{e001}",
    "ключ 鍵 🔑",
    "",
];

#[test]
fn hostile_values_stay_plain() {
    let built = build(&yandex().compiler(), Components::ALL);
    let mut config = MothergooseConfig::from_json(&built.files["mothergoose/config.json"]).unwrap();
    for (at, text) in HOSTILE.iter().enumerate() {
        let env = &mut config.celery_workers.env;
        env.insert(format!("KEY_{at}"), EnvValue::Text((*text).to_owned()));
        config.celery_workers.command.push((*text).to_owned());
    }
    let lowered = |config: &MothergooseConfig, nest: &str| {
        let options = Options { backend: Some(Backend::Local), ..Options::new(nest) };
        lower::mothergoose(config, &origins(), &options, Installation::default())
    };
    let bench = need!(installation::bench(Provider::Yandex));
    let write = |files: Vec<(String, String)>| {
        lay(&bench, files);
        set(&bench, &yandex().variables);
    };
    write(lowered(&config, &HOSTILE.concat()).unwrap());
    is_well_formed(&bench);
    let all = changes(&bench.plan());
    let workers = &all["yandex_serverless_container.celery_workers"].1;
    for (at, text) in HOSTILE.iter().enumerate() {
        assert_eq!(workers.pointer(&format!("/image/0/environment/KEY_{at}")), Some(&json!(text)));
        assert_eq!(workers.pointer(&format!("/image/0/command/{at}")), Some(&json!(text)));
    }

    // Names such as these are refused by the cloud, and long before by the checker; as texts they stay plain too.
    let odd = HOSTILE.concat();
    for name in [
        &mut config.api_gateway.name,
        &mut config.fastapi_app.name,
        &mut config.message_queues.webhook_queue.name,
        &mut config.message_queues.webhook_queue.dead_letter_queue,
        &mut config.message_queues.dead_letter_queues[0].name,
        &mut config.database.name,
        &mut config.storage.state_bucket.name,
    ] {
        name.clone_from(&odd);
    }
    for account in config.service_accounts.values_mut() {
        account.name.clone_from(&odd);
        account.roles.push(odd.clone());
    }
    for trigger in config.triggers.values_mut() {
        trigger.name.clone_from(&odd);
        trigger.endpoint.clone_from(&odd);
    }
    let table = config.database.tables.get_mut("jobs").unwrap();
    table.name.clone_from(&odd);
    table.primary_key = vec![odd.clone()];
    config.api_gateway.openapi_spec = Some(odd.clone());
    let files = lowered(&config, "nest").unwrap();
    let texts: BTreeMap<String, String> = files.iter().cloned().collect();
    write(files);
    is_well_formed(&bench);
    for (file, kind, label, attribute) in [
        ("api_gateway", "yandex_api_gateway", "api_gateway", "name"),
        ("message_queues", "yandex_message_queue", "webhook_queue", "name"),
        ("database", "yandex_ydb_database_serverless", "database", "name"),
        ("database", "yandex_ydb_table", "jobs", "path"),
        ("storage", "yandex_storage_bucket", "state_bucket", "bucket"),
        ("service_accounts", "yandex_iam_service_account", "triggers", "name"),
        ("triggers", "yandex_function_trigger", "git_sync", "name"),
    ] {
        let body: Body = texts[&format!("mothergoose/{file}.tf")].parse().unwrap();
        let resource =
            body.get_blocks("resource").find(|block| block.has_exact_labels(&[kind, label])).unwrap();
        let value = resource.body.get_attribute(attribute).unwrap().value.as_str();
        assert_eq!(value, Some(odd.as_str()), "{kind}.{label}");
    }
    let documents = Yaml::load_from_str(&texts["mothergoose/openapi.yaml"]).unwrap();
    assert_eq!(mapping(mapping(&documents[0], "info"), "title").as_str(), Some(odd.as_str()));

    config.fastapi_app.env.insert("NUL".to_owned(), EnvValue::Text("\0".to_owned()));
    assert_eq!(lowered(&config, "nest").unwrap_err().path(), Some("fastapi_app.env.NUL.text"));
}

#[test]
fn each_component_can_be_made_by_itself() {
    for component in Component::ALL {
        // Every trigger that is there by itself calls the API.
        let components = match component {
            Component::Triggers => Components::with_needs([component, Component::FastapiApp]),
            _ => Components::with_needs([component]),
        };
        let built = build(&yandex().compiler(), Components::with_needs([component]));
        for other in Component::ALL {
            let file = format!("mothergoose/{}.tf", other.name());
            assert_eq!(
                built.files.contains_key(&file),
                components.contains(other),
                "{file} for {component:?}"
            );
        }
        let bench = need!(yandex().bench(components));
        let mut variables = yandex().variables;
        let declared = &built.files["mothergoose/variables.tf"];
        variables
            .as_object_mut()
            .unwrap()
            .retain(|name, _| declared.contains(&format!("variable \"{name}\"")));
        set(&bench, &variables);
        is_well_formed(&bench);
        let made: BTreeSet<String> = changes(&bench.plan()).into_keys().collect();
        assert!(!made.is_empty());
        let targets = &built.files[&format!("mothergoose/targets/{}.targets", component.name())];
        for target in targets.lines() {
            assert!(made.iter().any(|address| address.starts_with(target)), "{target} of {component:?}");
        }
    }
}

#[test]
fn a_part_of_a_running_installation_is_updated_alone() {
    let before = "mothergoose {}\n";
    let after = "mothergoose {\n  workers {\n    memory = 2GiB\n  }\n  uglyfox_workers {\n    memory = 1GiB\n  }\n}\n";
    let bench = need!(Row { fly: before, ..yandex() }.bench(Components::ALL));
    bench.tofu(&["init", "-input=false"]);
    bench.tofu(&["apply", "-input=false", "-auto-approve"]);
    lay(&bench, build(&compiler(after, &[]), Components::ALL).files);
    let changed = |arguments: &[&str]| {
        let plan = ["plan", "-input=false", "-out=plan.bin"];
        bench.tofu(&[&plan[..], arguments].concat());
        let plan: Value = serde_json::from_str(&bench.tofu(&["show", "-json", "plan.bin"])).unwrap();
        let all = changes(&plan).into_iter().filter(|(_, (done, _))| done != "no-op");
        all.map(|(address, (done, _))| format!("{done} {address}")).collect::<Vec<_>>()
    };
    let workers = "update yandex_serverless_container.celery_workers";
    let uglyfox = "update yandex_serverless_container.uglyfox_workers";
    let alone = changed(&["-target-file=targets/celery_workers.targets"]);
    assert_eq!(alone.as_slice(), [workers]);
    assert_eq!(changed(&[]), [workers, uglyfox]);
}

fn mapping<'a>(yaml: &'a Yaml<'a>, key: &str) -> &'a Yaml<'a> {
    yaml.as_mapping_get(key).unwrap_or_else(|| panic!("there is no {key} in {yaml:?}"))
}

#[test]
fn the_gateway_has_every_endpoint_but_those_of_the_clocks() {
    let [plain, seed, full] = rows().try_into().unwrap_or_else(|_| panic!("three rows"));
    let openapi =
        |row: &Row| build(&row.compiler(), Components::ALL).files["mothergoose/openapi.yaml"].clone();
    for (row, authorised) in [(&plain, false), (&seed, true)] {
        let text = openapi(row);
        let documents = Yaml::load_from_str(&text).unwrap();
        let paths = mapping(&documents[0], "paths");
        let (mut ids, mut said) = (BTreeSet::new(), BTreeSet::new());
        for endpoint in ENDPOINTS {
            let described = paths.as_mapping_get(endpoint.path);
            assert_eq!(described.is_none(), endpoint.path.starts_with("/internal/"), "{}", endpoint.path);
            let Some(described) = described else { continue };
            for method in endpoint.methods {
                let operation = mapping(described, &method.to_ascii_lowercase());
                assert!(ids.insert(mapping(operation, "operationId").as_str().unwrap().to_owned()));
                assert!(
                    said.insert(mapping(operation, "summary").as_str().unwrap()),
                    "{method} {}",
                    endpoint.path
                );
                let integration = mapping(operation, "x-yc-apigateway-integration");
                assert_eq!(mapping(integration, "container_id").as_str(), Some("GOSLING_API_CONTAINER_ID"));
                let guarded = operation.as_mapping_get("security").is_some();
                assert_eq!(guarded, authorised && endpoint.path == "/webhooks/gitlab", "{}", endpoint.path);
            }
            let parameters = endpoint.path.matches('{').count();
            let told = described.as_mapping_get("parameters").map_or(0, |all| all.as_vec().unwrap().len());
            assert_eq!(told, parameters, "{}", endpoint.path);
        }
        let cors = mapping(&documents[0], "x-yc-apigateway").as_mapping_get("cors");
        assert_eq!(cors.is_some(), authorised, "the seeds' example has `cors`");
    }
    assert_eq!(openapi(&full), OWN_OPENAPI, "the author's own is served as it is");

    let bench = need!(plain.bench(Components::ALL));
    bench.tofu(&["init", "-input=false"]);
    bench.tofu(&["apply", "-input=false", "-auto-approve"]);
    let gateways = bench.cloud.of("yandex_api_gateway");
    let spec = gateways.values().next().unwrap().to_string();
    assert!(spec.contains("container_id") && !spec.contains("GOSLING_API"), "every id is filled in: {spec}");
}

#[test]
fn an_error_in_generated_text_leads_to_its_line_of_fly() {
    let fly = "mothergoose {\n  workers {\n    memory = 2GiB\n  }\n\n  triggers {\n    git_sync {\n      schedule = \"0 * * * *\"\n    }\n  }\n}\n";
    let built = build(&compiler(fly, &[]), Components::ALL);
    let map = SourceMap::from_json(&built.files["mothergoose/source-map.json"]).unwrap();
    for (address, line) in [
        ("yandex_serverless_container.celery_workers.memory", 3),
        ("yandex_serverless_container.celery_workers.concurrency", 2),
        ("yandex_function_trigger.git_sync.timer.cron_expression", 8),
        ("yandex_function_trigger.git_sync", 7),
        ("yandex_api_gateway.api_gateway", 1),
    ] {
        let found = map.at_address(address).unwrap();
        assert_eq!((found.file.as_str(), found.line), ("MG/config.fly", line), "{address}");
    }
}

#[test]
fn this_machine_runs_it_as_one_process() {
    let variables = json!({ "listen": "127.0.0.1:0", "stop_timeout": 20 });
    let row = Row {
        name: "local",
        provider: Provider::Local,
        fly: include_str!("mothergoose/local.fly"),
        assets: &[],
        variables: json!({}),
    };
    let bench = need!(row.bench(Components::ALL));
    let gosling = script(
        bench.folder.path(),
        "trap 'echo bye >bye; exit 0' TERM\n\
         printf '%s\\n' \"$*\" \"$GOSLING_ROLES\" \"$LOG_LEVEL\" \"$ODD\" \"$WORKERS\" >told.new\n\
         test -f \"$GOSLING_CONFIG\" && mv told.new told\n\
         while :; do sleep 0.05; done",
    );
    set(&bench, &with(variables, &json!({ "gosling": gosling })));
    is_well_formed(&bench);
    bench.tofu(&["apply", "-input=false", "-auto-approve"]);
    let data = bench.egg.join("data");
    let start = Instant::now();
    while !data.join("told").exists() {
        assert!(start.elapsed() < Duration::from_mins(1), "it was never started");
        std::thread::yield_now();
    }
    assert!(data.join("gosling.pid").exists());
    assert!(is_settled(&bench));
    bench.tofu(&["destroy", "-input=false", "-auto-approve"]);
    assert!(!data.join("gosling.pid").exists(), "it was stopped");
    assert!(data.join("bye").exists(), "by its signal, and what it keeps stays");
    assert_eq!(
        fs::read_to_string(data.join("told")).unwrap(),
        "serve\napi,worker,uglyfox\ndebug\ntwo words, $HOME and `id`\n4\n"
    );
}

#[test]
fn an_unknown_component_is_told_with_those_there_are() {
    let nest = tempfile::tempdir().unwrap();
    fs::create_dir(nest.path().join("MG")).unwrap();
    fs::write(nest.path().join("nest.fly"), "nest {}\n").unwrap();
    fs::write(nest.path().join("MG/config.fly"), "mothergoose {}\n").unwrap();
    let flyc = |names: &str| {
        let arguments = ["build", "--out", "out", "--components", names];
        Command::new(tools::flyc()).args(arguments).current_dir(nest.path()).output().unwrap()
    };
    let refused = flyc("database,celery_worker");
    assert_eq!(refused.status.code(), Some(2), "{}", complaint(&refused));
    let said = complaint(&refused);
    assert!(said.contains("MotherGoose has no component `celery_worker`"), "{said}");
    assert!(said.contains("did you mean `celery_workers`"), "{said}");
    assert!(said.contains("network"), "{said}");
    assert!(!nest.path().join("out").exists());

    let built = flyc("database");
    assert!(built.status.success(), "{}", complaint(&built));
    let module = nest.path().join("out/mothergoose");
    assert!(module.join("database.tf").exists() && module.join("network.tf").exists());
    assert!(!module.join("fastapi_app.tf").exists());
    assert!(flyc("api, workers").status.success(), "the other names of blocks, and spaces");
    assert!(module.join("fastapi_app.tf").exists());

    for names in ["", "database,,api"] {
        let refused = flyc(names);
        assert_eq!(refused.status.code(), Some(2), "{names:?}: {}", complaint(&refused));
        let said = complaint(&refused);
        assert!(said.contains("`--components` has an empty name"), "{said}");
    }

    fs::remove_file(nest.path().join("MG/config.fly")).unwrap();
    fs::remove_dir_all(nest.path().join("out")).unwrap();
    let refused = flyc("database");
    assert_eq!(refused.status.code(), Some(2), "{}", complaint(&refused));
    assert!(complaint(&refused).contains("this Nest has no `mothergoose`"), "{}", complaint(&refused));
    assert!(!nest.path().join("out").exists(), "nothing is written");
}
