//! The system's clock.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{domain::Time, ports::clock::Clock};

/// The system's clock, except that it never goes back: while the system's is set back, it stands still.
#[derive(Debug, Default)]
pub struct System {
    last: AtomicU64,
}

impl System {
    /// What is told when the system says this.
    fn tell(&self, system: u64) -> Time {
        Time::from_millis(self.last.fetch_max(system, Ordering::Relaxed).max(system))
    }
}

impl Clock for System {
    fn now(&self) -> Time {
        #[allow(clippy::disallowed_methods, reason = "this is where the service has the time from")]
        let system = SystemTime::now();
        // Before the epoch it is no time at all.
        let since = system.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.tell(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_goes_back() {
        let clock = System::default();
        let told: Vec<u64> = [5, 9, 3, 9, 8, 10].map(|at| clock.tell(at).as_millis()).to_vec();
        assert_eq!(told, [5, 9, 9, 9, 9, 10]);
    }

    #[test]
    fn it_is_the_present() {
        let clock = System::default();
        let day = clock.now().day();
        assert!(("2026".."2100").contains(&&day[..4]), "{day}");
        assert!(clock.now() >= clock.now().min(clock.now()));
    }
}
