//! One run of `tofu`, and what it says meanwhile.
//!
//! It is the leader of a process group, so that nothing of it stays behind, and it speaks into files, so that it can finish an
//! apply when nobody listens any more: into a pipe without a reader it would die, and the state would never hear of what it made.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use flyc::translate::{Complaint, Reader};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt},
};

use super::{
    leftover::{self, Process, Record},
    mask, places,
};
use crate::ports::secrets::Secret;

/// How often it is looked what was said.
const LISTEN: Duration = Duration::from_millis(20);

/// The most of standard error that is read.
const MOST: u64 = 64 * 1024;

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Work {
    /// It changes nothing, and may be ended at any time.
    Plan,
    /// It changes the world.
    Apply,
}

/// Where the files of a run are: nothing in it outlives the run.
pub(super) fn folder(workspace: &Path) -> PathBuf {
    workspace.join("run")
}

/// Writes a plan for its apply.
pub(super) fn write_plan(workspace: &Path, plan: &[u8]) -> io::Result<PathBuf> {
    use std::io::Write as _;
    let folder = folder(workspace);
    places::remove(&folder)?;
    places::private(&folder)?;
    let path = folder.join("plan");
    let mut file = std::fs::File::options().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(plan)?;
    Ok(path)
}

/// Does what waits for the disk on a thread that may.
pub(super) async fn off<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// A run that is to be made.
pub(super) struct Run<'a> {
    pub(super) owner: &'a str,
    pub(super) program: &'a Path,
    pub(super) workspace: &'a Path,
    /// Where it runs.
    pub(super) folder: &'a Path,
    pub(super) environment: &'a [(OsString, OsString)],
    pub(super) secrets: &'a [Secret],
    pub(super) work: Work,
}

/// What a run said.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) success: bool,
    /// How it ended.
    pub(super) ending: String,
    pub(super) complaints: Vec<Complaint>,
    /// What was no message.
    pub(super) beside: String,
    /// The plan it wrote.
    pub(super) plan: Option<Vec<u8>>,
    /// What is done to which resource.
    pub(super) changes: BTreeMap<String, String>,
    /// The outputs that are no secrets.
    pub(super) outputs: BTreeMap<String, Value>,
}

impl Heard {
    fn message(&mut self, message: &Message) {
        if let Some(change) = message.change.as_ref().filter(|_| message.kind == "planned_change")
            && !matches!(change.action.as_str(), "noop" | "read")
        {
            self.changes.insert(change.resource.addr.clone(), change.action.clone());
        }
        for (name, output) in message.outputs.iter().flatten() {
            if let (false, Some(value)) = (output.sensitive, &output.value) {
                self.outputs.insert(name.clone(), value.clone());
            }
        }
    }
}

/// What of a message counts here; `flyc` reads the complaints.
#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(rename = "@message", default)]
    text: String,
    change: Option<Change>,
    outputs: Option<BTreeMap<String, Output>>,
}

#[derive(Deserialize)]
struct Change {
    resource: Resource,
    action: String,
}

#[derive(Deserialize)]
struct Resource {
    addr: String,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    sensitive: bool,
    value: Option<Value>,
}

/// Ends a run that nobody waits for any more, if it may be ended.
struct Guard {
    process: Process,
    work: Work,
    over: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.over && self.work == Work::Plan {
            self.process.kill();
        }
    }
}

impl Run<'_> {
    /// Makes the run. `said` hears the kind of each message as it comes.
    pub(super) async fn go(
        &self,
        arguments: &[OsString],
        input: Option<&str>,
        mut said: impl FnMut(&str) + Send,
    ) -> io::Result<Heard> {
        let place = folder(self.workspace);
        let (said_to, errors_to) = {
            let (workspace, place, work) = (self.workspace.to_owned(), place.clone(), self.work);
            off(move || {
                places::private(&place)?;
                leftover::write(&workspace, &Record { work, process: None })?;
                let file = |name: &str| {
                    let mut options = std::fs::File::options();
                    options.write(true).create(true).truncate(true).mode(0o600).open(place.join(name))
                };
                Ok((file("said.jsonl")?, file("errors.txt")?))
            })
            .await?
        };
        let mut command = tokio::process::Command::new(self.program);
        command
            .args(arguments)
            .current_dir(self.folder)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(said_to)
            .stderr(errors_to)
            .process_group(0);
        let mut child = command.spawn()?;
        let process = Process::new(child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_default());
        let mut guard = Guard { process, work: self.work, over: false };
        {
            let (workspace, work) = (self.workspace.to_owned(), self.work);
            off(move || leftover::write(&workspace, &Record { work, process: Some(process) })).await?;
        }
        if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
            // Who ends before reading it says why.
            let _ = pipe.write_all(input.as_bytes()).await;
        }
        if arguments.first().is_some_and(|verb| verb == "plan") {
            crate::faults::point("during-plan");
        }
        let mut heard = Heard::default();
        let mut lines = Lines { file: File::open(place.join("said.jsonl")).await?, rest: Vec::new() };
        let mut reader = Reader::default();
        let status = loop {
            let ended = tokio::time::timeout(LISTEN, child.wait()).await;
            lines.read(|line| self.line(line, &mut heard, &mut reader, &mut said)).await?;
            if let Ok(status) = ended {
                break status?;
            }
        };
        guard.over = true;
        lines.last(|line| self.line(line, &mut heard, &mut reader, &mut said));
        heard.success = status.success();
        heard.ending = status.to_string();
        heard.complaints = reader.finish().unwrap_or_default();
        let mut errors = Vec::new();
        File::open(place.join("errors.txt")).await?.take(MOST).read_to_end(&mut errors).await?;
        heard.beside.push_str(&String::from_utf8_lossy(&errors));
        heard.plan = tokio::fs::read(place.join("plan")).await.ok();
        let workspace = self.workspace.to_owned();
        off(move || leftover::clear(&workspace)).await?;
        Ok(heard)
    }

    fn line(&self, line: &str, heard: &mut Heard, reader: &mut Reader, said: &mut impl FnMut(&str)) {
        match serde_json::from_str::<Message>(line) {
            Ok(message) => {
                tracing::debug!(owner = self.owner, "{}", mask(&message.text, self.secrets));
                heard.message(&message);
                said(&message.kind);
            }
            Err(_) => {
                heard.beside.push_str(line);
                heard.beside.push('\n');
            }
        }
        reader.line(line);
    }
}

/// The lines of a file that grows.
struct Lines {
    file: File,
    rest: Vec<u8>,
}

impl Lines {
    /// The whole lines that have come.
    async fn read(&mut self, mut each: impl FnMut(&str)) -> io::Result<()> {
        let mut more = Vec::new();
        self.file.read_to_end(&mut more).await?;
        self.rest.extend(more);
        while let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            each(String::from_utf8_lossy(&line).trim_end());
        }
        Ok(())
    }

    /// What has no end of a line.
    fn last(&mut self, mut each: impl FnMut(&str)) {
        let line = std::mem::take(&mut self.rest);
        if !line.is_empty() {
            each(String::from_utf8_lossy(&line).trim_end());
        }
    }
}
