//! The process of `gitlab-runner`: found, started, signalled, and never left behind.
//!
//! It is started by way of [`become_agent`], a moment of this very program that asks the system to end it when its parent dies,
//! and then becomes it. So it doesn't outlive a `gosling` that is killed, whose jobs it then aborts.
#![allow(clippy::disallowed_methods, reason = "a runner starts its agent")]

use std::{
    ffi::OsString,
    fs,
    io::{self, ErrorKind},
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::{Path, PathBuf},
    process::{Command as Blocking, ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::{Pid, getppid},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::unix::pipe,
    process::{Child, Command},
    time::{sleep, timeout},
};

use super::{home::Home, lines::Line};

/// The hidden subcommand that [`become_agent`] belongs to.
pub const SUBCOMMAND: &str = "agent";

/// The longest line that is kept.
const LONGEST: usize = 64 * 1024;

/// The agent, running.
#[derive(Debug)]
pub(super) struct Agent {
    child: Child,
    pid: Pid,
    lines: BufReader<pipe::Receiver>,
    line: Vec<u8>,
    open: bool,
}

/// Something of the agent.
#[derive(Debug)]
pub(super) enum Sign {
    Said(Line),
    Ended(ExitStatus),
}

impl Agent {
    /// Starts it over the configuration in the folder.
    pub(super) fn start(program: &Path, home: &Home, hidden: &[String]) -> io::Result<Self> {
        let (read, write) = io::pipe()?;
        let mut command = Command::new(this_program()?);
        command
            .arg(SUBCOMMAND)
            .arg("--parent")
            .arg(std::process::id().to_string())
            .arg("--")
            .arg(program)
            // Its log is read: what the environment says of it (`LOG_LEVEL`, `LOG_FORMAT`) must not hold.
            .args(["--log-level", "info", "--log-format", "json", "run", "--config"])
            .arg(home.config())
            .arg("--working-directory")
            .arg(home.folder())
            .current_dir(home.folder())
            // It never reads this. But as long as it holds the pipe's other end, writing to its log can't kill it when we are
            // gone: it has its jobs to abort then.
            .stdin(Stdio::from(read.try_clone()?))
            .stdout(Stdio::from(write.try_clone()?))
            .stderr(Stdio::from(write))
            // What a terminal sends to us is not for it.
            .process_group(0)
            .kill_on_drop(false);
        for variable in hidden {
            command.env_remove(variable);
        }
        let child = command.spawn()?;
        // The command holds ends of the pipe.
        drop(command);
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("it ended at once"))?;
        if let Some(since) = started(pid)
            && let Err(error) = home.write_agent(pid.as_raw(), &since)
        {
            tracing::warn!(%error, "the agent's process is written down nowhere");
        }
        let lines = BufReader::new(pipe::Receiver::from_owned_fd(OwnedFd::from(read))?);
        Ok(Self { child, pid, lines, line: Vec::new(), open: true })
    }

    /// What comes next. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> io::Result<Sign> {
        loop {
            tokio::select! {
                biased;
                line = read_line(&mut self.lines, &mut self.line), if self.open => match line {
                    Ok(Some(line)) => return Ok(Sign::Said(line)),
                    Ok(None) => {}
                    Err(_) => self.open = false,
                },
                status = self.child.wait() => {
                    let status = status?;
                    // What it said last is still in the pipe; what it started may hold the pipe open.
                    let rest = timeout(Duration::from_millis(200), read_line(&mut self.lines, &mut self.line));
                    match if self.open { rest.await.ok() } else { None } {
                        Some(Ok(Some(line))) => return Ok(Sign::Said(line)),
                        Some(Ok(None)) => {}
                        _ => return Ok(Sign::Ended(status)),
                    }
                }
            }
        }
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, signal: Signal) {
        // Once it has been waited for, its number may be another's.
        if self.child.id().is_some() {
            let _ = kill(self.pid, signal);
        }
    }

    /// Ends it and all of its group.
    pub(super) fn kill(&self) {
        if self.child.id().is_some() {
            let _ = killpg(self.pid, Signal::SIGKILL);
        }
    }
}

/// The next line with something in it: none is a line without, an error the end of them.
async fn read_line(lines: &mut BufReader<pipe::Receiver>, line: &mut Vec<u8>) -> io::Result<Option<Line>> {
    // A dropped future leaves what it has read in `line`.
    if lines.read_until(b'\n', line).await? == 0 && line.is_empty() {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    line.truncate(LONGEST);
    let text = String::from_utf8_lossy(line).into_owned();
    line.clear();
    Ok(Line::parse(&text))
}

/// The agent's version; none when it says none.
pub(super) async fn version(program: &Path) -> io::Result<Option<String>> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(Duration::from_secs(20), output)
        .await
        .map_err(|_| io::Error::new(ErrorKind::TimedOut, "it doesn't say its version"))??;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().find_map(|line| Some(line.trim().strip_prefix("Version:")?.trim().to_owned())))
}

/// The agent on `path`, the value of `PATH`.
pub(super) fn find(path: Option<&OsString>) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let executable = |file: &PathBuf| {
        fs::metadata(file).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(path?).map(|folder| folder.join("gitlab-runner")).find(executable)
}

/// Becomes the agent: never comes back but with an error.
pub fn become_agent(parent: u32, program: &Path, arguments: &[OsString]) -> io::Error {
    #[cfg(target_os = "linux")]
    {
        // It stays in force through what comes; SIGTERM makes the agent abort its jobs and end.
        if let Err(error) = nix::sys::prctl::set_pdeathsig(Signal::SIGTERM) {
            return error.into();
        }
        if u32::try_from(getppid().as_raw()).ok() != Some(parent) {
            return io::Error::other("the gosling that started it is gone");
        }
    }
    Blocking::new(program).args(arguments).exec()
}

/// This very program, even when its file has been replaced since.
fn this_program() -> io::Result<PathBuf> {
    let own = PathBuf::from("/proc/self/exe");
    if own.exists() { Ok(own) } else { std::env::current_exe() }
}

/// When a process was started, as the module's own scripts have it; none when it is gone or only waits to be reaped.
fn started(pid: Pid) -> Option<String> {
    if !Path::new("/proc/self").exists() {
        return kill(pid, None).is_ok().then(|| "-".to_owned());
    }
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    if matches!(fields.first(), Some(&("Z" | "X"))) {
        return None;
    }
    fields.get(19).map(|since| (*since).to_owned())
}

/// Ends the agent that an earlier process in this folder has left, if there is one: it aborts its jobs.
pub(super) async fn end_earlier(home: &Home) {
    let Some((pid, since)) = home.agent() else { return };
    let pid = Pid::from_raw(pid);
    let there = || started(pid).as_ref() == Some(&since);
    // It was told to end when its parent did.
    if gone_within(Duration::from_secs(2), there).await {
        home.forget_agent();
        return;
    }
    tracing::warn!(%pid, "an agent is left from an earlier gosling, and is stopped");
    let _ = kill(pid, Signal::SIGTERM);
    if !gone_within(Duration::from_secs(40), there).await {
        tracing::warn!(%pid, "it did not stop, and is killed");
        let _ = killpg(pid, Signal::SIGKILL);
        gone_within(Duration::from_secs(5), there).await;
    }
    home.forget_agent();
}

async fn gone_within(bound: Duration, there: impl Fn() -> bool) -> bool {
    let gone = async {
        while there() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(bound, gone).await.is_ok()
}

/// What an agent's jobs leave behind is given to this process, so that it can end it.
pub(super) fn adopt_strays() {
    #[cfg(target_os = "linux")]
    if let Err(error) = nix::sys::prctl::set_child_subreaper(true) {
        tracing::warn!(%error, "processes that jobs leave behind can't be ended");
    }
}

/// Ends what was given to this process while no agent runs.
pub(super) fn end_strays() {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::wait::waitpid;
        // Each that is ended may hand on children of its own.
        for _ in 0..100 {
            let strays = children();
            if strays.is_empty() {
                return;
            }
            for pid in strays {
                tracing::info!(%pid, "a process that a job has left is ended");
                let _ = kill(pid, Signal::SIGKILL);
                let _ = waitpid(pid, None);
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn children() -> Vec<Pid> {
    let own = std::process::id().to_string();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pid = |entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse::<i32>().ok();
    let is_child = |pid: &i32| {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        text.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)) == Some(&own)
    };
    entries.filter_map(pid).filter(is_child).map(Pid::from_raw).collect()
}
