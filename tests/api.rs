//! MotherGoose's HTTP API over real connections: what GitLab, runners, operators and timers send, and what they are answered.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "this is a test"
)]

#[path = "api/doubles.rs"]
mod doubles;
#[path = "api/form.rs"]
mod form;
#[path = "api/operators.rs"]
mod operators;
#[path = "api/runners.rs"]
mod runners;
#[path = "api/tls.rs"]
mod tls;
#[path = "api/webhooks.rs"]
mod webhooks;
#[path = "api/world.rs"]
mod world;
