//! The Nest's repository by the program `git`: a bare mirror that can always be thrown away and fetched anew, and a folder
//! for each commit whose files were asked for.
//!
//! Nothing of the machine's or the user's git and SSH is used: no configuration, no agent, no prompt. A folder of a commit is
//! there whole or not at all.
#![allow(clippy::disallowed_methods, reason = "an adapter touches files and starts programs")]

mod complaint;
mod key;
mod run;
mod url;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{fs, sync::Mutex, task::spawn_blocking};
use uuid::Uuid;

use crate::ports::git::{Git, GitError, Remote};
use key::KeyFolder;
use run::Program;
use url::Kind;

/// The name under which the mirror has the branch.
const BRANCH: &str = "refs/gosling/nest";

/// The Nest's repository on this machine.
#[derive(Debug)]
pub struct GitProgram {
    /// `<data>/nest`.
    folder: PathBuf,
    git: Program,
    /// One at a time: two that fetch would only wait for each other's locks.
    turn: Mutex<()>,
}

impl GitProgram {
    /// In the folder `nest` of the data folder, with two minutes for each call of git.
    pub fn new(data: &Path) -> Self {
        Self::with_patience(data, Duration::from_mins(2))
    }

    /// The same with another time-out.
    pub fn with_patience(data: &Path, patience: Duration) -> Self {
        Self { folder: data.join("nest"), git: Program::new(patience), turn: Mutex::new(()) }
    }

    fn mirror(&self) -> PathBuf {
        self.folder.join("repo.git")
    }

    fn commits(&self) -> PathBuf {
        self.folder.join("commits")
    }

    /// Makes the mirror if it isn't there, and removes what earlier runs that were ended left.
    async fn prepare(&self) -> Result<(), GitError> {
        fs::create_dir_all(self.commits()).await.map_err(|error| machine("the data folder", &error))?;
        remove_begun(&self.folder).await?;
        remove_begun(&self.commits()).await?;
        let mirror = self.mirror();
        if !is_there(&mirror).await {
            let begun = begun_in(&self.folder);
            self.git.run(&["init", "--quiet", "--bare", &text(&begun)?], None, &[]).await?;
            fs::rename(&begun, &mirror).await.map_err(|error| machine("the mirror", &error))?;
        }
        Ok(())
    }

    async fn fetch_once(&self, remote: &Remote, kind: Kind) -> Result<String, GitError> {
        self.prepare().await?;
        let key = match kind {
            Kind::Ssh => Some(KeyFolder::new(&begun_in(&self.folder), remote)?),
            Kind::Https | Kind::Folder => None,
        };
        let ssh = key.as_ref().map(KeyFolder::command).transpose()?;
        let (plain, header) = match kind {
            Kind::Https => url::without_password(&remote.url),
            Kind::Ssh | Kind::Folder => (remote.url.clone(), Vec::new()),
        };
        let mut environment: Vec<(&str, &str)> =
            ssh.iter().map(|ssh| ("GIT_SSH_COMMAND", ssh.as_str())).collect();
        environment.extend(header.iter().map(|(name, value)| (*name, value.as_str())));
        let branch = format!("+refs/heads/{}:{BRANCH}", remote.branch);
        let fetch = ["fetch", "--quiet", "--no-tags", "--force", "--depth=1", "--", plain.as_str(), &branch];
        let mirror = self.mirror();
        self.git.run(&fetch, Some(&mirror), &environment).await?;
        let head = self.git.run(&["rev-parse", "--verify", BRANCH], Some(&mirror), &[]).await?;
        Ok(head.trim().to_owned())
    }

    /// Throws the mirror away. The folders of commits stay.
    async fn forget_mirror(&self) -> Result<(), GitError> {
        let gone = begun_in(&self.folder);
        match fs::rename(self.mirror(), &gone).await {
            Ok(()) => fs::remove_dir_all(&gone).await.map_err(|error| machine("the mirror", &error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(machine("the mirror", &error)),
        }
    }

    /// Writes the files of a commit to a folder.
    async fn check_out(&self, commit: &str, folder: &Path) -> Result<(), GitError> {
        let mirror = self.mirror();
        fs::create_dir(folder).await.map_err(|error| machine("the folder of a commit", &error))?;
        let files = folder.join("files");
        fs::create_dir(&files).await.map_err(|error| machine("the folder of a commit", &error))?;
        // What `git archive` would leave out by the repository's own attributes belongs to the Nest as well.
        let (index, tree) = (text(&folder.join("index"))?, text(&files)?);
        let environment = [("GIT_INDEX_FILE", index.as_str()), ("GIT_WORK_TREE", tree.as_str())];
        self.git.run(&["read-tree", commit], Some(&mirror), &environment).await?;
        self.git
            .run(&["checkout-index", "--all", "--force", "--quiet"], Some(&mirror), &environment)
            .await
            .map(drop)?;
        let files = files.clone();
        spawn_blocking(move || links_stay_within(&files)).await.map_err(|error| {
            GitError::Wrong(format!("looking at the files of a commit was cut off: {error}"))
        })?
    }
}

/// What begins so isn't whole, and removed when it is found.
const BEGUN: &str = ".begun-";

#[async_trait]
impl Git for GitProgram {
    async fn fetch(&self, remote: &Remote) -> Result<String, GitError> {
        let kind = url::kind(&remote.url)?;
        url::branch(&remote.branch)?;
        let _turn = self.turn.lock().await;
        match self.fetch_once(remote, kind).await {
            // Something is wrong with the mirror itself: a lock that a killed git left, a file that was cut off.
            Err(GitError::Wrong(reason)) if is_there(&self.mirror()).await => {
                tracing::warn!(reason, "the mirror of the Nest's repository is thrown away and fetched anew");
                self.forget_mirror().await?;
                self.fetch_once(remote, kind).await
            }
            done => done,
        }
    }

    async fn files(&self, commit: &str) -> Result<PathBuf, GitError> {
        is_commit(commit)?;
        let _turn = self.turn.lock().await;
        let folder = self.commits().join(commit);
        if is_there(&folder).await {
            return Ok(folder);
        }
        fs::create_dir_all(self.commits()).await.map_err(|error| machine("the data folder", &error))?;
        let begun = begun_in(&self.commits());
        let done = self.check_out(commit, &begun).await;
        if done.is_ok() {
            fs::rename(begun.join("files"), &folder)
                .await
                .map_err(|error| machine("the folder of a commit", &error))?;
        }
        // What stays is removed with the next fetch.
        drop(fs::remove_dir_all(&begun).await);
        done.map(|()| folder)
    }

    async fn forget(&self, keep: &[String]) -> Result<(), GitError> {
        let _turn = self.turn.lock().await;
        remove_all(&self.commits(), |name| !keep.iter().any(|kept| kept == name)).await
    }
}

/// A place for something that isn't whole yet.
fn begun_in(folder: &Path) -> PathBuf {
    folder.join(format!("{BEGUN}{}", Uuid::now_v7()))
}

async fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).await.is_ok()
}

async fn remove_begun(folder: &Path) -> Result<(), GitError> {
    remove_all(folder, |name| name.starts_with(BEGUN)).await
}

/// Removes the folders in a folder whose name says so.
async fn remove_all(folder: &Path, goes: impl Fn(&str) -> bool) -> Result<(), GitError> {
    let failed = |error: &io::Error| machine("the folders of commits", error);
    let mut entries = match fs::read_dir(folder).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(&error)),
    };
    while let Some(entry) = entries.next_entry().await.map_err(|error| failed(&error))? {
        if entry.file_name().to_str().is_some_and(&goes) {
            match fs::remove_dir_all(entry.path()).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&error)),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether no link of a checkout leads out of it: what it led to would be read, and its lines shown, as if it were the Nest's.
fn links_stay_within(root: &Path) -> Result<(), GitError> {
    let failed = |error: &io::Error| machine("the files of a commit", error);
    let real = root.canonicalize().map_err(|error| failed(&error))?;
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| failed(&error))? {
            let entry = entry.map_err(|error| failed(&error))?;
            let kind = entry.file_type().map_err(|error| failed(&error))?;
            let path = entry.path();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_symlink() {
                let stays = match path.canonicalize() {
                    Ok(target) => target.starts_with(&real),
                    Err(_) => std::fs::read_link(&path).is_ok_and(|target| target.is_relative()),
                };
                if !stays {
                    let shown = path.strip_prefix(root).unwrap_or(&path).display();
                    return Err(GitError::Missing(format!(
                        "`{shown}` is a link that leads out of the Nest's repository; replace it by what it leads to"
                    )));
                }
            }
        }
    }
    Ok(())
}

fn is_commit(commit: &str) -> Result<(), GitError> {
    let plain = (7..=64).contains(&commit.len()) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if plain { Ok(()) } else { Err(GitError::Missing(format!("`{commit}` is no id of a commit"))) }
}

/// What this machine refuses. The path stays out of it: it would stand in `sync_history`.
fn machine(what: &str, error: &io::Error) -> GitError {
    GitError::Wrong(format!("{what} can't be written: {}", error.kind()))
}

fn text(path: &Path) -> Result<String, GitError> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| GitError::Wrong("the path of the data folder is no text".to_owned()))
}
