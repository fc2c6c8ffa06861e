//! The world as it is: one room a port. Nothing but `app.rs` names them.

pub mod clock;
pub mod git;
pub mod gitlab;
pub mod power;
pub mod queue;
pub mod secrets;
mod sqlite;
pub mod store;
pub mod tofu;
pub mod tokens;
