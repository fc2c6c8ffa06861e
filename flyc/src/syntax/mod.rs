//! Syntax: text → tokens → a lossless tree, and typed views of it.
//!
//! Parsing never fails: any text gives a [`Parse`] whose tree covers every byte, and a list of errors. What never
//! lives here: names, types, the schema.

pub mod condition;
mod errors;
mod grammar;
mod joined;
pub mod literal;
mod stream;
mod token;
mod tree;
mod views;

use std::sync::Arc;

pub use errors::{SyntaxError, SyntaxErrorKind};
pub use token::{Kind, Token};
pub use tree::{Expected, NodeKind, NodeRef, TokenRef, Tree};
pub use views::{Attribute, Block, Entry, Expr, Item, Label, comment_block, doc_comment, lines_of};

use crate::text::{TextRange, TextSize};

/// How deeply blocks, brackets and operators may nest, counted together.
///
/// Every later pass recurses along the tree, so this is what keeps arbitrary input from exhausting the stack.
pub const NESTING_LIMIT: u32 = 128;

/// The largest file that is parsed, in bytes.
pub const FILE_LIMIT: usize = 16 << 20;

/// A parsed text: the tree and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parse {
    text: Arc<str>,
    tree: Tree,
    errors: Vec<SyntaxError>,
}

impl Parse {
    /// The text that was parsed.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The lossless tree.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What is wrong with the text, in order of position.
    pub fn errors(&self) -> &[SyntaxError] {
        &self.errors
    }

    /// The root of the tree.
    pub fn root(&self) -> NodeRef<'_> {
        NodeRef::new(self, 0)
    }

    /// The blocks, attributes and pieces of junk at the top of the file.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        views::items(self.root())
    }

    /// The blocks at the top of the file.
    pub fn blocks(&self) -> impl Iterator<Item = Block<'_>> {
        self.items().filter_map(Item::block)
    }
}

/// Parses a whole file.
pub fn parse(text: Arc<str>) -> Parse {
    let tokens = token::tokens(&text);
    let stream = stream::Stream::of_file(&text, &tokens);
    let root = grammar::file(&stream.tokens);
    finish(text, tokens, &stream, &root)
}

/// Parses a single expression, such as the inside of `${…}`.
pub fn parse_expression(text: Arc<str>) -> Parse {
    let tokens = token::tokens(&text);
    let stream = stream::Stream::of_expression(&text, &tokens);
    let root = grammar::expression(&stream.tokens);
    finish(text, tokens, &stream, &root)
}

fn finish(text: Arc<str>, tokens: Vec<Token>, stream: &stream::Stream, root: &grammar::Shape) -> Parse {
    let tree = Tree::build(tokens, &stream.tokens, root);
    let mut parse = Parse { text, tree, errors: Vec::new() };
    if parse.tree.is_broken() || stream.too_deep.is_some() {
        parse.errors = errors::collect(&parse, stream);
    }
    parse
}

/// The whole range of a text.
pub fn whole(text: &str) -> TextRange {
    TextRange::up_to(TextSize::of(text))
}
