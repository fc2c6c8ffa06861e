//! A job is a small task of self-management: ten minutes at most.

use fly_std::{Value, formats};

use super::FileScope;
use crate::diag::{Diagnostic, declare_diagnostic};

declare_diagnostic! { pub JOB_LIMITS = "job-limits", Error, "a job that may take longer than jobs are given" }

/// The longest a job may take, in seconds.
const LONGEST: u64 = 10 * 60;

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for job in scope.blocks.iter().filter(|block| block.name == "job") {
        let Some(timeout) = job.attribute("timeout") else { continue };
        let Some(Value::Duration(seconds)) = timeout.value else { continue };
        if seconds > LONGEST {
            diagnostics.push(
                Diagnostic::new(
                    &JOB_LIMITS,
                    scope.span(timeout.range),
                    format!("a job takes 10m at most, found {}", formats::duration::print(seconds)),
                    "too long for a job",
                )
                .note("jobs are for the Nest's own upkeep; longer work belongs in a pipeline that an egg serves")
                .fix("write `timeout = 10m`", timeout.range, "10m"),
            );
        }
    }
}
