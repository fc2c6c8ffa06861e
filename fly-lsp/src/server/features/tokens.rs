//! Semantic tokens in the protocol's form. Never here: what an answer says, which is `ide`'s.

use flyc::text::{TextRange, TextSize};
use tower_lsp_server::ls_types::{self as lsp};

use crate::{
    ide,
    server::{convert::Lines, session::View},
};

/// The tokens in the protocol's form: each as the distance from the one before. One over several lines is told line by
/// line, which every editor can show.
pub(in crate::server) fn tokens(view: &View, within: Option<lsp::Range>) -> Vec<lsp::SemanticToken> {
    let found = ide::semantic_tokens(&view.compiler, &view.path);
    let text = view.compiler.text(&view.path).unwrap_or_default();
    let lines = Lines::new(&text, view.encoding);
    let within = within.map(|range| lines.text_range(range));
    let mut tokens = Vec::with_capacity(found.len());
    let mut last = lsp::Position::new(0, 0);
    for token in found {
        if within.is_some_and(|within| within.intersect(token.range).is_none()) {
            continue;
        }
        let mut from = token.range.start();
        for line in text[token.range].split_inclusive('\n') {
            let shown = TextSize::of(line.trim_end_matches(['\n', '\r']));
            let range = lines.range(TextRange::at(from, shown));
            from += TextSize::of(line);
            let length = range.end.character - range.start.character;
            if length == 0 {
                continue;
            }
            let same_line = range.start.line == last.line;
            tokens.push(lsp::SemanticToken {
                delta_line: range.start.line - last.line,
                delta_start: range.start.character - if same_line { last.character } else { 0 },
                length,
                token_type: token.kind,
                token_modifiers_bitset: token.modifiers,
            });
            last = range.start;
        }
    }
    tokens
}
