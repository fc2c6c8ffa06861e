//! Stand-ins for what tests can't have: servers of others, and programs that need them. Nothing here is part of the product.

pub mod gitlab;
pub mod stage;
pub mod storm;
