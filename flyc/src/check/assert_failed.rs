//! The organisation's own rules: each `assert` of `nest.fly`, over the whole fleet.

use std::sync::Arc;

use super::{FileScope, NestScope};
use crate::{
    config::{self, egg_configs, nest_defaults},
    db::Nest,
    diag::{Diagnostic, Span, declare_diagnostic},
    model::{
        Assertion, EGG_SUBJECT, EntityKind, JOB_SUBJECT, Subject, TypedBlock, Verdict, assertions,
        definitions, nest_value,
    },
    text::{TextRange, TextSize},
};

declare_diagnostic! { pub ASSERT_FAILED = "assert-failed", Error, "a rule of your own that does not hold" }
declare_diagnostic! { pub ASSERT_WARNING = "assert-warning", Warning, "a rule of your own, meant as a warning, that does not hold" }

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(nest) = Nest::try_get(scope.db) else { return };
    let all = assertions(scope.db, nest);
    let over = |word: &str| all.iter().any(|assertion| assertion.over == word);
    if over("egg") {
        let configs = egg_configs(scope.db, scope.file);
        let eggs = scope.blocks.iter().filter(|block| config::is_egg(block));
        for (egg, resolved) in eggs.zip(configs) {
            let subjects = config::subjects(egg, resolved.as_ref());
            let subjects = subjects.into_iter().map(|value| Subject::new("egg", Some(&EGG_SUBJECT), value));
            about(scope, all, egg, subjects, diagnostics);
        }
    }
    if over("job") {
        // What is wrong with a job has been told; the rules are for what is right.
        for job in scope.blocks.iter().filter(|block| block.name == "job" && whole(block)) {
            let subjects = config::subjects(job, None);
            let subjects = subjects.into_iter().map(|value| Subject::new("job", Some(&JOB_SUBJECT), value));
            about(scope, all, job, subjects, diagnostics);
        }
    }
}

/// Whether nothing of a block is wrong.
fn whole(block: &TypedBlock) -> bool {
    block.walk().iter().all(|block| {
        !block.damaged && block.meant.is_empty() && block.attributes.iter().all(|a| a.value.is_some())
    })
}

fn about(
    scope: &FileScope<'_>,
    assertions: &[Assertion],
    block: &TypedBlock,
    subjects: impl Iterator<Item = Subject>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let subjects: Vec<_> = subjects.map(Arc::new).collect();
    for assertion in assertions {
        let wrong = subjects
            .iter()
            .filter(|subject| assertion.over == subject.word)
            .find_map(|subject| assertion.check(scope.db, scope.path, subject).err());
        let Some(verdict) = wrong else { continue };
        let at = verdict.paths.iter().find_map(|path| written(block, path)).unwrap_or(block.header);
        diagnostics.push(failed(scope.db, assertion, &verdict, &scope.span(at)));
    }
}

/// The rules about the Nest as a whole.
pub(super) fn check_nest(scope: &NestScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(nest) = Nest::try_get(scope.db) else { return };
    let all = assertions(scope.db, nest);
    if !all.iter().any(|assertion| assertion.over == "nest") {
        return;
    }
    let defaults = nest_defaults(scope.db, nest);
    let names = |wanted: fn(&NestScope<'_>, &str) -> bool, kind: EntityKind| {
        let mut names: Vec<&str> = scope.index.names(kind).filter(|name| wanted(scope, name)).collect();
        names.sort_unstable();
        names
    };
    let eggs = names(|scope, name| !scope.index.is_bucket(scope.db, name), EntityKind::Egg);
    let buckets = names(|scope, name| scope.index.is_bucket(scope.db, name), EntityKind::Egg);
    let jobs = names(|_, _| true, EntityKind::Job);
    let value = nest_value(&defaults.name, i64::from(defaults.edition), &eggs, &buckets, &jobs);
    let subject = Arc::new(Subject::new("nest", None, value));
    let path: Arc<str> = definitions::NEST_FILE.into();
    for assertion in all.iter().filter(|assertion| assertion.over == "nest") {
        if let Err(verdict) = assertion.check(scope.db, &path, &subject) {
            let nowhere = TextRange::empty(TextSize::new(0));
            let span = definitions::header(scope.db, "assert", &assertion.name);
            let span = span.unwrap_or_else(|| Span::new(path.clone(), nowhere));
            diagnostics.push(failed(scope.db, assertion, &verdict, &span));
        }
    }
}

/// Where the value stands that a path asks for.
fn written(block: &TypedBlock, path: &str) -> Option<TextRange> {
    let mut at = block;
    let mut parts = path.split(['.', '[']).peekable();
    while let Some(part) = parts.next() {
        let part = part.trim_end_matches(']').trim_matches('"');
        if let Some(attribute) = at.attribute(part) {
            return Some(attribute.range);
        }
        let Some(inner) = at.block(part) else {
            // What is not given would stand in there.
            return (!std::ptr::eq(at, block)).then_some(at.header);
        };
        at = inner;
        if parts.peek().is_none() {
            return Some(at.header);
        }
    }
    None
}

fn failed(db: &dyn crate::db::Db, assertion: &Assertion, verdict: &Verdict, span: &Span) -> Diagnostic {
    let kind = if assertion.warning { &ASSERT_WARNING } else { &ASSERT_FAILED };
    let mut diagnostic = Diagnostic::new(
        kind,
        span.clone(),
        verdict.message.as_str(),
        format!("against the rule `{}`", assertion.name),
    );
    for (written, value) in &verdict.operands {
        diagnostic = diagnostic.note(format!("`{written}` is {value}"));
    }
    if let Some(obstacle) = &verdict.obstacle {
        diagnostic = diagnostic.note(format!("the condition has no value here: {obstacle}"));
    }
    if let Some(rule) = definitions::header(db, "assert", &assertion.name)
        && rule != *span
    {
        diagnostic = diagnostic.related(rule, "the rule stands here");
    }
    diagnostic
}
