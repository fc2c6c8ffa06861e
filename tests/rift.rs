//! Rift servers against the real `OpenTofu`, cloud-init and systemd: yandex and aws in a fake cloud with the true
//! schemas, local as a real process.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[path = "tofu/bench.rs"]
#[allow(dead_code, reason = "shared with the tests of eggs")]
mod bench;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use bench::{Bench, changes, complaint, origins, script};
use flyc::{
    artifact::{
        Artifact, Cloud, Eviction, Provider, Resources, RiftAuth, RiftAuthMethod, RiftCache, RiftConfig,
        SourceMap, Upstream,
    },
    compiler::Compiler,
    lower::{self, Backend, Options},
};
use polar_gosling_tests::{need, tools};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Value, json};

const HOSTILE: &str =
    "${file(\"/etc/passwd\")} %{ if true } $(id) `id` \"q\" 'q' \\ %n\n- a: b # c\r\tEOT ключ";
const GIB: u64 = 1 << 30;
const CLOUDS: [Provider; 2] = [Provider::Yandex, Provider::Aws];

fn config(provider: Provider) -> RiftConfig {
    let (region, zone) = match provider {
        Provider::Yandex => ("ru-central1", "ru-central1-a"),
        Provider::Aws => ("eu-central-1", "eu-central-1a"),
        Provider::Local => ("", ""),
    };
    let hub = Upstream {
        url: "https://registry-1.docker.io".into(),
        username: Some("robot".into()),
        password_secret: Some("vault://registries/hub".into()),
    };
    RiftConfig {
        format_version: RiftConfig::FORMAT_VERSION,
        name: "main".into(),
        server: None,
        port: 8443,
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
        cache: RiftCache { max_size_bytes: 50 * GIB, max_age_s: 86_400, eviction: Eviction::Lru },
        upstreams: BTreeMap::from([("docker_hub".to_owned(), hub)]),
        auth: RiftAuth {
            method: RiftAuthMethod::RunnerToken,
            token_ttl_s: 3600,
            eggs: vec!["my-app".into()],
        },
    }
}

/// A plain one, one that uses every option, and one full of hostile values.
fn varied(provider: Provider) -> Vec<RiftConfig> {
    let mut full = config(provider);
    full.name = "Full.Rift_2".into();
    full.server = Some("rift.example.com".into());
    full.port = 443;
    full.cloud.network = Some("net-1a2b".into());
    full.cloud.subnet = Some("subnet-0a1b".into());
    full.cloud.image = match provider {
        Provider::Aws => "ami-0abcdef12".into(),
        _ => "fd8abcdefghijklmnop1".into(),
    };
    full.resources = Resources { cpu: 7, memory_mib: 65_537, disk_gib: 500 };
    full.cache.eviction = Eviction::Lfu;
    full.auth.method = RiftAuthMethod::Mtls;
    full.upstreams.clear();

    let mut hostile = config(provider);
    hostile.server = Some(HOSTILE.into());
    hostile.cloud.network = Some(HOSTILE.into());
    hostile.cloud.subnet = Some(HOSTILE.into());
    hostile.cloud.image = HOSTILE.into();
    if provider == Provider::Aws {
        hostile.cloud.zone = HOSTILE.into();
    }
    let upstream = Upstream {
        url: HOSTILE.into(),
        username: Some(HOSTILE.into()),
        password_secret: Some(HOSTILE.into()),
    };
    hostile.upstreams.insert(HOSTILE.into(), upstream);
    hostile.auth.eggs = vec![HOSTILE.into()];
    vec![config(provider), full, hostile]
}

fn options() -> Options {
    Options { backend: Some(Backend::Local), ..Options::new("nest ${x} \"y\"") }
}

fn bench(tofu: &Path, config: &RiftConfig, options: &Options) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), config, options);
    let place = folder.path().join("rift").join(&config.name);
    let mut bench = Bench::over(tofu, folder, &config.name);
    bench.egg = place;
    bench
}

fn write(folder: &Path, config: &RiftConfig, options: &Options) {
    for (path, text) in lower::rift(config, &origins(), options).unwrap() {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn variables(config: &RiftConfig, ticket: &str) -> Value {
    let mut variables = json!({
        "orchestrator_url": "https://gosling.example.com",
        "gosling_download": { "url": "https://gosling.example.com/gosling?a=1", "sha256": "0".repeat(64) },
        "ticket": ticket,
        "commit": "0a1b2c3d",
    });
    if config.cloud.subnet.is_none() {
        variables["subnet_id"] = json!("subnet-given");
    }
    variables
}

/// The machine as the plan or the fake cloud has it, and its user data.
fn instance(provider: Provider) -> &'static str {
    match provider {
        Provider::Yandex => "yandex_compute_instance.rift",
        _ => "aws_instance.rift",
    }
}

fn user_data(machine: &Value) -> String {
    let text = machine["metadata"]["user-data"].as_str().or(machine["user_data"].as_str());
    text.unwrap().to_owned()
}

/// The files that user data writes, by path.
fn written(user_data: &str) -> BTreeMap<String, String> {
    let documents = Yaml::load_from_str(user_data).unwrap();
    assert_eq!(documents.len(), 1);
    let files = documents[0].as_mapping_get("write_files").unwrap().as_vec().unwrap().iter();
    let get = |file: &Yaml<'_>, key| file.as_mapping_get(key).unwrap().as_str().unwrap().to_owned();
    files.map(|file| (get(file, "path"), get(file, "content"))).collect()
}

#[test]
fn what_is_generated_is_formatted_and_valid() {
    let tofu = need!(tools::tofu());
    let fake_cloud = need!(tools::fake_cloud());
    for provider in Provider::ALL {
        for config in varied(provider) {
            for options in [Options::new("nest"), options()] {
                let bench = bench(&tofu, &config, &options).with_provider(&fake_cloud, provider);
                bench.tofu(&["fmt", "-check", "-recursive", "-diff"]);
                bench.tofu(&["init", "-backend=false", "-input=false"]);
                let said: Value = serde_json::from_str(&bench.tofu(&["validate", "-json"])).unwrap();
                assert_eq!(said["diagnostics"], json!([]));
            }
        }
    }
}

#[test]
fn a_machine_is_told_by_valid_user_data_whatever_the_values() {
    let tofu = need!(tools::tofu());
    let fake_cloud = need!(tools::fake_cloud());
    let cloud_init = need!(tools::cloud_init());
    let mut units = Vec::new();
    for provider in CLOUDS {
        for config in varied(provider) {
            let bench = bench(&tofu, &config, &options()).with_provider(&fake_cloud, provider);
            bench.tofu(&["init", "-input=false"]);
            let ticket = format!("ticket {HOSTILE}");
            bench.set(&variables(&config, &ticket));
            bench.tofu(&["apply", "-auto-approve", "-input=false"]);
            let kind = instance(provider).split('.').next().unwrap();
            let machines = bench.cloud.of(kind);
            let machine = machines.values().next().unwrap();
            let machine = machine.get("attributes").unwrap_or(machine);

            let text = user_data(machine);
            assert!(text.starts_with("#cloud-config\n"));
            let file = bench.folder.path().join("user-data");
            fs::write(&file, &text).unwrap();
            let checked =
                Command::new(&cloud_init).args(["schema", "--config-file"]).arg(&file).output().unwrap();
            assert!(checked.status.success(), "{checked:?}\n{text}");

            let files = written(&text);
            let server: Value = serde_json::from_str(&files["/etc/gosling/server.json"]).unwrap();
            assert_eq!(server["upstreams"], serde_json::to_value(&config.upstreams).unwrap());
            assert_eq!(server["server"], json!(config.server));
            assert_eq!(server["auth"].get("eggs"), None, "another egg is no other machine");
            let rift: Value = serde_json::from_str(&files["/etc/gosling/rift.json"]).unwrap();
            assert_eq!(rift["rift"], json!(config.name));
            assert_eq!(files["/etc/gosling/ticket"], ticket);
            let device = &files["/etc/gosling/cache-device"];
            match provider {
                Provider::Yandex => assert_eq!(device, "/dev/disk/by-id/virtio-cache"),
                _ => {
                    let (volume, _) = bench.cloud.of("aws_ebs_volume").pop_first().unwrap();
                    let name = format!("nvme-Amazon_Elastic_Block_Store_{}", volume.replace('-', ""));
                    assert_eq!(*device, format!("/dev/disk/by-id/{name}"));
                }
            }
            for script in ["install", "mount-cache"] {
                let script = &files[&format!("/usr/local/lib/gosling/{script}")];
                assert!(
                    Command::new("sh").args(["-n", "-c", script]).status().unwrap().success(),
                    "{script}"
                );
            }
            let unit = |name: &str| files[&format!("/etc/systemd/system/{name}.service")].clone();
            let low = "AmbientCapabilities=CAP_NET_BIND_SERVICE";
            assert_eq!(unit("gosling-rift").contains(low), config.port < 1024);
            units.push((unit("gosling-rift"), unit("gosling-rift-cache")));
        }
    }
    let systemd_analyze = need!(tools::systemd_analyze());
    for (unit, cache) in units {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str, text: &str| {
            let file = folder.path().join(name);
            let text = text.replace("/usr/local/bin/gosling", "/bin/true");
            fs::write(&file, text.replace("/usr/local/lib/gosling/mount-cache", "/bin/true")).unwrap();
            file
        };
        let files = [place("gosling-rift.service", &unit), place("gosling-rift-cache.service", &cache)];
        let checked =
            Command::new(&systemd_analyze).args(["verify", "--man=no"]).args(&files).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success() && said.is_empty(), "{said}\n{unit}");
    }
}

#[test]
fn a_server_is_made_kept_replaced_and_destroyed() {
    let tofu = need!(tools::tofu());
    let fake_cloud = need!(tools::fake_cloud());
    for provider in CLOUDS {
        let mut config = config(provider);
        let options = options();
        let bench = bench(&tofu, &config, &options).with_provider(&fake_cloud, provider);
        let apply = || bench.tofu(&["apply", "-auto-approve", "-input=false"]);
        let done = |config: &RiftConfig, ticket: &str| {
            write(bench.folder.path(), config, &options);
            bench.set(&variables(config, ticket));
            let mut done: Vec<String> = changes(&bench.plan())
                .into_iter()
                .filter(|(_, (done, _))| done != "no-op")
                .map(|(address, (done, _))| format!("{done} {address}"))
                .collect();
            done.sort();
            done
        };
        bench.tofu(&["init", "-input=false"]);
        bench.set(&variables(&config, "ticket-1"));
        apply();
        // What owns it stands on everything that can carry it.
        for ((kind, _), thing) in bench.cloud.things() {
            let thing = thing.get("attributes").unwrap_or(&thing).clone();
            let labels = [&thing["labels"], &thing["tags"]].into_iter().find(|labels| labels.is_object());
            let Some(labels) = labels else {
                assert_eq!(kind, "aws_volume_attachment");
                continue;
            };
            assert_eq!(labels["gosling-component"], "rift", "{kind}");
            assert_eq!(labels["gosling-rift"], "main", "{kind}");
            assert_eq!(labels["gosling-commit"], "0a1b2c3d", "{kind}");
        }
        // Neither nothing new, nor a spent ticket, nor another egg that it lets in changes anything.
        assert_eq!(done(&config, "ticket-1"), [""; 0]);
        assert_eq!(done(&config, ""), [""; 0]);
        config.auth.eggs.push("another".into());
        assert_eq!(done(&config, ""), [""; 0]);

        // Another configuration makes another machine, and keeps the cache.
        config.cache.max_age_s = 60;
        let replaced = done(&config, "ticket-2");
        let machine = format!("delete+create {}", instance(provider));
        assert!(replaced.contains(&machine), "{replaced:?}");
        assert!(!replaced.iter().any(|change| change.contains("security_group")), "{replaced:?}");
        let disks = ["yandex_compute_disk", "aws_ebs_volume"];
        let is_disk = |change: &String| disks.iter().any(|disk| change.contains(disk));
        assert!(!replaced.iter().any(is_disk), "{replaced:?}");
        apply();

        // A larger cache is a larger disk; the machine reads no other file for it.
        config.cache.max_size_bytes = 100 * GIB;
        let grown = done(&config, "ticket-3");
        assert!(grown.iter().any(|change| change.starts_with("update") && is_disk(change)), "{grown:?}");
        apply();
        let disk = disks.iter().find_map(|kind| bench.cloud.of(kind).pop_first()).unwrap().1;
        assert_eq!(disk.get("attributes").unwrap_or(&disk)["size"], 110);

        // A larger machine keeps everything else.
        config.resources.cpu = 4;
        let larger = done(&config, "");
        assert_eq!(larger, [format!("update {}", instance(provider))]);
        apply();
        assert_eq!(done(&config, ""), [""; 0]);

        bench.tofu(&["destroy", "-auto-approve", "-input=false"]);
        assert!(bench.cloud.things().is_empty(), "{:?}", bench.cloud.things().keys());
    }
}

#[test]
fn only_the_runners_reach_the_port() {
    let tofu = need!(tools::tofu());
    let fake_cloud = need!(tools::fake_cloud());
    for provider in CLOUDS {
        let config = config(provider);
        let bench = bench(&tofu, &config, &options()).with_provider(&fake_cloud, provider);
        bench.tofu(&["init", "-input=false"]);
        let mut variables = variables(&config, "t");
        variables["client_cidr_blocks"] = json!(["10.1.0.0/16", "10.2.0.0/16"]);
        bench.set(&variables);
        let changes = changes(&bench.plan());
        if provider == Provider::Yandex {
            let group = &changes["yandex_vpc_security_group.rift"].1;
            let [ingress] = group["ingress"].as_array().unwrap().as_slice() else { panic!("{group}") };
            assert_eq!((&ingress["protocol"], &ingress["port"]), (&json!("TCP"), &json!(8443)));
            assert_eq!(ingress["v4_cidr_blocks"], json!(["10.1.0.0/16", "10.2.0.0/16"]));
        } else {
            let rules: Vec<_> = changes
                .iter()
                .filter(|(address, _)| address.contains("ingress_rule"))
                .map(|(_, (_, rule))| {
                    (&rule["cidr_ipv4"], &rule["ip_protocol"], &rule["from_port"], &rule["to_port"])
                })
                .collect();
            let open = |network| (network, json!("tcp"), json!(8443), json!(8443));
            let wanted = [open(json!("10.1.0.0/16")), open(json!("10.2.0.0/16"))];
            let rules: Vec<_> =
                rules.into_iter().map(|(a, b, c, d)| (a.clone(), b.clone(), c.clone(), d.clone())).collect();
            assert_eq!(rules, wanted);
        }
    }
}

#[test]
fn wrong_variables_are_refused() {
    let tofu = need!(tools::tofu());
    let config = config(Provider::Local);
    let bench = bench(&tofu, &config, &options());
    bench.tofu(&["init", "-input=false"]);
    for (name, value, said) in [
        ("orchestrator_url", json!("gosling.example.com"), "begins with http"),
        ("commit", json!("not a commit"), "Git object id"),
        ("gosling", json!("bin/gosling"), "absolute path"),
        ("stop_timeout", json!(0), "whole number of seconds"),
    ] {
        let mut variables = json!({ "orchestrator_url": "https://gosling.example.com" });
        variables[name] = value;
        bench.set(&variables);
        let output = bench.try_tofu(&["plan", "-no-color", "-input=false"]);
        assert!(!output.status.success() && complaint(&output).contains(said), "{name}");
    }
}

/// Waits until a process has done something; a test that waits in vain fails.
fn until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(20), "in vain: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_local_server_is_a_real_process_that_keeps_its_cache() {
    let tofu = need!(tools::tofu());
    let mut config = config(Provider::Local);
    config.upstreams.get_mut("docker_hub").unwrap().username = Some(HOSTILE.into());
    let options = options();
    let bench = bench(&tofu, &config, &options);
    let gosling = script(
        bench.folder.path(),
        "trap 'echo stopped >>\"$GOSLING_FOLDER/log\"; exit 0' TERM\n\
         printf '%s %s %s\\n' \"$1\" \"$GOSLING_RIFT\" \"$(cat ticket)\" >>\"$GOSLING_FOLDER/log\"\n\
         while :; do sleep 0.05; done",
    );
    let set = |ticket: &str| {
        bench.set(&json!({
            "orchestrator_url": "https://gosling.example.com",
            "gosling": gosling,
            "ticket": ticket,
            "stop_timeout": 20,
        }));
    };
    let folder = bench.egg.join("rift");
    let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
    let apply = || bench.tofu(&["apply", "-auto-approve", "-input=false"]);
    let idle = || {
        let plan = bench.plan();
        changes(&plan).values().all(|(done, _)| done == "no-op")
    };
    bench.tofu(&["init", "-input=false"]);
    set("ticket-1");
    apply();
    until("the server starts", || log() == "rift main ticket-1\n");
    let server: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("server.json")).unwrap()).unwrap();
    assert_eq!(server["upstreams"]["docker_hub"]["username"], HOSTILE);
    let rift: Value = serde_json::from_str(&fs::read_to_string(folder.join("rift.json")).unwrap()).unwrap();
    assert_eq!(rift["server_file"], json!(folder.join("server.json")));
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    fs::write(folder.join("cache/layer"), "kept").unwrap();
    set("");
    assert!(idle(), "a spent ticket changes nothing");
    let state = fs::read_to_string(bench.egg.join("terraform.tfstate")).unwrap();
    assert!(!state.contains("ticket-1"), "{state}");

    config.cache.max_age_s = 60;
    write(bench.folder.path(), &config, &options);
    apply();
    until("it starts anew", || log() == "rift main ticket-1\nstopped\nrift main ticket-1\n");
    assert_eq!(fs::read_to_string(folder.join("cache/layer")).unwrap(), "kept");
    assert!(idle());

    bench.tofu(&["destroy", "-auto-approve", "-input=false"]);
    assert!(!folder.exists());
}

/// The script that mounts the cache's disk, with stand-ins for what changes a machine.
#[test]
fn only_a_blank_disk_gets_a_filesystem() {
    let config = config(Provider::Yandex);
    let files = lower::rift(&config, &origins(), &options()).unwrap();
    let (_, user_data) = files.iter().find(|(path, _)| path.ends_with("cloud-init.yaml")).unwrap();
    let mount = &written(user_data)["/usr/local/lib/gosling/mount-cache"];
    for (blkid, formats, succeeds) in [(0, false, true), (2, true, true), (4, false, false)] {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let stand_in = |name: &str, code: i32| {
            let text = format!("#!/bin/sh\necho {name} >>'{}'\nexit {code}\n", log.display());
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        for name in ["mkfs.ext4", "mount", "resize2fs", "chown"] {
            stand_in(name, 0);
        }
        stand_in("blkid", blkid);
        stand_in("mountpoint", 1);
        let device = folder.path().join("cache-device");
        fs::write(&device, "/dev/disk/by-id/virtio-cache").unwrap();
        let script = mount
            .replace("/etc/gosling/cache-device", &device.to_string_lossy())
            .replace("/var/lib/gosling-rift", &folder.path().join("cache").to_string_lossy())
            .replace("[ ! -b \"$device\" ]", "false");
        let path = std::env::var_os("PATH").unwrap();
        let places: Vec<PathBuf> =
            [folder.path().to_owned()].into_iter().chain(std::env::split_paths(&path)).collect();
        let output = Command::new("sh")
            .args(["-c", &script])
            .env("PATH", std::env::join_paths(places).unwrap())
            .output()
            .unwrap();
        let said = fs::read_to_string(&log).unwrap();
        assert_eq!(output.status.success(), succeeds, "{output:?}");
        assert_eq!(said.contains("mkfs.ext4"), formats, "{said}");
        assert_eq!(said.contains("mount\n") && said.contains("resize2fs"), succeeds, "{said}");
    }
}

#[test]
fn no_secret_no_path_and_no_time_stands_in_what_is_generated() {
    for provider in Provider::ALL {
        let config = config(provider);
        let files = lower::rift(&config, &origins(), &options()).unwrap();
        assert_eq!(files, lower::rift(&config, &origins(), &options()).unwrap());
        for (path, text) in &files {
            assert!(path.starts_with("rift/main/"), "{path}");
            assert!(!text.contains("/root/") && !text.contains("/tmp/"), "{path}");
        }
        let (_, map) = files.iter().find(|(path, _)| path.ends_with("source-map.json")).unwrap();
        assert!(!SourceMap::from_json(map).unwrap().files["resources.tf"].is_empty());
    }
}

/// From the text of a Nest to the module, and back from a line of the module to the text.
#[test]
fn a_nest_builds_its_server_and_every_line_knows_its_cause() {
    let server = "rift \"main\" {\n  port = 9443\n\n  cloud {\n    provider = \"PROVIDER\"\n  }\n\n  resources {\n    cpu  = 4\n    disk = 40\n  }\n\n  cache {\n    max_size = 100\n  }\n}\n";
    let egg = "egg \"a\" {\n  type = \"vm\"\n\n  gitlab {\n    project_id = 1\n  }\n\n  rift {\n  }\n}\n";
    for (provider, causes) in [
        (
            "yandex",
            [
                ("yandex_compute_disk.cache.size", 14),
                ("yandex_vpc_security_group.rift.ingress.port", 2),
                ("yandex_compute_instance.rift.resources.cores", 9),
                ("yandex_compute_instance.rift.boot_disk.initialize_params.size", 10),
            ],
        ),
        (
            "aws",
            [
                ("aws_ebs_volume.cache.size", 14),
                ("aws_vpc_security_group_ingress_rule.runners.from_port", 2),
                ("aws_instance.rift.instance_type", 8),
                ("aws_instance.rift.root_block_device.volume_size", 10),
            ],
        ),
    ] {
        let server = server.replace("PROVIDER", provider);
        let compiler = Compiler::new([("MG/config.fly", server.as_str()), ("Eggs/a/config.fly", egg)]);
        let build = compiler.build(&flyc::build::Options::default()).unwrap();
        let config = RiftConfig::from_json(&build.files["rift/main/config.json"]).unwrap();
        assert_eq!(config.auth.eggs, ["a"]);
        assert_eq!(config.cache.max_size_bytes, 100 * GIB);
        assert_eq!(config.cloud.offer.unwrap().cpu, 4);
        let map = SourceMap::from_json(&build.files["rift/main/source-map.json"]).unwrap();
        for (address, line) in causes {
            let found = map.files["resources.tf"].iter().find(|mapping| mapping.address == address);
            let found = found.unwrap_or_else(|| panic!("{address} is not mapped"));
            assert_eq!((found.file.as_str(), found.line), ("MG/config.fly", line), "{address}");
        }
    }
}
