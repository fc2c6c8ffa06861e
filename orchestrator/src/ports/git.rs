//! The Nest's repository: which commit its branch is at, and the files of a commit.

use std::{fmt, path::PathBuf};

use async_trait::async_trait;

use super::secrets::Secret;

/// Where the Nest is.
#[derive(Clone)]
pub struct Remote {
    /// Its URL: `ssh://`, `git@host:path`, `https://`, or a folder of this machine.
    pub url: String,
    /// The branch.
    pub branch: String,
    /// The private deploy key, for SSH.
    pub key: Option<Secret>,
    /// Lines of `known_hosts`: with SSH the host must show one of these keys.
    pub known_hosts: Option<String>,
}

/// Its URL may have a password in it.
impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("branch", &self.branch).finish_non_exhaustive()
    }
}

/// Why the repository was not had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GitError {
    /// It is away, and may be there again soon.
    #[error("the Nest's repository can't be reached: {0}")]
    Away(String),
    /// It doesn't take the key.
    #[error("the Nest's repository refuses the deploy key: {0}")]
    Refused(String),
    /// The host shows a key that is not the known one.
    #[error("the host of the Nest's repository shows another key than the known one: {0}")]
    HostKey(String),
    /// There is no such branch or commit.
    #[error("{0}")]
    Missing(String),
    /// Something else.
    #[error("git: {0}")]
    Wrong(String),
}

impl GitError {
    /// Whether the same may go well later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Away(_))
    }
}

/// A copy of the Nest's repository.
#[async_trait]
pub trait Git: Send + Sync + fmt::Debug {
    /// Brings the copy up to date and says the commit its branch is at.
    async fn fetch(&self, remote: &Remote) -> Result<String, GitError>;

    /// The files of a commit that was fetched, in a folder of their own that stays as it is.
    async fn files(&self, commit: &str) -> Result<PathBuf, GitError>;

    /// Removes the folders of all commits but these.
    async fn forget(&self, keep: &[String]) -> Result<(), GitError>;
}
