//! Why a runner could not go on.

use std::path::PathBuf;

/// Why a runner could not go on. No value of a secret is ever in it.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// What it was told can't be understood.
    #[error("{what}: {reason}")]
    Told {
        /// The file or variable.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It has nothing to show.
    #[error("the runner `{runner}` has neither a credential nor a ticket")]
    NoTicket {
        /// The runner.
        runner: String,
    },
    /// `MotherGoose` knows it not, or no more.
    #[error("MotherGoose refuses the runner `{runner}`: {reason}")]
    Refused {
        /// The runner.
        runner: String,
        /// What it said.
        reason: String,
    },
    /// Its folder can't be used.
    #[error("{path}: {reason}", path = path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// Another process works in its folder.
    #[error("another gosling works in {path}", path = path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// The machine doesn't give what it needs.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

impl RunnerError {
    /// What to do.
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Told { .. } => "the module of the egg writes it; `flyc build` makes the module anew",
            Self::NoTicket { .. } => {
                "an apply that makes or wakes the runner gives it one; have it made anew"
            }
            Self::Refused { .. } => {
                "its ticket was used, is too old or another runner's; have the runner made anew"
            }
            Self::Folder { .. } => "it must be a folder that this user may write, see --folder",
            Self::Taken { .. } => {
                "one process serves one runner; stop the other one, or give --folder another"
            }
            Self::System { .. } => "this is the machine's; its own log may say more",
        }
    }
}
