//! One job: its script in a shell of its own, what it writes on its way to GitLab, and its end.

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    sync::{Mutex, watch},
    time::{Instant, sleep_until},
};

use super::{
    api::{Api, Job, Told},
    config::Runner,
    log::{Level, log},
};

/// How often what a job wrote is sent.
const SEND: Duration = Duration::from_millis(500);

/// How long the end of a job is told for, when GitLab is away.
const TELL: u32 = 20;

/// How a job ended.
enum End {
    Exited(ExitStatus),
    /// GitLab says it is over.
    Canceled,
    /// The runner is ended.
    Aborted,
    /// It took too long.
    TimedOut,
    /// It could not be started.
    Broken(String),
}

/// What it wrote, and how much of that GitLab has.
#[derive(Default)]
struct Trace {
    written: Vec<u8>,
    sent: usize,
}

pub(crate) struct Run {
    pub(crate) api: Api,
    pub(crate) runner: Runner,
    pub(crate) job: Job,
    pub(crate) folder: PathBuf,
    /// True as soon as it is to be aborted.
    pub(crate) abort: watch::Receiver<bool>,
}

impl Run {
    /// Runs the job to its end, and tells it.
    pub(crate) async fn run(mut self) {
        let trace = Arc::new(Mutex::new(Trace::default()));
        let started = Instant::now();
        trace.lock().await.written.extend_from_slice(
            format!("Running with gitlab-runner {} (stand-in)\n", super::VERSION).as_bytes(),
        );
        let folder = self.folder.join("builds").join(self.runner.short()).join(self.job.id.to_string());
        let end = self.execute(&folder, &trace).await;
        // What can't be removed is in nobody's way.
        let _ = tokio::fs::remove_dir_all(&folder).await;
        let (state, reason, code, told) = match &end {
            End::Exited(status) if status.success() => ("success", None, Some(0), "Job succeeded".to_owned()),
            End::Exited(status) => {
                let code = status.code().unwrap_or(1);
                let told = format!("Job failed: exit status {code}\n");
                ("failed", Some("script_failure"), Some(code), told)
            }
            End::Canceled => ("failed", Some("job_canceled"), None, "Job failed: canceled\n".to_owned()),
            End::Aborted => (
                "failed",
                Some("runner_system_failure"),
                None,
                "Job failed (system failure): aborted: terminated\n".to_owned(),
            ),
            End::TimedOut => {
                let told = format!("Job failed: execution took longer than {:?}\n", self.timeout());
                ("failed", Some("job_execution_timeout"), None, told)
            }
            End::Broken(why) => (
                "failed",
                Some("runner_system_failure"),
                None,
                format!("Job failed (system failure): {why}\n"),
            ),
        };
        let (level, word) = match state {
            "success" => (Level::Info, ""),
            _ => (Level::Warning, "ERROR: "),
        };
        // It says so before it tells GitLab.
        let took = started.elapsed().as_secs_f64();
        let fields = [
            ("duration_s", took.into()),
            ("job", self.job.id.into()),
            ("runner", self.runner.short().into()),
        ];
        log(level, &told, &fields);
        trace.lock().await.written.extend_from_slice(format!("{word}{}\n", told.trim_end()).as_bytes());
        let mut pause = Duration::from_millis(100);
        for _ in 0..TELL {
            let sent = self.send(&trace).await;
            let told = match sent {
                Told::Over => Told::Over,
                Told::Well | Told::Cancel => {
                    self.api.update(&self.runner, &self.job, state, reason, code).await
                }
                Told::From(_) | Told::Failed => Told::Failed,
            };
            if matches!(told, Told::Well | Told::Cancel | Told::Over) {
                break;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(3));
        }
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.job.runner_info.timeout)
    }

    /// Whether the job's repository is fetched, which nobody here can.
    fn fetches(&self) -> bool {
        let strategy = self.job.variables.iter().rev().find(|variable| variable.key == "GIT_STRATEGY");
        strategy.is_none_or(|strategy| strategy.value != "none" && strategy.value != "empty")
    }

    async fn execute(&mut self, folder: &Path, trace: &Arc<Mutex<Trace>>) -> End {
        if let Err(error) = tokio::fs::create_dir_all(folder).await {
            return End::Broken(error.to_string());
        }
        if self.fetches() {
            return End::Broken(
                "there is no repository to be fetched, and GIT_STRATEGY is not `none`".to_owned(),
            );
        }
        let lines: Vec<&str> =
            self.job.steps.iter().flat_map(|step| &step.script).map(String::as_str).collect();
        let mut shell = Command::new("sh");
        shell
            .args(["-e", "-c", &lines.join("\n")])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .env("CI_PROJECT_DIR", folder);
        for pair in &self.runner.environment {
            if let Some((key, value)) = pair.split_once('=') {
                shell.env(key, value);
            }
        }
        shell.envs(self.job.variables.iter().map(|variable| (&variable.key, &variable.value)));
        let mut child = match shell.spawn() {
            Ok(child) => child,
            Err(error) => return End::Broken(error.to_string()),
        };
        let readers = [
            child.stdout.take().map(|out| tokio::spawn(keep(out, Arc::clone(trace)))),
            child.stderr.take().map(|err| tokio::spawn(keep(err, Arc::clone(trace)))),
        ];
        let end = self.watch(&mut child, trace).await;
        if !matches!(end, End::Exited(_)) {
            kill(&mut child).await;
        }
        for reader in readers.into_iter().flatten() {
            // Whatever the script left behind may hold its output open for ever.
            let _ = tokio::time::timeout(SEND, reader).await;
        }
        end
    }

    async fn watch(&mut self, child: &mut Child, trace: &Arc<Mutex<Trace>>) -> End {
        let end = Instant::now() + self.timeout();
        let mut send = tokio::time::interval(SEND);
        let mut abort = self.abort.clone();
        loop {
            tokio::select! {
                ended = child.wait() => {
                    return ended.map_or_else(|error| End::Broken(error.to_string()), End::Exited);
                }
                _ = async { abort.wait_for(|abort| *abort).await.is_ok() } => return End::Aborted,
                () = sleep_until(end) => return End::TimedOut,
                _ = send.tick() => {
                    if matches!(self.send(trace).await, Told::Cancel | Told::Over) {
                        return End::Canceled;
                    }
                }
            }
        }
    }

    /// Sends what GitLab doesn't have yet; when that is nothing, asks whether the job is still wanted.
    async fn send(&self, trace: &Mutex<Trace>) -> Told {
        let mut trace = trace.lock().await;
        let more = trace.written[trace.sent..].to_vec();
        if more.is_empty() {
            drop(trace);
            return self.api.update(&self.runner, &self.job, "running", None, None).await;
        }
        let told = self.api.trace(&self.runner, &self.job, trace.sent, &more).await;
        match told {
            Told::Well | Told::Cancel => trace.sent += more.len(),
            Told::From(at) if at <= trace.written.len() => trace.sent = at,
            _ => {}
        }
        told
    }
}

async fn keep(mut from: impl AsyncRead + Unpin, trace: Arc<Mutex<Trace>>) {
    let mut part = vec![0; 8192];
    while let Ok(read) = from.read(&mut part).await
        && read > 0
    {
        trace.lock().await.written.extend_from_slice(&part[..read]);
    }
}

/// Ends a script with everything it started.
async fn kill(child: &mut Child) {
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait().await;
}
