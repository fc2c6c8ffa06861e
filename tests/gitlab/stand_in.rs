//! The stand-in of gitlab-runner serves jobs of the fake, and heeds signals as the real one does: where `GITLAB_RUNNER` names
//! a real one, that is what is tested here.

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
use serde_json::json;
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

fn config(fake: &FakeGitLab, concurrent: u32, tokens: &[&str]) -> String {
    let mut text = format!("concurrent = {concurrent}\ncheck_interval = 1\n");
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
        Self::with(2)
    }

    /// One with so many jobs at one time.
    fn with(concurrent: u32) -> Self {
        let fake = FakeGitLab::start();
        fake.add_project(7, "web");
        let token = add_runner(&fake, 1, &["a"]);
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, config(&fake, concurrent, &[&token])).unwrap();
        let mut program = Command::new(tools::agent())
            .args(["--log-level", "info", "--log-format", "json", "run", "--config"])
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

    /// Waits until a line of its log holds this; what it has said until then.
    fn said(&mut self, text: &str) -> String {
        let mut said = String::new();
        loop {
            let mut line = String::new();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "it ended without `{text}`:\n{said}");
            said += &line;
            if line.contains(text) {
                return said;
            }
        }
    }

    /// Waits until it has asked for a job.
    fn asks(&self) {
        self.fake.wait("it asks", |world| (!world.runners[&1].managers.is_empty()).then_some(()));
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
    assert!(trace.contains("good 1 2\n") && trace.contains("Job succeeded"), "{trace}");
    let bad = running.fake.wait_for_job(ids[1], Status::Failed);
    assert_eq!(bad.failure_reason.as_deref(), Some("script_failure"));
    let trace = String::from_utf8(bad.trace).unwrap();
    assert!(trace.contains("before\n") && !trace.contains("after"), "{trace}");
    assert_eq!(running.fake.job(ids[2]).unwrap().status, Status::Pending);
    let system_id = fs::read_to_string(running.folder.path().join(".runner_system_id")).unwrap();
    assert_eq!(good.system_id, Some(system_id));
    running.said("\"msg\":\"Checking for jobs... received\"");
    running.said("\"msg\":\"Added job to processing list\"");
    running.said("\"msg\":\"Job succeeded\"");
    running.said("\"msg\":\"Removed job from processing list\"");
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
    let running = Running::start();
    // Until it asks, this signal may end it.
    running.asks();
    let job = running.fake.queue_job(7, "test", &["b"], &["true"]);
    let token = add_runner(&running.fake, 2, &["b"]);
    fs::write(running.folder.path().join("config.toml"), config(&running.fake, 2, &[&token])).unwrap();
    running.signal(Signal::HUP);
    assert_eq!(running.fake.wait_for_job(job, Status::Success).runner, Some(2));
}

#[test]
fn a_canceled_job_is_ended() {
    let mut running = Running::start();
    let (job, _) = running.waiting_job();
    running.fake.cancel(job);
    assert_eq!(running.fake.job(job).unwrap().status, Status::Canceling, "its runner is still at it");
    let next = running.fake.queue_job(7, "next", &["a"], &["echo next"]);
    running.fake.wait_for_job(next, Status::Success);
    let canceled = running.fake.wait_for_job(job, Status::Canceled);
    assert!(String::from_utf8_lossy(&canceled.trace).contains("Job failed: canceled"));
    running.signal(Signal::QUIT);
    running.said("Job failed: canceled");
    running.said("All workers stopped.");
    assert!(running.ended().success());
}

/// A runner that was given a job asks again, as soon as that has ended, with the token it had by then: whoever takes a token
/// away has to look out for that one job.
#[test]
fn the_question_after_a_job_is_of_the_configuration_before() {
    let mut running = Running::with(1);
    let (job, pipe) = running.waiting_job();
    let token = add_runner(&running.fake, 2, &["a"]);
    fs::write(running.folder.path().join("config.toml"), config(&running.fake, 1, &[&token])).unwrap();
    for _ in 0..2 {
        running.said("\"msg\":\"Configuration loaded\"");
    }
    let more = [0, 1].map(|_| running.fake.queue_job(7, "more", &["a"], &["true"]));
    fs::File::options().write(true).open(pipe).unwrap().write_all(b"on\n").unwrap();
    running.fake.wait_for_job(job, Status::Success);
    let by = more.map(|job| running.fake.wait_for_job(job, Status::Success).runner);
    assert_eq!(by, [Some(1), Some(2)]);
}

/// It was received, and no line says that it is worked on, or that it no longer is.
#[test]
fn a_job_that_it_cannot_work_on_is_given_back() {
    let mut running = Running::start();
    let image = json!({ "name": "debian", "executor_opts": { "docker": { "of_tomorrow": true } } });
    let odd = NewJob { image, ..NewJob::new("odd", &["a"], &["true"]) };
    let odd = running.fake.queue_pipeline(7, vec![odd])[0];
    assert_eq!(
        running.fake.wait_for_job(odd, Status::Failed).failure_reason.as_deref(),
        Some("runner_system_failure")
    );
    let job = running.fake.queue_job(7, "test", &["a"], &["true"]);
    running.fake.wait_for_job(job, Status::Success);
    running.signal(Signal::QUIT);
    let log = running.said("All workers stopped.");
    let of = |words: &str, job: u64| {
        let field = format!("\"job\":{job},");
        log.lines().any(|line| line.contains(words) && line.contains(&field))
    };
    for (words, told) in [("Checking for jobs... received", true), ("processing list", false)] {
        assert_eq!((of(words, odd), of(words, job)), (told, true), "{words}\n{log}");
    }
}

/// A runner that GitLab doesn't know any more is left alone for an hour after three refusals, until the file changes.
#[test]
fn who_is_refused_asks_no_more() {
    let mut running = Running::start();
    running.asks();
    running.fake.change(|world| world.runners.remove(&1));
    running.said("Checking for jobs... forbidden");
    running.said("is unhealthy and will be disabled for 1h0m0s");
    let job = running.fake.queue_job(7, "test", &["a"], &["true"]);
    let token = add_runner(&running.fake, 2, &["a"]);
    fs::write(running.folder.path().join("config.toml"), config(&running.fake, 2, &[&token])).unwrap();
    assert_eq!(running.fake.wait_for_job(job, Status::Success).runner, Some(2));
}

#[test]
fn the_command_line_is_the_real_ones() {
    let run = |arguments: &[&str]| {
        Command::new(tools::agent()).args(arguments).stdin(Stdio::null()).output().unwrap()
    };
    let version = run(&["--version"]);
    assert!(String::from_utf8(version.stdout).unwrap().starts_with("Version:      17.8."));
    let fake = FakeGitLab::start();
    fake.add_project(7, "web");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("config.toml");
    fs::write(&file, config(&fake, 2, &[&add_runner(&fake, 1, &["a"])])).unwrap();
    let file = file.to_str().unwrap();
    let machines = || fake.look(|world| world.runners[&1].managers.len());
    assert!(run(&["verify", "--config", file]).status.success());
    assert_eq!(machines(), 1);
    assert!(run(&["unregister", "--config", file, "--all-runners"]).status.success());
    assert_eq!(machines(), 0);
    fs::write(file, config(&fake, 2, &["glrt-unknown"])).unwrap();
    assert!(!run(&["verify", "--config", file]).status.success());
}
