//! Why a command could not do its work; the kind fixes the exit code.

use std::{
    io::{self, ErrorKind},
    process::ExitCode,
};

use crate::roles::runner::RunnerError;

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// It could not be done.
    #[error("{message}")]
    Failed {
        /// What happened.
        message: String,
        /// What to do.
        help: Option<String>,
    },
    /// The command was used in a way that makes no sense.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// There is no such thing.
    #[error("{message}")]
    NotFound {
        /// What there is not.
        message: String,
        /// What to do.
        help: String,
    },
    /// Somebody who is needed doesn't answer.
    #[error("{message}")]
    Unreachable {
        /// Who, and why.
        message: String,
        /// What to do.
        help: String,
    },
    /// Somebody says no.
    #[error("{message}")]
    Refused {
        /// Who, and what to.
        message: String,
        /// What to do.
        help: String,
    },
    /// Somebody pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// The outside world did not play along.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        error: io::Error,
    },
}

impl Failure {
    /// Something that makes no sense.
    pub(super) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), help: help.into() }
    }

    /// The same with another help, when there is no such thing.
    pub(super) fn or_look(self, help: &str) -> Self {
        match self {
            Self::NotFound { message, .. } => Self::NotFound { message, help: help.to_owned() },
            other => other,
        }
    }

    /// What to do.
    pub(super) fn help(&self) -> Option<&str> {
        match self {
            Self::Failed { help, .. } => help.as_deref(),
            Self::Usage { help, .. }
            | Self::NotFound { help, .. }
            | Self::Unreachable { help, .. }
            | Self::Refused { help, .. } => Some(help),
            Self::Io { error, .. } => match error.kind() {
                ErrorKind::NotFound => Some("look at the path: nothing is there"),
                ErrorKind::NotADirectory => Some("look at the path: what is no folder stands in it as one"),
                ErrorKind::IsADirectory => Some("look at the path: a file is meant, and it is a folder"),
                ErrorKind::PermissionDenied => {
                    Some("look who may read and write it, and as whom this was run")
                }
                ErrorKind::StorageFull => Some("make room on the disk, and run it again"),
                _ => None,
            },
            Self::Interrupted => None,
        }
    }

    /// The exit code of its kind.
    pub(super) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed { .. } | Self::Io { .. } => 1,
            Self::Usage { .. } => 2,
            Self::NotFound { .. } => 3,
            Self::Unreachable { .. } => 4,
            Self::Refused { .. } => 5,
            // As a shell has it for what a signal ended.
            Self::Interrupted => 130,
        })
    }
}

impl From<RunnerError> for Failure {
    fn from(error: RunnerError) -> Self {
        let (message, help) = (error.to_string(), error.help().to_owned());
        match error {
            RunnerError::Refused { .. } | RunnerError::NoTicket { .. } => Self::Refused { message, help },
            RunnerError::Told { .. } => Self::Usage { message, help },
            RunnerError::Folder { .. } | RunnerError::Taken { .. } | RunnerError::System { .. } => {
                Self::Failed { message, help: Some(help) }
            }
        }
    }
}
