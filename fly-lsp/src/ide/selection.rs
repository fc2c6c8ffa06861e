//! Selections that grow: the word, the string's inside, the value, the attribute, the block's inside, the block, the file.

use flyc::{
    compiler::Compiler,
    syntax::{Kind, NodeKind},
    text::{TextRange, TextSize},
};

/// The ranges around an offset, the smallest first; each lies in the next.
pub fn selections(compiler: &Compiler, path: &str, offset: TextSize) -> Vec<TextRange> {
    let Some(parse) = compiler.parse(path) else { return Vec::new() };
    let whole = flyc::syntax::whole(parse.text());
    let offset = offset.min(whole.end());
    let mut ranges = vec![whole];
    for node in parse.root().descendants().filter(|node| node.range().contains_inclusive(offset)) {
        ranges.push(node.range());
        if matches!(node.kind(), NodeKind::Block | NodeKind::Map | NodeKind::List | NodeKind::Call) {
            let mut tokens = node.tokens().filter(|token| {
                matches!(
                    token.kind(),
                    Kind::OpenBrace
                        | Kind::CloseBrace
                        | Kind::OpenBracket
                        | Kind::CloseBracket
                        | Kind::OpenParen
                        | Kind::CloseParen
                )
            });
            if let (Some(open), Some(close)) = (tokens.next(), tokens.last()) {
                ranges.push(TextRange::new(open.range().end(), close.range().start()));
            }
        }
        for token in node.tokens().filter(|token| token.range().contains_inclusive(offset)) {
            ranges.push(token.range());
            let one = TextSize::from(1);
            if token.kind() == Kind::String {
                ranges.push(TextRange::new(token.range().start() + one, token.range().end() - one));
            }
        }
    }
    ranges.retain(|range| range.contains_inclusive(offset));
    // Two that touch at the cursor lie in neither: the later in the list is the deeper in the tree, so it is kept.
    ranges.sort_by_key(|range| range.len());
    let mut chain: Vec<TextRange> = Vec::new();
    for range in ranges {
        if chain.last().is_none_or(|last| range.contains_range(*last) && range != *last) {
            chain.push(range);
        }
    }
    chain
}
