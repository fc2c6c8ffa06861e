//! Nests through the whole compiler: from `.fly` files to a build on disk, and from there into the parsers and the
//! `OpenTofu` that will read it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "this is a test"
)]

#[allow(dead_code, reason = "shared with other test programs, which use the rest")]
#[path = "tofu/bench.rs"]
mod bench;
#[path = "build/incremental.rs"]
mod incremental;
#[path = "build/interruption.rs"]
mod interruption;
#[path = "build/page.rs"]
mod page;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use bench::{Bench, changes};
use flyc::{
    artifact::{
        Artifact, BlockConfig, EggConfig, EntryKind, EnvValue, JobConfig, Manifest, Provider, SourceMap,
    },
    build::{Build, Options},
    compiler::Compiler,
    diag::Diagnostic,
    host::{self, BuildError, Written},
    lower::Backend,
    render::Sources,
};
use hcl_edit::structure::Body;
use polar_gosling_tests::{need, tools};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::json;
use tempfile::TempDir;

fn nests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("nests")
}

fn example() -> PathBuf {
    nests().join("example")
}

fn options() -> Options {
    Options::default()
}

/// Findings as `file:line: [id] message`.
fn told(compiler: &Compiler, diagnostics: &[Diagnostic]) -> Vec<String> {
    let tell = |diagnostic: &Diagnostic| {
        let span = &diagnostic.span;
        let line = compiler.source(&span.file).map_or(0, |source| source.position(span.range.start()).line);
        format!("{}:{line}: [{}] {}", span.file, diagnostic.kind.id, diagnostic.message)
    };
    diagnostics.iter().map(tell).collect()
}

/// The Nest built in memory, which must go well.
fn built(compiler: &Compiler) -> Build {
    match compiler.build(&options()) {
        Ok(build) => build,
        Err(diagnostics) => panic!("{:#?}", told(compiler, &diagnostics)),
    }
}

/// What holds of every build.
fn is_sound(build: &Build) {
    let manifest = Manifest::from_json(&build.files["manifest.json"]).unwrap();
    assert_eq!(manifest, build.manifest);
    let mut listed: Vec<&String> = manifest.entries.iter().flat_map(|entry| &entry.files).collect();
    listed.sort();
    let others: Vec<&String> = build.files.keys().filter(|path| *path != "manifest.json").collect();
    assert_eq!(listed, others, "every file belongs to one entry");
    for (path, text) in &build.files {
        assert!(text.ends_with('\n') || text.is_empty(), "{path}");
        match path.rsplit_once('.').map(|(_, kind)| kind) {
            Some("tf") => drop(text.parse::<Body>().unwrap_or_else(|error| panic!("{path}: {error}"))),
            Some("json") => drop(serde_json::from_str::<serde_json::Value>(text).unwrap()),
            Some("yaml") => assert_eq!(Yaml::load_from_str(text).unwrap().len(), 1, "{path}"),
            _ => {}
        }
    }
}

/// Every file below a folder, with its text.
fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn copy_nest(from: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in tree(from) {
        let place = folder.path().join("platform").join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }
    folder
}

#[test]
fn the_example_nest_has_nothing_to_find_and_builds() {
    let loaded = host::load(&example());
    assert_eq!(told(&loaded.compiler, &loaded.compiler.check()), Vec::<String>::new());
    let build = built(&loaded.compiler);
    is_sound(&build);
    let entries: Vec<(EntryKind, &str)> =
        build.manifest.entries.iter().map(|entry| (entry.kind, entry.name.as_str())).collect();
    assert_eq!(
        entries,
        [
            (EntryKind::Egg, "docs"),
            (EntryKind::Egg, "lint"),
            (EntryKind::Egg, "my-app"),
            (EntryKind::Egg, "web"),
            (EntryKind::Bucket, "microservices"),
            (EntryKind::Job, "rotate-secrets"),
            (EntryKind::Uglyfox, "uglyfox"),
            (EntryKind::Mothergoose, "mothergoose"),
            (EntryKind::Rift, "main"),
            (EntryKind::ComputeModule, "aws"),
            (EntryKind::ComputeModule, "local"),
            (EntryKind::ComputeModule, "yandex"),
            (EntryKind::ComputeModule, "yandex-serverless"),
        ]
    );

    let egg = |name: &str| EggConfig::from_json(&build.files[&format!("eggs/{name}/config.json")]).unwrap();
    assert_eq!(egg("my-app").runner.tags, ["docker", "linux"]);
    assert_eq!(egg("my-app").environment["IMAGE"], EnvValue::Text("registry.example.com/my-app".into()));
    assert_eq!(
        egg("web").repositories[0].token_secret,
        "aws-sm://gitlab/gitlab.example.com/web/runner-token"
    );
    assert_eq!(egg("microservices").repositories[2].server, "gitlab.com");
    assert_eq!(egg("lint").runner.timeout_s, 900);

    let job = JobConfig::from_json(&build.files["jobs/rotate-secrets/config.json"]).unwrap();
    assert_eq!(job.timeout_s, 300);
    assert_eq!(
        (job.schedule.cron.as_str(), job.schedule.cron_timezone.as_str()),
        ("0 2 * * *", "Europe/Berlin")
    );
    let script = &job.script;
    assert!(script.starts_with("#!/bin/bash\n") && script.contains("--egg \"${egg}\"\n"), "{script}");
    let policies = BlockConfig::from_json(&build.files["uglyfox.json"]).unwrap().block;
    assert_eq!(policies.block("policies").unwrap().blocks.len(), 3);
}

#[test]
fn the_seed_examples_build() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/nests/seed-examples");
    let Ok(folders) = fs::read_dir(&seeds) else {
        eprintln!("SKIPPED the_seed_examples_build: {} is not there", seeds.display());
        return;
    };
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let mut wrong = Vec::new();
    for folder in &folders {
        let loaded = host::load(folder);
        match loaded.compiler.build(&options()) {
            Ok(build) => is_sound(&build),
            Err(diagnostics) => {
                let name = folder.file_name().unwrap().to_string_lossy();
                wrong.extend(
                    told(&loaded.compiler, &diagnostics).into_iter().map(|found| format!("{name}/{found}")),
                );
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(folders.len() >= 15);
}

#[test]
fn a_build_is_the_same_wherever_and_whenever_it_is_made() {
    let nest = copy_nest(&example());
    let root = nest.path().join("platform");
    let outside = tempfile::tempdir().unwrap();
    let (one, other) = (root.join(".fly/build"), outside.path().join("elsewhere"));
    let (_, first) = host::build_nest(&root, &one, None);
    let first = first.unwrap();
    assert_eq!(first.written.unchanged, 0);
    // The second Nest is the same one at another place.
    let (_, second) = host::build_nest(&example(), &other, None);
    second.unwrap();
    assert_eq!(tree(&one), tree(&other));
    assert_eq!(tree(&one), first.build.files);
    for text in tree(&one).values() {
        assert!(!text.contains(nest.path().to_str().unwrap()), "no absolute path");
    }

    let (_, again) = host::build_nest(&root, &one, None);
    let count = first.build.files.len();
    assert_eq!(again.unwrap().written, Written { written: 0, unchanged: count, removed: 0 });
}

#[test]
fn one_changed_egg_is_all_that_is_written() {
    let nest = copy_nest(&example());
    let root = nest.path().join("platform");
    let out = root.join(".fly/build");
    let build = |written: Written| {
        let (loaded, built) = host::build_nest(&root, &out, None);
        let built = built.unwrap_or_else(|error| panic!("{error:?} {:?}", loaded.diagnostics));
        assert_eq!(built.written, written);
        built.build
    };
    let (_, first) = host::build_nest(&root, &out, None);
    let first = first.unwrap().build;
    let count = first.files.len();

    let config = root.join("Eggs/web/config.fly");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("disk   = 40GiB", "disk   = 50GiB")).unwrap();
    // config.json and resources.tf, and the manifest.
    let second = build(Written { written: 3, unchanged: count - 3, removed: 0 });
    let digests = |build: &Build| -> Vec<String> {
        build.manifest.entries.iter().map(|entry| format!("{} {}", entry.name, entry.digest)).collect()
    };
    let changed: Vec<String> =
        digests(&first).into_iter().zip(digests(&second)).filter(|(a, b)| a != b).map(|(a, _)| a).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert!(changed[0].starts_with("web "));

    // A comment moves lines, and so the source map; there is nothing new to deploy.
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("# A comment.\n{text}")).unwrap();
    let third = build(Written { written: 2, unchanged: count - 2, removed: 0 });
    assert_eq!(digests(&third), digests(&second));

    fs::remove_dir_all(root.join("Eggs/docs")).unwrap();
    let uglyfox = root.join("UF/config.fly");
    let text = fs::read_to_string(&uglyfox).unwrap();
    fs::write(&uglyfox, text.replace("[\"docs\"]", "[\"lint\"]").replace("('docs')", "('lint')")).unwrap();
    let (_, last) = host::build_nest(&root, &out, None);
    assert!(last.unwrap().written.removed > 10, "the egg, and the Compute Module nobody calls any more");
    assert!(!out.join("eggs/docs").exists() && !out.join("compute-module/local").exists());
}

#[test]
fn a_nest_with_errors_is_not_built() {
    let nest = copy_nest(&example());
    let root = nest.path().join("platform");
    let out = root.join(".fly/build");
    fs::write(root.join("Eggs/docs/config.fly"), "egg \"docs\" {\n  type = \"wm\"\n}\n").unwrap();
    let (_, built) = host::build_nest(&root, &out, None);
    let Err(BuildError::Nest(diagnostics)) = built else { panic!("{built:?}") };
    assert!(diagnostics.iter().any(|diagnostic| diagnostic.kind.id == "unknown-value"));
    assert!(!out.exists());

    let (_, built) = host::build_nest(&example(), &nests(), None);
    assert!(matches!(built, Err(BuildError::Output(_))), "the Nest stands below");
    let (_, built) = host::build_nest(&example(), &example(), None);
    assert!(matches!(built, Err(BuildError::Output(_))));
}

#[test]
fn what_no_cloud_can_make_is_told_where_it_was_written() {
    let find = |middle: &str| {
        let text =
            format!("egg \"a\" {{\n  type = \"vm\"\n{middle}\n  gitlab {{\n    project_id = 1\n  }}\n}}\n");
        let compiler = Compiler::new([("Eggs/a/config.fly", text.as_str())]);
        let found = compiler.build(&options()).err().unwrap_or_default();
        (told(&compiler, &found), told(&compiler, &compiler.check()))
    };
    let aws = "  cloud {\n    provider = \"aws\"\n  }\n";
    let (built, checked) = find(&format!("{aws}  resources {{\n    cpu    = 200\n  }}"));
    assert_eq!(
        built,
        ["Eggs/a/config.fly:7: [not-deployable] no machine on aws has 200 CPUs and 4GiB of memory"]
    );
    assert_eq!(built, checked, "the check knows it as well");
    let (built, _) = find("  resources {\n    cpu    = 2\n    memory = 2TiB\n  }");
    assert_eq!(
        built,
        ["Eggs/a/config.fly:5: [not-deployable] no machine on yandex has 2 CPUs and 2TiB of memory"]
    );
    let (built, _) = find(&format!("{aws}  resources {{\n    cpu    = 192\n    memory = 2TiB\n  }}"));
    assert_eq!(
        built,
        ["Eggs/a/config.fly:8: [not-deployable] no machine on aws has 192 CPUs and 2TiB of memory"]
    );
    let (built, _) = find("  environment {\n    OK  = \"\"\n    NUL = \"a\\u{0}b\"\n  }");
    assert_eq!(built, ["Eggs/a/config.fly:5: [bad-format] `NUL` holds the character NUL"]);
    let (built, _) = find("  rift {\n  }");
    assert_eq!(
        built,
        ["Eggs/a/config.fly:3: [not-deployable] it is not clear which Rift server the runners of `a` use"]
    );
}

/// Hostile values as an author writes them, and what they mean.
const HOSTILE: &[(&str, &str)] = &[
    (r#""$${file(\"/etc/passwd\")}""#, "${file(\"/etc/passwd\")}"),
    (r#""%{ for x in [1] }%{ endfor }""#, "%{ for x in [1] }%{ endfor }"),
    (r#""\"quoted\" \\ 'single' \\n""#, "\"quoted\" \\ 'single' \\n"),
    (r#""two\nlines\r\n\ttab""#, "two\nlines\r\n\ttab"),
    (r#""$(rm -rf /) `id` $HOME ; & | > <""#, "$(rm -rf /) `id` $HOME ; & | > <"),
    (r#""a: b""#, "a: b"),
    (r#""- item""#, "- item"),
    (r##""# comment""##, "# comment"),
    (r#""!!binary &anchor *alias""#, "!!binary &anchor *alias"),
    (r#""---""#, "---"),
    (r#""{a: [1, 2]}""#, "{a: [1, 2]}"),
    (r#"" spaces ""#, " spaces "),
    (r#""%i $MAINPID $${PATH}""#, "%i $MAINPID ${PATH}"),
    (r#""null""#, "null"),
    (r#""0644""#, "0644"),
    (r#""EOT""#, "EOT"),
    (r#""ключ 🔑""#, "ключ 🔑"),
    (r#""\u{1F511}""#, "🔑"),
    (r#""""#, ""),
];

fn hostile_egg(provider: &str) -> String {
    let tags: Vec<&str> =
        HOSTILE.iter().filter(|(_, meant)| is_tag(meant)).map(|(written, _)| *written).collect();
    let variables: Vec<String> =
        HOSTILE.iter().enumerate().map(|(at, (written, _))| format!("    V{at} = {written}\n")).collect();
    let variables = variables.concat();
    format!(
        "egg \"hostile\" {{\n  type = \"vm\"\n  cloud {{\n    provider = \"{provider}\"\n    image = {}\n  }}\n  runner {{\n    \
         tags = [{}]\n  }}\n  gitlab {{\n    project_id = 1\n  }}\n  environment {{\n{variables}  }}\n}}\n",
        HOSTILE[0].0,
        tags.join(", ")
    )
}

/// Whether GitLab keeps it as a tag; `flyc` takes no other.
fn is_tag(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.contains(',')
}

fn is_hostile(environment: &BTreeMap<String, EnvValue>, tags: &[String]) {
    let meant: Vec<&str> = HOSTILE.iter().map(|(_, meant)| *meant).collect();
    assert_eq!(tags, meant.iter().copied().filter(|meant| is_tag(meant)).collect::<Vec<_>>());
    for (at, meant) in meant.iter().enumerate() {
        assert_eq!(environment[&format!("V{at}")], EnvValue::Text((*meant).to_owned()));
    }
}

#[test]
fn hostile_values_stay_plain_text() {
    for provider in Provider::ALL {
        let compiler = Compiler::new([("Eggs/hostile/config.fly", hostile_egg(provider.name()))]);
        let build = built(&compiler);
        is_sound(&build);
        let text = |file: &str| build.files[&format!("eggs/hostile/{file}")].as_str();
        let config = EggConfig::from_json(text("config.json")).unwrap();
        is_hostile(&config.environment, &config.runner.tags);
        assert_eq!(config.cloud.image, HOSTILE[0].1);

        let egg_json = if provider == Provider::Local {
            text("egg.json").to_owned()
        } else {
            let documents = Yaml::load_from_str(text("cloud-init.yaml")).unwrap();
            let files = documents[0].as_mapping_get("write_files").unwrap().as_vec().unwrap();
            let told = |key, file: &Yaml<'_>| file.as_mapping_get(key).unwrap().as_str().unwrap().to_owned();
            let file = files.iter().find(|file| told("path", file) == "/etc/gosling/egg.json").unwrap();

            let body: Body = text("data.tf").parse().unwrap();
            let image = body.get_blocks("data").next().unwrap().body.iter().find_map(|part| {
                let attribute = part.as_attribute()?;
                (attribute.key.as_str() == "family").then(|| attribute.value.as_str().unwrap().to_owned())
            });
            assert_eq!(image, (provider == Provider::Yandex).then(|| HOSTILE[0].1.to_owned()));
            told("content", file)
        };
        let egg: serde_json::Value = serde_json::from_str(&egg_json).unwrap();
        is_hostile(
            &serde_json::from_value(egg["environment"].clone()).unwrap(),
            &serde_json::from_value::<Vec<String>>(egg["runner"]["tags"].clone()).unwrap(),
        );

        let map = SourceMap::from_json(text("source-map.json")).unwrap();
        if provider == Provider::Yandex {
            let image = map.at_address("data.yandex_compute_image.runner").unwrap();
            assert_eq!((image.file.as_str(), image.line, image.column), ("Eggs/hostile/config.fly", 5, 5));
        }
    }
}

/// The example Nest's eggs in real `OpenTofu`, as they lie on disk.
fn opentofu_plans(egg: &str, provider: Provider) {
    let tofu = need!(tools::tofu());
    let fake_cloud = need!(tools::fake_cloud());
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("build");
    let (_, built) = host::build_nest(&example(), &out, Some(Backend::Local));
    built.unwrap();
    // The bench wants the build at the top of its folder.
    let top = tempfile::tempdir().unwrap();
    for (path, text) in tree(&out) {
        let place = top.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }
    let bench = Bench::over(&tofu, top, egg).with_provider(&fake_cloud, provider);
    bench.tofu(&["fmt", "-check", "-recursive", "-diff", "../.."]);
    bench.tofu(&["init", "-input=false"]);
    bench.tofu(&["validate"]);
    let mut variables = json!({
        "runners": { "r-1": { "pool": "apex", "commit": "0a1b2c3d" } },
        "tickets": { "r-1": "ticket" },
        "orchestrator_url": "https://gosling.example.com",
    });
    let own = match provider {
        Provider::Local => {
            json!({ "gosling": "/bin/true", "runners_folder": bench.folder.path().join("homes") })
        }
        Provider::Yandex | Provider::Aws => json!({
            "subnet_id": "subnet-given",
            "gosling_download": { "url": "https://gosling.example.com/gosling", "sha256": "0".repeat(64) },
        }),
    };
    variables.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    bench.set(&variables);
    let changes = changes(&bench.plan());
    let runner = changes.keys().filter(|address| address.starts_with("module.runner[\"r-1\"]")).count();
    assert!(runner > 0 && changes.values().all(|(done, _)| done == "create"), "{changes:#?}");
    if provider == Provider::Yandex {
        let instance = &changes["module.runner[\"r-1\"].yandex_compute_instance.runner"].1;
        assert_eq!(instance["labels"]["gosling-nest"], "platform");
        assert_eq!(instance["labels"]["gosling-egg"], egg);
    }
}

#[test]
fn opentofu_plans_the_yandex_egg() {
    opentofu_plans("my-app", Provider::Yandex);
}

#[test]
fn opentofu_plans_the_bucket() {
    opentofu_plans("microservices", Provider::Yandex);
}

#[test]
fn opentofu_plans_the_aws_egg() {
    opentofu_plans("web", Provider::Aws);
}

#[test]
fn opentofu_plans_the_local_egg() {
    opentofu_plans("docs", Provider::Local);
}
