//! Diagnostics for an editor that asks. Never here: what an answer says, which is `ide`'s.

use tower_lsp_server::ls_types::{self as lsp};

use crate::server::{publish, session::View};

/// What is wrong with the file, for an editor that asks.
pub(in crate::server) fn diagnostics(view: &View) -> Vec<lsp::Diagnostic> {
    let mut found = view.compiler.check_file(&view.path);
    found.extend(view.unreadable.iter().filter(|found| *found.span.file == *view.path).cloned());
    publish::diagnostics(view, &view.path, &found)
}
