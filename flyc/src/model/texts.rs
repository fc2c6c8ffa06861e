//! Where a part of a value's text stands in its file.
//!
//! Values hold no positions of what is inside their texts; whoever makes a diagnostic about a part looks it up here.

use std::ops::Range;

use super::ir::TypedAttribute;
use crate::{
    db::{Db, SourceFile, parse},
    syntax::{Kind, NodeKind, literal},
    text::TextRange,
};

/// Where a part of an attribute's text stands: inside its string or heredoc when the text was written as one, else
/// the attribute's whole value.
pub fn text_range(
    db: &dyn Db,
    file: SourceFile,
    attribute: &TypedAttribute,
    part: Range<usize>,
) -> TextRange {
    let root = parse(db, file).root();
    // The value is one literal, in parentheses or not.
    let mut within = root.descendants().filter(|node| attribute.range.contains_range(node.range()));
    let literal = within.find(|node| node.kind() != NodeKind::Paren);
    let token = literal.filter(|node| node.kind() == NodeKind::Literal).and_then(|node| node.tokens().next());
    let Some(token) = token.filter(|token| matches!(token.kind(), Kind::String | Kind::Heredoc)) else {
        return attribute.range;
    };
    let content = literal::content(token.kind(), token.text(), token.range().start(), false);
    match content.plain() {
        Some(text) if !text.text.is_empty() => text.source(part),
        _ => attribute.range,
    }
}
