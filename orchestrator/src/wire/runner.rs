//! What a runner and `MotherGoose` say to each other.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /runners/{id}/ticket`: who comes for the first time shows its ticket; who comes again, to read everything anew, shows
/// its credential as bearer token and no ticket.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TicketRequest {
    /// The one-shot ticket. Shown again by the same runner before it has used its credential, it gives the same answer anew:
    /// an answer that was lost on the way loses no runner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The id that this machine shows to GitLab.
    pub system_id: String,
    /// The version of `gosling` it runs.
    pub version: String,
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TicketAnswer {
    /// The bearer token of this runner from now on; it opens nothing but this runner's own paths.
    pub credential: String,
    /// What it registers for: one for each project or group that the egg serves.
    pub registrations: Vec<Registration>,
    /// The egg's variables, with the values of secrets.
    pub environment: BTreeMap<String, String>,
    /// Grows when tokens or variables change: a heartbeat that tells another number sends the runner here again.
    pub revision: u64,
}

/// One `[[runners]]` of the agent's `config.toml`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Registration {
    /// The URL of the GitLab server: `https://gitlab.example.com`.
    pub url: String,
    /// The runner's id there.
    pub runner: u64,
    /// The runner's token (`glrt-…`).
    pub token: String,
    /// The repository's name within its bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl fmt::Debug for TicketRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketRequest").field("system_id", &self.system_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for TicketAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketAnswer").field("revision", &self.revision).finish_non_exhaustive()
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("url", &self.url)
            .field("runner", &self.runner)
            .finish_non_exhaustive()
    }
}

/// How a runner is, as it says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunnerMood {
    /// The agent starts.
    Starting,
    /// It waits for a job.
    Idle,
    /// It has one.
    Busy,
    /// It takes no job any more.
    Draining,
    /// The agent has died or can't be started.
    Failing,
}

/// `POST /runners/{id}/heartbeat`, every 30 seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Heartbeat {
    /// Grows with every one of a runner's process: one that comes late is known by it.
    pub sequence: u64,
    /// When the process was started, in milliseconds since the epoch by the runner's own clock; tells two processes apart.
    pub started: u64,
    /// How it is.
    pub state: RunnerMood,
    /// The jobs it has.
    pub jobs: Vec<u64>,
    /// How many jobs it has done since it was started.
    pub jobs_done: u64,
    /// Jobs in a row that failed by the runner's fault, and deaths of the agent.
    pub failures: u64,
    /// CPU in use, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_usage: Option<f64>,
    /// Memory in use, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_usage: Option<f64>,
    /// Disk in use, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_usage: Option<f64>,
    /// The version of `gitlab-runner`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// The version of `gosling`.
    pub version: String,
    /// The revision that its agent works by, as its ticket gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
}

/// The answer to a heartbeat: what is wanted of the runner. It says the same each time until that has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeartbeatAnswer {
    /// What is wanted.
    pub wanted: Wanted,
    /// The number of what its ticket gave; another one: ask again.
    pub revision: u64,
}

/// What is wanted of a runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// It works.
    Work,
    /// It finishes its job and takes no other.
    Drain,
}
