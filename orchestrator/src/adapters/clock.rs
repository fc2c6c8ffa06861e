//! The system's clock.
