//! Completion as the protocol has it. Never here: what an answer says, which is `ide`'s.

use tower_lsp_server::ls_types::{self as lsp};

use super::markdown;
use crate::{
    ide::{self, CompletionKind},
    server::{convert::Lines, session::View},
};

pub(in crate::server) fn completion(
    view: &View,
    position: lsp::Position,
    snippets: bool,
) -> Vec<lsp::CompletionItem> {
    let found = ide::complete(&view.compiler, &view.path, view.at(position));
    let text = view.compiler.text(&view.path).unwrap_or_default();
    let lines = Lines::new(&text, view.encoding);
    let item = |(at, found): (usize, ide::Completion)| {
        let new_text = if snippets { found.snippet.clone() } else { found.plain() };
        lsp::CompletionItem {
            kind: Some(match found.kind {
                CompletionKind::Attribute => lsp::CompletionItemKind::PROPERTY,
                CompletionKind::Block => lsp::CompletionItemKind::MODULE,
                CompletionKind::Value => lsp::CompletionItemKind::VALUE,
                CompletionKind::Variant => lsp::CompletionItemKind::ENUM_MEMBER,
                CompletionKind::Function => lsp::CompletionItemKind::FUNCTION,
                CompletionKind::Reference => lsp::CompletionItemKind::VARIABLE,
                CompletionKind::Entity => lsp::CompletionItemKind::CLASS,
                CompletionKind::Field => lsp::CompletionItemKind::FIELD,
                CompletionKind::Punctuation => lsp::CompletionItemKind::OPERATOR,
            }),
            detail: Some(found.detail).filter(|detail| !detail.is_empty()),
            documentation: (!found.doc.is_empty())
                .then(|| lsp::Documentation::MarkupContent(markdown(found.doc))),
            // Editors sort by text; ours is the order of the list.
            sort_text: Some(format!("{at:04}")),
            filter_text: found.filter.filter(|filter| !filter.is_empty()),
            insert_text_format: Some(if snippets {
                lsp::InsertTextFormat::SNIPPET
            } else {
                lsp::InsertTextFormat::PLAIN_TEXT
            }),
            insert_text_mode: Some(lsp::InsertTextMode::AS_IS),
            text_edit: Some(lsp::CompletionTextEdit::Edit(lsp::TextEdit::new(
                lines.range(found.range),
                new_text,
            ))),
            ..lsp::CompletionItem::new_simple(found.label, String::new())
        }
    };
    found.into_iter().enumerate().map(item).collect()
}
