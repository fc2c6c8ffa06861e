//! What long work is at, on the terminal's error stream and nowhere else.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::text::clean;
use crate::logging::mask_values;

/// A line that says what is being done, and is gone once it is dropped.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn start(what: &str) -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr_with_hz(8)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target)
            .with_style(ProgressStyle::default_spinner())
            .with_message(clean(what));
        bar.enable_steady_tick(Duration::from_millis(125));
        Self(bar)
    }

    /// What is being done now.
    pub(super) fn step(&self, what: &str) {
        self.0.set_message(clean(&mask_values(what)));
    }

    /// What is being done now, which a log is told as well.
    pub(super) fn tell(&self, what: &str) {
        if self.0.is_hidden() {
            eprintln!("{}", clean(&mask_values(what)));
        } else {
            self.step(what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
