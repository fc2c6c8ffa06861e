//! The eggs and buckets that tests expect: each exists.

use fly_std::Value;

use super::{NestScope, runners_condition};
use crate::{diag::Diagnostic, model::EntityKind};

pub(super) fn check(scope: &NestScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if !scope.index.is_complete() {
        // It may stand in what could not be understood, which has been told.
        return;
    }
    let mut known: Vec<&str> = scope.index.names(EntityKind::Egg).collect();
    known.sort_unstable();
    for (file, test) in scope.blocks_of("test") {
        let Some(egg) = test.block("expect").and_then(|expect| expect.attribute("egg")) else { continue };
        let Some(name) = egg.value.as_ref().and_then(Value::as_str) else { continue };
        if scope.index.find(EntityKind::Egg, name).is_empty() {
            diagnostics.push(runners_condition::unknown(name, scope.span(file, egg.range), &known));
        }
    }
}
