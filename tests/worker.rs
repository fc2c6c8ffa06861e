//! The conductor: webhooks, sweeps, decisions, deployments and rollbacks, on the real database and queue. GitLab, `OpenTofu`
//! and the machines are doubles in memory, and so is the clock; everything may be cut off at any call.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "this is a test"
)]

#[path = "worker/cloud.rs"]
mod cloud;
#[path = "worker/crash.rs"]
mod crash;
#[path = "worker/doubles.rs"]
mod doubles;
#[path = "worker/gitlab.rs"]
mod gitlab;
#[path = "worker/laws.rs"]
mod laws;
#[path = "worker/rollback.rs"]
mod rollback;
#[path = "worker/rotation.rs"]
mod rotation;
#[path = "worker/steps.rs"]
mod steps;
#[path = "worker/world.rs"]
mod world;
