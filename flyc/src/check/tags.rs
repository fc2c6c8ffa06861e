//! Tags as GitLab takes them, and runners whose tags leave them nothing to do.

use fly_std::Value;
use rustc_hash::FxHashMap;

use super::FileScope;
use crate::{
    diag::{Diagnostic, declare_diagnostic},
    model::{TypedAttribute, TypedBlock},
    text::TextRange,
};

declare_diagnostic! { pub BAD_TAG = "bad-tag", Error, "a tag that GitLab would not keep as it is written" }
declare_diagnostic! { pub REPEATED_TAG = "repeated-tag", Warning, "a tag given twice" }
declare_diagnostic! { pub TAKES_NO_JOB = "takes-no-job", Error, "a runner without tags that takes no job without them" }

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for block in scope.all_blocks().filter(|block| block.schema.attribute("tags").is_some()) {
        let tags = block.attribute("tags");
        if let Some(tags) = tags {
            each(scope, tags, diagnostics);
        }
        diagnostics.extend(idle(scope, block, tags));
    }
}

fn each(scope: &FileScope<'_>, tags: &TypedAttribute, diagnostics: &mut Vec<Diagnostic>) {
    let Some(Value::List(values)) = &tags.value else { return };
    let mut seen: FxHashMap<&str, TextRange> = FxHashMap::default();
    for (at, tag) in values.iter().enumerate() {
        let Some(tag) = tag.as_str() else { continue };
        // A list that comes from elsewhere is told once.
        let element = tags.elements.get(at).copied();
        let range = element.unwrap_or(tags.range);
        let span = scope.span(range);
        let trimmed = tag.trim();
        if let Some(diagnostic) = shape(tag, trimmed, span.clone(), element) {
            diagnostics.push(diagnostic);
        } else if let Some(first) = seen.get(tag) {
            let diagnostic = Diagnostic::new(
                &REPEATED_TAG,
                span,
                format!("the tag `{tag}` is given twice"),
                "given again here",
            );
            let diagnostic = if *first == range {
                diagnostic
            } else {
                diagnostic.related(scope.span(*first), "first given here")
            };
            diagnostics.push(diagnostic.help("remove one of the two"));
        } else {
            seen.insert(tag, range);
            continue;
        }
        if element.is_none() {
            return;
        }
    }
}

fn shape(
    tag: &str,
    trimmed: &str,
    span: crate::diag::Span,
    element: Option<TextRange>,
) -> Option<Diagnostic> {
    let (message, label) = if trimmed.is_empty() {
        ("a tag wants a word, found an empty one".to_owned(), "empty")
    } else if tag.contains(',') {
        (format!("a tag holds no comma, found `{tag}`"), "GitLab takes it for several tags")
    } else if trimmed.len() < tag.len() {
        (format!("a tag has no spaces around it, found `\"{tag}\"`"), "spaces around it")
    } else {
        return None;
    };
    let diagnostic = Diagnostic::new(&BAD_TAG, span, message, label)
        .note("GitLab keeps tags as a list with commas between them, without the spaces around each");
    let parts: Vec<String> = tag
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| format!("\"{}\"", part.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    Some(match element {
        Some(range) if !parts.is_empty() => {
            let written = parts.join(", ");
            diagnostic.fix(format!("write `{written}`"), range, written)
        }
        _ => diagnostic.help("remove it, or write a word"),
    })
}

/// A runner that has no tags, and was said not to take jobs without. Where neither is written, the egg is only begun.
fn idle(scope: &FileScope<'_>, block: &TypedBlock, tags: Option<&TypedAttribute>) -> Option<Diagnostic> {
    block.schema.attribute("run_untagged")?;
    let untagged = block.attribute("run_untagged");
    let written = untagged.or(tags)?;
    let has_none = tags.is_none_or(|tags| matches!(&tags.value, Some(Value::List(tags)) if tags.is_empty()));
    let takes_none = untagged.is_none_or(|flag| matches!(flag.value, Some(Value::Bool(false))));
    if !has_none
        || !takes_none
        || block.damaged
        || block.meant.iter().any(|name| matches!(*name, "tags" | "run_untagged"))
    {
        return None;
    }
    let diagnostic = Diagnostic::new(
        &TAKES_NO_JOB,
        scope.span(written.range),
        "this runner takes no job: it has no tags, and jobs without tags are not taken",
        if untagged.is_some() { "jobs without tags are not taken" } else { "no tags" },
    )
    .note("GitLab refuses to register such a runner");
    Some(match (untagged, tags) {
        (Some(flag), tags) => {
            let diagnostic =
                diagnostic.fix("write `run_untagged = true`, or give it tags", flag.range, "true");
            match tags {
                Some(tags) => diagnostic.related(scope.span(tags.range), "no tags are given here"),
                None => diagnostic,
            }
        }
        (None, _) => diagnostic.help("give it tags, or write `run_untagged = true`"),
    })
}
