//! Runs that have outlived the `gosling` that started them. `run.json` in a workspace says that one is under way; whoever
//! comes next finds it, and nobody else works on the state meanwhile.
//!
//! A plan is ended at once. An apply goes on: it finishes what it makes and says so in the state, as nothing else could.
//! When that takes too long it is asked to stop, and killed in the end.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};

use super::{
    places,
    run::{Work, folder, off},
};

/// How often it is looked whether a process is there still.
const LOOK: Duration = Duration::from_millis(50);

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// What it does.
    pub(super) work: Work,
    /// Its process, which leads a group; none when it was about to be started.
    pub(super) process: Option<Process>,
}

/// A process. Its number is used again, and never with the same start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Process {
    pid: i32,
    /// In ticks since the machine was started; none where nobody tells.
    started: Option<u64>,
}

impl Process {
    /// A process that was just started.
    pub(super) fn new(pid: i32) -> Self {
        Self { pid, started: started(pid) }
    }

    /// Whether it is there.
    fn lives(self) -> bool {
        if self.started.is_some() || Path::new("/proc/self/stat").exists() {
            self.started.is_some() && started(self.pid) == self.started
        } else {
            kill(Pid::from_raw(self.pid), None).is_ok()
        }
    }

    /// Ends it and all it has started.
    pub(super) fn kill(self) {
        if self.lives() {
            self.kill_group();
        }
    }

    fn kill_group(self) {
        // Without a number, 0 would be our own group.
        if self.pid > 1 {
            let _ = killpg(Pid::from_raw(self.pid), Signal::SIGKILL);
        }
    }

    fn ask_to_stop(self) {
        if self.lives() {
            let _ = kill(Pid::from_raw(self.pid), Signal::SIGINT);
        }
    }

    /// Waits until it is gone, so long at most.
    async fn gone(self, within: Duration) -> bool {
        let gone = async {
            while self.lives() {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(within, gone).await.is_ok()
    }
}

/// When a process was started; nothing when it is gone, or only waits to be reaped.
fn started(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    if matches!(state, "Z" | "X") { None } else { fields.nth(18)?.parse().ok() }
}

fn file(workspace: &Path) -> PathBuf {
    workspace.join("run.json")
}

/// A run is about to begin, or has.
pub(super) fn write(workspace: &Path, record: &Record) -> io::Result<()> {
    places::replace(&file(workspace), &serde_json::to_vec(record)?)
}

/// A run is over.
pub(super) fn clear(workspace: &Path) -> io::Result<()> {
    places::remove(&folder(workspace))?;
    places::remove_file(&file(workspace))
}

/// The process that works in a workspace: of a run whose number nobody came to write down.
fn working_in(workspace: &Path) -> Option<Process> {
    let workspace = workspace.canonicalize().ok()?;
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()).find_map(|pid| {
        let at = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
        // The leader of the group is `tofu` itself; what it has started goes with it.
        let leads = nix::unistd::getpgid(Some(Pid::from_raw(pid))).is_ok_and(|group| group.as_raw() == pid);
        (leads && at.starts_with(&workspace)).then(|| Process::new(pid))
    })
}

/// Waits for what was left behind in a workspace, or ends it. Nothing of it is there afterwards.
pub(super) async fn settle(workspace: &Path, patience: Duration, grace: Duration) -> io::Result<()> {
    let of = workspace.to_owned();
    let Some((work, process)) = off(move || find(&of)).await? else { return Ok(()) };
    if let Some(process) = process.filter(|process| process.lives()) {
        tracing::warn!(pid = process.pid, ?work, "a run of OpenTofu was left behind");
        let mut ended = work == Work::Apply && process.gone(patience).await;
        if !ended && work == Work::Apply {
            process.ask_to_stop();
            ended = process.gone(grace).await;
            if ended {
                // It has let go of what it had started, which may be there still.
                process.kill_group();
            }
        }
        if !ended {
            process.kill();
            if !process.gone(grace).await {
                return Err(io::Error::other(format!("the process {} does not end", process.pid)));
            }
        }
    }
    let of = workspace.to_owned();
    off(move || clear(&of)).await
}

/// The run that was begun in a workspace, with the process of it that is there.
fn find(workspace: &Path) -> io::Result<Option<(Work, Option<Process>)>> {
    let bytes = match fs::read(file(workspace)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // What can't be read was written by nobody who still runs.
    let record: Option<Record> = serde_json::from_slice(&bytes).ok();
    let work = record.as_ref().map_or(Work::Plan, |record| record.work);
    Ok(Some((work, record.and_then(|record| record.process).or_else(|| working_in(workspace)))))
}
