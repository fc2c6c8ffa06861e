//! Named points at which tests end the process as `kill -9` would: `GOSLING_KILL_AT=POINT` at the first time it comes by,
//! `POINT:3` at the third. Without the feature `faults` there is nothing of it in the program.
//!
//! The points: `after-enqueue`, `during-plan`, `before-apply`, `during-apply`, `before-record`, `during-sync`,
//! `during-rotation`, which is passed five times: when the new runner is registered, when its token is kept, when the machines
//! go over to it, when they have, and when the old one is revoked.

/// A point is passed.
#[cfg(not(feature = "faults"))]
#[inline]
pub const fn point(_: &str) {}

/// A point is passed.
#[cfg(feature = "faults")]
pub fn point(name: &str) {
    use std::sync::{LazyLock, atomic::AtomicU32, atomic::Ordering};
    #[allow(clippy::disallowed_methods, reason = "only tests have it")]
    static WHERE: LazyLock<Option<(String, AtomicU32)>> = LazyLock::new(|| {
        let text = std::env::var("GOSLING_KILL_AT").ok()?;
        let (name, times) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), AtomicU32::new(times.parse().ok()?)))
    });
    if let Some((wanted, left)) = &*WHERE
        && wanted == name
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
        loop {
            std::thread::park();
        }
    }
}
