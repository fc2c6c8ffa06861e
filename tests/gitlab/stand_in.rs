//! The stand-in of gitlab-runner serves jobs of the fake, and heeds signals as the real one does.

use std::fmt::Write as _;
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
};

use polar_gosling_tests::{
    doubles::gitlab::{self as fake, FakeGitLab, NewJob, Status},
    tools,
};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A stand-in that runs, with a config file of its own. It ends with this.
struct Running {
    fake: FakeGitLab,
    folder: TempDir,
    program: Child,
    log: BufReader<ChildStderr>,
}

/// Adds a runner with these tags; its token.
fn add_runner(fake: &FakeGitLab, id: u64, tags: &[&str]) -> String {
    let token = format!("glrt-{id}-0123456789abcdef");
    let runner = fake::Runner {
        token: token.clone(),
        place: fake::Place::Project(7),
        description: String::new(),
        maintenance_note: String::new(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        run_untagged: false,
        protected: false,
        maximum_timeout: None,
        paused: false,
        managers: std::collections::BTreeMap::new(),
    };
    fake.change(|world| {
        world.runners.insert(id, runner);
        world.queue += 1;
    });
    token
}

fn config(fake: &FakeGitLab, tokens: &[&str]) -> String {
    let mut text = "concurrent = 2\ncheck_interval = 1\n".to_owned();
    for token in tokens {
        let _ = write!(
            text,
            "[[runners]]\nname = \"web\"\nurl = \"{}\"\ntoken = \"{token}\"\nexecutor = \"shell\"\nenvironment = [\"FROM_CONFIG=1\"]\n",
            fake.url()
        );
    }
    text
}

impl Running {
    fn start() -> Self {
        let fake = FakeGitLab::start();
        fake.add_project(7, "web");
        let token = add_runner(&fake, 1, &["a"]);
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, config(&fake, &[&token])).unwrap();
        let mut program = Command::new(tools::gitlab_runner())
            .args(["run", "--config"])
            .arg(&file)
            .arg("--working-directory")
            .arg(folder.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(program.stderr.take().unwrap());
        Self { fake, folder, program, log }
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.program.id()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Waits until a line of its log holds this.
    fn said(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "it ended without `{text}`");
        }
    }

    /// How it ended.
    fn ended(mut self) -> ExitStatus {
        self.program.wait().unwrap()
    }

    /// A job that says it runs, and then waits until it is told to go on through a pipe.
    fn waiting_job(&self) -> (u64, PathBuf) {
        let pipe = self.folder.path().join("go");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let script = format!("echo begun; read go < {}; echo \"went $go\"", pipe.display());
        let job = self.fake.queue_job(7, "test", &["a"], &[&script]);
        self.fake.wait("the job has begun", |world| {
            String::from_utf8_lossy(&world.jobs[&job].trace).contains("begun").then_some(())
        });
        (job, pipe)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn jobs_are_served() {
    let mut running = Running::start();
    let mut good = NewJob::new("good", &["a"], &["echo \"$CI_JOB_NAME $FROM_CONFIG $MINE\"", "pwd"]);
    good.variables.insert("MINE".to_owned(), "2".to_owned());
    let bad = NewJob::new("bad", &["a"], &["echo before", "exit 3", "echo after"]);
    let other = NewJob::new("other", &["b"], &["true"]);
    let ids = running.fake.queue_pipeline(7, vec![good, bad, other]);
    let good = running.fake.wait_for_job(ids[0], Status::Success);
    let trace = String::from_utf8(good.trace).unwrap();
    assert!(trace.contains("good 1 2\n") && trace.ends_with("Job succeeded\n"), "{trace}");
    let bad = running.fake.wait_for_job(ids[1], Status::Failed);
    assert_eq!(bad.failure_reason.as_deref(), Some("script_failure"));
    let trace = String::from_utf8(bad.trace).unwrap();
    assert!(trace.contains("before\n") && !trace.contains("after"), "{trace}");
    assert_eq!(running.fake.job(ids[2]).unwrap().status, Status::Pending);
    let system_id = fs::read_to_string(running.folder.path().join(".runner_system_id")).unwrap();
    assert_eq!(good.system_id, Some(system_id));
    running.said(&format!("Checking for jobs... received                        job={}", ids[0]));
    running.said("Added job to processing list ");
    running.said("Job succeeded");
    running.said("Removed job from processing list ");
}

#[test]
fn sigquit_lets_the_job_end() {
    let mut running = Running::start();
    let (job, pipe) = running.waiting_job();
    running.signal(Signal::QUIT);
    running.said("graceful shutdown");
    let after = running.fake.queue_job(7, "after", &["a"], &["true"]);
    fs::File::options().write(true).open(pipe).unwrap().write_all(b"on\n").unwrap();
    let job = running.fake.wait_for_job(job, Status::Success);
    assert!(String::from_utf8_lossy(&job.trace).contains("went on\n"));
    assert_eq!(running.fake.job(after).map(|job| job.given), Some(0));
    running.said("All workers stopped.");
    assert!(running.ended().success());
}

#[test]
fn sigterm_ends_the_job() {
    let mut running = Running::start();
    let (job, _) = running.waiting_job();
    running.signal(Signal::TERM);
    let job = running.fake.wait_for_job(job, Status::Failed);
    assert_eq!(job.failure_reason.as_deref(), Some("runner_system_failure"));
    running.said("All workers stopped.");
    assert!(running.ended().success());
}

#[test]
fn sighup_reads_the_config_again() {
    let mut running = Running::start();
    // Until it listens, this signal ends it.
    running.said("Initializing executor providers");
    let job = running.fake.queue_job(7, "test", &["b"], &["true"]);
    let token = add_runner(&running.fake, 2, &["b"]);
    fs::write(running.folder.path().join("config.toml"), config(&running.fake, &[&token])).unwrap();
    running.signal(Signal::HUP);
    assert_eq!(running.fake.wait_for_job(job, Status::Success).runner, Some(2));
}

#[test]
fn a_canceled_job_is_ended() {
    let mut running = Running::start();
    let (job, _) = running.waiting_job();
    running.fake.cancel(job);
    let next = running.fake.queue_job(7, "next", &["a"], &["echo next"]);
    running.fake.wait_for_job(next, Status::Success);
    running.signal(Signal::QUIT);
    running.said("Job failed: canceled");
    running.said("All workers stopped.");
    assert!(running.ended().success());
}

#[test]
fn the_command_line_is_the_real_ones() {
    let run = |arguments: &[&str]| {
        Command::new(tools::gitlab_runner()).args(arguments).stdin(Stdio::null()).output().unwrap()
    };
    let version = run(&["--version"]);
    assert!(String::from_utf8(version.stdout).unwrap().starts_with("Version:      17.8.0\n"));
    let fake = FakeGitLab::start();
    fake.add_project(7, "web");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("config.toml");
    fs::write(&file, config(&fake, &[&add_runner(&fake, 1, &["a"])])).unwrap();
    let file = file.to_str().unwrap();
    let machines = || fake.look(|world| world.runners[&1].managers.len());
    assert!(run(&["verify", "--config", file]).status.success());
    assert_eq!(machines(), 1);
    assert!(run(&["unregister", "--config", file, "--all-runners"]).status.success());
    assert_eq!(machines(), 0);
    fs::write(file, config(&fake, &["glrt-unknown"])).unwrap();
    assert!(!run(&["verify", "--config", file]).status.success());
}
