//! Semantic tokens in the protocol's form. Never here: what an answer says, which is `ide`'s.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use flyc::text::{TextRange, TextSize};
use tower_lsp_server::ls_types::{self as lsp, Uri};

use crate::{
    ide,
    server::{convert::Lines, session::View},
};

/// Of how many documents the last tokens are kept.
const KEPT: usize = 32;

/// How many numbers a token is in the protocol's form.
const NUMBERS: u32 = 5;

/// The tokens that were sent last, by document, the latest at the end.
#[derive(Debug, Default)]
pub(in crate::server) struct Sent {
    next: AtomicU64,
    kept: Mutex<VecDeque<(Uri, String, Vec<lsp::SemanticToken>)>>,
}

impl Sent {
    /// Keeps the tokens of a document; their name, and what was kept before it.
    fn keep(
        &self,
        uri: &Uri,
        data: &[lsp::SemanticToken],
    ) -> (String, Option<(String, Vec<lsp::SemanticToken>)>) {
        let id = self.next.fetch_add(1, Ordering::Relaxed).to_string();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(known, ..)| known == uri);
        let before = at.and_then(|at| kept.remove(at)).map(|(_, id, data)| (id, data));
        kept.push_back((uri.clone(), id.clone(), data.to_vec()));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        (id, before)
    }

    /// The whole of a document's tokens.
    pub(in crate::server) fn whole(&self, uri: &Uri, data: Vec<lsp::SemanticToken>) -> lsp::SemanticTokens {
        let (id, _) = self.keep(uri, &data);
        lsp::SemanticTokens { result_id: Some(id), data }
    }

    /// How a document's tokens differ from those that the editor has; the whole when those are not known.
    pub(in crate::server) fn delta(
        &self,
        uri: &Uri,
        since: &str,
        data: Vec<lsp::SemanticToken>,
    ) -> lsp::SemanticTokensFullDeltaResult {
        let (id, before) = self.keep(uri, &data);
        match before.filter(|(known, _)| known == since) {
            Some((_, before)) => lsp::SemanticTokensDelta {
                result_id: Some(id),
                edits: splice(&before, &data).into_iter().collect(),
            }
            .into(),
            None => lsp::SemanticTokens { result_id: Some(id), data }.into(),
        }
    }

    /// A document is closed.
    pub(in crate::server) fn forget(&self, uri: &Uri) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).retain(|(known, ..)| known != uri);
    }
}

/// The smallest stretch whose replacement makes the one of the other; none when they are alike.
fn splice(before: &[lsp::SemanticToken], after: &[lsp::SemanticToken]) -> Option<lsp::SemanticTokensEdit> {
    let head = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (before, after) = (&before[head..], &after[head..]);
    let tail = before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b).count();
    let (gone, new) = (before.len() - tail, &after[..after.len() - tail]);
    let count = |tokens: usize| u32::try_from(tokens).unwrap_or(u32::MAX).saturating_mul(NUMBERS);
    (gone > 0 || !new.is_empty()).then(|| lsp::SemanticTokensEdit {
        start: count(head),
        delete_count: count(gone),
        data: (!new.is_empty()).then(|| new.to_vec()),
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(kinds: &[u32]) -> Vec<lsp::SemanticToken> {
        let token = |&token_type: &u32| lsp::SemanticToken {
            delta_line: 0,
            delta_start: 1,
            length: 1,
            token_type,
            token_modifiers_bitset: 0,
        };
        kinds.iter().map(token).collect()
    }

    /// Every list of up to four tokens of two kinds, against every other.
    #[test]
    fn a_splice_makes_the_one_of_the_other_and_is_the_smallest() {
        let every: Vec<Vec<u32>> = (0..=4_u32)
            .flat_map(|length| {
                (0..1_u32 << length).map(move |bits| (0..length).map(|at| bits >> at & 1).collect())
            })
            .collect();
        for before in &every {
            for after in &every {
                let (old, new) = (tokens(before), tokens(after));
                let Some(edit) = splice(&old, &new) else {
                    assert_eq!(before, after);
                    continue;
                };
                let start = usize::try_from(edit.start / NUMBERS).unwrap();
                let gone = usize::try_from(edit.delete_count / NUMBERS).unwrap();
                let data = edit.data.unwrap_or_default();
                let most = before.len().max(after.len());
                assert!(gone.max(data.len()) <= most);
                if gone > 0 && !data.is_empty() {
                    assert_ne!(old[start], data[0], "{before:?} {after:?}");
                    assert_ne!(old[start + gone - 1], data[data.len() - 1], "{before:?} {after:?}");
                }
                let mut made = old;
                made.splice(start..start + gone, data);
                assert_eq!(made, new);
            }
        }
    }

    #[test]
    fn what_is_kept_is_bounded_and_forgotten() {
        let sent = Sent::default();
        let uri = |at: usize| -> Uri { format!("file:///{at}.fly").parse().unwrap() };
        let first = sent.whole(&uri(0), tokens(&[1])).result_id.unwrap();
        for at in 1..=KEPT {
            sent.whole(&uri(at), tokens(&[1]));
        }
        let whole = |result: lsp::SemanticTokensFullDeltaResult| {
            matches!(result, lsp::SemanticTokensFullDeltaResult::Tokens(_))
        };
        assert!(whole(sent.delta(&uri(0), &first, tokens(&[1]))), "long gone");
        let second = sent.whole(&uri(0), tokens(&[1])).result_id.unwrap();
        assert!(!whole(sent.delta(&uri(0), &second, tokens(&[1, 0]))));
        assert!(whole(sent.delta(&uri(0), &second, tokens(&[1, 0]))), "an earlier one");
        let third = sent.whole(&uri(0), tokens(&[1])).result_id.unwrap();
        sent.forget(&uri(0));
        assert!(whole(sent.delta(&uri(0), &third, tokens(&[1]))), "it was closed");
    }
}
