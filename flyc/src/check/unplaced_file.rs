//! Files in places that no part of the system reads.

use fly_std::schema::Place;

use super::FileScope;
use crate::{
    diag::{Diagnostic, declare_diagnostic},
    text::{TextRange, TextSize},
};

declare_diagnostic! { pub UNPLACED_FILE = "unplaced-file", Warning, "a .fly file where nothing reads it" }

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if Place::of(scope.path).is_some() {
        return;
    }
    let places = Place::ALL.map(Place::pattern).join(", ");
    diagnostics.push(
        Diagnostic::new(
            &UNPLACED_FILE,
            scope.span(TextRange::empty(TextSize::new(0))),
            "this file stands where nothing reads it",
            "checked, but never built",
        )
        .note(format!("a Nest has {places}"))
        .help("move it to one of these places, or list it in `.flyignore`"),
    );
}
