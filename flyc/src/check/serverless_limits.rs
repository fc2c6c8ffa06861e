//! A serverless container lives 60 minutes at most, so no job on one may be given longer.

use fly_std::{Value, formats};

use super::FileScope;
use crate::diag::{Diagnostic, declare_diagnostic};

declare_diagnostic! { pub SERVERLESS_LIMITS = "serverless-limits", Error, "a time-out beyond the life of a serverless runner" }

/// The longest a serverless container lives, in seconds.
const LONGEST: u64 = 60 * 60;

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for egg in scope.blocks {
        let Some(kind) = egg.attribute("type") else { continue };
        if kind.value.as_ref().and_then(Value::as_str) != Some("serverless") {
            continue;
        }
        let Some(timeout) = egg.block("runner").and_then(|runner| runner.attribute("timeout")) else {
            continue;
        };
        let Some(Value::Duration(seconds)) = timeout.value else { continue };
        if seconds > LONGEST {
            diagnostics.push(
                Diagnostic::new(
                    &SERVERLESS_LIMITS,
                    scope.span(timeout.range),
                    format!(
                        "a serverless runner lives 60m at most, found {}",
                        formats::duration::print(seconds)
                    ),
                    "longer than the container lives",
                )
                .related(scope.span(kind.range), "made serverless here")
                .fix(
                    "write `timeout = 1h` or less, or `type = \"vm\"` for longer jobs",
                    timeout.range,
                    "1h",
                ),
            );
        }
    }
}
