//! A clock that stands still until it is moved by hand.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use orchestrator::{domain::Time, ports::clock::Clock};

/// The clock.
#[derive(Debug)]
pub(crate) struct Hand(AtomicU64);

impl Hand {
    /// At some moment of 2026.
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(1_780_000_000_000))
    }

    /// Lets time go on.
    pub(crate) fn pass(&self, span: Duration) {
        self.0.fetch_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> Time {
        Time::from_millis(self.0.load(Ordering::SeqCst))
    }
}
