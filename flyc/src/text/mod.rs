//! Text, offsets and lines. What never lives here: anything that knows Fly.

use std::sync::Arc;

pub use line_index::{LineIndex, WideEncoding, WideLineCol};
pub use text_size::{TextRange, TextSize};

/// One source file as diagnostics are rendered from it.
#[derive(Debug, Clone)]
pub struct Source {
    /// The path relative to the Nest's root, with `/` between folders.
    pub path: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
    /// Where its lines begin.
    pub lines: Arc<LineIndex>,
}

impl Source {
    /// A source with its line index.
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let lines = Arc::new(LineIndex::new(&text));
        Self { path: path.into(), text, lines }
    }

    /// The position of an offset, counted from 1; columns count Unicode scalar values.
    pub fn position(&self, offset: TextSize) -> Position {
        let offset = offset.min(TextSize::of(&*self.text));
        let position = self.lines.line_col(offset);
        let column = self.lines.to_wide(WideEncoding::Utf32, position).map_or(position.col, |wide| wide.col);
        Position { line: position.line + 1, column: column + 1, offset: offset.into() }
    }
}

/// A place in a file as users count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in Unicode scalar values.
    pub column: u32,
    /// The offset in bytes, from 0.
    pub offset: u32,
}
