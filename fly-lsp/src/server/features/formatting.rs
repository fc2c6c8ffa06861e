//! Formatting as the protocol has it. Never here: what an answer says, which is `ide`'s.

use tower_lsp_server::ls_types::{self as lsp};

use crate::{ide, server::session::View};

/// The whole text in the one form of Fly.
pub(in crate::server) fn formatting(view: &View) -> Vec<lsp::TextEdit> {
    view.edits(&view.path, &ide::format_file(&view.compiler, &view.path))
}

/// What a range touches, in the form it has in the whole.
pub(in crate::server) fn range_formatting(view: &View, range: lsp::Range) -> Vec<lsp::TextEdit> {
    let range = view.with(|lines| lines.text_range(range)).unwrap_or_default();
    view.edits(&view.path, &ide::format_range(&view.compiler, &view.path, range))
}

/// What follows from a character that was typed.
pub(in crate::server) fn on_type_formatting(
    view: &View,
    position: lsp::Position,
    typed: &str,
) -> Vec<lsp::TextEdit> {
    let Some(typed) = typed.chars().next() else { return Vec::new() };
    view.edits(&view.path, &ide::format_typed(&view.compiler, &view.path, view.at(position), typed))
}
