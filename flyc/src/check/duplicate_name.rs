//! Eggs and buckets share their names, jobs have theirs: each is given once in the Nest.

use super::NestScope;
use crate::diag::{Diagnostic, declare_diagnostic};

declare_diagnostic! { pub DUPLICATE_NAME = "duplicate-name", Error, "two blocks of the Nest with one name" }

pub(super) fn check(scope: &NestScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (name, entities) in scope.index.duplicates() {
        let Some((first, others)) = entities.split_first() else { continue };
        // A block that was never closed may be what is left of the other.
        if scope.is_damaged(*first) {
            continue;
        }
        let first = scope.span_of(*first);
        for other in others {
            let Some(span) = scope.span_of(*other) else { continue };
            let mut diagnostic = Diagnostic::new(
                &DUPLICATE_NAME,
                span,
                format!("the name \"{name}\" is given twice"),
                "given again here",
            )
            .note("runners, states and secrets are kept by name, so two of one name would share theirs")
            .help("give one of them another name");
            if let Some(first) = &first {
                diagnostic = diagnostic.related(first.clone(), "first given here");
            }
            diagnostics.push(diagnostic);
        }
    }
}
