//! What a running `gosling serve` says, and waiting for it.

use std::{
    io::{BufRead, BufReader},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::PATIENCE;

/// What a running `gosling serve` says, a JSON object a line.
#[derive(Debug, Default)]
pub(super) struct Log {
    lines: Mutex<(Vec<String>, bool)>,
    more: Condvar,
}

impl Log {
    pub(super) fn lines(&self) -> MutexGuard<'_, (Vec<String>, bool)> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(self: &Arc<Self>, from: impl std::io::Read + Send + 'static) {
        let log = Arc::clone(self);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(from);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                log.lines().0.push(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
                log.more.notify_all();
            }
            log.lines().1 = true;
            log.more.notify_all();
        });
    }

    /// The first line from `from` on that is looked for, and what comes behind it.
    pub(super) fn wait<R>(
        &self,
        from: usize,
        what: &str,
        mut look: impl FnMut(&str) -> Option<R>,
    ) -> (R, usize) {
        let end = Instant::now() + PATIENCE;
        let (mut at, mut lines) = (from, self.lines());
        loop {
            while let Some(line) = lines.0.get(at) {
                at += 1;
                if let Some(found) = look(line) {
                    return (found, at);
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            let last = || lines.0[lines.0.len().saturating_sub(60)..].join("\n");
            assert!(!left.is_zero(), "{what}: not said in {PATIENCE:?}\n{}", last());
            assert!(!lines.1, "{what}: gosling has ended\n{}", last());
            lines = self.more.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
