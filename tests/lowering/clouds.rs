//! Many builds at a time in the clouds: real `OpenTofu`, one root module that calls each egg's own, and the fake cloud.
//!
//! Here lives how they are made and how what a runner is told is found again. Never here: what a runner does with it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use flyc::artifact::Provider;
use polar_gosling_tests::tools;
use serde_json::{Value, json};

use crate::{
    bench::{Bench, script},
    boot::{self, PROGRAM, Run},
    eggs::{Built, CLOUDS},
    json,
};

/// Where a new machine gets gosling from.
pub(crate) const DOWNLOAD: &str = "https://gosling.example.com/gosling?a=1&b=2";

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
    /// Whether it is a runner of this kind, and told anything.
    pub(crate) fn made(&self, serverless: bool) -> bool {
        match self {
            Self::Machine { user_data } => !serverless && !user_data.is_empty(),
            Self::Container { egg, runner, ticket } => {
                serverless && ![egg, runner, ticket].into_iter().any(String::is_empty)
            }
        }
    }

    /// All of it, to be compared byte for byte.
    pub(crate) fn alike(&self) -> Vec<&str> {
        match self {
            Self::Machine { user_data } => vec![user_data],
            Self::Container { egg, runner, ticket } => vec![egg, runner, ticket],
        }
    }

    /// What the runner does with it.
    pub(crate) fn run(&self) -> Result<Run, String> {
        match self {
            Self::Machine { user_data } => boot::machine(user_data),
            Self::Container { egg, runner, ticket } => boot::container(egg, runner, ticket),
        }
    }
}

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

    /// Makes one runner of each build, all in one run, and takes from the cloud what it is told.
    pub(crate) fn make(&self, built: Vec<[Built; 2]>) -> Result<Vec<[(Built, Told); 2]>, String> {
        let folder = tempfile::tempdir().unwrap();
        let mut bench = Bench::over(&self.tofu, folder, "").with_clouds(&self.fake_cloud);
        bench.egg = bench.folder.path().to_owned();
        let goslings = CLOUDS.map(|provider| {
            let folder = bench.egg.join("power").join(provider.name());
            fs::create_dir_all(&folder).unwrap();
            script(&folder, POWER)
        });
        let mut modules = serde_json::Map::new();
        for (number, both) in built.iter().enumerate() {
            for (build, gosling) in both.iter().zip(&goslings) {
                let key = format!("{}-{number}", build.provider.name());
                write(&bench.egg.join("builds").join(&key), &build.files);
                modules.insert(key.clone(), self.call(build, &key, number, gosling));
            }
        }
        fs::write(bench.egg.join("main.tf.json"), json!({ "module": modules }).to_string()).unwrap();
        run(&bench, &["init", "-input=false", "-no-color"])?;
        run(&bench, &["fmt", "-check", "-recursive", "-diff", "builds"])?;
        accepts(&bench)?;
        run(&bench, &["apply", "-auto-approve", "-input=false", "-no-color"])?;
        let state = json(&run(&bench, &["show", "-json"])?)?;
        let mut resources = BTreeMap::new();
        collect(&state["values"]["root_module"], &mut resources);

        let mut told = Vec::new();
        for (number, both) in built.into_iter().enumerate() {
            let [yandex, aws] = both;
            let of = |build: &Built, gosling: &Path| told_to(build, number, gosling, &resources);
            let pair = [of(&yandex, &goslings[0])?, of(&aws, &goslings[1])?];
            let [yandex_told, aws_told] = pair;
            told.push([(yandex, yandex_told), (aws, aws_told)]);
        }
        Ok(told)
    }

    /// The call of an egg's root module, with what the orchestrator gives it.
    fn call(&self, build: &Built, key: &str, number: usize, gosling: &Path) -> Value {
        let id = runner(number);
        let mut call = json!({
            "source": format!("./builds/{key}/eggs/{}", build.name),
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

fn write(folder: &Path, files: &BTreeMap<String, String>) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
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
    let mut found = found.iter().filter(|one| one["summary"] != "Backend configuration ignored");
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
    let root = format!("module.{}-{number}.", build.provider.name());
    let one = |kind: &str| {
        let mut found = resources.iter().filter(|(address, _)| {
            address.starts_with(&root) && address.contains(&format!(".{kind}.")) && !address.contains(".data.")
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
                let variables = containers.flat_map(|one| one["environment"].as_array().into_iter().flatten());
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
