//! The correctness properties of the design as random tests; `docs/src/properties.md` lists them.
//!
//! `PROPTEST_CASES=1000 cargo test --test properties` tries harder. What never lives here: single cases of the
//! language, which are `tests/fly`'s.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test program reads the workspace"
)]

#[path = "properties/actions.rs"]
mod actions;
#[path = "properties/building.rs"]
mod building;
#[path = "properties/cascade.rs"]
mod cascade;
#[path = "properties/cases.rs"]
mod cases;
#[path = "properties/condition_trees.rs"]
mod condition_trees;
#[path = "properties/conditions.rs"]
mod conditions;
#[path = "properties/corpus.rs"]
mod corpus;
#[path = "properties/fixing.rs"]
mod fixing;
#[path = "properties/formatting.rs"]
mod formatting;
#[path = "properties/generate.rs"]
mod generate;
#[path = "properties/installation.rs"]
mod installation;
#[path = "properties/listing.rs"]
mod listing;
#[path = "mdtest/mod.rs"]
mod mdtest;
#[path = "properties/mutate.rs"]
mod mutate;
#[path = "properties/planning.rs"]
mod planning;
#[path = "cli/project.rs"]
mod project;
#[path = "properties/rejected.rs"]
mod rejected;
#[path = "properties/reuse.rs"]
mod reuse;
#[path = "properties/robust.rs"]
mod robust;
#[path = "properties/round_trip.rs"]
mod round_trip;
#[path = "properties/routing.rs"]
mod routing;
#[path = "properties/secrets.rs"]
mod secrets;
#[path = "properties/sharing.rs"]
mod sharing;
#[path = "properties/values.rs"]
mod values;

use cases::cases;
use flyc::{
    compiler::Compiler,
    diag::{Diagnostic, Severity},
};

/// What `flyc check` says of a Nest.
fn check(files: &[(String, String)]) -> Vec<Diagnostic> {
    Compiler::new(files.iter().map(|(path, text)| (path.as_str(), text.as_str()))).check()
}

/// The errors among what `flyc check` says of a Nest.
fn errors(files: &[(String, String)]) -> Vec<Diagnostic> {
    let mut found = check(files);
    found.retain(|diagnostic| diagnostic.severity() == Severity::Error);
    found
}

/// Diagnostics as one reads them in a failure.
fn told(diagnostics: &[Diagnostic]) -> String {
    let lines = diagnostics.iter().map(|d| {
        format!("  {:?} {:?} [{}] {} ({})", d.span.file, d.span.range, d.kind.id, d.message, d.label)
    });
    lines.collect::<Vec<_>>().join("\n")
}
