//! An installation's `OpenTofu` in a folder of its own, and a Nest with eggs on this machine.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use flyc::{host, lower::Backend};
use orchestrator::{
    adapters::tofu::{OpenTofu, Options},
    domain::{PoolKind, RunnerId},
    ports::{
        secrets::Secret,
        tofu::{Applied, Bundle, PlanRequest, Tofu, TofuError, WantedRunner},
    },
};
use polar_gosling_tests::tools;
use tempfile::TempDir;

/// A runner that ends by its signal, and when its folder is gone, so that no failed test leaves one behind.
pub(crate) const RUNNER: &str =
    "trap 'exit 0' TERM\nwhile [ -d \"$GOSLING_FOLDER\" ]; do\n  sleep 0.05 &\n  wait $!\ndone";

/// The ticket of a runner, which nobody may ever see.
pub(crate) fn ticket(id: &str) -> String {
    format!("ticket-that-nobody-sees-of-{id}")
}

/// An installation.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) tofu: PathBuf,
    /// Where the stand-in of `gosling` is.
    pub(crate) gosling: PathBuf,
    pub(crate) adapter: OpenTofu,
    pub(crate) bundles: BTreeMap<String, Bundle>,
}

impl Bench {
    /// One with these eggs; none where there is no `OpenTofu`.
    pub(crate) async fn new(eggs: &[&str]) -> Option<Self> {
        let tofu = tools::tofu()?;
        let folder = TempDir::new().unwrap();
        let gosling = script(&folder.path().join("gosling"), RUNNER);
        let logged = wrapper(folder.path(), &tofu);
        let adapter = OpenTofu::new(options(folder.path(), &logged));
        holder_of_mkdir(folder.path());
        let mut bench = Self { folder, tofu, gosling, adapter, bundles: BTreeMap::new() };
        bench.nest(&eggs.iter().map(|name| (*name, "docs")).collect::<Vec<_>>()).await;
        Some(bench)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Builds a Nest of these eggs, each with a tag, and keeps it.
    pub(crate) async fn nest(&mut self, eggs: &[(&str, &str)]) {
        let nest = self.folder.path().join("nest");
        let _ = fs::remove_dir_all(&nest);
        fs::create_dir_all(&nest).unwrap();
        fs::write(nest.join("nest.fly"), "nest {\n  name = \"platform\"\n}\n").unwrap();
        for (number, (name, tag)) in eggs.iter().enumerate() {
            let egg = nest.join("Eggs").join(name);
            fs::create_dir_all(&egg).unwrap();
            fs::write(egg.join("config.fly"), egg_text(name, tag, number + 1)).unwrap();
        }
        self.build().await;
    }

    /// The egg begins so many lines further down.
    pub(crate) async fn moved_down(&mut self, egg: &str, lines: usize) {
        let file = self.folder.path().join("nest/Eggs").join(egg).join("config.fly");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, "\n".repeat(lines) + &text).unwrap();
        self.build().await;
    }

    async fn build(&mut self) {
        let nest = self.folder.path().join("nest");
        let built = self.folder.path().join("built");
        let (_, result) = host::build_nest(&nest, &built, Some(Backend::Local));
        result.unwrap();
        let kept = self.adapter.keep(&built).await.unwrap();
        self.bundles = kept.into_iter().map(|bundle| (bundle.owner.clone(), bundle)).collect();
    }

    /// Another `gosling` over the same folder, with other options.
    pub(crate) fn restart(&mut self, change: impl FnOnce(&mut Options)) {
        let mut options = options(self.folder.path(), &self.folder.path().join("tofu"));
        change(&mut options);
        self.adapter = OpenTofu::new(options);
    }

    /// From now on an apply that makes a runner stays in its middle.
    pub(crate) fn hold(&self) {
        fs::write(self.folder.path().join("hold"), "").unwrap();
    }

    /// From now on a plan stays in its middle.
    pub(crate) fn hold_plans(&self) {
        fs::write(self.folder.path().join("hold-plans"), "").unwrap();
    }

    /// Whether something stays in its middle.
    pub(crate) fn is_held(&self) -> bool {
        self.folder.path().join("held").exists()
    }

    /// The process that stays.
    pub(crate) fn holder(&self) -> i32 {
        fs::read_to_string(self.folder.path().join("held")).unwrap().trim().parse().unwrap()
    }

    /// Everything goes on.
    pub(crate) fn let_go(&self) {
        for file in ["hold", "hold-plans", "held"] {
            let _ = fs::remove_file(self.folder.path().join(file));
        }
    }

    /// The workspace of an egg.
    pub(crate) fn workspace(&self, egg: &str) -> PathBuf {
        self.data().join("tofu/workspaces").join(egg)
    }

    /// The process of the run that is under way for an egg.
    pub(crate) fn run(&self, egg: &str) -> Option<i32> {
        let text = fs::read_to_string(self.workspace(egg).join("run.json")).ok()?;
        let record: serde_json::Value = serde_json::from_str(&text).unwrap();
        i32::try_from(record["process"]["pid"].as_i64()?).ok()
    }

    /// Kills the run that is under way for an egg, with all it has started.
    pub(crate) fn kill_run(&self, egg: &str) {
        let group = rustix::process::Pid::from_raw(self.run(egg).unwrap()).unwrap();
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
    }

    /// `tofu apply`, as somebody at a terminal would.
    pub(crate) fn by_hand(&self, egg: &str, fleet: &[(&str, PoolKind)]) -> std::process::Child {
        let folder = self.workspace(egg).join("eggs").join(egg);
        let runners: BTreeMap<&str, serde_json::Value> =
            fleet.iter().map(|(id, pool)| (*id, serde_json::json!({ "pool": pool }))).collect();
        let variables = serde_json::json!({
            "runners": runners,
            "orchestrator_url": "http://127.0.0.1:1",
            "runners_folder": self.adapter.runners_folder(),
        });
        fs::write(folder.join("runners.auto.tfvars.json"), variables.to_string()).unwrap();
        std::process::Command::new(&self.tofu)
            .args(["apply", "-auto-approve", "-input=false"])
            .current_dir(folder)
            .env("PATH", path(self.folder.path()))
            .env("TF_CLI_CONFIG_FILE", "/dev/null")
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    }

    /// What is asked for a fleet: each has a ticket.
    pub(crate) fn request(&self, egg: &str, fleet: &[(&str, PoolKind)]) -> PlanRequest {
        let id = |id: &str| RunnerId::new(id.to_owned());
        let runner = |pool: &PoolKind| WantedRunner { pool: *pool, commit: Some("c0ffee".into()) };
        PlanRequest {
            bundle: self.bundles[egg].clone(),
            runners: fleet.iter().map(|(name, pool)| (id(name), runner(pool))).collect(),
            tickets: fleet.iter().map(|(name, _)| (id(name), Secret::new(ticket(name)))).collect(),
            variables: BTreeMap::from([
                ("orchestrator_url".to_owned(), "http://127.0.0.1:1".into()),
                ("gosling".to_owned(), self.gosling.to_str().unwrap().into()),
                ("subnet_id".to_owned(), "of-clouds-only".into()),
            ]),
            environment: BTreeMap::new(),
        }
    }

    /// Plans and applies.
    pub(crate) async fn deploy(&self, egg: &str, fleet: &[(&str, PoolKind)]) -> Result<Applied, TofuError> {
        let request = self.request(egg, fleet);
        let plan = self.adapter.plan(&request).await?;
        self.adapter.apply(&request, &plan.binary).await
    }

    /// The folder of a runner.
    pub(crate) fn home(&self, id: &str) -> PathBuf {
        self.adapter.runners_folder().join(id)
    }

    /// The process of a runner, if it is there.
    pub(crate) fn process(&self, id: &str) -> Option<i32> {
        let text = fs::read_to_string(self.home(id).join("gosling.pid")).ok()?;
        text.lines().next()?.parse().ok().filter(|pid| alive(*pid))
    }

    /// The verbs that `tofu` was started with, in order.
    pub(crate) fn verbs(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("verbs")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

pub(crate) fn options(folder: &Path, tofu: &Path) -> Options {
    let mut options = Options::new(folder.join("data"), std::env::vars_os());
    options.program = Some(tofu.to_owned());
    options.environment.insert("PATH".into(), path(folder));
    options.lock_timeout = Duration::ZERO;
    options
}

/// The `PATH`, with the test's own programs first.
fn path(folder: &Path) -> std::ffi::OsString {
    let mut path = folder.join("bin").into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    path
}

/// What stays in its middle while a file is there, and nobody's folder has gone.
fn holding_script(folder: &Path, name: &str) -> String {
    let (told, there) = (folder.join(name), folder.join("held"));
    let (told, there) = (told.display(), there.display());
    format!(
        "if [ -e '{told}' ]; then\n  echo $$ >'{there}.new'\n  mv '{there}.new' '{there}'\n  while [ -e '{told}' ]; do sleep 0.05; done\nfi"
    )
}

/// `mkdir`, the first thing that a runner is made with: it stays in its middle when it is told to.
fn holder_of_mkdir(folder: &Path) {
    let mkdir = tools::on_path("mkdir").unwrap();
    fs::create_dir(folder.join("bin")).unwrap();
    let text = format!("{}\nexec '{}' \"$@\"", holding_script(folder, "hold"), mkdir.display());
    script(&folder.join("bin/mkdir"), &text);
}

/// An egg on this machine.
fn egg_text(name: &str, tag: &str, project: usize) -> String {
    format!(
        "egg \"{name}\" {{\n  type = \"vm\"\n\n  cloud {{\n    provider = \"local\"\n  }}\n\n  runner {{\n    \
         tags     = [\"{tag}\"]\n    executor = \"shell\"\n  }}\n\n  gitlab {{\n    project_id   = {project}\n    \
         token_secret = \"vault://gitlab/{name}/runner-token\"\n  }}\n}}\n"
    )
}

/// A shell script.
pub(crate) fn script(path: &Path, text: &str) -> PathBuf {
    // Renamed into its place: a file that is open for writing can't be started.
    let new = path.with_extension("new");
    fs::write(&new, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&new, path).unwrap();
    path.to_owned()
}

/// `tofu`, which writes down what it is asked to do.
fn wrapper(folder: &Path, tofu: &Path) -> PathBuf {
    let text = format!(
        "echo \"$1\" >>'{}'\nif [ \"$1\" = plan ]; then\n{}\nfi\nexec '{}' \"$@\"",
        folder.join("verbs").display(),
        holding_script(folder, "hold-plans"),
        tofu.display()
    );
    script(&folder.join("tofu"), &text)
}

/// Whether the process is there; one that only waits to be reaped is not.
pub(crate) fn alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Waits until something holds.
pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_mins(1), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The files below a folder that hold a text.
pub(crate) fn holding(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if fs::read(&path)
            .is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
        {
            found.push(path);
        }
    }
    found
}
