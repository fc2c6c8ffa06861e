//! Each answer of `ide` as the protocol's struct: one file a kind of request. Never here: what an answer says.

pub(super) mod actions;
pub(super) mod commands;
pub(super) mod completion;
pub(super) mod diagnostics;
pub(super) mod formatting;
pub(super) mod hints;
pub(super) mod lens;
pub(super) mod links;
pub(super) mod moves;
pub(super) mod names;
pub(super) mod outline;
pub(super) mod reading;
pub(super) mod tokens;

use std::time::{SystemTime, UNIX_EPOCH};

use flyc::{diag::Edit, text::TextSize};
use tower_lsp_server::ls_types::{self as lsp};

use super::{
    convert::{self, Lines},
    session::View,
};
use crate::ide::Moment;

impl View {
    /// Runs with the text of the file that is asked about and its lines.
    fn with<T>(&self, answer: impl FnOnce(&Lines<'_>) -> T) -> Option<T> {
        let text = self.compiler.text(&self.path)?;
        Some(answer(&Lines::new(&text, self.encoding)))
    }

    fn at(&self, position: lsp::Position) -> TextSize {
        self.with(|lines| lines.offset(position)).unwrap_or_default()
    }

    fn locations(&self, spans: &[flyc::diag::Span]) -> Vec<lsp::Location> {
        let places = spans.chunk_by(|one, next| one.file == next.file);
        places
            .flat_map(|spans| convert::locations(&self.compiler, &self.root, self.encoding, spans))
            .collect()
    }

    fn edits(&self, path: &str, edits: &[Edit]) -> Vec<lsp::TextEdit> {
        let text = self.compiler.text(path).unwrap_or_default();
        let lines = Lines::new(&text, self.encoding);
        edits.iter().map(|edit| lines.edit(edit)).collect()
    }
}

fn markdown(value: String) -> lsp::MarkupContent {
    lsp::MarkupContent { kind: lsp::MarkupKind::Markdown, value }
}

#[allow(
    clippy::disallowed_methods,
    reason = "an editor shows when schedules run next; nothing is built of it"
)]
/// This moment, which schedules are asked about.
fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_secs()).unwrap_or_default())
}
