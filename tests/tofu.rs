//! Generated modules against the real `OpenTofu` and cloud-init: yandex and aws in a fake cloud with the true
//! schemas, local as real processes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[allow(dead_code, reason = "shared with other test programs, which use the rest")]
#[path = "tofu/bench.rs"]
mod bench;
#[path = "tofu/endings.rs"]
mod endings;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use bench::{Bench, changes, complaint, origins, script};
use flyc::{
    artifact::{
        Artifact, Cloud, EggConfig, EggKind, EnvValue, Executor, Mapping, Origin, Provider, Repository,
        Resources, Runner, RunnerType, SourceMap,
    },
    lower::{self, Backend, Options},
};
use polar_gosling_tests::{need, tools};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Value, json};

/// What people with bad intent, or bad luck, write.
const HOSTILE: &[&str] = &[
    "${file(\"/etc/passwd\")}",
    "$${a} $$${b} %%{c} %%%{d} $%{e} %${f}",
    "%{ for x in [1] }%{ endfor }",
    "\"quoted\" \\ 'single' \\n \\${x}",
    "two\nlines\r\n\ttab",
    "$(rm -rf /) `id` $HOME ; & | > <",
    "a: b",
    "- item",
    "# comment",
    "!!binary &anchor *alias",
    "---",
    "{a: [1, 2]}",
    " spaces around ",
    "%i %n %% $MAINPID ${PATH}",
    "true",
    "null",
    "0644",
    "EOT",
    "\u{7f}\u{85}\u{a0}\u{2028}\u{202e}\u{feff}\u{e000}x\u{e001}",
    "ключ 鍵 🔑",
    "",
];

fn config(provider: Provider) -> EggConfig {
    let (region, zone) = match provider {
        Provider::Yandex => ("ru-central1", "ru-central1-a"),
        Provider::Aws => ("eu-central-1", "eu-central-1a"),
        Provider::Local => ("", ""),
    };
    EggConfig {
        format_version: EggConfig::FORMAT_VERSION,
        kind: EggKind::Egg,
        name: "my-app".into(),
        runner_type: RunnerType::Vm,
        cloud: Cloud {
            provider,
            region: region.into(),
            zone: zone.into(),
            network: None,
            subnet: None,
            image: "debian-12".into(),
            offer: None,
        },
        resources: Resources { cpu: 2, memory_mib: 4096, disk_gib: 20 },
        runner: Runner {
            tags: vec!["docker".into(), "linux".into()],
            concurrent: 3,
            idle_timeout_s: 600,
            timeout_s: 3600,
            run_untagged: false,
            protected: false,
            executor: Executor::Docker,
            image: "debian:12-slim".into(),
            privileged: false,
            ephemeral: false,
        },
        repositories: vec![Repository {
            name: None,
            server: "gitlab.com".into(),
            project_id: Some(12345),
            group_id: None,
            api_token_secret: "vault://gitlab/api-token".into(),
            token_secret: "vault://gitlab/runner-token".into(),
            webhook_secret: "vault://gitlab/webhook-secret".into(),
        }],
        environment: BTreeMap::new(),
        rift: None,
    }
}

/// Plain ones, ones that use every option, and ones full of hostile values.
fn varied(provider: Provider) -> Vec<EggConfig> {
    let plain = config(provider);

    let mut full = config(provider);
    full.kind = EggKind::Bucket;
    full.name = "full.Egg_2".into();
    full.cloud.network = Some("enp1a2b3c".into());
    full.cloud.subnet = Some("subnet-0a1b".into());
    full.cloud.image =
        if provider == Provider::Aws { "ami-0abcdef12" } else { "fd8abcdefghijklmnop1" }.into();
    full.resources = Resources { cpu: 7, memory_mib: 65_537, disk_gib: 500 };
    full.runner.executor = Executor::Shell;
    full.environment.insert("KEY".into(), EnvValue::Secret("vault://keys/a".into()));

    let mut hostile = config(provider);
    hostile.runner.tags = HOSTILE.iter().map(|&text| text.into()).collect();
    for (index, &text) in HOSTILE.iter().enumerate() {
        hostile.environment.insert(format!("{text}{index}"), EnvValue::Text(text.into()));
    }
    hostile.runner.image = HOSTILE[3].into();
    hostile.cloud.subnet = Some(HOSTILE.concat());
    hostile.cloud.network = Some(HOSTILE[0].into());
    hostile.cloud.image = HOSTILE[1].into();
    hostile.cloud.zone = HOSTILE[4].into();
    vec![plain, full, hostile]
}

fn options() -> Options {
    Options { backend: Some(Backend::Local), ..Options::new("nest ${x} \"y\"") }
}

fn vm_variables(pools: &[(&str, &str)], gosling: Option<&Path>) -> Value {
    let runners: serde_json::Map<_, _> = pools
        .iter()
        .map(|(id, pool)| ((*id).to_owned(), json!({ "pool": pool, "commit": "0a1b2c3d" })))
        .collect();
    let tickets: serde_json::Map<_, _> =
        pools.iter().map(|(id, _)| ((*id).to_owned(), json!(format!("ticket-of-{id}")))).collect();
    let mut variables = json!({
        "runners": runners,
        "tickets": tickets,
        "orchestrator_url": "https://gosling.example.com",
        "gosling_download": { "url": "https://gosling.example.com/gosling?a=1&b=2", "sha256": "0".repeat(64) },
        "subnet_id": "subnet-given",
    });
    if let Some(gosling) = gosling {
        variables["gosling"] = json!(gosling);
    }
    variables
}

fn yaml_text(yaml: &Yaml<'_>) -> String {
    yaml.as_str().unwrap_or_else(|| panic!("{yaml:?} is not a string")).to_owned()
}

/// The files a cloud-config writes, by path.
fn written_files(user_data: &str) -> BTreeMap<String, String> {
    let documents = Yaml::load_from_str(user_data).unwrap();
    assert_eq!(documents.len(), 1);
    let files = documents[0].as_mapping_get("write_files").unwrap().as_vec().unwrap().iter();
    let get = |file: &Yaml<'_>, key| yaml_text(file.as_mapping_get(key).unwrap());
    files.map(|file| (get(file, "path"), get(file, "content"))).collect()
}

fn accepted_by_cloud_init(cloud_init: &Path, user_data: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("user-data");
    fs::write(&file, user_data).unwrap();
    let output = Command::new(cloud_init).args(["schema", "--config-file"]).arg(&file).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("Valid"), "{said}\n{user_data}");
}

/// systemd reads the unit, and complains of nothing; gosling, which isn't installed here, is stood in for.
fn accepted_by_systemd(unit: &str) {
    for setting in ["KillSignal=SIGTERM", "KillMode=mixed", "TimeoutStopSec=300", "Restart=on-failure"] {
        assert!(unit.lines().any(|line| line == setting), "{setting} is not in\n{unit}");
    }
    let systemd_analyze = need!(tools::systemd_analyze());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gosling-runner.service");
    fs::write(&file, unit.replace("/usr/local/bin/gosling", "/bin/true")).unwrap();
    let output = Command::new(systemd_analyze).args(["verify", "--man=no"]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}\n{unit}");
}

fn accepted_by_the_shell(script: &str) {
    let output = Command::new("sh").args(["-n", "-c", script]).output().unwrap();
    assert!(output.status.success(), "{}\n{script}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_shell_gives_back_hostile_words() {
    let words: Vec<String> = HOSTILE.iter().map(|text| lower::shell_word(text).unwrap()).collect();
    let script = format!("printf '%s\\0' {}", words.join(" "));
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.split_terminator('\0').collect::<Vec<_>>(), HOSTILE);
}

/// The text that the egg's runner file must give back, hostile or not.
fn says_the_same(egg_json: &str, config: &EggConfig) {
    let told: Value = serde_json::from_str(egg_json).unwrap();
    assert_eq!(told["runner"], serde_json::to_value(&config.runner).unwrap());
    assert_eq!(told["environment"], serde_json::to_value(&config.environment).unwrap());
    assert!(
        !egg_json.contains("vault://gitlab"),
        "where GitLab's tokens are kept is not the runner's to know"
    );
}

fn clouds_accept(provider: Provider) {
    let tofu = need!(tools::tofu());
    let fake_cloud = need!(tools::fake_cloud());
    let cloud_init = need!(tools::cloud_init());
    for config in varied(provider) {
        // As it is deployed: S3 backend, checked without touching it.
        let deployed = Bench::new(&tofu, &config, &Options::new("nest")).with_provider(&fake_cloud, provider);
        deployed.tofu(&["fmt", "-check", "-recursive", "-diff", "../.."]);
        deployed.tofu(&["init", "-backend=false", "-input=false"]);
        deployed.tofu(&["validate"]);

        let bench = Bench::new(&tofu, &config, &options()).with_provider(&fake_cloud, provider);
        bench.tofu(&["init", "-input=false"]);
        bench.tofu(&["validate"]);
        let gosling = (provider == Provider::Yandex).then_some(fake_cloud.as_path());
        let mut variables = vm_variables(&[("r-awake", "apex"), ("r-asleep", "nadir")], gosling);
        if config.cloud.subnet.is_some() {
            variables.as_object_mut().unwrap().remove("subnet_id");
        }
        bench.set(&variables);
        let plan = bench.plan();
        let changes = changes(&plan);
        let user_data = if provider == Provider::Yandex {
            let instance = &changes["module.runner[\"r-awake\"].yandex_compute_instance.runner"].1;
            let label = |name: &str| instance["labels"][name].as_str().unwrap();
            assert_eq!(label("gosling-nest"), "nest___x___y_");
            assert_eq!(label("gosling-egg"), config.name.to_lowercase().replace('.', "_"));
            assert_eq!(label("gosling-runner"), "r-awake");
            assert_eq!(label("gosling-commit"), "0a1b2c3d");
            let subnet = instance["network_interface"][0]["subnet_id"].as_str().unwrap();
            assert_eq!(subnet, config.cloud.subnet.as_deref().unwrap_or("subnet-given"));
            instance["metadata"]["user-data"].as_str().unwrap().to_owned()
        } else {
            let instance = &changes["module.runner[\"r-awake\"].aws_instance.runner"].1;
            assert_eq!(instance["tags"]["gosling-nest"], "nest __x_ _y_");
            assert_eq!(instance["tags"]["gosling-egg"], config.name);
            assert_eq!(instance["tags"]["gosling-runner"], "r-awake");
            let subnet = instance["subnet_id"].as_str().unwrap();
            assert_eq!(subnet, config.cloud.subnet.as_deref().unwrap_or("subnet-given"));
            let state = |id: &str| {
                let address = format!("module.runner[\"{id}\"].aws_ec2_instance_state.runner");
                changes[&address].1["state"].as_str().unwrap().to_owned()
            };
            assert_eq!((state("r-awake").as_str(), state("r-asleep").as_str()), ("running", "stopped"));
            instance["user_data"].as_str().unwrap().to_owned()
        };

        accepted_by_cloud_init(&cloud_init, &fs::read_to_string(bench.egg.join("cloud-init.yaml")).unwrap());
        accepted_by_cloud_init(&cloud_init, &user_data);
        let files = written_files(&user_data);
        says_the_same(&files["/etc/gosling/egg.json"], &config);
        assert_eq!(files["/etc/gosling/ticket"], "ticket-of-r-awake");
        assert_eq!(files["/etc/gosling/download-url"], "https://gosling.example.com/gosling?a=1&b=2");
        let identity: Value = serde_json::from_str(&files["/etc/gosling/runner.json"]).unwrap();
        assert_eq!(identity["runner_id"], "r-awake");
        accepted_by_systemd(&files["/etc/systemd/system/gosling-runner.service"]);
        accepted_by_the_shell(&files["/usr/local/lib/gosling/install"]);

        bench.tofu(&["apply", "-input=false", "plan.bin"]);
        bench.is_settled();
        bench.destroy();
    }
}

#[test]
fn yandex_accepts_what_is_generated() {
    clouds_accept(Provider::Yandex);
}

#[test]
fn aws_accepts_what_is_generated() {
    clouds_accept(Provider::Aws);
}

/// One apply takes an egg from any fleet to any other, and a runner that falls asleep or wakes is not made anew.
fn fleets_change(provider: Provider) {
    let tofu = need!(tools::tofu());
    let fake_cloud = need!(tools::fake_cloud());
    let bench = Bench::new(&tofu, &config(provider), &options()).with_provider(&fake_cloud, provider);
    let power = format!("echo \"$@\" >>\"$0.log\"\nexec {} \"$@\"", fake_cloud.display());
    let gosling = script(bench.folder.path(), &power);
    let with_gosling = (provider == Provider::Yandex).then_some(gosling.as_path());
    bench.tofu(&["init", "-input=false"]);
    bench.set(&vm_variables(&[("a", "apex"), ("b", "nadir")], with_gosling));
    bench.tofu(&["apply", "-auto-approve", "-input=false"]);
    let ids = || -> Value { serde_json::from_str(&bench.tofu(&["output", "-json", "runners"])).unwrap() };
    let first = ids();

    bench.set(&vm_variables(&[("a", "nadir"), ("b", "apex"), ("c", "apex")], with_gosling));
    let (instance, power) = match provider {
        Provider::Yandex => ("yandex_compute_instance.runner", ("terraform_data.power", "delete+create")),
        _ => ("aws_instance.runner", ("aws_ec2_instance_state.runner", "update")),
    };
    let changes = changes(&bench.plan());
    for id in ["a", "b"] {
        assert_eq!(changes[&format!("module.runner[\"{id}\"].{instance}")].0, "no-op");
        assert_eq!(changes[&format!("module.runner[\"{id}\"].{}", power.0)].0, power.1);
    }
    assert_eq!(changes[&format!("module.runner[\"c\"].{instance}")].0, "create");
    bench.tofu(&["apply", "-input=false", "plan.bin"]);
    let second = ids();
    assert_eq!(first["a"]["instance_id"], second["a"]["instance_id"]);
    assert_eq!(second["a"]["pool"], "nadir");

    if provider == Provider::Yandex {
        let log = fs::read_to_string(bench.folder.path().join("gosling.log")).unwrap();
        let id = first["a"]["instance_id"].as_str().unwrap();
        let asked: Vec<_> = log.lines().filter(|line| line.contains(id)).collect();
        let expected = |state| format!("power --cloud yandex --instance {id} --state {state}");
        assert_eq!(asked, [expected("running"), expected("stopped")]);
    }

    // Another image and size are for new runners; what runs is left alone.
    let mut variables = vm_variables(&[("a", "nadir"), ("b", "apex"), ("c", "apex")], with_gosling);
    variables["runners"]["b"]["image"] = json!("another-image");
    variables["tickets"] = json!({});
    bench.set(&variables);
    let changes = self::changes(&bench.plan());
    assert!(changes.values().all(|(done, _)| done == "no-op"), "{changes:#?}");

    bench.destroy();
}

#[test]
fn a_yandex_runner_sleeps_and_wakes_as_itself() {
    fleets_change(Provider::Yandex);
}

#[test]
fn an_aws_runner_sleeps_and_wakes_as_itself() {
    fleets_change(Provider::Aws);
}

#[test]
fn wrong_variables_are_refused() {
    let tofu = need!(tools::tofu());
    let fake_cloud = need!(tools::fake_cloud());
    let bench =
        Bench::new(&tofu, &config(Provider::Aws), &options()).with_provider(&fake_cloud, Provider::Aws);
    bench.tofu(&["init", "-input=false"]);
    let refused = |change: &dyn Fn(&mut Value), message: &str| {
        let mut variables = vm_variables(&[("a", "apex")], None);
        change(&mut variables);
        bench.set(&variables);
        let output = bench.try_tofu(&["plan", "-no-color", "-input=false"]);
        let said = complaint(&output);
        assert!(!output.status.success() && said.contains(message), "{said}");
    };
    refused(&|v| v["runners"]["a"]["pool"] = json!("eden"), "A runner's pool is");
    refused(&|v| v["runners"]["../a"] = json!({ "pool": "apex" }), "A runner id is");
    refused(&|v| v["orchestrator_url"] = json!("file:///etc/passwd"), "The orchestrator's URL");
    refused(&|v| v["gosling_download"]["url"] = json!("http://plain"), "fetched over https");
}

/// A runner that stops by SIGTERM, and by itself when its folder is gone, so that no failed test leaves one behind.
const STAND_IN_RUNNER: &str = r#"
printf '%s\n' "$@" >"$GOSLING_FOLDER/arguments"
printf '%s\n' "$GOSLING_NEST" "$GOSLING_EGG" "$GOSLING_RUNNER_ID" "$GOSLING_COMMIT" >"$GOSLING_FOLDER/owner"
trap 'echo finished >>"$GOSLING_FOLDER/finished"; exit 0' TERM
touch "$GOSLING_FOLDER/ready"
while [ -d "$GOSLING_FOLDER" ]; do
  sleep 0.05 &
  wait $!
done
"#;

/// Whether the process is there; one that only waits to be reaped is not.
fn alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn local_runners_are_real_processes() {
    let tofu = need!(tools::tofu());
    let mut egg = config(Provider::Local);
    egg.environment.insert("HOSTILE".into(), EnvValue::Text(HOSTILE.concat()));
    let nest = "$(touch /tmp/owned) \"${x}\" `id`";
    let bench = Bench::new(&tofu, &egg, &Options::new(nest));
    let gosling = script(bench.folder.path(), STAND_IN_RUNNER);
    let homes = bench.folder.path().join("homes of runners");
    let set = |pools: &[(&str, &str)], commit: &str| {
        let runners: serde_json::Map<_, _> = pools
            .iter()
            .map(|(id, pool)| ((*id).to_owned(), json!({ "pool": pool, "commit": commit })))
            .collect();
        bench.set(&json!({
            "runners": runners,
            "tickets": { "a": "$(ticket)" },
            "orchestrator_url": "http://127.0.0.1:8080",
            "gosling": gosling,
            "runners_folder": homes,
            "stop_timeout": 20,
        }));
        bench.tofu(&["apply", "-auto-approve", "-input=false"]);
    };
    let read = |id: &str, file: &str| fs::read_to_string(homes.join(id).join(file)).unwrap_or_default();
    let pid = |id: &str| read(id, "gosling.pid").lines().next().unwrap_or_default().to_owned();
    let ids = || -> Value { serde_json::from_str(&bench.tofu(&["output", "-json", "runners"])).unwrap() };

    bench.tofu(&["fmt", "-check", "-recursive", "-diff", "../.."]);
    let state = bench.folder.path().join("state.tfstate");
    bench.tofu(&["init", "-input=false", &format!("-backend-config=path={}", state.display())]);
    bench.tofu(&["validate"]);
    set(&[("a", "apex"), ("b", "nadir")], "c1");
    let first_pid = pid("a");
    assert!(alive(&first_pid), "a runs");
    assert!(homes.join("b/runner.json").exists() && pid("b").is_empty(), "b has its folder and sleeps");
    eventually("a is ready", || homes.join("a/ready").exists());
    assert_eq!(read("a", "arguments"), format!("runner\n--config\n{}/a/runner.json\n", homes.display()));
    assert_eq!(read("a", "owner"), format!("{nest}\nmy-app\na\nc1\n"));
    assert_eq!(read("a", "ticket"), "$(ticket)\n");
    says_the_same(&read("a", "egg.json"), &egg);
    assert!(!fs::read_to_string(&state).unwrap().contains("$(ticket)"), "a ticket is not in the state");
    let first = ids();

    // A new commit alone disturbs no process.
    set(&[("a", "apex"), ("b", "nadir")], "c2");
    assert_eq!(pid("a"), first_pid);

    // Asleep and awake change places; both stay who they are.
    set(&[("a", "nadir"), ("b", "apex")], "c2");
    assert!(!alive(&first_pid), "a was stopped");
    assert_eq!(read("a", "finished"), "finished\n", "and by its signal");
    assert!(alive(&pid("b")), "b woke");
    eventually("b is ready", || homes.join("b/ready").exists());
    assert_eq!(first["a"]["instance_id"], ids()["a"]["instance_id"]);
    assert_eq!(first["b"]["instance_id"], ids()["b"]["instance_id"]);

    set(&[("a", "apex"), ("b", "apex")], "c2");
    let (a, b) = (pid("a"), pid("b"));
    assert!(alive(&a) && alive(&b) && a != first_pid);
    eventually("a is ready again", || read("a", "owner").ends_with("c2\n"));
    endings::are_noticed_and_mended(&bench, &homes.join("a/gosling.pid"), &|pool| {
        set(&[("a", pool), ("b", "apex")], "c2");
    });
    let a = pid("a");
    assert_eq!(pid("b"), b, "b knows nothing of it");

    bench.tofu(&["destroy", "-auto-approve", "-input=false"]);
    assert!(!alive(&a) && !alive(&b), "both are gone");
    assert!(!homes.join("a").exists() && !homes.join("b").exists(), "and so are their folders");
}

#[test]
fn a_local_runner_that_is_not_there_is_said() {
    let tofu = need!(tools::tofu());
    let bench = Bench::new(&tofu, &config(Provider::Local), &Options::new("nest"));
    bench.tofu(&["init", "-input=false"]);
    bench.set(&json!({
        "runners": { "a": { "pool": "apex" } },
        "orchestrator_url": "http://127.0.0.1:8080",
        "gosling": "/nowhere/gosling",
    }));
    let output = bench.try_tofu(&["apply", "-auto-approve", "-no-color", "-input=false"]);
    let said = complaint(&output);
    assert!(!output.status.success() && said.contains("there is no program /nowhere/gosling"), "{said}");
    bench.tofu(&["destroy", "-auto-approve", "-input=false"]);
}

/// One local runner, started; gives its process id and its folder.
fn one_local_runner(bench: &Bench, body: &str, stop_timeout: u32) -> (String, PathBuf) {
    let homes = bench.folder.path().join("runners");
    bench.set(&json!({
        "runners": { "a": { "pool": "apex" } },
        "orchestrator_url": "http://127.0.0.1:8080",
        "gosling": script(bench.folder.path(), body),
        "runners_folder": homes,
        "stop_timeout": stop_timeout,
    }));
    bench.tofu(&["init", "-input=false"]);
    bench.tofu(&["apply", "-auto-approve", "-input=false"]);
    let home = homes.join("a");
    eventually("the runner is ready", || home.join("ready").exists());
    let pid = fs::read_to_string(home.join("gosling.pid")).unwrap();
    (pid.lines().next().unwrap().to_owned(), home)
}

#[test]
fn a_local_runner_that_does_not_stop_is_killed_with_all_it_started() {
    let tofu = need!(tools::tofu());
    let bench = Bench::new(&tofu, &config(Provider::Local), &Options::new("nest"));
    let body = r#"
trap '' TERM
sleep 1000 &
echo $! >"$GOSLING_FOLDER/child"
touch "$GOSLING_FOLDER/ready"
wait
"#;
    let (pid, home) = one_local_runner(&bench, body, 1);
    let child = fs::read_to_string(home.join("child")).unwrap().trim().to_owned();
    assert!(alive(&pid) && alive(&child));
    bench.tofu(&["destroy", "-auto-approve", "-input=false"]);
    eventually("both are gone", || !alive(&pid) && !alive(&child));
}

#[test]
fn a_process_that_only_has_the_runners_number_is_left_alone() {
    let tofu = need!(tools::tofu());
    let bench = Bench::new(&tofu, &config(Provider::Local), &Options::new("nest"));
    let (pid, home) = one_local_runner(&bench, STAND_IN_RUNNER, 20);
    let file = home.join("gosling.pid");
    let started = fs::read_to_string(&file).unwrap().lines().nth(1).unwrap().to_owned();
    fs::write(&file, format!("{}\n{started}\n", std::process::id())).unwrap();
    bench.tofu(&["destroy", "-auto-approve", "-input=false"]);
    eventually("the runner ends, as its folder is gone", || !alive(&pid));
}

#[test]
fn the_settings_file_is_opentofus() {
    let tofu = need!(tools::tofu());
    let mut bench = Bench::new(&tofu, &config(Provider::Local), &Options::new("nest"));
    let cache = bench.folder.path().join("plugins");
    fs::create_dir(&cache).unwrap();
    bench.environment =
        vec![("TF_CLI_CONFIG_FILE", bench.egg.join("tofu.rc")), ("GOSLING_PLUGIN_CACHE", cache)];
    let output = bench.try_tofu(&["init", "-no-color", "-input=false"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
}

/// An error of `OpenTofu` leads back to the `.fly` line that caused it.
#[test]
fn an_error_finds_its_source() {
    let tofu = need!(tools::tofu());
    let fake_cloud = need!(tools::fake_cloud());
    let config = config(Provider::Aws);
    let bench = Bench::new(&tofu, &config, &options()).with_provider(&fake_cloud, Provider::Aws);
    let mut origins = origins();
    origins.insert("resources.disk", Origin { file: "Eggs/my-app/config.fly".into(), line: 12, column: 5 });
    let files = lower::egg(&config, &origins, &options()).unwrap();
    let (_, map) = files.iter().find(|(path, _)| path.ends_with("source-map.json")).unwrap();
    let map = SourceMap::from_json(map).unwrap();

    let resources = bench.egg.join("resources.tf");
    let text = fs::read_to_string(&resources).unwrap();
    let complaint = |wrong: &str| -> Value {
        let wrong = text.replace("disk_size     = 20", &format!("disk_size     = {wrong}"));
        assert_ne!(wrong, text);
        fs::write(&resources, wrong).unwrap();
        let said: Value = serde_json::from_slice(&bench.try_tofu(&["validate", "-json"]).stdout).unwrap();
        said["diagnostics"][0].clone()
    };
    let is_the_disk = |mapping: Option<&Mapping>| {
        let mapping = mapping.unwrap();
        assert_eq!(
            (mapping.address.as_str(), mapping.line, mapping.column),
            ("module.runner.disk_size", 12, 5)
        );
    };
    bench.tofu(&["init", "-input=false"]);

    // An error in the egg's own module has a line in it.
    let said = complaint("local.nothing");
    let line = u32::try_from(said["range"]["start"]["line"].as_u64().unwrap()).unwrap();
    is_the_disk(map.at_line(said["range"]["filename"].as_str().unwrap(), line));

    // One within the Compute Module names what the egg's module gave it.
    let said = complaint("\"large\"");
    let detail = said["detail"].as_str().unwrap();
    let address = detail.split_whitespace().find(|word| word.starts_with("module.runner")).unwrap();
    is_the_disk(map.at_address(address));
}
