//! What the rules of UglyFox come to as a whole: conditions that never hold, conditions that always do, and rules that
//! are never reached because earlier ones hold whenever they would.
//!
//! They are warnings, all three: such a rule means exactly what it says and harms nothing by itself, it is only
//! hardly ever what was meant, and a fleet must not stay as it is because of it.
//!
//! Rules are tried in order and the first that holds is acted on, whatever its action is: an `alert` ends the search
//! like the others. So it shadows what comes after it, which is best told.

use fly_std::policy::{
    Condition,
    solve::{Always, Solver},
};
use rustc_hash::FxHashSet;

use super::FileScope;
use crate::{
    diag::{Diagnostic, Span, declare_diagnostic},
    model::{ConditionPart, Join, TypedAttribute, TypedBlock, condition_parts, text_range},
};

declare_diagnostic! { pub CONDITION_ALWAYS_FALSE = "condition-always-false", Warning, "a condition that no runner can fulfil" }
declare_diagnostic! { pub CONDITION_ALWAYS_TRUE = "condition-always-true", Warning, "a condition that every runner fulfils" }
declare_diagnostic! { pub SHADOWED_RULE = "shadowed-rule", Warning, "a rule that is never acted on, because earlier ones are" }

/// A rule whose condition is understood.
struct Rule<'a> {
    block: &'a TypedBlock,
    attribute: &'a TypedAttribute,
    condition: &'a Condition,
}

impl Rule<'_> {
    fn name(&self) -> &str {
        self.block.label.as_deref().unwrap_or("")
    }
}

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for policies in scope.all_blocks().filter(|block| block.schema.name == "policies") {
        check_rules(scope, policies, diagnostics);
    }
}

fn check_rules(scope: &FileScope<'_>, policies: &TypedBlock, diagnostics: &mut Vec<Diagnostic>) {
    let mut solver = Solver::default();
    // The rules before that are reached by some runners and not by others.
    let mut earlier: Vec<Rule<'_>> = Vec::new();
    let mut names = FxHashSet::default();
    for block in policies.blocks("rule") {
        let Some(attribute) = block.attribute("condition") else { continue };
        let Some(condition) = attribute.value.as_ref().and_then(fly_std::Value::as_condition) else {
            continue;
        };
        if !names.insert(block.label.as_deref()) {
            // A second rule of a name has been told of.
            continue;
        }
        let rule = Rule { block, attribute, condition };
        // One thing is told of a rule, and a rule that something was told of is not held against others.
        if solver.never([&condition.predicate]) {
            diagnostics.push(always_false(scope, &rule, &mut solver));
        } else if let Some(always) = solver.always([&condition.predicate]) {
            diagnostics.push(always_true(scope, &rule, &always, &mut solver));
        } else {
            let conditions: Vec<_> = earlier.iter().map(|rule| &rule.condition.predicate).collect();
            match solver.covered(&condition.predicate, &conditions) {
                Some(covering) => {
                    let covering: Vec<_> = covering.into_iter().map(|at| &earlier[at]).collect();
                    diagnostics.push(shadowed(scope, &rule, &covering));
                }
                None => earlier.push(rule),
            }
        }
    }
}

/// The span of a part of a rule's condition.
fn part_span(scope: &FileScope<'_>, rule: &Rule<'_>, part: &ConditionPart) -> Span {
    scope.span(text_range(scope.db, scope.file, rule.attribute, part.range.clone()))
}

fn part_text<'a>(rule: &'a Rule<'_>, part: &ConditionPart) -> &'a str {
    rule.condition.text.get(part.range.clone()).unwrap_or_default()
}

/// The first part of which something is so by itself, or else the first two of which it is so together.
fn witness<'p>(
    parts: &'p [ConditionPart],
    mut is_so: impl FnMut(&[&'p ConditionPart]) -> bool,
) -> Option<(&'p ConditionPart, Option<&'p ConditionPart>)> {
    /// More parts than anybody looks through.
    const MANY: usize = 40;
    let parts = &parts[..parts.len().min(MANY)];
    if let Some(alone) = parts.iter().find(|part| is_so(&[*part])) {
        return Some((alone, None));
    }
    let pairs = parts
        .iter()
        .enumerate()
        .flat_map(|(at, second)| parts[..at].iter().map(move |first| (first, second)));
    pairs
        .into_iter()
        .find(|(first, second)| is_so(&[*first, *second]))
        .map(|(first, second)| (second, Some(first)))
}

fn always_false(scope: &FileScope<'_>, rule: &Rule<'_>, solver: &mut Solver) -> Diagnostic {
    let (join, parts) = condition_parts(&rule.condition.text);
    let found = match join {
        Join::All => witness(&parts, |parts| solver.never(parts.iter().map(|part| &part.predicate))),
        Join::Any => None,
    };
    let message = format!("the condition of `{}` never holds", rule.name());
    let whole = scope.span(rule.attribute.range);
    let note = "a rule whose condition never holds is never acted on";
    let help = "change the condition, or remove the rule";
    match found {
        None => Diagnostic::new(&CONDITION_ALWAYS_FALSE, whole, message, "no runner fulfils it"),
        Some((part, None)) => {
            let span = part_span(scope, rule, part);
            Diagnostic::new(&CONDITION_ALWAYS_FALSE, span, message, "no runner fulfils this")
        }
        Some((second, Some(first))) => {
            let label = format!("rules out `{}`", shown(part_text(rule, first)));
            let related = part_span(scope, rule, first);
            let diagnostic =
                Diagnostic::new(&CONDITION_ALWAYS_FALSE, part_span(scope, rule, second), message, label);
            if related == diagnostic.span {
                // Of a condition that is put together both are the same place.
                let (first, second) = (part_text(rule, first), part_text(rule, second));
                diagnostic.note(format!("it comes to `{}` and `{}`", shown(first), shown(second)))
            } else {
                diagnostic.related(related, "and both must hold")
            }
        }
    }
    .note(note)
    .help(help)
}

fn always_true(scope: &FileScope<'_>, rule: &Rule<'_>, always: &Always, solver: &mut Solver) -> Diagnostic {
    let (join, parts) = condition_parts(&rule.condition.text);
    let found = match join {
        Join::Any => {
            witness(&parts, |parts| solver.always(parts.iter().map(|part| &part.predicate)).is_some())
        }
        Join::All => None,
    };
    let (message, note) = match always {
        Always::Everywhere => (
            format!("the condition of `{}` always holds", rule.name()),
            "every runner that no earlier rule holds of is dealt with by this one, and no later rule is reached",
        ),
        Always::Knowing(fields) => {
            let names: Vec<_> = fields.iter().map(|field| format!("`{}`", field.name())).collect();
            let known = if fields.len() == 1 { "is known" } else { "are known" };
            (
                format!(
                    "the condition of `{}` holds of every runner whose {} {known}",
                    rule.name(),
                    names.join(" and ")
                ),
                "what a runner has not told yet is not known, and nearly every runner has",
            )
        }
    };
    let whole = scope.span(rule.attribute.range);
    let diagnostic = match found {
        None => Diagnostic::new(&CONDITION_ALWAYS_TRUE, whole, message, "every runner fulfils it"),
        Some((part, None)) => {
            let span = part_span(scope, rule, part);
            Diagnostic::new(&CONDITION_ALWAYS_TRUE, span, message, "every runner fulfils this")
        }
        Some((second, Some(first))) => {
            let label = format!("holds wherever `{}` does not", shown(part_text(rule, first)));
            let related = part_span(scope, rule, first);
            let diagnostic =
                Diagnostic::new(&CONDITION_ALWAYS_TRUE, part_span(scope, rule, second), message, label);
            if related == diagnostic.span {
                let (first, second) = (part_text(rule, first), part_text(rule, second));
                diagnostic.note(format!("it comes to `{}` or `{}`", shown(first), shown(second)))
            } else {
                diagnostic.related(related, "and one is enough")
            }
        }
    };
    diagnostic.note(note).help("change the condition, so that it holds of the runners that are meant")
}

fn shadowed(scope: &FileScope<'_>, rule: &Rule<'_>, covering: &[&Rule<'_>]) -> Diagnostic {
    let names: Vec<_> = covering.iter().map(|earlier| format!("`{}`", earlier.name())).collect();
    let list = fly_std::words::list(&names, "or").unwrap_or_default();
    let mut diagnostic = Diagnostic::new(
        &SHADOWED_RULE,
        scope.span(rule.attribute.range),
        format!("`{}` is never acted on", rule.name()),
        format!("whenever this holds, {list} does"),
    );
    for earlier in covering {
        diagnostic = diagnostic
            .related(scope.span(earlier.attribute.range), format!("`{}` is tried before", earlier.name()));
    }
    diagnostic = diagnostic.note("rules are tried in order, and the first that holds is acted on");
    let alert =
        |rule: &&Rule<'_>| rule.block.value("action").and_then(fly_std::Value::as_str) == Some("alert");
    if covering.iter().any(alert) {
        diagnostic =
            diagnostic.note("an `alert` is an action like the others: no later rule is tried after it");
    }
    diagnostic.help(match covering {
        [only] => format!("put it before `{}`, or remove it", only.name()),
        _ => "put it before them, or remove it".to_owned(),
    })
}

/// A part of a condition on one line, not too long.
fn shown(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
