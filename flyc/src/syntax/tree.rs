//! The lossless tree: a vector of nodes in pre-order over a vector of tokens.
//!
//! A node is a kind, a range of tokens and the index just past its subtree. The tokens tile the text, so nothing
//! of it can be lost; a node's own tokens are those of its range that lie in none of its children.

use super::{
    Parse,
    grammar::Shape,
    stream::Tok,
    token::{Kind, Token},
};
use crate::text::{TextRange, TextSize};

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// A whole file.
    File,
    /// `type "label" { … }`
    Block,
    /// `name = value`
    Attribute,
    /// A number, string, heredoc, `true` or `false`.
    Literal,
    /// A name used as a value.
    Name,
    /// `value.name`
    Field,
    /// `value[index]`
    Index,
    /// `name(…)`
    Call,
    /// `-value` or `!value`
    Unary,
    /// `left + right`
    Binary,
    /// `condition ? yes : no`
    Conditional,
    /// `(value)`
    Paren,
    /// `[…]`
    List,
    /// `{ key = value }`
    Map,
    /// `key = value` in a map.
    Entry,
    /// Tokens that have no place here.
    Error,
    /// Nothing, where something must stand.
    Missing(Expected),
}

/// What must stand where nothing does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expected {
    /// A value.
    Value,
    /// `=` after an attribute's name, or a block's `{`.
    EqualsOrBrace,
    /// `=` after a key.
    Equals,
    /// `{`, swallowed by an unclosed string.
    OpenBrace,
    /// `}`
    CloseBrace,
    /// `]`
    CloseBracket,
    /// `)`
    CloseParen,
    /// `,`
    Comma,
    /// `:` of a conditional.
    Colon,
    /// A name after `.`
    Name,
}

/// One node of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    kind: NodeKind,
    /// The first token.
    first: u32,
    /// The token after the last; equal to `first` for a node without tokens.
    end: u32,
    /// The node after the subtree.
    next: u32,
}

/// The tokens of a text and the nodes over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    tokens: Box<[Token]>,
    nodes: Box<[Node]>,
    /// Whether something of the text was not understood.
    broken: bool,
}

impl Tree {
    /// The tokens, in order and without gaps.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node; never so for a parsed text.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether something of the text was not understood: there is a node of an error or of what is missing, or a token
    /// that is not closed.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    pub(super) fn build(tokens: Vec<Token>, stream: &[Tok], root: &Shape) -> Self {
        let mut nodes = Vec::with_capacity(count(root));
        let ends = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        push(root, stream, ends, &mut nodes);
        let wrong = |node: &Node| matches!(node.kind, NodeKind::Error | NodeKind::Missing(_));
        let unclosed = |token: &Token| {
            matches!(token.kind, Kind::UnclosedString | Kind::UnclosedHeredoc | Kind::UnclosedComment)
        };
        let broken = nodes.iter().any(wrong) || tokens.iter().any(unclosed);
        Self { tokens: tokens.into_boxed_slice(), nodes: nodes.into_boxed_slice(), broken }
    }
}

fn count(shape: &Shape) -> usize {
    1 + shape.children.iter().map(count).sum::<usize>()
}

fn push(shape: &Shape, stream: &[Tok], ends: u32, nodes: &mut Vec<Node>) {
    let at = nodes.len();
    // Positions in the stream become positions among all tokens; trailing trivia belongs to no node.
    let first = stream.get(shape.start as usize).map_or(ends, |token| token.token);
    let last = (shape.start..shape.end)
        .rev()
        .map(|at| stream[at as usize])
        .find(|token| !matches!(token.kind, Kind::VirtualClose | Kind::VirtualOpen));
    let end = last.map_or(first, |token| token.token + 1);
    nodes.push(Node { kind: shape.kind, first, end, next: 0 });
    for child in &shape.children {
        push(child, stream, ends, nodes);
    }
    nodes[at].next = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
}

/// A node of a parsed text.
#[derive(Debug, Clone, Copy)]
pub struct NodeRef<'p> {
    parse: &'p Parse,
    index: u32,
}

impl PartialEq for NodeRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.parse, other.parse) && self.index == other.index
    }
}

impl<'p> NodeRef<'p> {
    pub(super) fn new(parse: &'p Parse, index: u32) -> Self {
        Self { parse, index }
    }

    fn node(self) -> Node {
        self.parse.tree.nodes[self.index as usize]
    }

    /// The parsed text it belongs to.
    pub fn parse(self) -> &'p Parse {
        self.parse
    }

    /// Its index among the nodes of its tree.
    pub fn index(self) -> u32 {
        self.index
    }

    /// What it is.
    pub fn kind(self) -> NodeKind {
        self.node().kind
    }

    /// Its first token and the one after its last.
    pub fn token_range(self) -> std::ops::Range<usize> {
        let node = self.node();
        node.first as usize..node.end as usize
    }

    /// Its range in the text, without the trivia around it. A node without tokens stands right behind the token
    /// before it.
    pub fn range(self) -> TextRange {
        let tokens = &self.parse.tree.tokens;
        let range = self.token_range();
        if range.is_empty() {
            let before = tokens[..range.start.min(tokens.len())].iter().rposition(|t| !t.kind.is_trivia());
            return TextRange::empty(
                before.map_or(TextSize::new(0), |token| self.token_text_range(token).end()),
            );
        }
        let start = TextSize::new(tokens[range.start].start);
        TextRange::new(start, self.token_text_range(range.end - 1).end())
    }

    fn token_text_range(self, token: usize) -> TextRange {
        token_range(self.parse, token)
    }

    /// Its text, without the trivia around it.
    pub fn text(self) -> &'p str {
        &self.parse.text[self.range()]
    }

    /// The nodes directly within, in order.
    pub fn children(self) -> impl Iterator<Item = NodeRef<'p>> {
        let end = self.node().next;
        let mut at = self.index + 1;
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let child = NodeRef::new(self.parse, at);
                at = child.node().next;
                child
            })
        })
    }

    /// Every node within and itself, in pre-order.
    pub fn descendants(self) -> impl Iterator<Item = NodeRef<'p>> {
        (self.index..self.node().next).map(move |index| NodeRef::new(self.parse, index))
    }

    /// Its own tokens that are not trivia: those in none of its children.
    pub fn tokens(self) -> impl Iterator<Item = TokenRef<'p>> {
        let mut children =
            self.children().map(NodeRef::token_range).filter(|range| !range.is_empty()).peekable();
        let end = self.token_range().end;
        let mut at = self.token_range().start;
        std::iter::from_fn(move || {
            while at < end {
                if let Some(child) = children.peek()
                    && child.start <= at
                {
                    at = child.end;
                    children.next();
                    continue;
                }
                at += 1;
                let token = TokenRef { parse: self.parse, index: at - 1 };
                if !token.kind().is_trivia() {
                    return Some(token);
                }
            }
            None
        })
    }

    /// Its first token, which is its own in a block, attribute, call, name and literal.
    pub(super) fn first_token(self) -> Option<TokenRef<'p>> {
        let range = self.token_range();
        (!range.is_empty()).then_some(TokenRef { parse: self.parse, index: range.start })
    }

    /// Its first own token of this kind.
    pub fn token(self, kind: Kind) -> Option<TokenRef<'p>> {
        self.tokens().find(|token| token.kind() == kind)
    }
}

/// A token of a parsed text.
#[derive(Debug, Clone, Copy)]
pub struct TokenRef<'p> {
    parse: &'p Parse,
    index: usize,
}

impl<'p> TokenRef<'p> {
    /// What it is.
    pub fn kind(self) -> Kind {
        self.parse.tree.tokens[self.index].kind
    }

    /// Its index among the tokens of its tree.
    pub fn index(self) -> usize {
        self.index
    }

    /// Its range in the text.
    pub fn range(self) -> TextRange {
        token_range(self.parse, self.index)
    }

    /// Its text.
    pub fn text(self) -> &'p str {
        &self.parse.text[self.range()]
    }
}

/// The range of a token in the text.
pub(super) fn token_range(parse: &Parse, token: usize) -> TextRange {
    let tokens = &parse.tree.tokens;
    let end = tokens.get(token + 1).map_or(TextSize::of(&*parse.text), |next| TextSize::new(next.start));
    TextRange::new(TextSize::new(tokens[token].start), end)
}
