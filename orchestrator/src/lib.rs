//! `gosling`: the service that runs compiled Nests. A GitLab webhook comes in; the right runner is planned, applied,
//! watched and destroyed.

pub mod adapters;
pub mod app;
pub mod cli;
pub mod domain;
pub mod faults;
pub mod logging;
pub mod metrics;
pub mod nest;
pub mod ports;
pub mod records;
pub mod roles;
pub mod scaffold;
pub mod seal;
pub mod settings;
pub mod wire;
