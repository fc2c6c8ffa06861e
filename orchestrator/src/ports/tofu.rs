//! `OpenTofu`: one workspace an egg, in which a bundle that was built is planned and applied.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use async_trait::async_trait;

use super::secrets::Secret;
use crate::domain::{PoolKind, RunnerId, StateMark};

/// The files of one egg or job as they were built, under the digest of their content. They stay as they are for as long as a
/// plan refers to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The egg's name; `jobs/NAME` for a job.
    pub owner: String,
    /// The digest of the files.
    pub digest: String,
}

/// A runner as the module is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedRunner {
    /// Whether it is awake.
    pub pool: PoolKind,
    /// The commit of the Nest it is made from.
    pub commit: Option<String>,
}

/// What is to be planned.
#[derive(Debug, Clone)]
pub struct PlanRequest {
    /// From which files.
    pub bundle: Bundle,
    /// The whole fleet of the egg: what isn't here is destroyed.
    pub runners: BTreeMap<RunnerId, WantedRunner>,
    /// One-shot tickets of those that are made or woken by it.
    pub tickets: BTreeMap<RunnerId, Secret>,
    /// Other variables of the module (`orchestrator_url`, `subnet_id`, …) by name, as JSON.
    pub variables: BTreeMap<String, serde_json::Value>,
    /// Secret environment of the run: the clouds' credentials.
    pub environment: BTreeMap<String, Secret>,
}

/// A plan.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The plan as `OpenTofu` keeps it. It holds the tickets: it is sealed before it is stored.
    pub binary: Vec<u8>,
    /// The state it was made on.
    pub on: StateMark,
    /// What it does to resources, by address: `create`, `update`, `delete`, `replace`.
    pub changes: BTreeMap<String, String>,
}

/// What was applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The state there is now.
    pub state: StateMark,
    /// The module's outputs, without those that are sensitive.
    pub outputs: BTreeMap<String, serde_json::Value>,
}

/// A lock of a state that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundLock {
    /// Its id.
    pub id: String,
    /// Who has it, as `OpenTofu` says: user and host.
    pub who: String,
    /// What it was taken for.
    pub operation: String,
    /// When, as `OpenTofu` says.
    pub created: String,
}

/// Why `OpenTofu` didn't do what it was asked. Messages are without secrets, and speak of the Nest's lines where they can.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TofuError {
    /// There is no `OpenTofu`, or not the version that is wanted.
    #[error("OpenTofu is not to be had: {0}")]
    Absent(String),
    /// The files of the bundle are not there.
    #[error("what was built for `{owner}` is gone ({digest}); sync the Nest again")]
    NoBundle {
        /// The egg.
        owner: String,
        /// The digest.
        digest: String,
    },
    /// Somebody else has the state.
    #[error("the state of `{owner}` is locked by {} ({}, since {})", .lock.who, .lock.operation, .lock.created)]
    Locked {
        /// The egg.
        owner: String,
        /// The lock.
        lock: FoundLock,
    },
    /// Its module needs variables that nobody gave.
    #[error("the module of `{owner}` needs variables that it isn't given: {}", .unset.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", "))]
    Unset {
        /// The egg.
        owner: String,
        /// Which.
        unset: Vec<Unset>,
    },
    /// The state is another than the one that was planned on.
    #[error("the state of `{owner}` has changed since the plan was made")]
    Stale {
        /// The egg.
        owner: String,
    },
    /// It failed, in its own words, each mistake as `flyc translate` puts it.
    #[error("OpenTofu failed for `{owner}`:\n{message}")]
    Failed {
        /// The egg.
        owner: String,
        /// What is wrong.
        message: String,
        /// Whether the same may go well later.
        transient: bool,
    },
    /// The machine's fault: no disk, no rights.
    #[error("OpenTofu for `{owner}`: {reason}")]
    Machine {
        /// The egg.
        owner: String,
        /// What went wrong.
        reason: String,
    },
}

/// A variable of a module that has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unset {
    /// Its name.
    pub name: String,
    /// What the module says of it.
    pub description: String,
}

/// `OpenTofu`. Whoever calls it holds the egg's lease.
#[async_trait]
pub trait Tofu: Send + Sync + fmt::Debug {
    /// The version of the program that is used.
    async fn version(&self) -> Result<String, TofuError>;

    /// Keeps what was built: `built` is the build's folder as `flyc` leaves it. Says the bundle of each egg and job in it.
    async fn keep(&self, built: &std::path::Path) -> Result<Vec<Bundle>, TofuError>;

    /// Whether the files of a bundle are still there.
    async fn holds(&self, bundle: &Bundle) -> Result<bool, TofuError>;

    /// Plans.
    async fn plan(&self, request: &PlanRequest) -> Result<Planned, TofuError>;

    /// Applies a plan that was made by the same request. A plan is applied once.
    async fn apply(&self, request: &PlanRequest, plan: &[u8]) -> Result<Applied, TofuError>;

    /// The state there is; an empty lineage when there is none.
    async fn state(&self, owner: &str) -> Result<StateMark, TofuError>;

    /// Frees a lock that somebody left behind.
    async fn unlock(&self, owner: &str, lock: &FoundLock) -> Result<(), TofuError>;

    /// Removes an egg's workspace, of which nothing exists any more, and with it its state.
    async fn forget(&self, owner: &str) -> Result<(), TofuError>;

    /// Removes bundles that are none of these.
    async fn prune(&self, keep: &[Bundle]) -> Result<(), TofuError>;

    /// Where the runners of `provider = "local"` have their folders, absolute: what has no row in the database is an orphan.
    fn runners_folder(&self) -> PathBuf;
}
