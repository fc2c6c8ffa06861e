//! `flyc check --watch`

use std::io::{self, IsTerminal, Write};

use super::{Failure, Outcome, target::Target};
use crate::host::{Live, Watcher};

/// Erases the screen and what was scrolled off it, and begins at its top.
const CLEAR: &[u8] = b"\x1b[2J\x1b[3J\x1b[H";

/// Tells what is found, and again after each change on disk, until the process is ended from outside.
pub(super) fn run(
    target: &mut Target,
    tell: &dyn Fn(&Target) -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    let roots = target.roots();
    if roots.is_empty() {
        return tell(target);
    }
    let failed = |error: io::Error| Failure::io("the Nest can't be watched", error);
    // Watched before it is looked at: what changes in between is looked at again.
    let mut watcher = Watcher::new(&roots).map_err(failed)?;
    let mut live: Vec<Live> = roots.into_iter().map(Live::new).collect();
    target.refresh(&mut live, &[]);
    loop {
        let mut stdout = io::stdout().lock();
        if stdout.is_terminal() {
            stdout.write_all(CLEAR).and_then(|()| stdout.flush()).map_err(failed)?;
        }
        drop(stdout);
        tell(target)?;
        // Nobody may be listening.
        let _ = writeln!(io::stderr().lock(), "watching for changes; Ctrl-C ends");
        loop {
            let touched = watcher.wait().map_err(failed)?;
            if target.refresh(&mut live, &touched) {
                break;
            }
        }
    }
}
