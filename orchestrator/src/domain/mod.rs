//! What is decided: a pure function of the configuration, the fleet, the demand and the time.
//!
//! Desired state drives it, not events: hooks and sweeps both only change the demand, so a lost, doubled or reordered hook
//! converges by itself. What never lives here: a clock, chance, files, the network, the database.

mod config;
mod decide;
mod demand;
mod fleet;
mod naming;
mod plans;
mod retry;
mod runner;
mod time;

pub use config::{Config, Deadlines, EggPolicy, Limits, Load, Pool, PoolId, Pruning, Rule, RuleAction};
pub use decide::{Action, Why, decide};
pub use demand::{Demand, Job, JobId, JobStatus, Seen};
pub use fleet::{Fleet, Tally};
pub use naming::runner_id;
pub use plans::{Fence, Plan, PlanStatus, Refused, StateMark};
pub use retry::{Attempt, Backoff};
pub use runner::{Event, Health, Illegal, PoolKind, Runner, RunnerId, State};
pub use time::Time;

#[cfg(test)]
const SERVER: &str = "gitlab.example.com";

#[cfg(test)]
fn job_id(number: u64) -> JobId {
    JobId { server: SERVER.into(), number }
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod world;
