//! The runner's folder: its credential, its id for GitLab, the agent's configuration and process. Every file is written
//! beside its place and takes it in one step, readable by nobody else.
#![allow(clippy::disallowed_methods, reason = "a runner keeps files")]

use std::{
    fs::{self, File, TryLockError},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::error::RunnerError;
use crate::ports::secrets::Secret;

/// The folder, held by this process alone.
#[derive(Debug)]
pub(super) struct Home {
    folder: PathBuf,
    ticket: Option<PathBuf>,
    /// Freed when the process ends, however it ends.
    _lock: File,
}

impl Home {
    /// The folder, made if it isn't there.
    pub(super) fn open(folder: &Path, ticket: Option<PathBuf>) -> Result<Self, RunnerError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| failed(folder, &error))?;
        let folder = folder.canonicalize().map_err(|error| failed(folder, &error))?;
        let path = folder.join("gosling.lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder, ticket, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(RunnerError::Taken { path: folder }),
            Err(TryLockError::Error(error)) => Err(failed(&path, &error)),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The agent's `config.toml`.
    pub(super) fn config(&self) -> PathBuf {
        self.folder.join("config.toml")
    }

    pub(super) fn write_config(&self, text: &str) -> Result<(), RunnerError> {
        write(&self.config(), text)
    }

    pub(super) fn credential(&self) -> Result<Option<Secret>, RunnerError> {
        read(&self.folder.join("credential")).map(|text| text.map(Secret::new))
    }

    pub(super) fn write_credential(&self, credential: &Secret) -> Result<(), RunnerError> {
        write(&self.folder.join("credential"), &format!("{}\n", credential.expose()))
    }

    /// The ticket in its file.
    pub(super) fn ticket(&self) -> Result<Option<Secret>, RunnerError> {
        let Some(path) = &self.ticket else { return Ok(None) };
        read(path).map(|text| text.map(Secret::new))
    }

    /// The ticket is of no more use.
    pub(super) fn forget_ticket(&self) {
        let Some(path) = &self.ticket else { return };
        match fs::remove_file(path) {
            Ok(()) => tracing::info!("the ticket was used and its file is removed"),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, "the file of the used ticket can't be removed"),
        }
    }

    /// The id this machine shows to GitLab: the agent's own, made here before the agent does, for the ticket names it.
    pub(super) fn system_id(&self) -> Result<String, RunnerError> {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789Gg";
        let path = self.folder.join(".runner_system_id");
        if let Some(id) = read(&path)?
            && is_system_id(&id)
        {
            return Ok(id);
        }
        let mut random = [0_u8; 12];
        getrandom::fill(&mut random).map_err(|error| RunnerError::Folder {
            path: path.clone(),
            reason: format!("there is no randomness for an id: {error}"),
        })?;
        let letters = random.iter().map(|byte| char::from(LETTERS[usize::from(*byte % 64)]));
        let id: String = ['r', '_'].into_iter().chain(letters).collect();
        write(&path, &id)?;
        Ok(id)
    }

    /// Where the agent's process is written down, in the words of the module's own scripts.
    pub(super) fn agent_file(&self) -> PathBuf {
        self.folder.join("agent.pid")
    }

    pub(super) fn write_agent(&self, pid: i32, since: &str) -> Result<(), RunnerError> {
        write(&self.agent_file(), &format!("{pid}\n{since}\n"))
    }

    pub(super) fn agent(&self) -> Option<(i32, String)> {
        let text = read(&self.agent_file()).ok()??;
        let (pid, since) = text.split_once('\n')?;
        Some((pid.parse().ok().filter(|pid| *pid > 1)?, since.to_owned()))
    }

    pub(super) fn forget_agent(&self) {
        let _ = fs::remove_file(self.agent_file());
    }
}

/// Whether the agent takes it for its own.
fn is_system_id(id: &str) -> bool {
    let rest = id.strip_prefix("s_").or_else(|| id.strip_prefix("r_"));
    rest.is_some_and(|rest| rest.len() == 12 && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// The text of a file without the white space around it; nothing when there is none in it.
fn read(path: &Path) -> Result<Option<String>, RunnerError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, &error)),
    }
}

fn write(path: &Path, text: &str) -> Result<(), RunnerError> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let attempt = || {
        // What a crash has left may have other rights.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    attempt().map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> RunnerError {
    RunnerError::Folder { path: path.to_owned(), reason: error.to_string() }
}
