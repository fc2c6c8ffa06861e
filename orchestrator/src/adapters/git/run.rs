//! One run of git: with a time-out, and with nothing of the user's.

use std::{path::Path, process::Stdio, time::Duration};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{process::Command, time::timeout};

use super::{complaint, url::PROTOCOLS};
use crate::ports::git::GitError;

/// What would tell git or SSH to do otherwise.
const NOT_OURS: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_CEILING_DIRECTORIES",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_PROXY_COMMAND",
    "GIT_EXEC_PATH",
    "GIT_TEMPLATE_DIR",
    "GIT_TRACE",
    "GIT_TRACE_CURL",
    "GIT_TRACE_PACKET",
    "GIT_TRACE2",
    "GIT_TRACE2_EVENT",
    "SSH_AUTH_SOCK",
    "SSH_ASKPASS",
    "DISPLAY",
];

/// Settings for every run.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.autocrlf=false",
    "credential.helper=",
    "gc.autoDetach=false",
    "maintenance.autoDetach=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
    "advice.detachedHead=false",
];

/// The program.
#[derive(Debug)]
pub(super) struct Program {
    patience: Duration,
}

impl Program {
    pub(super) const fn new(patience: Duration) -> Self {
        Self { patience }
    }

    /// Runs git and gives what it printed.
    pub(super) async fn run(
        &self,
        arguments: &[&str],
        repository: Option<&Path>,
        environment: &[(&str, &str)],
    ) -> Result<String, GitError> {
        let mut command = Command::new("git");
        for name in NOT_OURS {
            command.env_remove(name);
        }
        command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "/bin/false")
            .env("GIT_ALLOW_PROTOCOL", PROTOCOLS)
            // The command begins with `cd`, which tells git nothing of the program.
            .env("GIT_SSH_VARIANT", "ssh")
            .env("GIT_LFS_SKIP_SMUDGE", "1")
            .env("LC_ALL", "C")
            .envs(environment.iter().copied());
        if let Some(repository) = repository {
            command.env("GIT_DIR", repository);
        }
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that SSH goes with git.
            .process_group(0)
            .kill_on_drop(true);
        let child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                GitError::Wrong("there is no program `git` on the PATH; install git".to_owned())
            }
            kind => GitError::Wrong(format!("git can't be started: {kind}")),
        })?;
        let group = Group(child.id());
        let output = match timeout(self.patience, child.wait_with_output()).await {
            Ok(output) => output.map_err(|error| GitError::Wrong(format!("git: {}", error.kind())))?,
            Err(_) => {
                let what = arguments.first().copied().unwrap_or("git");
                return Err(GitError::Away(format!(
                    "`git {what}` took longer than {} s",
                    self.patience.as_secs()
                )));
            }
        };
        group.release();
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(complaint::read(&String::from_utf8_lossy(&output.stderr), output.status, repository))
    }
}

/// A group of processes that is killed unless it has ended by itself: when the time is up, and when nobody waits any more.
struct Group(Option<u32>);

impl Group {
    fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.0.and_then(|id| i32::try_from(id).ok()) {
            // It may have ended a moment ago.
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}
