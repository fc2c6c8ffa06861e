//! A whole installation on this machine: a Nest in a git repository, the fake GitLab, `gosling serve` and what it starts. The
//! end-to-end tests and the demo play on it.
//!
//! What never lives here: what is expected of it.

#![allow(clippy::expect_used, clippy::panic, reason = "without its parts there is nothing to play with")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

mod agent;
mod log;
mod processes;

use log::Log;
pub use processes::processes_in;
use processes::signal;

use super::gitlab::{FakeGitLab, Hook, NewJob, Place, Project, User};
use crate::tools::{self, FakeCloud};

/// What doesn't come in so long doesn't come.
const PATIENCE: Duration = Duration::from_mins(2);

/// The host by which Nests name the fake GitLab.
pub const HOST: &str = "gitlab.demo.test";

/// The project that the egg `demo` serves.
pub const PROJECT: u64 = 1;

/// The tokens and secrets of the installation: known, so that a test can look for them where they must not be.
pub const API_TOKEN: &str = "glpat-demo-4f1d7c2b9a";
/// What webhooks show.
pub const HOOK_SECRET: &str = "hook-secret-91b2c4d8e7";

/// An egg whose runners are processes of this machine.
pub const EGG: &str = r#"# Runners that are processes of this machine.
egg "demo" {
  type = "vm"

  cloud {
    provider = "local"
  }

  runner {
    tags       = ["demo"]
    executor   = "shell"
    concurrent = 2
  }

  gitlab {
    server     = "gitlab.demo.test"
    project_id = 1
  }
}
"#;

/// A runner sleeps after some seconds without a job, and goes after some more.
pub const UGLYFOX: &str = r#"# A runner sleeps after three seconds without a job, and goes after six.
uglyfox {
  runners_condition "demo" {
    eggs_entities = ["demo"]

    apex {
      max_count = 2
    }

    nadir {
      max_count = 1
    }
  }

  policies {
    rule "rest" {
      condition = "state == 'apex' AND idle_time > 3s"
      action    = "demote_to_nadir"
    }

    rule "leave" {
      condition = "state == 'nadir' AND idle_time > 6s"
      action    = "terminate"
    }
  }
}
"#;

/// A running `gosling serve`.
#[derive(Debug)]
struct Serving {
    process: Child,
    log: Arc<Log>,
    url: String,
}

/// The installation.
#[derive(Debug)]
pub struct Stage {
    folder: TempDir,
    program: PathBuf,
    /// The GitLab.
    pub gitlab: FakeGitLab,
    tofu: PathBuf,
    token: String,
    listen: String,
    serving: Option<Serving>,
    /// Options of `gosling serve` besides.
    pub options: Vec<String>,
    /// Variables of its environment besides.
    environment: Vec<(&'static str, PathBuf)>,
    /// How often it is decided, and the Nest and GitLab are looked at.
    pub intervals: [&'static str; 3],
    /// The logs of all that have served before.
    logs: Vec<Arc<Log>>,
}

/// Runs a program and says what it said; panics when it fails.
fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

impl Stage {
    /// One with these files in its Nest. None when there is no `OpenTofu` to be had.
    ///
    /// # Panics
    ///
    /// When this machine lacks something else.
    pub fn new(files: &[(&str, &str)]) -> Option<Self> {
        Self::with(tools::gosling(), files)
    }

    /// One whose `gosling` is this program.
    ///
    /// # Panics
    ///
    /// When this machine lacks something else than `OpenTofu`.
    pub fn with(program: &Path, files: &[(&str, &str)]) -> Option<Self> {
        let tofu = tools::tofu()?;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        fs::create_dir_all(folder.path().join("bin")).expect("a folder can be made");
        let gitlab = FakeGitLab::start();
        gitlab.change(|world| {
            let scopes = ["api", "create_runner", "manage_runner"].map(str::to_owned).into();
            world.users.insert(API_TOKEN.to_owned(), User { scopes, role: 50 });
            world.projects.insert(PROJECT, project("demo"));
        });
        let mut stage = Self {
            folder,
            program: program.to_owned(),
            gitlab,
            tofu,
            token: String::new(),
            listen: "127.0.0.1:0".to_owned(),
            serving: None,
            options: Vec::new(),
            environment: Vec::new(),
            intervals: ["1s", "1s", "2s"],
            logs: Vec::new(),
        };
        stage.use_agent(&tools::agent());
        fs::create_dir_all(stage.nest()).expect("a folder can be made");
        stage.git(&["init", "--quiet", "--initial-branch=main"]);
        stage.commit(files);
        stage.secrets_of("demo");
        stage.token =
            stage.run(&["token", "stage", "--scope", "read", "--scope", "operate", "--scope", "trigger"]);
        Some(stage)
    }

    /// Puts the fake cloud where OpenTofu looks for the clouds' providers, and gives the eggs' modules these variables, by
    /// cloud. None when it can't be had.
    ///
    /// # Panics
    ///
    /// When the folder can't be written.
    #[must_use]
    pub fn with_clouds(mut self, mut variables: Value) -> Option<Self> {
        let fake_cloud = tools::fake_cloud()?;
        let platform = match std::env::consts::ARCH {
            "aarch64" => "linux_arm64",
            _ => "linux_amd64",
        };
        let mirror = self.folder().join("mirror");
        for (namespace, name, version) in
            [("yandex-cloud", "yandex", "0.219.0"), ("hashicorp", "aws", "6.66.0")]
        {
            let place = mirror.join("registry.opentofu.org").join(namespace).join(name);
            let place = place.join(version).join(platform);
            fs::create_dir_all(&place).expect("a folder can be made");
            let program = place.join(format!("terraform-provider-{name}_v{version}"));
            std::os::unix::fs::symlink(&fake_cloud, program).expect("a link can be made");
        }
        let config = self.folder().join("tofu.rc");
        let text = format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
            mirror.display()
        );
        fs::write(&config, text).expect("a file can be written");
        // It does the work of `gosling power` as well, unless somebody else is to.
        for cloud in ["yandex", "aws"] {
            if variables[cloud]["gosling"].is_null() {
                variables[cloud]["gosling"] = fake_cloud.to_string_lossy().into();
            }
        }
        let file = self.folder().join("variables.json");
        for (option, value) in [("--tofu-config", &config), ("--variables", &file)] {
            self.options.extend([option.to_owned(), value.to_string_lossy().into_owned()]);
        }
        self.options.extend(["--tofu-env", "FAKE_CLOUD_DIR,SCHEMA_JSON"].map(str::to_owned));
        self.environment =
            vec![("FAKE_CLOUD_DIR", self.folder().join("cloud")), ("SCHEMA_JSON", tools::provider_schemas())];
        self.give(&variables);
        Some(self)
    }

    /// Gives the eggs' modules these variables, by cloud, from the next start on; a program for `gosling power` they keep.
    ///
    /// # Panics
    ///
    /// When the folder can't be written.
    pub fn give(&self, variables: &Value) {
        let file = self.folder().join("variables.json");
        let mut variables = variables.clone();
        let before = fs::read(&file).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        for cloud in ["yandex", "aws"] {
            if let Some(gosling) = before.as_ref().map(|before| &before[cloud]["gosling"]) {
                variables[cloud]["gosling"] = gosling.clone();
            }
        }
        fs::write(file, variables.to_string()).expect("a file can be written");
    }

    /// The fake cloud.
    pub fn cloud(&self) -> FakeCloud {
        FakeCloud::new(self.folder().join("cloud"))
    }

    /// What the API answers.
    ///
    /// # Panics
    ///
    /// When it refuses.
    pub fn ask(&self, method: &str, path: &str, body: Option<&str>) -> String {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = format!("{}/{path}", self.url().trim_end_matches('/'));
        let method = method.parse().expect("a method of HTTP");
        let mut request = reqwest::blocking::Client::new().request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        let answer = request.send().expect("the API answers");
        let status = answer.status();
        let text = answer.text().unwrap_or_default();
        assert!(status.is_success(), "{path}: {status}\n{text}");
        text
    }

    /// The folder of everything.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The Nest's folder, which is its repository.
    pub fn nest(&self) -> PathBuf {
        self.folder().join("nest")
    }

    /// The folder of `gosling serve`.
    pub fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.args([
            "-c",
            "user.name=Stage",
            "-c",
            "user.email=stage@example.com",
            "-c",
            "commit.gpgsign=false",
        ]);
        run(git.args(arguments).current_dir(self.nest()))
    }

    /// Writes files of the Nest, removes those without a text, and commits. The commit.
    ///
    /// # Panics
    ///
    /// When that can't be done.
    pub fn commit(&self, files: &[(&str, &str)]) -> String {
        for (path, text) in files {
            let path = self.nest().join(path);
            if text.is_empty() {
                fs::remove_file(path).expect("the file is there");
            } else {
                fs::create_dir_all(path.parent().expect("a file has a folder"))
                    .expect("a folder can be made");
                fs::write(path, text).expect("a file can be written");
            }
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "The Nest"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Puts the secrets where the defaults of an egg lead.
    ///
    /// # Panics
    ///
    /// When `gosling` refuses them.
    pub fn secrets_of(&self, egg: &str) {
        for (name, value) in [("api-token", API_TOKEN), ("webhook-secret", HOOK_SECRET)] {
            self.put_secret(&format!("vault://gitlab/{HOST}/{egg}/{name}"), value);
        }
    }

    /// Puts a secret.
    ///
    /// # Panics
    ///
    /// When `gosling` refuses it.
    pub fn put_secret(&self, uri: &str, value: &str) {
        let mut put = self.gosling(&["secret", "put", uri]);
        let mut process = put.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("gosling starts");
        process.stdin.take().expect("a pipe").write_all(value.as_bytes()).expect("it listens");
        assert!(process.wait().expect("it ends").success(), "gosling secret put {uri}");
    }

    /// A `gosling` of this installation.
    ///
    /// # Panics
    ///
    /// When the folder's path has a colon.
    pub fn gosling(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear();
        for name in ["HOME", "TMPDIR", "LANG", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let ours = [self.folder().join("bin")].into_iter().chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(ours).expect("folders have no colons"));
        command.env("GOSLING_DATA", self.data()).current_dir(self.folder());
        if let Some(serving) = &self.serving {
            command.env("GOSLING_API", &serving.url);
        }
        let token = self.folder().join("token");
        if !self.token.is_empty() {
            fs::write(&token, &self.token).expect("a file can be written");
            command.env("GOSLING_TOKEN_FILE", token);
        }
        command
    }

    /// What a command of `gosling` says; panics when it fails.
    pub fn run(&self, arguments: &[&str]) -> String {
        run(&mut self.gosling(arguments))
    }

    /// What a command of `gosling` says, however it ends.
    ///
    /// # Panics
    ///
    /// When it doesn't start.
    pub fn output(&self, arguments: &[&str]) -> Output {
        self.gosling(arguments).stdin(Stdio::null()).output().expect("gosling starts")
    }

    /// Starts `gosling serve` with variables besides, and waits until it serves. After a first time it listens where it did.
    ///
    /// # Panics
    ///
    /// When it doesn't.
    pub fn serve(&mut self, environment: &[(&str, &str)]) {
        self.start(environment);
        let serving = self.serving.as_mut().expect("it was started");
        let (url, _) = serving.log.wait(0, "that it serves", |line| {
            let line: Value = serde_json::from_str(line).ok()?;
            (line["message"] == "gosling serves").then(|| line["url"].as_str().map(str::to_owned))?
        });
        url.trim_start_matches("http://").trim_end_matches('/').clone_into(&mut self.listen);
        serving.url = url;
        self.hook(PROJECT);
    }

    /// Starts `gosling serve`, which may not come far.
    ///
    /// # Panics
    ///
    /// When it doesn't start at all.
    pub fn start(&mut self, environment: &[(&str, &str)]) {
        let nest = self.nest();
        let gitlab = format!("{HOST}={}", self.gitlab.url());
        let listen = self.listen.clone();
        self.serving = None;
        let mut command = self.gosling(&["--log-format", "json", "-v", "serve", "--listen", &listen]);
        command.arg("--nest").arg(nest).args(["--gitlab", &gitlab]).arg("--tofu").arg(&self.tofu);
        for (name, every) in ["decide", "sync", "sweep"].iter().zip(self.intervals) {
            command.args([format!("--{name}-interval"), every.to_owned()]);
        }
        command.args(&self.options).envs(environment.iter().copied());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let log = Arc::new(Log::default());
        log.read(process.stderr.take().expect("a pipe"));
        self.logs.push(Arc::clone(&log));
        self.serving = Some(Serving { process, log, url: String::new() });
    }

    /// GitLab tells of what happens in a project.
    ///
    /// # Panics
    ///
    /// When nobody serves.
    pub fn hook(&self, project: u64) {
        let url = format!("{}/webhooks/gitlab", self.url().trim_end_matches('/'));
        self.gitlab.change(|world| {
            world.hooks.retain(|_, hook| hook.place != Place::Project(project));
            let id = world.id();
            let events = ["job_events", "pipeline_events", "push_events"].map(|name| (name.to_owned(), true));
            let hook = Hook {
                place: Place::Project(project),
                url,
                token: Some(HOOK_SECRET.to_owned()),
                events: BTreeMap::from(events),
                ssl_verification: false,
                uuid: format!("hook-{id}"),
            };
            world.hooks.insert(id, hook);
        });
    }

    /// Where the API is.
    ///
    /// # Panics
    ///
    /// When nobody serves.
    pub fn url(&self) -> String {
        self.serving.as_ref().expect("gosling serves").url.clone()
    }

    /// Queues a job and says its id.
    ///
    /// # Panics
    ///
    /// Never.
    pub fn queue_job(&self, name: &str, tags: &[&str], script: &[&str]) -> u64 {
        let (_, jobs) =
            self.gitlab.change(|world| world.queue(PROJECT, vec![NewJob::new(name, tags, script)]));
        jobs[0]
    }

    /// Waits until `gosling serve` says something, looking at what it has said so far too.
    ///
    /// # Panics
    ///
    /// When it doesn't.
    pub fn said<R>(&self, what: &str, mut look: impl FnMut(&Value) -> Option<R>) -> R {
        let log = &self.serving.as_ref().expect("gosling serves").log;
        log.wait(0, what, |line| look(&serde_json::from_str(line).ok()?)).0
    }

    /// Waits until a runner of an egg has come from one state to another; the runner.
    ///
    /// # Panics
    ///
    /// When none does.
    pub fn transition(&self, egg: &str, to: &str) -> String {
        self.said(&format!("a runner of {egg} that is {to}"), |line| {
            (line["egg"] == egg && line["to"] == to)
                .then(|| line["runner"].as_str().map(str::to_owned))
                .flatten()
        })
    }

    /// Waits until the status shows something: it is looked at whenever `gosling serve` has said something.
    ///
    /// # Panics
    ///
    /// When it doesn't.
    pub fn status_shows<R>(&self, what: &str, mut look: impl FnMut(&Value) -> Option<R>) -> R {
        let log = &self.serving.as_ref().expect("gosling serves").log;
        let mut at = 0;
        loop {
            if let Some(found) = look(&self.status()) {
                return found;
            }
            // Its own look is told of as well, and changes nothing.
            ((), at) = log.wait(at, what, |line| (!line.contains("gosling::access")).then_some(()));
            at = at.max(log.lines().0.len());
        }
    }

    /// `gosling status --output json`.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn status(&self) -> Value {
        serde_json::from_str(&self.run(&["status", "--output", "json"])).expect("the status is JSON")
    }

    /// Ends `gosling serve` as it should be, and says how it ended.
    ///
    /// # Panics
    ///
    /// When it doesn't end.
    pub fn stop(&mut self) -> ExitStatus {
        let mut serving = self.serving.take().expect("gosling serves");
        signal(serving.process.id(), "TERM");
        serving.process.wait().expect("it ends")
    }

    /// Kills it.
    ///
    /// # Panics
    ///
    /// When nobody serves.
    pub fn kill(&mut self) {
        let mut serving = self.serving.take().expect("gosling serves");
        serving.process.kill().expect("it can be killed");
        serving.process.wait().expect("it ends");
    }

    /// Waits until it has ended by a kill: at a point of `GOSLING_KILL_AT`.
    ///
    /// # Panics
    ///
    /// When it ends otherwise.
    pub fn killed(&mut self) {
        let mut serving = self.serving.take().expect("gosling serves");
        let status = serving.process.wait().expect("it ends");
        assert_eq!(status.signal(), Some(9), "{status}\n{}", self.log());
    }

    /// All that every `gosling serve` of this installation has said.
    pub fn log(&self) -> String {
        self.logs.iter().flat_map(|log| log.lines().0.clone()).collect::<Vec<_>>().join("\n")
    }

    /// The process of `gosling serve`.
    ///
    /// # Panics
    ///
    /// When nobody serves.
    pub fn process(&self) -> u32 {
        self.serving.as_ref().expect("gosling serves").process.id()
    }

    /// The processes that have something to do with this installation, by their command lines.
    pub fn processes(&self) -> Vec<(u32, String)> {
        processes_in(self.folder())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(mut serving) = self.serving.take() {
            let _ = serving.process.kill();
            let _ = serving.process.wait();
        }
        for (id, _) in self.processes() {
            signal(id, "KILL");
        }
    }
}

fn project(path: &str) -> Project {
    Project {
        path: path.to_owned(),
        group: None,
        protected_branches: ["main".to_owned()].into(),
        protected_tags: BTreeSet::new(),
        ci: Vec::new(),
        schedules: BTreeMap::new(),
        deploy_keys: BTreeMap::new(),
        build_timeout: 3600,
    }
}
