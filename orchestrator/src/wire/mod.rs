//! What goes over HTTP between `gosling serve`, the runners and the operator's commands: plain types, the same on both sides.
//! One file a subject. Never here: what is done with them.

pub mod problem;
pub mod runner;

pub use problem::Problem;
