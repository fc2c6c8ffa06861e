//! The folder of a runner and its process, as the module of `provider = "local"` makes them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use flyc::artifact::{EnvValue, Executor, FORMAT_VERSION, Runner};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use polar_gosling_tests::tools;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::mother::{BOUND, CREDENTIAL, Mother};

/// What nobody may see.
const SECRETS: [&str; 5] =
    ["ticket-of-one-use", CREDENTIAL, "glrt-first-token", "glrt-second-token", "secret-of-the-egg"];

pub(crate) struct Bench {
    folder: TempDir,
    runner: Value,
    egg: Value,
}

/// A `gosling runner`; nothing of it is left when it is dropped.
pub(crate) struct Process(Child);

impl Bench {
    pub(crate) fn new(mother: &Mother) -> Self {
        Self::with(mother, false)
    }

    pub(crate) fn ephemeral(mother: &Mother) -> Self {
        Self::with(mother, true)
    }

    fn with(mother: &Mother, ephemeral: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let runner = json!({
            "runner_id": "docs-1",
            "egg": "docs",
            "orchestrator_url": format!("http://{}", mother.address),
            "egg_file": at("egg.json"),
            "ticket_file": at("ticket"),
        });
        let how = Runner {
            tags: vec!["docs".to_owned()],
            concurrent: 3,
            idle_timeout_s: 600,
            timeout_s: 600,
            run_untagged: false,
            protected: false,
            executor: Executor::Shell,
            image: String::new(),
            privileged: false,
            ephemeral,
        };
        let environment = BTreeMap::from([
            ("PLAIN_VALUE", EnvValue::Text("plain".to_owned())),
            ("SECRET_VALUE", EnvValue::Secret("vault://eggs/docs/value".to_owned())),
        ]);
        let egg = json!({
            "format_version": FORMAT_VERSION, "name": "docs", "runner": how, "environment": environment,
        });
        fs::write(at("runner.json"), runner.to_string()).unwrap();
        fs::write(at("egg.json"), egg.to_string()).unwrap();
        fs::write(at("ticket"), "ticket-of-one-use\n").unwrap();
        let agent = at("gitlab-runner");
        fs::write(&agent, include_str!("agent.sh")).unwrap();
        fs::set_permissions(&agent, fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder, runner, egg }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Process {
        let mut command = self.command();
        command.arg("--config").arg(self.folder().join("runner.json")).args(arguments);
        Process(command.spawn().unwrap())
    }

    pub(crate) fn start_from_environment(&self) -> Process {
        let mut command = self.command();
        command
            .args(["--from", "environment"])
            .env("GOSLING_RUNNER_CONFIG", self.runner_told().to_string())
            .env("GOSLING_EGG_CONFIG", self.egg.to_string())
            .env("GOSLING_TICKET", "ticket-of-one-use");
        Process(command.spawn().unwrap())
    }

    pub(crate) fn start_from_request(&self) -> (Process, u16) {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = self.command();
        command.args(["--from", "request"]).env("PORT", port.to_string());
        (Process(command.spawn().unwrap()), port)
    }

    /// The body of an invocation, as `gosling power` sends it.
    pub(crate) fn request(&self) -> Value {
        json!({
            "runner_config": self.runner_told().to_string(),
            "egg_config": self.egg.to_string(),
            "ticket": "ticket-of-one-use",
        })
    }

    /// What a container is told, which has no files.
    fn runner_told(&self) -> Value {
        let mut told = self.runner.clone();
        for file in ["egg_file", "ticket_file"] {
            told.as_object_mut().unwrap().remove(file);
        }
        told
    }

    fn command(&self) -> Command {
        let path = self.folder().join("gosling.log");
        let log = File::options().create(true).append(true).open(path).unwrap();
        let own = std::env::var("PATH").unwrap();
        let mut command = Command::new("sh");
        command
            // The module starts it in the background of a shell, which has it ignore these.
            .args(["-c", "trap '' INT QUIT; exec \"$@\"", "sh"])
            .arg(tools::gosling())
            .arg("runner")
            .env("PATH", format!("{}:{own}", self.folder().display()))
            .env("GOSLING_FOLDER", self.folder())
            .env("NO_PROXY", "127.0.0.1")
            .env_remove("GOSLING_AGENT")
            .env_remove("GOSLING_LOG")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0);
        command
    }

    /// A job waits.
    pub(crate) fn job(&self, number: u64) {
        // In one step: the agent looks at any moment.
        let new = self.folder().join("job.new");
        fs::write(&new, number.to_string()).unwrap();
        fs::rename(new, self.folder().join("job")).unwrap();
    }

    /// A job comes to its end.
    pub(crate) fn finish(&self, number: u64) {
        fs::write(self.folder().join(format!("end-{number}")), "").unwrap();
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder().join("gosling.log")).unwrap()
    }

    pub(crate) fn config(&self) -> String {
        fs::read_to_string(self.folder().join("config.toml")).unwrap()
    }

    /// What the agent, and so a job, has as its environment.
    pub(crate) fn environment(&self) -> String {
        fs::read_to_string(self.folder().join("environment")).unwrap()
    }

    /// How often the agent was started.
    pub(crate) fn starts(&self) -> usize {
        fs::read_to_string(self.folder().join("starts")).unwrap().lines().count()
    }

    /// The agent's process, when it is there.
    pub(crate) fn alive_agent(&self) -> Option<i32> {
        let text = fs::read_to_string(self.folder().join("agent.pid")).ok()?;
        text.lines().next()?.parse().ok().filter(|pid| alive(*pid))
    }

    /// The process that a job has left.
    pub(crate) fn stray(&self) -> i32 {
        fs::read_to_string(self.folder().join("stray")).unwrap().trim().parse().unwrap()
    }

    /// No secret is where others see it, and the files that have one are nobody else's.
    pub(crate) fn is_discreet(&self, process: u32) {
        let of = |pid: u32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let agent = self.alive_agent().and_then(|pid| u32::try_from(pid).ok()).map(of).unwrap_or_default();
        let seen = [
            ("the log", self.log()),
            ("the arguments", String::from_utf8_lossy(&of(process)).into_owned()),
            ("the agent's arguments", String::from_utf8_lossy(&agent).into_owned()),
            (
                "the agent's environment",
                fs::read_to_string(self.folder().join("environment")).unwrap_or_default(),
            ),
        ];
        for secret in SECRETS {
            for (place, text) in &seen {
                assert!(!text.contains(secret), "{secret} is in {place}:\n{text}");
            }
        }
        for entry in fs::read_dir(self.folder()).unwrap() {
            let path = entry.unwrap().path();
            let name: PathBuf = path.file_name().unwrap().into();
            // The test's own.
            if ["ticket", "gitlab-runner"].iter().any(|own| name == Path::new(own)) {
                continue;
            }
            let Ok(text) = fs::read_to_string(&path) else { continue };
            if SECRETS.iter().any(|secret| text.contains(secret)) {
                assert!(
                    ["credential", "config.toml"].iter().any(|own| name == Path::new(own)),
                    "{}",
                    name.display()
                );
                assert_eq!(
                    path.metadata().unwrap().permissions().mode() & 0o777,
                    0o600,
                    "{}",
                    name.display()
                );
            }
        }
    }
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(i32::try_from(self.id()).unwrap(), signal);
    }

    /// Waits for its end; none when a signal has ended it.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let mut status = None;
        eventually("gosling ends", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its agent goes with it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a runner's request, as soon as the server listens, and gives the status of the answer.
pub(crate) async fn invoke(port: u16, body: Value) -> u16 {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let begin = Instant::now();
    loop {
        let sent = client
            .post(format!("http://127.0.0.1:{port}/"))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send();
        match sent.await {
            Ok(answer) => return answer.status().as_u16(),
            Err(error) if error.is_connect() && begin.elapsed() < BOUND => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

pub(crate) fn kill(pid: i32, signal: Signal) {
    signal::kill(Pid::from_raw(pid), signal).unwrap();
}

/// Whether a process is there and does not only wait to be reaped.
pub(crate) fn alive(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']))
}

/// Waits for what nobody tells of.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < BOUND, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
