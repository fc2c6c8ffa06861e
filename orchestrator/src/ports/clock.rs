//! The time.

use crate::domain::Time;

/// Tells the time. Tests have one that stands still.
pub trait Clock: Send + Sync {
    /// The moment it is.
    fn now(&self) -> Time;
}
