//! Routing: which egg takes a GitLab job, and why the others don't. The one rule that `flyc simulate`, `flyc test`,
//! `flyc check --ci` and the orchestrator ask.
//!
//! Pure: configurations and a job in, a decision out; GitLab's payloads are read by [`event`]. What never lives here:
//! the Nest's text, diagnostics, files, and a clock.

mod answer;
mod decide;
pub mod event;
mod job;
mod reason;

#[cfg(test)]
mod tests;

pub use answer::{Answer, AnswerJob, TagsFrom};
pub use decide::{Candidate, Decision, Fleet, Rejected, Via, own_job, refusals};
pub use job::{DEFAULT_TIMEOUT_S, Job, SERVERLESS_LIMIT_S, host_of};
pub use reason::{Note, Reason};
