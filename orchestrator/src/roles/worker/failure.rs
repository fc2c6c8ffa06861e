//! Why work was not done, and whether the same may go well later.

use std::{fmt, time::Duration};

use crate::{
    logging::mask_values,
    ports::{
        gitlab::GitLabError, queue::QueueError, secrets::SecretError, store::StoreError, tofu::TofuError,
    },
};

/// Why something was not done. Its words hold no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The same may go well later.
    Later {
        /// What happened.
        reason: String,
        /// How long it wants to be left alone at least.
        wait: Option<Duration>,
    },
    /// A person has to do something first.
    Never(String),
}

impl Failure {
    pub(super) fn later(reason: impl Into<String>) -> Self {
        Self::Later { reason: mask_values(&reason.into()), wait: None }
    }

    /// They are kept in the database and told to everybody who may look.
    pub(super) fn never(reason: &str) -> Self {
        Self::Never(mask_values(reason))
    }

    pub(super) fn of(is_transient: bool, error: &impl fmt::Display) -> Self {
        if is_transient { Self::later(error.to_string()) } else { Self::never(&error.to_string()) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Later { reason, .. } | Self::Never(reason) => f.write_str(reason),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::of(!matches!(error, StoreError::Wrong(_)), &error)
    }
}

impl From<QueueError> for Failure {
    fn from(error: QueueError) -> Self {
        Self::later(error.to_string())
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        if let SecretError::Missing { backend, id, key } = &error {
            return Self::Never(format!(
                "{error}; keep it: gosling secret put {backend}://{id}/{key} < FILE"
            ));
        }
        Self::of(error.is_transient(), &error)
    }
}

impl From<GitLabError> for Failure {
    fn from(error: GitLabError) -> Self {
        match &error {
            GitLabError::Away { wait, .. } => {
                Self::Later { reason: mask_values(&error.to_string()), wait: *wait }
            }
            _ => Self::never(&error.to_string()),
        }
    }
}

impl From<TofuError> for Failure {
    fn from(error: TofuError) -> Self {
        let transient = match &error {
            TofuError::Failed { transient, .. } => *transient,
            TofuError::Locked { .. } | TofuError::Stale { .. } | TofuError::Machine { .. } => true,
            TofuError::Absent(_) | TofuError::NoBundle { .. } | TofuError::Unset { .. } => false,
        };
        Self::of(transient, &error)
    }
}
