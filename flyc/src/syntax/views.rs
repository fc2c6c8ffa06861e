//! Typed views: what a node means to the later passes. They hold nothing but a reference into the tree.

use super::{
    Parse,
    token::Kind,
    tree::{Expected, NodeKind, NodeRef, TokenRef},
};
use crate::text::{TextRange, TextSize};

/// What can stand in a file or block.
#[derive(Debug, Clone, Copy)]
pub enum Item<'p> {
    /// `type "label" { … }`
    Block(Block<'p>),
    /// `name = value`
    Attribute(Attribute<'p>),
    /// Tokens that have no place there.
    Junk(NodeRef<'p>),
}

impl<'p> Item<'p> {
    /// The block, when it is one.
    pub fn block(self) -> Option<Block<'p>> {
        match self {
            Self::Block(block) => Some(block),
            Self::Attribute(_) | Self::Junk(_) => None,
        }
    }
}

impl<'p> Item<'p> {
    /// Its node.
    pub const fn node(self) -> NodeRef<'p> {
        match self {
            Self::Block(block) => block.0,
            Self::Attribute(attribute) => attribute.0,
            Self::Junk(node) => node,
        }
    }
}

/// The items directly within a file or block.
pub(super) fn items(node: NodeRef<'_>) -> impl Iterator<Item = Item<'_>> {
    node.children().filter_map(|child| match child.kind() {
        NodeKind::Block => Some(Item::Block(Block(child))),
        NodeKind::Attribute => Some(Item::Attribute(Attribute(child))),
        NodeKind::Error => Some(Item::Junk(child)),
        _ => None,
    })
}

/// `type "label" { … }`
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Block<'p>(NodeRef<'p>);

/// One label of a block.
#[derive(Debug, Clone, Copy)]
pub struct Label<'p> {
    /// The text between the quotes, or the bare word.
    pub name: &'p str,
    /// The label with its quotes.
    pub range: TextRange,
    /// Whether it stands in quotes.
    pub quoted: bool,
}

impl<'p> Block<'p> {
    /// Its node.
    pub const fn node(self) -> NodeRef<'p> {
        self.0
    }

    /// Its keyword.
    pub fn keyword(self) -> Option<TokenRef<'p>> {
        self.0.first_token()
    }

    /// What follows the keyword before `{`. Words without quotes that touch, such as `my-app`, are one label.
    pub fn labels(self) -> impl Iterator<Item = Label<'p>> {
        let text = self.0.parse().text();
        let mut tokens = self.0.tokens().skip(1).take_while(|token| is_label(token.kind())).peekable();
        std::iter::from_fn(move || {
            let token = tokens.next()?;
            if matches!(token.kind(), Kind::String | Kind::UnclosedString) {
                let name = token.text().trim_start_matches('"').trim_end_matches(['"', '{', ' ']);
                return Some(Label { name, range: token.range(), quoted: true });
            }
            let mut range = token.range();
            while let Some(next) = tokens.peek().filter(|next| next.range().start() == range.end()) {
                if matches!(next.kind(), Kind::String | Kind::UnclosedString) {
                    break;
                }
                range = range.cover(next.range());
                tokens.next();
            }
            Some(Label { name: &text[range], range, quoted: false })
        })
    }

    /// The keyword and the labels: what a diagnostic about the whole block points at.
    pub fn header(self) -> TextRange {
        let start = self.0.range().start();
        let end = self.0.tokens().take_while(|token| is_label(token.kind())).last();
        TextRange::new(start, end.map_or(start, |token| token.range().end()))
    }

    /// The items within.
    pub fn items(self) -> impl Iterator<Item = Item<'p>> {
        items(self.0)
    }

    /// The attributes directly within.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'p>> {
        self.items().filter_map(|item| match item {
            Item::Attribute(attribute) => Some(attribute),
            Item::Block(_) | Item::Junk(_) => None,
        })
    }

    /// The blocks directly within.
    pub fn blocks(self) -> impl Iterator<Item = Block<'p>> {
        self.items().filter_map(Item::block)
    }

    /// Whether this is its keyword.
    pub fn is(self, keyword: &str) -> bool {
        self.keyword().is_some_and(|word| word.text() == keyword)
    }

    /// Its `{`, when it is there.
    pub fn open(self) -> Option<TokenRef<'p>> {
        self.0.tokens().find(|token| token.kind() == Kind::OpenBrace)
    }

    /// Whether attributes or blocks may stand in it that were taken for something else.
    pub fn hides_items(self) -> bool {
        let long = |node: NodeRef<'_>| node.kind() == NodeKind::Error && node.token_range().len() > 3;
        self.0.parse().tree().is_broken()
            && self.0.children().any(|item| item.kind() == NodeKind::Attribute && item.children().any(long))
    }

    /// Whether junk stands directly within it or its braces do not pair, so that something in it may not have
    /// been understood.
    pub fn is_damaged(self) -> bool {
        let is_damaged = |child: NodeRef<'_>| match child.kind() {
            NodeKind::Error | NodeKind::Missing(_) => true,
            NodeKind::Attribute => {
                child.children().any(|inner| inner.kind() == NodeKind::Missing(Expected::EqualsOrBrace))
            }
            _ => false,
        };
        self.0.parse().tree().is_broken() && self.0.children().any(is_damaged)
    }
}

/// Whether a token can stand between a block's keyword and its `{`.
const fn is_label(kind: Kind) -> bool {
    matches!(kind, Kind::String | Kind::UnclosedString | Kind::Ident | Kind::Number | Kind::Minus)
}

/// `name = value`
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attribute<'p>(NodeRef<'p>);

impl<'p> Attribute<'p> {
    /// The attribute that a node is, unless it is none.
    pub fn cast(node: NodeRef<'p>) -> Option<Self> {
        (node.kind() == NodeKind::Attribute).then_some(Self(node))
    }

    /// Its node.
    pub const fn node(self) -> NodeRef<'p> {
        self.0
    }

    /// Its name.
    pub fn name(self) -> Option<TokenRef<'p>> {
        self.0.first_token()
    }

    /// Its value, when one is there.
    pub fn value(self) -> Option<Expr<'p>> {
        self.0.children().find_map(Expr::cast)
    }

    /// Whether this is its name.
    pub fn is(self, name: &str) -> bool {
        self.name().is_some_and(|word| word.text() == name)
    }

    /// Whether it is a name with neither `=` nor `{` after it, so that it may have been meant to be anything.
    pub fn is_lone(self) -> bool {
        self.0.parse().tree().is_broken()
            && self.0.children().any(|child| child.kind() == NodeKind::Missing(Expected::EqualsOrBrace))
    }

    /// Whether its value is not what was written, because something of it was not understood.
    pub fn is_damaged(self) -> bool {
        let tree = self.0.parse().tree();
        let wrong = |node: NodeRef<'_>| matches!(node.kind(), NodeKind::Error | NodeKind::Missing(_));
        let unclosed =
            |at: usize| matches!(tree.tokens()[at].kind, Kind::UnclosedString | Kind::UnclosedHeredoc);
        tree.is_broken() && (self.0.descendants().any(wrong) || self.0.token_range().any(unclosed))
    }
}

/// An expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expr<'p>(NodeRef<'p>);

/// `key = value` in a map.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'p> {
    /// The key with its quotes, if it has any.
    pub key: TokenRef<'p>,
    /// The value, when one is there.
    pub value: Option<Expr<'p>>,
}

impl<'p> Entry<'p> {
    /// The key without quotes.
    pub fn name(&self) -> &'p str {
        self.key.text().trim_matches('"')
    }
}

impl<'p> Expr<'p> {
    /// The expression that a node is, unless it is none.
    pub fn cast(node: NodeRef<'p>) -> Option<Self> {
        match node.kind() {
            NodeKind::Literal
            | NodeKind::Name
            | NodeKind::Field
            | NodeKind::Index
            | NodeKind::Call
            | NodeKind::Unary
            | NodeKind::Binary
            | NodeKind::Conditional
            | NodeKind::Paren
            | NodeKind::List
            | NodeKind::Map => Some(Self(node)),
            NodeKind::File
            | NodeKind::Block
            | NodeKind::Attribute
            | NodeKind::Entry
            | NodeKind::Error
            | NodeKind::Missing(_) => None,
        }
    }

    /// The expression of a text parsed by [`super::parse_expression`].
    pub fn of(parse: &'p Parse) -> Option<Self> {
        parse.root().children().find_map(Self::cast)
    }

    /// Its node.
    pub const fn node(self) -> NodeRef<'p> {
        self.0
    }

    /// Its range, without the trivia around it.
    pub fn range(self) -> TextRange {
        self.0.range()
    }

    /// Its text.
    pub fn text(self) -> &'p str {
        self.0.text()
    }

    /// The token of a literal.
    pub fn literal(self) -> Option<TokenRef<'p>> {
        (self.0.kind() == NodeKind::Literal).then(|| self.0.first_token()).flatten()
    }

    /// It without the parentheses around it.
    #[must_use]
    pub fn bare(self) -> Self {
        let inner = (self.0.kind() == NodeKind::Paren).then(|| self.operands().next()).flatten();
        inner.map_or(self, Self::bare)
    }

    /// The expressions directly within: operands, elements, arguments.
    pub fn operands(self) -> impl Iterator<Item = Expr<'p>> {
        self.0.children().filter_map(Self::cast)
    }

    /// The entries of a map.
    pub fn entries(self) -> impl Iterator<Item = Entry<'p>> {
        self.0.children().filter(|child| child.kind() == NodeKind::Entry).filter_map(|entry| {
            let key = entry.tokens().next()?;
            Some(Entry { key, value: entry.children().find_map(Self::cast) })
        })
    }

    /// The operator of a unary or binary expression.
    pub fn operator(self) -> Option<TokenRef<'p>> {
        self.0.tokens().next()
    }

    /// The name of a call, or the name itself.
    pub fn name(self) -> Option<TokenRef<'p>> {
        matches!(self.0.kind(), NodeKind::Call | NodeKind::Name).then(|| self.0.first_token()).flatten()
    }
}

/// The tokens of the comments that stand on lines of their own directly above a node.
pub fn comment_block(node: NodeRef<'_>) -> impl Iterator<Item = usize> {
    let tokens = node.parse().tree().tokens();
    let mut at = node.token_range().start;
    std::iter::from_fn(move || {
        while at > 0 && tokens[at - 1].kind.is_trivia() {
            at -= 1;
            if tokens[at].kind.is_comment() {
                return Some(at);
            }
        }
        None
    })
}

/// The documentation of a block or attribute: the `///` comments directly above it, without their slashes.
pub fn doc_comment(node: NodeRef<'_>) -> Option<String> {
    let tokens = node.parse().tree().tokens();
    let mut lines: Vec<&str> = comment_block(node)
        .take_while(|at| tokens[*at].kind == Kind::DocComment)
        .map(|at| {
            let text = &node.parse().text()[super::tree::token_range(node.parse(), at)];
            let text = text.trim_start_matches('/').trim_end();
            text.strip_prefix(' ').unwrap_or(text)
        })
        .collect();
    lines.reverse();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The lines that go with an attribute or block: its own, the comments that belong to it, and the empty line that stood
/// around it. Only its own range when something else stands on those lines.
pub fn lines_of(node: NodeRef<'_>) -> TextRange {
    let (range, text) = (node.range(), &**node.parse().text());
    let line_start = |at: TextSize| {
        let before = &text[..usize::from(at)];
        at - TextSize::of(&before[before.rfind('\n').map_or(0, |end| end + 1)..])
    };
    let is_blank = |from: TextSize, to: TextSize| text[TextRange::new(from, to)].trim().is_empty();
    let rest = &text[usize::from(range.end())..];
    let mut line = &rest[..rest.find('\n').map_or(rest.len(), |end| end + 1)];
    let behind = line.trim();
    let is_free = matches!(behind, "" | ",") || behind.starts_with('#') || behind.starts_with("//");
    let mut start = line_start(range.start());
    if !is_free || !is_blank(start, range.start()) {
        return range;
    }
    let tokens = node.parse().tree().tokens();
    for comment in comment_block(node) {
        let at = TextSize::new(tokens[comment].start);
        // One behind something else is that thing's, and an empty line between says so as well.
        let above = line_start(at);
        if !is_blank(above, at) || text[TextRange::new(at, start)].replace('\r', "").contains("\n\n") {
            break;
        }
        start = above;
    }
    let before = text[..usize::from(start)].trim_end();
    let first = before.is_empty()
        || before.ends_with('{')
        || text[..usize::from(start)].replace('\r', "").ends_with("\n\n");
    let further = &rest[line.len()..];
    let next = &further[..further.find('\n').map_or(0, |end| end + 1)];
    if first && !next.is_empty() && next.trim().is_empty() {
        line = &rest[..line.len() + next.len()];
    }
    TextRange::new(start, range.end() + TextSize::of(line))
}
