//! Serverless runners, and jobs on machines and in containers, in real `OpenTofu`: providers that stand in for yandex
//! and aws with the true schemas, and a `gosling` that writes down what it was called with.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[allow(dead_code, reason = "shared with other test programs, which use the rest")]
#[path = "tofu/bench.rs"]
mod bench;
#[path = "serverless/fleet.rs"]
mod fleet;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use bench::{Bench, changes, complaint, script};
use fleet::{CLOUDS, Fleet, HOSTILE, STAND_IN, egg, job, options, ticket, variables};
use flyc::{
    artifact::{Artifact, EggConfig, EnvValue, JobConfig, Provider, Resources, RunnerType},
    lower::{self, ComputeModule, Options},
};
use polar_gosling_tests::{need, tools};
use serde_json::{Value, json};

/// Formatted as `tofu fmt` would, and valid without a warning, for the backend it is deployed with.
fn validates(fleet: &Fleet) {
    let Some(deployed) = fleet.bench(&Options::new("nest")) else { return };
    deployed.tofu(&["fmt", "-check", "-recursive", "-diff", "../.."]);
    deployed.tofu(&["init", "-backend=false", "-input=false"]);
    let said: Value = serde_json::from_str(&deployed.tofu(&["validate", "-json"])).unwrap();
    assert_eq!(said["diagnostics"], json!([]));
}

/// Plain ones, ones that use every option, and ones full of hostile values.
fn varied(provider: Provider) -> Vec<EggConfig> {
    let mut full = *egg(provider);
    full.cloud.network = Some("enp1a2b3c".into());
    full.cloud.subnet = Some("subnet-0a1b".into());
    full.runner.image = "cr.yandex/crp1/lint:2".into();
    full.resources = match provider {
        Provider::Aws => Resources { cpu: 3, memory_mib: 40_000, disk_gib: 100 },
        _ => Resources { cpu: 3, memory_mib: 5000, disk_gib: 9 },
    };
    let mut subnet = *egg(provider);
    subnet.cloud.subnet = Some("subnet-0a1b".into());
    let mut hostile = *egg(provider);
    hostile.runner.tags = HOSTILE.iter().map(|&text| text.into()).collect();
    for (index, &text) in HOSTILE.iter().enumerate() {
        hostile.environment.insert(format!("{text}{index}"), EnvValue::Text(text.into()));
    }
    hostile.environment.insert("KEY".into(), EnvValue::Secret("vault://keys/a".into()));
    hostile.runner.image = HOSTILE[2].into();
    hostile.cloud.network = Some(HOSTILE[0].into());
    hostile.cloud.subnet = Some(HOSTILE.concat());
    vec![*egg(provider), full, subnet, hostile]
}

#[test]
fn both_clouds_accept_what_is_generated() {
    for provider in CLOUDS {
        for config in varied(provider) {
            let fleet = Fleet::Egg(Box::new(config));
            validates(&fleet);
            let bench = need!(fleet.bench(&options()));
            bench.tofu(&["init", "-input=false"]);
            let gosling = script(bench.folder.path(), STAND_IN);
            let mut given = variables(&fleet, &[("r-awake", "apex"), ("r-asleep", "nadir")], 1, &gosling);
            // What the egg names need not be given.
            if !fleet.runner().0.image.is_empty() {
                given.as_object_mut().unwrap().remove("image");
            }
            if fleet.cloud().subnet.is_some() {
                given.as_object_mut().unwrap().remove("subnet_id");
            }
            bench.set(&given);
            let changes = changes(&bench.plan());
            assert!(changes.values().all(|(done, _)| done == "create"), "{changes:#?}");
            match provider {
                Provider::Aws => is_a_task(&fleet, &changes),
                _ => is_a_container(&fleet, &changes),
            }
            bench.tofu(&["apply", "-input=false", "plan.bin"]);
            told(&bench, &fleet, "r-awake", 1);
            assert!(!bench.folder.path().join("gosling.r-asleep.TICKET").exists());
            nothing_to_do(&bench);
            bench.tofu(&["destroy", "-auto-approve", "-input=false"]);
        }
    }
}

type Changes = BTreeMap<String, (String, Value)>;

fn image(fleet: &Fleet, usual: &str) -> String {
    let own = &fleet.runner().0.image;
    if own.is_empty() { usual.to_owned() } else { own.clone() }
}

fn is_a_task(fleet: &Fleet, changes: &Changes) {
    let (kind, name) = fleet.owner();
    let found: Vec<_> =
        changes.iter().filter(|(address, _)| address.contains("aws_ecs_task_definition")).collect();
    let [(_, (_, definition))] = found[..] else { panic!("one image, one definition: {found:?}") };
    assert_eq!(definition["requires_compatibilities"], json!(["FARGATE"]));
    assert_eq!(definition["task_role_arn"], Value::Null, "jobs have no rights in AWS");
    assert_eq!(definition["tags"][format!("gosling-{kind}")], name);
    assert_eq!(definition["tags"]["gosling-nest"], "nest __x_ _y_");
    let (cpu, memory, disk) = match fleet {
        Fleet::Egg(egg) if egg.resources.cpu == 3 => ("8192", "40960", json!([{ "size_in_gib": 100 }])),
        _ => ("1024", "2048", json!([])),
    };
    assert_eq!((definition["cpu"].as_str(), definition["memory"].as_str()), (Some(cpu), Some(memory)));
    assert_eq!(definition["ephemeral_storage"], disk);
    let policy = &changes["module.shared.aws_iam_role_policy.execution"].1;
    assert!(policy["name"] == "start-tasks");
    let role = &changes["module.shared.aws_iam_role.execution"].1;
    assert_eq!(role["path"], "/gosling/nest___x___y_/");
}

fn is_a_container(fleet: &Fleet, changes: &Changes) {
    let (kind, name) = fleet.owner();
    for id in ["r-awake", "r-asleep"] {
        let address = format!("module.runner[\"{id}\"].yandex_serverless_container.runner");
        let container = &changes[&address].1;
        assert_eq!(container["execution_timeout"], "3600s");
        assert_eq!(container["concurrency"], 1);
        assert_eq!(container["image"][0]["url"], image(fleet, "cr.yandex/crp1/gosling:1"));
        assert_eq!(container["image"][0]["environment"], Value::Null);
        assert_eq!(container["labels"][format!("gosling-{kind}")], name.replace('.', "_"));
        assert_eq!(container["labels"]["gosling-runner"], id);
        let size = match fleet {
            Fleet::Egg(egg) if egg.resources.cpu == 3 => json!([3, 6144, 9]),
            _ => json!([1, 1024, 10]),
        };
        let disk = &container["mounts"][0]["ephemeral_disk"][0]["size_gb"];
        assert_eq!(json!([container["cores"], container["memory"], disk]), size);
        let binding = format!("module.runner[\"{id}\"].yandex_serverless_container_iam_binding.invoker");
        assert_eq!(changes[&binding].1["members"], json!(["serviceAccount:aje-orchestrator"]));
        if let Some(network) = &fleet.cloud().network {
            assert_eq!(container["connectivity"][0]["network_id"], *network);
        }
    }
}

/// A file of the stand-in.
fn note(bench: &Bench, name: &str) -> String {
    fs::read_to_string(bench.folder.path().join(format!("gosling.{name}"))).unwrap_or_default()
}

/// The runner that was started knows whose it is and what to do, and has its ticket.
fn told(bench: &Bench, fleet: &Fleet, id: &str, round: u32) {
    let (kind, name) = fleet.owner();
    let given = |what: &str| note(bench, &format!("{id}.{what}"));
    assert_eq!(given("TICKET"), ticket(id, round));
    let identity: Value = serde_json::from_str(&given("RUNNER_CONFIG")).unwrap();
    let url = "https://gosling.example.com";
    assert_eq!(identity, json!({ "runner_id": id, kind: name, "orchestrator_url": url }));
    let egg_config = if fleet.module() == ComputeModule::AwsServerless {
        let tags: Value = serde_json::from_str(&given("TAGS")).unwrap();
        assert_eq!(tags[format!("gosling-{kind}")], name);
        assert_eq!((&tags["gosling-runner"], &tags["gosling-commit"]), (&json!(id), &json!("0a1b2c3d")));
        let network: Value = serde_json::from_str(&given("NETWORK")).unwrap();
        assert_eq!(network["subnet"], fleet.cloud().subnet.as_deref().unwrap_or("subnet-given"));
        assert_eq!(network["public_address"], false);
        assert!(!given("AWS_REGION").is_empty());
        let state: Value = serde_json::from_str(&bench.tofu(&["show", "-json"])).unwrap();
        least_privilege(&state, &image(fleet, ECR_IMAGE));
        let definitions = containers(&state);
        assert_eq!(definitions["runner"]["image"], image(fleet, ECR_IMAGE));
        assert_eq!(definitions["deadline"]["command"], json!(["3600"]));
        assert_eq!(definitions["runner"]["environment"].as_array().unwrap().len(), 1);
        definitions["runner"]["environment"][0]["value"].as_str().unwrap().to_owned()
    } else {
        assert!(!given("CONTAINER_URL").is_empty());
        given("EGG_CONFIG")
    };
    let told: Value = serde_json::from_str(&egg_config).unwrap();
    let (runner, environment) = fleet.runner();
    assert_eq!(told["runner"], serde_json::to_value(runner).unwrap());
    assert_eq!(told["environment"], serde_json::to_value(environment).unwrap());
    assert!(
        !egg_config.contains("vault://gitlab"),
        "where GitLab's tokens are kept is not the runner's to know"
    );
}

const ECR_IMAGE: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/gosling:1";

/// The first resource of a type in a state.
fn resource<'a>(state: &'a Value, kind: &str) -> &'a Value {
    let modules = state["values"]["root_module"]["child_modules"].as_array().unwrap();
    let mut resources = modules.iter().flat_map(|module| module["resources"].as_array().unwrap());
    &resources.find(|resource| resource["mode"] == "managed" && resource["type"] == kind).unwrap()["values"]
}

/// The role that starts tasks writes one log and reads one image; the one action on everything has no other form.
fn least_privilege(state: &Value, image: &str) {
    let policy = resource(state, "aws_iam_role_policy")["policy"].as_str().unwrap();
    let policy: Value = serde_json::from_str(policy).unwrap();
    let mut allowed = BTreeMap::new();
    for statement in policy["Statement"].as_array().unwrap() {
        let (actions, resource) = (&statement["Action"], &statement["Resource"]);
        for action in actions.as_array().unwrap() {
            allowed.insert(action.as_str().unwrap().to_owned(), resource.clone());
        }
    }
    let log = resource(state, "aws_cloudwatch_log_group")["arn"].as_str().unwrap();
    assert_eq!(allowed.remove("logs:PutLogEvents"), Some(json!(format!("{log}:*"))));
    assert_eq!(allowed.remove("logs:CreateLogStream"), Some(json!(format!("{log}:*"))));
    if image == ECR_IMAGE {
        let repository = ":ecr:eu-central-1:123456789012:repository/team/gosling";
        let only = |resource: &Value| matches!(resource.as_array().map(Vec::as_slice), Some([Value::String(arn)]) if arn.ends_with(repository));
        assert_eq!(allowed.remove("ecr:GetAuthorizationToken"), Some(json!(["*"])));
        assert_eq!(allowed.len(), 3, "{allowed:?}");
        assert!(allowed.values().all(only), "{allowed:?}");
    } else {
        assert!(allowed.is_empty(), "an image elsewhere needs no right: {allowed:?}");
    }
}

/// The containers of the one task definition in a state, by name.
fn containers(state: &Value) -> BTreeMap<String, Value> {
    let text = resource(state, "aws_ecs_task_definition")["container_definitions"].as_str().unwrap();
    let containers: Vec<Value> = serde_json::from_str(text).unwrap();
    let name = |container: &Value| container["name"].as_str().unwrap().to_owned();
    containers.into_iter().map(|container| (name(&container), container)).collect()
}

/// A plan right after an apply is empty.
fn nothing_to_do(bench: &Bench) {
    let changes = changes(&bench.plan());
    assert!(changes.values().all(|(done, _)| done == "no-op"), "{changes:#?}");
}

/// Every file below, state and plans and all, but what the orchestrator gave and the stand-in was told.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else if name != "runners.auto.tfvars.json" && !name.starts_with("gosling") {
            found.push(path);
        }
    }
    found
}

/// No ticket stands in a plan, a state or anything else that stays.
fn no_ticket_is_kept(bench: &Bench, plan: &Value) {
    let kept = |text: &str| text.contains("ticket'$") || text.contains("ticket\\u0027$");
    assert!(!kept(&plan.to_string()), "{plan:#}");
    assert!(!kept(&bench.tofu(&["show", "-json"])));
    for file in files_below(bench.folder.path()) {
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        assert!(!kept(&text), "{}", file.display());
    }
}

/// One apply takes a fleet to any other; a sleeping runner is started again from what is there.
fn fleets_change(fleet: &Fleet) {
    let bench = need!(fleet.bench(&options()));
    let gosling = script(bench.folder.path(), STAND_IN);
    let set = |pools: &[(&str, &str)], round| bench.set(&variables(fleet, pools, round, &gosling));
    let asked = || {
        let log = note(&bench, "log");
        fs::remove_file(bench.folder.path().join("gosling.log")).ok();
        let states = log.lines().map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let after = |flag: &str| {
                let at = words.iter().position(|word| *word == flag);
                at.and_then(|at| words.get(at + 1)).copied().unwrap_or_default()
            };
            assert_eq!(words[..2], ["power", "--cloud"], "{line}");
            let id =
                if fleet.cloud().provider == Provider::Aws { after("--task") } else { after("--runner") };
            format!("{id} {}", after("--state"))
        });
        states.collect::<BTreeSet<_>>()
    };
    let of = |states: &[&str]| states.iter().map(|&state| state.to_owned()).collect::<BTreeSet<_>>();
    bench.tofu(&["init", "-input=false"]);

    set(&[("a", "apex"), ("b", "nadir")], 1);
    let plan = bench.plan();
    no_ticket_is_kept(&bench, &plan);
    bench.tofu(&["apply", "-input=false", "plan.bin"]);
    assert_eq!(asked(), of(&["a running"]));
    told(&bench, fleet, "a", 1);
    nothing_to_do(&bench);

    set(&[("a", "nadir"), ("b", "apex"), ("c", "apex")], 2);
    let plan = bench.plan();
    no_ticket_is_kept(&bench, &plan);
    let changed = changes(&plan);
    // What a runner is started from stays: the task definition, the container.
    let kept = changed.iter().filter(|(address, _)| {
        address.contains("aws_ecs_task_definition")
            || address.contains("[\"a\"].yandex_serverless_container.")
    });
    let kept: Vec<_> = kept.map(|(_, (done, _))| done.as_str()).collect();
    assert_eq!(kept, ["no-op"]);
    bench.tofu(&["apply", "-input=false", "plan.bin"]);
    assert_eq!(asked(), of(&["a stopped", "b running", "c running"]));
    told(&bench, fleet, "b", 2);
    let runners: Value = serde_json::from_str(&bench.tofu(&["output", "-json", "runners"])).unwrap();
    assert_eq!((&runners["a"]["pool"], &runners["b"]["pool"]), (&json!("nadir"), &json!("apex")));

    // A runner that sleeps wakes with a ticket of its own; those that run need none, and are left alone.
    let mut given = variables(fleet, &[("a", "apex"), ("b", "apex"), ("c", "apex")], 3, &gosling);
    given["tickets"] = json!({ "a": ticket("a", 3) });
    given["image"] = json!("cr.yandex/crp1/gosling:2");
    bench.set(&given);
    bench.tofu(&["apply", "-auto-approve", "-input=false"]);
    assert_eq!(asked(), of(&["a running"]), "an image of tomorrow is for runners of tomorrow");
    assert_eq!(note(&bench, "a.TICKET"), ticket("a", 3));
    nothing_to_do(&bench);

    bench.tofu(&["destroy", "-auto-approve", "-input=false"]);
    assert_eq!(asked(), of(&["a stopped", "b stopped", "c stopped"]));
    assert_eq!(bench.tofu(&["state", "list"]), "");
}

#[test]
fn a_fargate_runner_sleeps_and_wakes_from_the_same_definition() {
    fleets_change(&Fleet::Egg(egg(Provider::Aws)));
}

#[test]
fn a_serverless_container_sleeps_and_wakes_as_itself() {
    fleets_change(&Fleet::Egg(egg(Provider::Yandex)));
}

#[test]
fn a_job_in_a_container_is_run_like_an_egg() {
    for provider in CLOUDS {
        let fleet = Fleet::Job(job(provider, RunnerType::Serverless));
        validates(&fleet);
        fleets_change(&fleet);
    }
}

#[test]
fn a_job_on_a_machine_is_run_like_an_egg() {
    for provider in CLOUDS {
        let fleet = Fleet::Job(job(provider, RunnerType::Vm));
        validates(&fleet);
        let bench = need!(fleet.bench(&options()));
        let gosling = script(bench.folder.path(), STAND_IN);
        bench.tofu(&["init", "-input=false"]);
        bench.set(&variables(&fleet, &[("r-1", "apex")], 1, &gosling));
        let plan = bench.plan();
        let changed = changes(&plan);
        let (machine, labels, user_data) = match provider {
            Provider::Aws => ("aws_instance", "tags", "/user_data"),
            _ => ("yandex_compute_instance", "labels", "/metadata/user-data"),
        };
        let machine = &changed[&format!("module.runner[\"r-1\"].{machine}.runner")].1;
        assert_eq!(machine[labels]["gosling-job"], "rotate");
        assert_eq!(machine[labels].get("gosling-egg"), None);
        let user_data = machine.pointer(user_data).unwrap().as_str().unwrap();
        assert!(user_data.contains("GOSLING_JOB=rotate") && user_data.contains("\\\"job\\\":\\\"rotate\\\""));
        bench.tofu(&["apply", "-input=false", "plan.bin"]);
        nothing_to_do(&bench);
        bench.tofu(&["destroy", "-auto-approve", "-input=false"]);
        assert_eq!(bench.tofu(&["state", "list"]), "");
    }
}

#[test]
fn a_job_on_this_machine_is_a_process() {
    let tofu = need!(tools::tofu());
    let mut config = job(Provider::Local, RunnerType::Serverless);
    config.environment.clear();
    let fleet = Fleet::Job(config);
    assert_eq!(fleet.module(), ComputeModule::Local, "there is no container on this machine");
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in
        fleet.files(&Options::new("nest")).into_iter().chain(lower::compute_module(fleet.module()))
    {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let place = folder.path().join("jobs/rotate");
    let mut bench = Bench::over(&tofu, folder, "rotate");
    bench.egg = place;
    bench.tofu(&["fmt", "-check", "-recursive", "-diff", "../.."]);
    let state = bench.folder.path().join("state.tfstate");
    bench.tofu(&["init", "-input=false", &format!("-backend-config=path={}", state.display())]);
    let body = "echo \"$GOSLING_JOB $GOSLING_RUNNER_ID\" >owner; trap 'exit 0' TERM; while [ -d \"$GOSLING_FOLDER\" ]; do sleep 0.05; done";
    let gosling = script(bench.folder.path(), body);
    let homes = bench.folder.path().join("homes");
    bench.set(&json!({
        "runners": { "r-1": { "pool": "apex" } },
        "tickets": { "r-1": "ticket" },
        "orchestrator_url": "http://127.0.0.1:8080",
        "gosling": gosling,
        "runners_folder": homes,
    }));
    bench.tofu(&["apply", "-auto-approve", "-input=false"]);
    let identity: Value =
        serde_json::from_str(&fs::read_to_string(homes.join("r-1/runner.json")).unwrap()).unwrap();
    assert_eq!((&identity["job"], &identity["runner_id"]), (&json!("rotate"), &json!("r-1")));
    bench.tofu(&["destroy", "-auto-approve", "-input=false"]);
    assert!(!homes.join("r-1").exists());
}

#[test]
fn the_configuration_of_a_job_reads_back() {
    for runner_type in [RunnerType::Vm, RunnerType::Serverless] {
        let config = job(Provider::Aws, runner_type);
        let files = Fleet::Job(config.clone()).files(&options());
        let (_, text) = files.iter().find(|(path, _)| path == "jobs/rotate/config.json").unwrap();
        assert_eq!(JobConfig::from_json(text).unwrap(), *config);
        for (path, text) in &files {
            assert_eq!(text.contains("vault://gitlab"), path.ends_with("/config.json"), "{path}");
        }
    }
}

#[test]
fn a_state_of_an_egg_is_never_that_of_a_job() {
    let backend = |files: Vec<lower::File>| {
        let (_, text) = files.into_iter().find(|(path, _)| path.ends_with("/versions.tf")).unwrap();
        text.lines().find(|line| line.trim_start().starts_with("key")).unwrap().trim().to_owned()
    };
    let mut egg = egg(Provider::Aws);
    egg.name = "rotate".into();
    let options = Options::new("nest");
    let egg = backend(Fleet::Egg(egg).files(&options));
    let job = backend(Fleet::Job(job(Provider::Aws, RunnerType::Vm)).files(&options));
    assert!(egg.contains("\"tofu-states/rotate/terraform.tfstate\""), "{egg}");
    assert!(job.contains("\"tofu-states/jobs/rotate/terraform.tfstate\""), "{job}");
}

#[test]
fn a_runner_belongs_to_an_egg_or_a_job() {
    let fleet = Fleet::Job(job(Provider::Aws, RunnerType::Serverless));
    let bench = need!(fleet.bench(&options()));
    let resources = bench.egg.join("resources.tf");
    let text = fs::read_to_string(&resources).unwrap();
    fs::write(&resources, text.replace("  job    = \"rotate\"\n", "")).unwrap();
    bench.tofu(&["init", "-input=false"]);
    let gosling = script(bench.folder.path(), STAND_IN);
    bench.set(&variables(&fleet, &[("a", "apex")], 1, &gosling));
    let said = complaint(&bench.try_tofu(&["plan", "-no-color", "-input=false"]));
    assert!(said.contains("A runner belongs to an egg or to a job."), "{said}");
}
