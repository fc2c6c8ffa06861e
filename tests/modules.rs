//! Every module that `flyc build` writes, as it lies on disk: real `OpenTofu` finds nothing to complain of, makes it in
//! the fake cloud, has nothing more to do, and leaves nothing behind.
//!
//! Never here: what is in the modules.

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

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
};

use bench::{Bench, complaint, script};
use flyc::{host, lower::Backend};
use hcl_edit::structure::{Block, Body};
use polar_gosling_tests::{need, tools};
use serde_json::{Value, json};

/// What whoever runs a module would give it, by the variable's name.
fn given(bench: &Bench, gosling: &Path) -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        (
            "runners",
            json!({ "r-1": { "pool": "apex", "commit": "c0ffee" }, "r-2": { "pool": "nadir", "commit": "c0ffee" } }),
        ),
        ("tickets", json!({ "r-1": "ticket", "r-2": "ticket" })),
        ("orchestrator_url", json!("https://gosling.example.com")),
        (
            "gosling_download",
            json!({ "url": "https://gosling.example.com/gosling", "sha256": "0".repeat(64) }),
        ),
        ("gosling", json!(gosling)),
        (
            "auth_function_package",
            json!({ "bucket": "code", "object": "auth.zip", "sha256": "0".repeat(64) }),
        ),
        ("runners_folder", json!(bench.folder.path().join("homes"))),
    ])
}

/// A value for a variable that has no default and no name known here.
fn by_type(name: &str, block: &Block) -> Value {
    let kind = block.body.get_attribute("type").map(|kind| kind.value.to_string());
    match kind.as_deref().map(str::trim) {
        Some("string") if name.ends_with("_id") => json!(format!("{}-given", name.trim_end_matches("_id"))),
        Some("string") => json!("given"),
        Some("number") => json!(1),
        Some("bool") => json!(true),
        Some("list(string)" | "set(string)") => json!(["given"]),
        Some("map(string)") => json!({}),
        _ => panic!("tell `given` a value for the variable `{name}`"),
    }
}

/// The values of a module's variables.
fn variables(module: &Path, given: &BTreeMap<&str, Value>) -> Value {
    let mut values = serde_json::Map::new();
    for file in entries(module).into_iter().filter(|file| file.extension().is_some_and(|kind| kind == "tf")) {
        let body: Body = fs::read_to_string(&file).unwrap().parse().unwrap();
        for block in body.get_blocks("variable") {
            let name = block.labels[0].as_str();
            if let Some(value) = given.get(name) {
                values.insert(name.into(), value.clone());
            } else if !block.body.has_attribute("default") {
                values.insert(name.into(), by_type(name, block));
            }
        }
    }
    Value::Object(values)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// The root modules of a build: the folders that say which providers they want, besides those that others call.
fn modules(build: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in entries(build) {
        if !folder.is_dir() || folder.ends_with("compute-module") {
            continue;
        }
        if folder.join("versions.tf").exists() {
            found.push(folder);
        } else {
            found.extend(modules(&folder));
        }
    }
    found
}

/// All modules of a Nest, one after the other; gives how many there are.
fn live_and_die(nest: &Path) -> usize {
    let (Some(tofu), Some(fake_cloud)) = (tools::tofu(), tools::fake_cloud()) else { return 0 };
    let folder = tempfile::tempdir().unwrap();
    let build = folder.path().join("build");
    let (_, result) = host::build_nest(nest, &build, Some(Backend::Local));
    result.unwrap_or_else(|_| panic!("{} does not build", nest.display()));
    let mut bench = Bench::over(&tofu, folder, "").with_clouds(&fake_cloud);
    let process = script(
        bench.folder.path(),
        "trap 'exit 0' TERM\nwhile [ -d \"$GOSLING_FOLDER\" ]; do\n  sleep 0.05 &\n  wait $!\ndone",
    );
    bench.egg.clone_from(&build);
    bench.tofu(&["fmt", "-check", "-recursive", "-diff"]);

    let modules = modules(&build);
    for module in &modules {
        let local = fs::read_to_string(module.join("versions.tf")).unwrap();
        let local = !local.contains("required_providers");
        bench.egg.clone_from(module);
        bench.set(&variables(module, &given(&bench, if local { &process } else { &fake_cloud })));
        bench.tofu(&["init", "-input=false"]);
        let validated = bench.try_tofu(&["validate", "-no-color"]);
        let said = String::from_utf8_lossy(&validated.stdout).into_owned() + &complaint(&validated);
        assert!(validated.status.success() && !said.contains("Warning"), "{}: {said}", module.display());
        bench.apply();
        bench.is_settled();
        bench.destroy();
    }
    modules.len()
}

#[test]
fn every_module_of_the_example_lives_and_dies() {
    need!(tools::tofu());
    need!(tools::fake_cloud());
    let nest = Path::new(env!("CARGO_MANIFEST_DIR")).join("nests/example");
    assert!(live_and_die(&nest) >= 4);
}

#[test]
fn every_module_of_the_seed_examples_lives_and_dies() {
    need!(tools::tofu());
    need!(tools::fake_cloud());
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/nests/seed-examples");
    let nests = Mutex::new(entries(&seeds));
    if nests.lock().unwrap().is_empty() {
        eprintln!("SKIPPED every_module_of_the_seed_examples_lives_and_dies: the examples are not there");
        return;
    }
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(one) = nests.lock().unwrap().pop() else { break };
                    live_and_die(&one);
                }
            });
        }
    });
}
