//! The values of sensitive variables: what is told of one says neither what it is nor shows it in an excerpt.
//!
//! What never lives here: where such a value may go; that is told where it goes there.

use super::FileScope;
use crate::{
    diag::Diagnostic,
    model::definitions,
    syntax::{Attribute, Block, Kind},
    text::{TextRange, TextSize},
};

/// Comes after the rules about the same file, so that it can mend what they told.
pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut [Diagnostic]) {
    if &**scope.path != definitions::NEST_FILE || diagnostics.is_empty() {
        return;
    }
    let values = values(scope);
    if values.is_empty() {
        return;
    }
    let texts: Vec<(TextRange, &str)> = values.iter().flat_map(|value| texts(scope, *value)).collect();
    for told in diagnostics.iter_mut() {
        told.hides.extend(texts.iter().map(|(range, _)| *range));
        let at = told.span.range;
        for value in values.iter().filter(|value| value.contains_range(at)) {
            // An edit, or what is to be written, may be the value in another form.
            told.help = None;
            for (_, text) in texts.iter().filter(|(range, _)| value.contains_range(*range)) {
                told.message = without(&told.message, text);
                told.label = without(&told.label, text);
            }
        }
    }
}

/// What is said, without what it quotes of a text.
fn without(said: &str, text: &str) -> String {
    let quoted = |at: usize, part: &str| at % 2 == 1 && !part.is_empty() && text.contains(part);
    let parts = said.split('`').enumerate();
    parts.map(|(at, part)| if quoted(at, part) { "***MASKED***" } else { part }).collect::<Vec<_>>().join("`")
}

/// The ranges of the values that `default`, `allowed` and `nest { variables { … } }` give sensitive variables.
fn values(scope: &FileScope<'_>) -> Vec<TextRange> {
    let (mut values, mut names) = (Vec::new(), Vec::new());
    for block in scope.parse.blocks().filter(|block| block.is("variable")) {
        let is_true =
            |attribute: Attribute<'_>| attribute.value().is_some_and(|value| value.text() == "true");
        if !attributes(block).any(|(name, attribute)| name == "sensitive" && is_true(attribute)) {
            continue;
        }
        names.extend(block.labels().next().map(|label| label.name));
        let given = attributes(block).filter(|(name, _)| matches!(*name, "default" | "allowed"));
        values.extend(given.filter_map(|(_, attribute)| attribute.value().map(|value| value.range())));
    }
    let nests = scope.parse.blocks().filter(|block| block.is("nest"));
    for block in nests.flat_map(Block::blocks).filter(|block| block.is("variables")) {
        let given = attributes(block).filter(|(name, _)| names.contains(name));
        values.extend(given.filter_map(|(_, attribute)| attribute.value().map(|value| value.range())));
    }
    values
}

fn attributes(block: Block<'_>) -> impl Iterator<Item = (&str, Attribute<'_>)> {
    block.attributes().filter_map(|attribute| Some((attribute.name()?.text(), attribute)))
}

/// The literals within a range, without their quotes, and where they stand.
fn texts<'a>(scope: &'a FileScope<'_>, range: TextRange) -> impl Iterator<Item = (TextRange, &'a str)> {
    let tokens = scope.parse.root().descendants().flat_map(|node| node.tokens().collect::<Vec<_>>());
    let within = tokens.filter(move |token| range.contains_range(token.range()));
    within.filter_map(|token| match token.kind() {
        Kind::String => {
            let one = TextSize::new(1);
            let inside = TextRange::new(token.range().start() + one, token.range().end() - one);
            Some((inside, &scope.parse.text()[inside]))
        }
        Kind::Number | Kind::Heredoc | Kind::UnclosedString | Kind::UnclosedHeredoc => {
            Some((token.range(), token.text()))
        }
        _ => None,
    })
}
