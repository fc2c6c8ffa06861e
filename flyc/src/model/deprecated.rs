//! What is said of an attribute that should no longer be used, and the edit that does without it.

use std::sync::Arc;

use fly_std::schema::{self, Replacement};

use crate::{
    diag::{Diagnostic, Span, declare_diagnostic},
    syntax::{Attribute, Parse},
    text::{TextRange, TextSize},
};

declare_diagnostic! { pub DEPRECATED = "deprecated", Warning, "something that should no longer be used" }

/// What is said of the attribute, if it is deprecated.
pub(super) fn diagnostic(
    path: &Arc<str>,
    parse: &Parse,
    attribute: Attribute<'_>,
    known: &schema::Attribute,
) -> Option<Diagnostic> {
    let deprecated = known.deprecated?;
    let name = attribute.name()?;
    let diagnostic = Diagnostic::new(
        &DEPRECATED,
        Span::new(Arc::clone(path), name.range()),
        format!("`{}` should no longer be used", name.text()),
        format!("deprecated since edition {}", deprecated.since),
    )
    .note(deprecated.reason);
    Some(match deprecated.replacement {
        Replacement::Renamed(new) => diagnostic.safe_fix(format!("write `{new}` instead"), name.range(), new),
        Replacement::Removed if attribute.is_damaged() => diagnostic.help("leave it out"),
        Replacement::Removed => {
            diagnostic.safe_fix("leave it out", with_its_line(parse.text(), attribute.node().range()), "")
        }
        Replacement::Rewritten(how) => diagnostic.help(how),
    })
}

/// The range, and the line or lines it stands on when nothing else stands there.
fn with_its_line(text: &str, range: TextRange) -> TextRange {
    let (start, end) = (usize::from(range.start()), usize::from(range.end()));
    let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let stop = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    let alone = text[begin..start].trim().is_empty() && text[end..stop].trim().is_empty();
    let size = |at: usize| u32::try_from(at).map_or(range.end(), TextSize::new);
    if alone { TextRange::new(size(begin), size(stop)) } else { range }
}

#[cfg(test)]
mod tests {
    use fly_std::Type;

    use super::*;
    use crate::{
        db::Database,
        diag::Applicability,
        model::blocks::Checker,
        syntax::{Item, parse},
    };

    const TEXT: &str = "a {\n  old = 1\n  other = 2 # why\n  last = [\n    3\n  ]\n}\n";

    /// The text after the edit for the attribute at a position, were it deprecated so.
    fn after(position: usize, replacement: Replacement) -> (Diagnostic, String) {
        let parsed = parse(Arc::from(TEXT));
        let Some(Item::Block(block)) = parsed.items().next() else { panic!("a block") };
        let Some(Item::Attribute(attribute)) = block.items().nth(position) else { panic!("an attribute") };
        let known = schema::Attribute::optional("old", Type::Any, "what was", "1");
        assert_eq!(diagnostic(&"a.fly".into(), &parsed, attribute, &known), None);
        let known = known.deprecated(2026, "there is a better way", replacement);
        let found = diagnostic(&"a.fly".into(), &parsed, attribute, &known).unwrap();
        let mut text = TEXT.to_owned();
        for edit in &found.help.as_ref().unwrap().edits {
            text.replace_range(usize::from(edit.range.start())..usize::from(edit.range.end()), &edit.text);
        }
        (found, text)
    }

    #[test]
    fn a_new_name_is_written_in_place_of_the_old() {
        let (found, text) = after(0, Replacement::Renamed("new"));
        assert_eq!(text, TEXT.replace("old", "new"));
        assert_eq!(found.message, "`old` should no longer be used");
        assert_eq!(
            (found.label.as_str(), found.notes),
            ("deprecated since edition 2026", vec!["there is a better way".to_owned()])
        );
        assert_eq!(found.help.map(|help| help.applicability), Some(Applicability::Safe));
    }

    #[test]
    fn what_has_no_meaning_goes_with_its_line_and_without_its_comment() {
        assert_eq!(after(0, Replacement::Removed).1, TEXT.replace("  old = 1\n", ""));
        assert_eq!(after(1, Replacement::Removed).1, TEXT.replace("other = 2", ""));
        assert_eq!(after(2, Replacement::Removed).1, TEXT.replace("  last = [\n    3\n  ]\n", ""));
    }

    #[test]
    fn what_takes_a_person_is_left_to_one() {
        let (found, text) = after(0, Replacement::Rewritten("write a `pool` block"));
        assert_eq!((text.as_str(), found.help.unwrap().text.as_str()), (TEXT, "write a `pool` block"));
    }

    const OLD: schema::Attribute = schema::Attribute::optional("old", Type::Bool, "what was", "true")
        .deprecated(2026, "there is a better name", Replacement::Renamed("new"));

    static TABLE: schema::Block = schema::Block {
        attributes: &[OLD, schema::Attribute::required("new", Type::Bool, "what is", "true")],
        ..schema::Block::new("a", "A block.")
    };

    /// What the checker says of a block of the table, and what it makes of it.
    fn checked(text: &str) -> (Vec<&'static str>, Vec<String>) {
        let db = Database::default();
        let parsed = parse(Arc::from(text));
        let Some(Item::Block(block)) = parsed.items().next() else { panic!("a block") };
        let mut checker = Checker::new(&db, "a.fly".into(), &parsed);
        let typed = checker.block(block, &TABLE, "a");
        let found = checker.diagnostics.iter().map(|found| found.kind.id).collect();
        (found, typed.attributes.iter().map(|attribute| attribute.name.to_string()).collect())
    }

    #[test]
    fn the_checker_reads_the_old_name_as_the_new_one() {
        let new = vec!["new".to_owned()];
        // The new name is required, and given under its old one.
        assert_eq!(checked("a {\n  old = true\n}\n"), (vec!["deprecated"], new.clone()));
        assert_eq!(checked("a {\n  new = true\n}\n"), (vec![], new.clone()));
        assert_eq!(checked("a {\n  new = true\n  old = true\n}\n"), (vec!["duplicate-attribute"], new));
    }
}
