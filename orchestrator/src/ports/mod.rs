//! What the service needs of the world, as traits. Adapters provide it; the core knows nothing of it.

pub mod clock;
pub mod git;
pub mod gitlab;
pub mod queue;
pub mod secrets;
pub mod store;
pub mod tofu;

use std::sync::Arc;

/// Every port of a running service, as its roles have them.
#[derive(Clone)]
pub struct Ports {
    /// The time.
    pub clock: Arc<dyn clock::Clock>,
    /// The database.
    pub store: Arc<dyn store::Store>,
    /// What is to be worked on.
    pub queue: Arc<dyn queue::Queue>,
    /// Passwords, tokens and keys.
    pub secrets: Arc<dyn secrets::Secrets>,
    /// GitLab's API.
    pub gitlab: Arc<dyn gitlab::GitLab>,
    /// `OpenTofu`.
    pub tofu: Arc<dyn tofu::Tofu>,
    /// The Nest's repository.
    pub git: Arc<dyn git::Git>,
}
