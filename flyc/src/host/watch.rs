//! Hearing that something on disk has changed.
//!
//! What never lives here: what it is; a batch of events says where to look, never what is there.

use std::{
    io,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};

/// A batch ends when nothing has happened for this long: an editor saves in several steps.
const QUIET: Duration = Duration::from_millis(40);

/// A batch ends when it has gone on for this long, whatever happens.
const LONGEST: Duration = Duration::from_millis(500);

/// Watches folders with all that is in them.
#[derive(Debug)]
pub struct Watcher {
    system: RecommendedWatcher,
    events: Receiver<notify::Result<Event>>,
    roots: Vec<PathBuf>,
}

impl Watcher {
    /// Begins to watch. The folders around are watched as well, so that one that is deleted and made anew is found
    /// again.
    pub fn new(roots: &[PathBuf]) -> io::Result<Self> {
        let (sender, events) = channel();
        let system = notify::recommended_watcher(sender).map_err(into_io)?;
        let mut watcher = Self { system, events, roots: roots.to_vec() };
        for root in roots {
            watcher.system.watch(root, RecursiveMode::Recursive).map_err(into_io)?;
            if let Some(around) = root.parent() {
                // Where that may not be done, one does without.
                let _ = watcher.system.watch(around, RecursiveMode::NonRecursive);
            }
        }
        Ok(watcher)
    }

    /// Waits for changes and gives the files and folders that were touched: all roots, when that is not known.
    pub fn wait(&mut self) -> io::Result<Vec<PathBuf>> {
        let mut touched = Vec::new();
        let gone = || io::Error::other("the watcher has ended");
        while touched.is_empty() {
            let event = self.events.recv().map_err(|_| gone())?;
            self.add(event, &mut touched);
        }
        let until = Instant::now() + LONGEST;
        while Instant::now() < until {
            match self.events.recv_timeout(QUIET) {
                Ok(event) => self.add(event, &mut touched),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
            }
        }
        touched.sort();
        touched.dedup();
        Ok(touched)
    }

    fn add(&mut self, event: notify::Result<Event>, touched: &mut Vec<PathBuf>) {
        let event = match event {
            Ok(event) if !event.need_rescan() => event,
            // Events were lost.
            Ok(_) | Err(_) => {
                touched.extend(self.roots.iter().cloned());
                return;
            }
        };
        // Looking at a file changes nothing; it is what answering the last change did.
        let is_look =
            matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
        if is_look {
            return;
        }
        for path in event.paths {
            if self.roots.contains(&path) {
                // It may be another folder of that name.
                let _ = self.system.watch(&path, RecursiveMode::Recursive);
            }
            if self.roots.iter().any(|root| path.strip_prefix(root).is_ok_and(|inside| !is_own(inside))) {
                touched.push(path);
            }
        }
    }
}

/// What git and builds write for themselves.
fn is_own(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == ".git" || part.as_os_str() == ".fly")
}

fn into_io(error: notify::Error) -> io::Error {
    match error.kind {
        notify::ErrorKind::Io(error) => error,
        other => io::Error::other(notify::Error::new(other)),
    }
}
