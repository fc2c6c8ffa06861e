//! Code actions. Never here: what an answer says, which is `ide`'s.

use flyc::diag::Diagnostic;
use tower_lsp_server::ls_types::{self as lsp};

use crate::server::{
    convert::{Lines, uri_of},
    publish,
    session::View,
};

/// The fixes of what was found in a range.
pub(in crate::server) fn actions(view: &View, range: lsp::Range) -> Vec<lsp::CodeAction> {
    let found = view.compiler.check_file(&view.path);
    let text = view.compiler.text(&view.path).unwrap_or_default();
    let lines = Lines::new(&text, view.encoding);
    let asked = lines.text_range(range);
    let here = |found: &&Diagnostic| found.span.range.intersect(asked).is_some();
    let Some(uri) = uri_of(&view.root, &view.path) else { return Vec::new() };
    let action = |found: &Diagnostic| {
        let help = found.help.as_ref().filter(|help| !help.edits.is_empty())?;
        let edits = help.edits.iter().map(|edit| lsp::OneOf::Left(lines.edit(edit))).collect();
        let text_document = lsp::OptionalVersionedTextDocumentIdentifier {
            uri: uri.clone(),
            version: view.versions.get(&view.path).copied(),
        };
        Some(lsp::CodeAction {
            title: help.text.clone(),
            kind: Some(lsp::CodeActionKind::QUICKFIX),
            diagnostics: Some(publish::diagnostics(view, &view.path, std::slice::from_ref(found))),
            edit: Some(lsp::WorkspaceEdit {
                document_changes: Some(lsp::DocumentChanges::Edits(vec![lsp::TextDocumentEdit {
                    text_document,
                    edits,
                }])),
                ..lsp::WorkspaceEdit::default()
            }),
            is_preferred: Some(help.applicability == flyc::diag::Applicability::Safe),
            ..lsp::CodeAction::default()
        })
    };
    found.iter().filter(here).filter_map(action).collect()
}
