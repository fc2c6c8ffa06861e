//! The Rift servers that eggs name, and the eggs that Rift servers let in: each exists.

use fly_std::{Value, formats::closest};

use super::{NestScope, claims::joined, runners_condition};
use crate::{
    db::SourceFile,
    diag::{Diagnostic, declare_diagnostic},
    model::{EntityKind, OutlineBlock, TypedBlock, outline, typed},
};

declare_diagnostic! { pub UNKNOWN_RIFT = "unknown-rift", Error, "the name of a Rift server that does not exist" }

/// How many names are looked for among all others; after a while the reader has understood.
const SEARCHES: usize = 20;

pub(super) fn check(scope: &NestScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    // A server may stand in a file that could not be read, or in one that was not understood.
    let hidden = *scope.nest.unreadable(scope.db)
        || scope.nest.find(scope.db, "MG/config.fly").is_some_and(|file| !understood(scope, file));
    let mut known: Vec<&str> = scope.index.names(EntityKind::Rift).collect();
    known.sort_unstable();
    if !hidden {
        let without = joined(scope.db, scope.nest).without_rift.iter();
        diagnostics.extend(without.filter_map(|(file, egg)| unknown_rift(scope, (*file, *egg), &known)));
    }
    for (file, rift) in scope.blocks_of("rift") {
        admitted(scope, file, rift, diagnostics);
    }
}

/// Whether the names of all blocks at the top of a file are known.
fn understood(scope: &NestScope<'_>, file: SourceFile) -> bool {
    let named =
        |block: &OutlineBlock| block.keyword.is_some_and(|word| word != "rift" || block.label.is_some());
    outline(scope.db, file).blocks.iter().all(named)
}

fn unknown_rift(
    scope: &NestScope<'_>,
    (file, egg): (SourceFile, usize),
    known: &[&str],
) -> Option<Diagnostic> {
    let name = typed(scope.db, file).blocks.get(egg)?.block("rift")?.attribute("name")?;
    let text = name.value.as_ref().and_then(Value::as_str)?;
    let diagnostic = Diagnostic::new(
        &UNKNOWN_RIFT,
        scope.span(file, name.range),
        format!("there is no Rift server `{text}` in this Nest"),
        "names nothing",
    )
    .note("Rift servers stand in MG/config.fly");
    Some(match closest(text, known.iter().copied()) {
        Some(nearest) => {
            diagnostic.fix(format!("did you mean `\"{nearest}\"`?"), name.range, format!("\"{nearest}\""))
        }
        None => match known {
            [only] => {
                diagnostic.help(format!("write `name = \"{only}\"`, or leave it out: it is the only one"))
            }
            _ => {
                diagnostic.help(format!("add `rift \"{text}\" {{ … }}` to MG/config.fly, or remove the name"))
            }
        },
    })
}

/// The eggs that a server lets in.
fn admitted(scope: &NestScope<'_>, file: SourceFile, rift: &TypedBlock, diagnostics: &mut Vec<Diagnostic>) {
    let Some(eggs) = rift.block("auth").and_then(|auth| auth.attribute("eggs")) else { return };
    let Some(Value::List(names)) = &eggs.value else { return };
    if !scope.index.is_complete() {
        return;
    }
    let unknown = names.iter().enumerate().filter_map(|(at, name)| Some((at, name.as_str()?)));
    let unknown = unknown.filter(|(_, name)| scope.index.find(EntityKind::Egg, name).is_empty());
    let mut known: Vec<&str> = Vec::new();
    for (count, (at, name)) in unknown.enumerate() {
        if count == 0 {
            known = scope.index.names(EntityKind::Egg).collect();
            known.sort_unstable();
        }
        let range = eggs.elements.get(at).copied().unwrap_or(eggs.range);
        let near = if count < SEARCHES { &known[..] } else { &[] };
        diagnostics.push(runners_condition::unknown(name, scope.span(file, range), near));
    }
}
