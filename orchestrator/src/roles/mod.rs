//! What a running `gosling` does. One room a role; what all have in common is here.

pub mod api;
mod changes;
pub mod kept;
pub mod power;
pub mod runner;
pub mod sync;
pub mod work;
pub mod worker;

use std::sync::Arc;

pub use kept::Kept;
pub use work::Work;

use crate::{metrics::Metrics, ports::Ports, seal::Seal, settings::Settings};

/// What every role has.
#[derive(Clone)]
pub struct Context {
    /// The world.
    pub ports: Ports,
    /// What the installation was told.
    pub settings: Arc<Settings>,
    /// Seals what is sensitive before it is stored.
    pub seal: Seal,
    /// What is counted.
    pub metrics: Metrics,
    /// The name of this process among all: for leases.
    pub instance: Arc<str>,
    /// What is read again and again, and seldom changes.
    pub kept: Kept,
}
