//! Many builds at a time in the clouds: real `OpenTofu`, one root module that calls each egg's own, and the fake cloud.
//!
//! Here lives how they are made and how what a runner is told is found again. Never here: what a runner does with it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, OnceLock},
};

use flyc::artifact::Provider;
use polar_gosling_tests::tools;
use serde_json::{Value, json};

use crate::{
    bench::{Bench, script},
    boot::{self, PROGRAM, Run},
    eggs::{Built, CLOUDS, Egg},
    json,
};

/// Where a new machine gets gosling from.
pub(crate) const DOWNLOAD: &str = "https://gosling.example.com/gosling?a=1&b=2";

/// What `OpenTofu` warns of here and not of a real egg: a called module has no backend, and the subnet and the network of
/// the fake cloud lie where they like.
const EXPECTED: [&str; 2] = ["Backend configuration ignored", "Check block assertion failed"];

/// Stands in for `gosling power`: writes down what a container or task is started with.
const POWER: &str = r#"
for name in EGG_CONFIG RUNNER_CONFIG TICKET; do
  eval "value=\${$name-}"
  printf '%s' "$value" >"$0.$RUNNER_ID.$name"
done
"#;

/// What a runner is told by its cloud.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    /// A machine, by its user data.
    Machine { user_data: String },
    /// A container, by whoever starts it.
    Container { egg: String, runner: String, ticket: String },
}

impl Told {
    /// All of it, part by part.
    pub(crate) fn parts(&self) -> Vec<&str> {
        match self {
            Self::Machine { user_data } => vec![user_data],
            Self::Container { egg, runner, ticket } => vec![egg, runner, ticket],
        }
    }

    /// What the runner does with it.
    fn run(&self) -> Result<Run, String> {
        match self {
            Self::Machine { user_data } => boot::machine(user_data),
            Self::Container { egg, runner, ticket } => boot::container(egg, runner, ticket),
        }
    }
}

/// A runner of an egg in one cloud.
pub(crate) struct Runner {
    pub(crate) build: Built,
    pub(crate) told: Told,
    run: Result<Run, String>,
}

impl Runner {
    /// What it did when it started.
    pub(crate) fn run(&self) -> Result<&Run, String> {
        self.run.as_ref().map_err(|wrong| format!("on {}: {wrong}", self.build.provider.name()))
    }
}

/// The runners of some eggs on each cloud, or why there are none.
type Made = Arc<OnceLock<Result<Vec<[Runner; 2]>, String>>>;

/// `OpenTofu` and the fake cloud.
pub(crate) struct Clouds {
    tofu: PathBuf,
    fake_cloud: PathBuf,
    /// The SHA-256 of the gosling that a machine downloads.
    sha256: String,
}

impl Clouds {
    /// None when one of them can't be had here.
    pub(crate) fn new() -> Option<Self> {
        Some(Self { tofu: tools::tofu()?, fake_cloud: tools::fake_cloud()?, sha256: sha256(PROGRAM) })
    }

    /// The runners of eggs. The properties draw the same eggs, so that they are made once for all of them.
    pub(crate) fn runners(&self, eggs: &[Egg]) -> Made {
        static MADE: Mutex<BTreeMap<String, Made>> = Mutex::new(BTreeMap::new());
        let made = Arc::clone(MADE.lock().unwrap().entry(format!("{eggs:?}")).or_default());
        made.get_or_init(|| {
            let built = eggs.iter().map(Egg::built).collect::<Result<Vec<_>, _>>()?;
            self.make(built)
        });
        made
    }

    /// Makes one runner of each build, all in one run, takes from the cloud what it is told, and starts it.
    fn make(&self, built: Vec<[Built; 2]>) -> Result<Vec<[Runner; 2]>, String> {
        let folder = tempfile::tempdir().unwrap();
        let mut bench = Bench::over(&self.tofu, folder, "").with_clouds(&self.fake_cloud);
        bench.egg = bench.folder.path().to_owned();
        // The programs of Go that run here are short-lived; they need not clean up behind themselves so often.
        bench.environment.push(("GOGC", "800".into()));
        let goslings = CLOUDS.map(|provider| {
            let folder = bench.egg.join("power").join(provider.name());
            fs::create_dir_all(&folder).unwrap();
            script(&folder, POWER)
        });
        let mut root = Root::default();
        for (number, both) in built.iter().enumerate() {
            for (build, gosling) in both.iter().zip(&goslings) {
                root.add(build, number, self.call(build, number, gosling))?;
            }
        }
        root.write(&bench.egg);
        run(&bench, &["init", "-input=false", "-no-color"])?;
        accepts(&bench)?;
        run(&bench, &["fmt", "-check", "-recursive", "-diff", "build"])?;
        let said = run(&bench, &["apply", "-auto-approve", "-input=false", "-no-color"])?;
        let mut warnings = said.lines().filter_map(|line| line.split_once("Warning: "));
        if let Some((_, warning)) = warnings.find(|(_, warning)| !EXPECTED.contains(warning)) {
            return Err(format!("tofu apply warns: {warning}\n{said}"));
        }
        let state = json(&run(&bench, &["show", "-json"])?)?;
        let mut resources = BTreeMap::new();
        collect(&state["values"]["root_module"], &mut resources);

        let mut runners = Vec::new();
        for (number, both) in built.into_iter().enumerate() {
            let [yandex, aws] = both;
            let runner = |build: Built, gosling: &Path| {
                let told = told_to(&build, number, gosling, &resources)?;
                let run = told.run();
                Ok::<_, String>(Runner { build, told, run })
            };
            runners.push([runner(yandex, &goslings[0])?, runner(aws, &goslings[1])?]);
        }
        Ok(runners)
    }

    /// The call of an egg's root module, with what the orchestrator gives it.
    fn call(&self, build: &Built, number: usize, gosling: &Path) -> Value {
        let id = runner(number);
        let mut call = json!({
            "runners": { (id.clone()): { "pool": "apex", "commit": "0a1b2c3d" } },
            "tickets": { (id.clone()): format!("ticket-of-{id}") },
            "orchestrator_url": "https://gosling.example.com",
        });
        let own = match (build.provider, build.serverless) {
            (Provider::Aws, true) => json!({
                "gosling": gosling,
                "image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/gosling:1",
                "subnet_id": "subnet-given",
            }),
            (_, true) => json!({
                "gosling": gosling,
                "image": "cr.yandex/crp1/gosling:1",
                "invoker_id": "aje-orchestrator",
            }),
            (provider, false) => {
                let mut own = json!({
                    "subnet_id": "subnet-given",
                    "gosling_download": { "url": DOWNLOAD, "sha256": self.sha256 },
                });
                if provider == Provider::Yandex {
                    own["gosling"] = json!(gosling);
                }
                own
            }
        };
        if let (Some(call), Value::Object(own)) = (call.as_object_mut(), own) {
            call.extend(own);
        }
        call
    }
}

/// The id of a runner: the same on both clouds.
fn runner(number: usize) -> String {
    format!("r-{number}")
}

/// The module that calls all eggs' own.
///
/// The eggs lie beside each other in one build, so that they share the Compute Module, and provider blocks that are equal
/// stand in the root once: `OpenTofu` starts a provider for each of them.
#[derive(Default)]
struct Root {
    files: BTreeMap<String, String>,
    calls: serde_json::Map<String, Value>,
    /// Provider blocks with the alias of each.
    providers: BTreeMap<String, String>,
}

impl Root {
    fn add(&mut self, build: &Built, number: usize, mut call: Value) -> Result<(), String> {
        let cloud = build.provider.name();
        let key = key(build, number);
        for (path, text) in &build.own {
            if path == "providers.tf" {
                let block = text.find("\nprovider ").ok_or("no provider block")?;
                let number = self.providers.len();
                let alias = self.providers.entry(text[block..].to_owned());
                let alias = alias.or_insert_with(|| format!("place-{number}"));
                call["providers"] = json!({ (cloud): format!("{cloud}.{alias}") });
            } else {
                self.files.insert(format!("build/eggs/{key}/{path}"), text.clone());
            }
        }
        for (path, text) in build.files.iter().filter(|(path, _)| path.starts_with("compute-module/")) {
            let there = self.files.entry(format!("build/{path}")).or_insert_with(|| text.clone());
            if there != text {
                return Err(format!("{path} is not the same for all eggs"));
            }
        }
        call["source"] = json!(format!("./build/eggs/{key}"));
        self.calls.insert(key, call);
        Ok(())
    }

    fn write(self, folder: &Path) {
        let source = |cloud: &str| if cloud == "aws" { "hashicorp/aws" } else { "yandex-cloud/yandex" };
        let wanted: serde_json::Map<_, _> = CLOUDS
            .iter()
            .map(|cloud| (cloud.name().to_owned(), json!({ "source": source(cloud.name()) })))
            .collect();
        let root = json!({ "terraform": { "required_providers": wanted }, "module": self.calls });
        let mut files = self.files;
        files.insert("main.tf.json".to_owned(), root.to_string());
        for (block, alias) in self.providers {
            let block = block.replacen("\" {", &format!("\" {{\n  alias = \"{alias}\""), 1);
            files.insert(format!("{alias}.tf"), block);
        }
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
}

/// The name of an egg's module.
fn key(build: &Built, number: usize) -> String {
    format!("{}-{number}", build.provider.name())
}

fn run(bench: &Bench, arguments: &[&str]) -> Result<String, String> {
    let output = bench.try_tofu(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(format!("tofu {arguments:?}:\n{}\n{}", text(&output.stdout), text(&output.stderr)))
}

/// Valid, and without a warning but for the one that a called module's backend is not used.
fn accepts(bench: &Bench) -> Result<(), String> {
    let output = bench.try_tofu(&["validate", "-json"]);
    let said = json(&String::from_utf8_lossy(&output.stdout))?;
    let found = said["diagnostics"].as_array().ok_or_else(|| format!("no diagnostics in {said}"))?;
    let mut found = found.iter().filter(|one| one["summary"] != EXPECTED[0]);
    found.next().map_or(Ok(()), |one| Err(format!("tofu validate: {one:#}")))
}

/// Every resource of a module and of those it calls, by address.
fn collect(module: &Value, into: &mut BTreeMap<String, Value>) {
    for resource in module["resources"].as_array().into_iter().flatten() {
        if let Some(address) = resource["address"].as_str() {
            into.insert(address.to_owned(), resource["values"].clone());
        }
    }
    for child in module["child_modules"].as_array().into_iter().flatten() {
        collect(child, into);
    }
}

fn told_to(
    build: &Built,
    number: usize,
    gosling: &Path,
    resources: &BTreeMap<String, Value>,
) -> Result<Told, String> {
    let id = runner(number);
    let root = format!("module.{}.", key(build, number));
    let one = |kind: &str| {
        let mut found = resources.iter().filter(|(address, _)| {
            address.starts_with(&root)
                && address.contains(&format!(".{kind}."))
                && !address.contains(".data.")
        });
        match (found.next(), found.next()) {
            (Some((_, values)), None) => Ok(values),
            _ => Err(format!("not one {kind} in {root}")),
        }
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let given = |name: &str| {
        let file = gosling.with_file_name(format!("gosling.{id}.{name}"));
        fs::read_to_string(&file).map_err(|_| format!("{root}: gosling did not start the runner"))
    };
    Ok(match (build.provider, build.serverless) {
        (Provider::Aws, false) => Told::Machine { user_data: text(&one("aws_instance")?["user_data"]) },
        (_, false) => {
            Told::Machine { user_data: text(&one("yandex_compute_instance")?["metadata"]["user-data"]) }
        }
        (provider, true) => {
            let egg = if provider == Provider::Aws {
                let containers = json(&text(&one("aws_ecs_task_definition")?["container_definitions"]))?;
                let containers = containers.as_array().into_iter().flatten();
                let variables =
                    containers.flat_map(|one| one["environment"].as_array().into_iter().flatten());
                let mut variables = variables.filter(|one| one["name"] == "GOSLING_EGG_CONFIG");
                variables.next().map(|one| text(&one["value"])).unwrap_or_default()
            } else {
                one("yandex_serverless_container")?;
                given("EGG_CONFIG")?
            };
            Told::Container { egg, runner: given("RUNNER_CONFIG")?, ticket: given("TICKET")? }
        }
    })
}

/// The SHA-256 of a text, from coreutils as the machine has it.
fn sha256(text: &str) -> String {
    use std::io::Write as _;
    let mut child = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    said.split_whitespace().next().unwrap().to_owned()
}
