//! Jobs whose schedule is finer than the clock that starts them.
//!
//! A job is a scheduled pipeline of GitLab, and GitLab looks at its schedules every five minutes on gitlab.com, and
//! every ten where nobody set it otherwise. MotherGoose's own sync and hooks add to that. So five minutes are the
//! least that can be kept; the triggers of `mothergoose` are clocks of the cloud and go by the minute.

use fly_std::{
    Value,
    formats::{cron, duration},
};

use super::FileScope;
use crate::diag::{Diagnostic, declare_diagnostic};

declare_diagnostic! { pub TOO_FREQUENT = "too-frequent", Warning, "a job that is to run more often than jobs are started" }

/// How often GitLab looks at its schedules at best, in seconds.
const PERIOD: u64 = 5 * 60;

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for job in scope.blocks.iter().filter(|block| block.name == "job") {
        let Some(schedule) = job.attribute("schedule") else { continue };
        let Some(text) = schedule.value.as_ref().and_then(Value::as_str) else { continue };
        let Some(gap) = cron::shortest_gap(text).filter(|gap| *gap < PERIOD) else { continue };
        diagnostics.push(
            Diagnostic::new(
                &TOO_FREQUENT,
                scope.span(schedule.range),
                format!(
                    "jobs are started every {} at most, found two runs {} apart",
                    duration::print(PERIOD),
                    duration::print(gap)
                ),
                "more often than that",
            )
            .note("a job is a scheduled pipeline, and GitLab looks at its schedules every 5 minutes at best")
            .help("write `schedule = \"*/5 * * * *\"`, or leave more time between two runs"),
        );
    }
}
