//! `gosling`: the service that runs compiled Nests. A GitLab webhook comes in; the right runner is planned, applied,
//! watched and destroyed.

pub mod adapters;
pub mod domain;
pub mod ports;
pub mod records;
pub mod wire;
