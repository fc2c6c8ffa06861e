//! Pools of `UglyFox`: limits that come from the block around them, and pools that hold nobody.

use fly_std::{
    Value,
    schema::{self, Presence},
};

use super::{FileScope, MIN_ABOVE_MAX};
use crate::{
    diag::{Diagnostic, declare_diagnostic},
    model::{TypedAttribute, TypedBlock},
};

declare_diagnostic! { pub DEAD_CONDITION = "dead-condition", Warning, "pools that hold no runner" }

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for uglyfox in scope.blocks.iter().filter(|block| block.name == "uglyfox") {
        diagnostics.extend(uglyfox.block("apex").and_then(|apex| asleep(scope, apex)));
        for condition in uglyfox.blocks("runners_condition") {
            diagnostics.extend(nobody(scope, condition));
            diagnostics.extend(condition.block("apex").and_then(|apex| asleep(scope, apex)));
            for pool in ["apex", "nadir"] {
                if let Some(own) = condition.block(pool) {
                    diagnostics.extend(inherited(scope, own, uglyfox));
                }
            }
        }
    }
}

/// A condition that speaks of no egg.
fn nobody(scope: &FileScope<'_>, condition: &TypedBlock) -> Option<Diagnostic> {
    let entities = condition.attribute("eggs_entities")?;
    if !matches!(&entities.value, Some(Value::List(names)) if names.is_empty()) {
        return None;
    }
    let name = condition.label.as_deref().unwrap_or_default();
    Some(
        Diagnostic::new(
            &DEAD_CONDITION,
            scope.span(entities.range),
            format!("`runners_condition \"{name}\"` names no egg, so its pools hold no runner"),
            "nobody",
        )
        .help("name the eggs and buckets it is for, or remove it"),
    )
}

/// A pool in which no runner may ever be active.
fn asleep(scope: &FileScope<'_>, apex: &TypedBlock) -> Option<Diagnostic> {
    let most = apex.attribute("max_count")?;
    if most.value.as_ref().and_then(Value::as_int) != Some(0) {
        return None;
    }
    // A least number above it is another mistake, which is told.
    if apex.value("min_count").and_then(Value::as_int).is_some_and(|least| least > 0) {
        return None;
    }
    Some(
        Diagnostic::new(
            &DEAD_CONDITION,
            scope.span(most.range),
            "`max_count` of apex is 0, so no runner is ever active and every job waits",
            "none at all",
        )
        .note("`apex` is the pool of active runners, ready to take a job at once")
        .help("write `max_count = 1` or more"),
    )
}

/// A pool's limit against the other one, which comes from the pool of the same name around it.
fn inherited(scope: &FileScope<'_>, own: &TypedBlock, uglyfox: &TypedBlock) -> Option<Diagnostic> {
    let (low, high) = ("min_count", "max_count");
    let (written, name) = match (own.attribute(low), own.attribute(high)) {
        (Some(low), None) => (low, high),
        (None, Some(high)) => (high, low),
        // Both by itself, which is another rule's, or none, which is as the block around it.
        _ => return None,
    };
    if own.meant.contains(&name) {
        return None;
    }
    let value = written.value.as_ref().and_then(Value::as_int)?;
    let outer = uglyfox.block(&own.name);
    let given = outer.and_then(|outer| outer.attribute(name));
    if outer.is_some_and(|outer| outer.damaged || outer.meant.contains(&name)) {
        return None;
    }
    let other = match given {
        Some(given) => given.value.as_ref().and_then(Value::as_int)?,
        None => default(uglyfox.schema.child(&own.name)?.block, name)?,
    };
    let (least, most) = if name == high { (value, other) } else { (other, value) };
    (least > most).then(|| above(scope, own, (written, name), (least, most), given))
}

fn above(
    scope: &FileScope<'_>,
    own: &TypedBlock,
    (written, other): (&TypedAttribute, &str),
    (least, most): (i64, i64),
    given: Option<&TypedAttribute>,
) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        &MIN_ABOVE_MAX,
        scope.span(written.range),
        format!("`min_count` is {least}, but `max_count` is {most}"),
        "no number is both",
    );
    let diagnostic = match given {
        Some(given) => diagnostic
            .note(format!("what a condition leaves out is as in `{}` directly in `uglyfox`", own.name))
            .related(scope.span(given.range), format!("`{other}` is given here")),
        None => {
            let value = if other == "max_count" { most } else { least };
            diagnostic.note(format!("`{other}` is {value} when neither the condition nor `uglyfox` gives it"))
        }
    };
    let (word, bound) = if other == "max_count" { ("or more", least) } else { ("or less", most) };
    diagnostic.help(format!("write `{other} = {bound}` {word} beside it"))
}

fn default(schema: &schema::Block, name: &str) -> Option<i64> {
    match schema.attribute(name)?.presence {
        Presence::Default(text) => text.parse().ok(),
        Presence::Required | Presence::Optional | Presence::Derived(_) => None,
    }
}
