//! Slips in the form of a file: what is not closed, what has quotes too many or too few, a value that is not there yet.
//! Never here: names and values that are whole.

use flyc::{
    diag::Diagnostic,
    model::{SYNTAX_ERROR, UNCLOSED, UNKNOWN_NAME},
    syntax::{Expr, Item, Kind, NodeKind, lines_of},
    text::{TextRange, TextSize},
};

use super::{
    Candidate,
    draft::{Draft, insert, replace},
    site::Asked,
};
use crate::ide::snippet;

pub(super) fn candidates(asked: &Asked<'_>, finding: &Diagnostic, found: &mut Vec<Candidate>) {
    let mut fix = |title: String, edit| {
        found.extend(
            Draft::of(asked.compiler, asked.path, &[edit]).map(|draft| Candidate::fix(title, finding, draft)),
        );
    };
    let at = finding.span.range;
    if *finding.kind == UNCLOSED
        && let Some((closer, place)) = closing(asked, at)
    {
        let line = asked.text()[..usize::from(place)].matches('\n').count() + 1;
        let indent = asked.text()[line_start(asked.text(), at)].chars().take_while(|c| *c == ' ');
        let indent: String = indent.collect();
        fix(format!("add `{closer}` before line {line}"), insert(place, format!("{indent}{closer}\n")));
    }
    if *finding.kind == SYNTAX_ERROR {
        if let Some((name, range)) = quoted_name(asked, at) {
            fix(format!("write `{name}` without quotes"), replace(range, name));
        }
        if let Some((written, place)) = missing_value(asked, at) {
            fix(format!("write the value `{written}`"), insert(place, format!(" {written}")));
        }
    }
    if *finding.kind == UNKNOWN_NAME
        && let Some(words) = bare_words(asked, at)
    {
        let text = &asked.text()[words];
        fix(format!("write it in quotes: `\"{text}\"`"), replace(words, format!("\"{text}\"")));
    }
}

/// The rest of the line an offset stands on, from its beginning.
fn line_start(text: &str, range: TextRange) -> std::ops::RangeFrom<usize> {
    text[..usize::from(range.start())].rfind('\n').map_or(0, |end| end + 1)..
}

/// What closes a bracket, and before which line: the first that stands no further in than the line of the bracket.
fn closing(asked: &Asked<'_>, open: TextRange) -> Option<(char, TextSize)> {
    let text = asked.text();
    let bracket = text[open].chars().find_map(|c| match c {
        '{' => Some('}'),
        '[' => Some(']'),
        '(' => Some(')'),
        _ => None,
    });
    let closer = bracket?;
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(text[line_start(text, open)].lines().next()?);
    let first = text[usize::from(open.end())..].find('\n').map(|end| usize::from(open.end()) + end + 1)?;
    let mut at = first;
    for line in text[first..].split_inclusive('\n') {
        if !line.trim().is_empty() && indent(line) <= own {
            break;
        }
        at += line.len();
    }
    // The empty lines above belong to what comes next.
    let kept = text[..at].trim_end().len();
    let at = text[kept..at].find('\n').map_or(at, |end| kept + end + 1);
    Some((closer, TextSize::try_from(at).ok()?))
}

/// A name in quotes where an attribute or block begins.
fn quoted_name(asked: &Asked<'_>, at: TextRange) -> Option<(String, TextRange)> {
    let junk =
        asked.parse.root().descendants().find(|node| node.kind() == NodeKind::Error && node.range() == at)?;
    let text = asked.text();
    let tokens = asked.parse.tree().tokens();
    let first = tokens.get(junk.token_range().start).filter(|token| token.kind == Kind::String)?;
    let end = tokens.get(junk.token_range().start + 1).map_or(text.len(), |next| next.start as usize);
    let range = TextRange::new(TextSize::new(first.start), TextSize::try_from(end).ok()?);
    let name = text[range].strip_prefix('"')?.strip_suffix('"')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (is_name && text[..usize::from(range.start())].trim_end_matches([' ', '\t']).ends_with('\n'))
        .then(|| (name.to_owned(), range))
}

/// An attribute with `=` and no value: one to begin with, and where it stands.
fn missing_value(asked: &Asked<'_>, at: TextRange) -> Option<(&'static str, TextSize)> {
    let text = asked.text();
    let place = asked.place(at)?;
    let attribute = place.block.items().find_map(|item| match item {
        Item::Attribute(attribute) => {
            let lines = lines_of(attribute.node());
            (attribute.value().is_none() && lines.contains_inclusive(at.start())).then_some(attribute)
        }
        _ => None,
    })?;
    let known = place.schema.attribute(attribute.name()?.text())?;
    let equals = attribute.node().tokens().find(|token| token.kind() == Kind::Equals)?;
    let rest = text[usize::from(equals.range().end())..].lines().next().unwrap_or_default();
    rest.trim().is_empty().then(|| (snippet::example(known), equals.range().end()))
}

/// Words that were meant as text: `gitlab.com`.
fn bare_words(asked: &Asked<'_>, at: TextRange) -> Option<TextRange> {
    let words = |expr: &Expr<'_>| {
        matches!(expr.node().kind(), NodeKind::Name | NodeKind::Field | NodeKind::Binary)
            && expr.text().chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    };
    let site = asked.site(at)?;
    let around = site.value.node().descendants().filter_map(Expr::cast);
    around.filter(words).map(Expr::range).find(|range| range.contains_range(at))
}
