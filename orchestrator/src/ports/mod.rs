//! What the service needs of the world, as traits. Adapters provide it; the core knows nothing of it.

pub mod clock;
pub mod queue;
pub mod store;
