//! The documents that are open: their texts as the editor has them. Never here: what they mean, or which Nest they are of.

use std::{ops::Range, path::PathBuf};

use tower_lsp_server::ls_types::{TextDocumentContentChangeEvent, Uri};

use super::convert::{Encoding, Lines};

/// An open document.
pub(crate) struct Document {
    /// As the editor calls it.
    pub(crate) uri: Uri,
    /// The file it is; none for one that has not been saved.
    pub(crate) file: Option<PathBuf>,
    /// The Nest it belongs to, by its root; none for one that belongs to none.
    pub(crate) root: Option<PathBuf>,
    /// Its path relative to the root, or what it is called when it has none.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) version: i32,
    /// When it was opened or changed, so that of two documents of one file the later counts.
    pub(crate) changed: u64,
}

impl Document {
    /// Applies changes one after the other, each to what the one before has made.
    pub(crate) fn edit(&mut self, changes: &[TextDocumentContentChangeEvent], encoding: Encoding) {
        for change in changes {
            match change.range {
                None => self.text.clone_from(&change.text),
                Some(range) => {
                    let range = Lines::new(&self.text, encoding).text_range(range);
                    self.text.replace_range(Range::<usize>::from(range), &change.text);
                }
            }
        }
    }
}
