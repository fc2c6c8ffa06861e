//! Semantic tokens: what each word is, as the compiler sees it.

use fly_std::functions;
use flyc::{
    compiler::Compiler,
    syntax::{Block, Expr, Kind, NodeKind, NodeRef, Parse},
    text::{TextRange, TextSize},
};

use super::locate::{self, Occurrence};

/// The kinds of token, in the order the protocol numbers them.
pub const TOKEN_TYPES: &[&str] = &[
    "keyword",
    "property",
    "string",
    "number",
    "comment",
    "operator",
    "function",
    "variable",
    "enumMember",
    "class",
];

/// What a token can be beside its kind, in the order of the protocol's bits.
pub const TOKEN_MODIFIERS: &[&str] = &["declaration", "documentation", "readonly"];

const KEYWORD: u32 = 0;
const PROPERTY: u32 = 1;
const STRING: u32 = 2;
const NUMBER: u32 = 3;
const COMMENT: u32 = 4;
const OPERATOR: u32 = 5;
const FUNCTION: u32 = 6;
const VARIABLE: u32 = 7;
const CLASS: u32 = 9;
const ENUM_MEMBER: u32 = 8;

const DECLARATION: u32 = 1;
const DOCUMENTATION: u32 = 2;

/// A word and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Where.
    pub range: TextRange,
    /// Its kind: an index into [`TOKEN_TYPES`].
    pub kind: u32,
    /// A set of bits, each an index into [`TOKEN_MODIFIERS`].
    pub modifiers: u32,
}

/// The tokens of a file by position; none overlaps another.
pub fn semantic_tokens(compiler: &Compiler, path: &str) -> Vec<Token> {
    let Some(parse) = compiler.parse(path) else { return Vec::new() };
    let mut found = Vec::new();
    trivia(parse, &mut found);
    for block in parse.blocks() {
        in_block(block, &mut found);
    }
    for node in parse.root().descendants() {
        in_node(node, &mut found);
    }
    // What names something else is told apart from other strings: it stands inside their quotes.
    let mut names = locate::occurrences(parse);
    names.retain(|name| !name.range.is_empty());
    names.sort_by_key(|name| name.range.start());
    names.dedup_by_key(|name| name.range);
    let mut tokens: Vec<Token> = Vec::new();
    found.sort_by_key(|token| (token.range.start(), token.range.len()));
    found.dedup_by_key(|token| token.range);
    for token in found {
        let mut from = token.range.start();
        for name in within(&names, token.range) {
            if name.range.start() > from {
                tokens.push(Token { range: TextRange::new(from, name.range.start()), ..token });
            }
            let kind = match name.named.space {
                locate::Space::Local | locate::Space::Variable => VARIABLE,
                _ => CLASS,
            };
            let modifiers = if name.is_definition { DECLARATION } else { 0 };
            tokens.push(Token { range: name.range, kind, modifiers });
            from = name.range.end();
        }
        if from < token.range.end() {
            tokens.push(Token { range: TextRange::new(from, token.range.end()), ..token });
        }
    }
    tokens
}

/// Of names by position those that begin and end in a range: no others are looked at, however many a file has.
pub(super) fn within(names: &[Occurrence], range: TextRange) -> impl Iterator<Item = &Occurrence> {
    let from = names.partition_point(|name| name.range.start() < range.start());
    let all = names[from..].iter().take_while(move |name| name.range.start() < range.end());
    all.filter(move |name| range.contains_range(name.range))
}

fn push(found: &mut Vec<Token>, range: TextRange, kind: u32) {
    found.push(Token { range, kind, modifiers: 0 });
}

fn trivia(parse: &Parse, found: &mut Vec<Token>) {
    let tokens = parse.tree().tokens();
    let end = TextSize::of(&**parse.text());
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind.is_comment()) {
        let range =
            TextRange::new(token.start.into(), tokens.get(at + 1).map_or(end, |next| next.start.into()));
        let modifiers = if token.kind == Kind::DocComment { DOCUMENTATION } else { 0 };
        found.push(Token { range, kind: COMMENT, modifiers });
    }
}

fn in_block(block: Block<'_>, found: &mut Vec<Token>) {
    if let Some(keyword) = block.keyword() {
        push(found, keyword.range(), KEYWORD);
    }
    for label in block.labels() {
        push(found, label.range, STRING);
    }
    for attribute in block.attributes() {
        if let Some(name) = attribute.name() {
            push(found, name.range(), PROPERTY);
        }
    }
    block.blocks().for_each(|inner| in_block(inner, found));
}

fn in_node(node: NodeRef<'_>, found: &mut Vec<Token>) {
    match node.kind() {
        NodeKind::Literal => {
            for token in node.tokens() {
                match token.kind() {
                    Kind::Number => push(found, token.range(), NUMBER),
                    Kind::Ident => push(found, token.range(), KEYWORD),
                    Kind::String | Kind::Heredoc => push(found, token.range(), STRING),
                    _ => {}
                }
            }
        }
        NodeKind::Call => {
            let name = node.tokens().next().filter(|name| functions::find(name.text()).is_some());
            if let Some(name) = name {
                push(found, name.range(), FUNCTION);
            }
        }
        NodeKind::Name => {
            let Some(expr) = Expr::cast(node) else { return };
            let kind = match expr.text() {
                "local" | "var" | "self" | "egg" | "bucket" | "profile" | "job" | "nest" => KEYWORD,
                _ => ENUM_MEMBER,
            };
            push(found, expr.range(), kind);
        }
        NodeKind::Binary | NodeKind::Unary => {
            if let Some(operator) = Expr::cast(node).and_then(Expr::operator) {
                push(found, operator.range(), OPERATOR);
            }
        }
        NodeKind::Entry => {
            if let Some(key) = node.tokens().next() {
                push(found, key.range(), PROPERTY);
            }
        }
        _ => {}
    }
}
