//! What can be folded away: blocks, lists and maps over several lines, heredocs, and runs of comments.

use flyc::{
    compiler::Compiler,
    syntax::{Kind, NodeKind},
    text::{TextRange, TextSize},
};

/// A stretch that can be folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fold {
    /// From the end of what stays to be seen to the end of what goes.
    pub range: TextRange,
    /// What it is.
    pub kind: FoldKind,
}

/// What a fold is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FoldKind {
    /// A block, list, map or heredoc.
    Region,
    /// Comments.
    Comment,
}

/// What can be folded in a file, by position.
pub fn folds(compiler: &Compiler, path: &str) -> Vec<Fold> {
    let Some(parse) = compiler.parse(path) else { return Vec::new() };
    let text = parse.text();
    let is_long = |range: TextRange| text[range].contains('\n');
    let mut folds = Vec::new();
    for node in parse.root().descendants() {
        let open = match node.kind() {
            NodeKind::Block | NodeKind::Map => node.token(Kind::OpenBrace),
            NodeKind::List => node.token(Kind::OpenBracket),
            NodeKind::Call => node.token(Kind::OpenParen),
            NodeKind::Literal => node.token(Kind::Heredoc),
            _ => None,
        };
        let Some(open) = open else { continue };
        let start = match open.kind() {
            Kind::Heredoc => {
                let first = open.text().find('\n').unwrap_or(open.text().len());
                open.range().start() + TextSize::of(&open.text()[..first])
            }
            _ => open.range().end(),
        };
        let range = TextRange::new(start, node.range().end().max(start));
        if is_long(range) {
            folds.push(Fold { range, kind: FoldKind::Region });
        }
    }
    folds.extend(comments(parse));
    folds.sort_by_key(|fold| fold.range.start());
    folds
}

/// Runs of comments on lines that follow each other, and block comments over several lines.
fn comments(parse: &flyc::syntax::Parse) -> Vec<Fold> {
    let text = parse.text();
    let tokens = parse.tree().tokens();
    let range_of = |at: usize| {
        let end = tokens.get(at + 1).map_or(text.len(), |next| next.start as usize);
        tokens[at].start as usize..end
    };
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    let mut open = false;
    for (at, token) in tokens.iter().enumerate() {
        let range = range_of(at);
        if token.kind.is_comment() {
            let line = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
            let alone = text[line..range.start].trim().is_empty();
            match runs.last_mut().filter(|_| open && alone) {
                Some(run) => run.end = range.end,
                None if alone => runs.push(range),
                None => continue,
            }
            open = true;
        } else if token.kind != Kind::Whitespace || text[range].matches('\n').count() > 1 {
            open = false;
        }
    }
    runs.into_iter()
        .filter_map(|run| {
            let first = text[run.clone()].find('\n')?;
            let size = |at: usize| TextSize::try_from(at).unwrap_or_default();
            let range = TextRange::new(size(run.start + first), size(run.end));
            Some(Fold { range, kind: FoldKind::Comment })
        })
        .collect()
}
