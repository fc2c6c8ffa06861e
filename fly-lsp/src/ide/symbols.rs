//! The outline of a file, and the names of the whole Nest.

use std::sync::Arc;

use flyc::{
    compiler::Compiler,
    diag::Span,
    syntax::{Block, Item},
    text::TextRange,
};

/// A part of a file's outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// What it is called.
    pub name: String,
    /// A few words beside it: the keyword of a block with a label, the value of an attribute.
    pub detail: String,
    /// What it is.
    pub kind: SymbolKind,
    /// The whole of it.
    pub range: TextRange,
    /// Its name.
    pub selection: TextRange,
    /// What is within.
    pub children: Vec<Symbol>,
}

/// What a symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SymbolKind {
    /// A block with a name.
    Named,
    /// Another block.
    Block,
    /// An attribute.
    Attribute,
}

/// The outline of a file.
pub fn document_symbols(compiler: &Compiler, path: &str) -> Vec<Symbol> {
    compiler.parse(path).map_or_else(Vec::new, |parse| items(parse.items()))
}

fn items<'p>(items: impl Iterator<Item = Item<'p>>) -> Vec<Symbol> {
    items
        .filter_map(|item| match item {
            Item::Block(block) => block_symbol(block),
            Item::Attribute(attribute) => {
                let name = attribute.name()?;
                Some(Symbol {
                    name: name.text().to_owned(),
                    detail: String::new(),
                    kind: SymbolKind::Attribute,
                    range: attribute.node().range(),
                    selection: name.range(),
                    children: Vec::new(),
                })
            }
            Item::Junk(_) => None,
        })
        .collect()
}

fn block_symbol(block: Block<'_>) -> Option<Symbol> {
    let keyword = block.keyword()?;
    let label = block.labels().next();
    let (name, detail, kind, selection) = match label {
        // An editor refuses a symbol without a name.
        Some(label) if !label.name.is_empty() => (label.name, keyword.text(), SymbolKind::Named, label.range),
        _ => (keyword.text(), "", SymbolKind::Block, keyword.range()),
    };
    Some(Symbol {
        name: name.to_owned(),
        detail: detail.to_owned(),
        kind,
        range: block.node().range(),
        selection,
        children: items(block.items()),
    })
}

/// The named blocks of the whole Nest whose name holds the letters asked for, in this order; `keyword name` matches too.
pub fn workspace_symbols(compiler: &Compiler, query: &str) -> Vec<(Symbol, Span)> {
    let wanted: Vec<char> = query.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let mut found = Vec::new();
    for path in compiler.paths() {
        let Some(parse) = compiler.parse(path) else { continue };
        for symbol in parse.blocks().filter_map(block_symbol) {
            if symbol.kind == SymbolKind::Named && matches(&symbol, &wanted) {
                let span = Span::new(Arc::clone(path), symbol.selection);
                found.push((Symbol { children: Vec::new(), ..symbol }, span));
            }
        }
    }
    found
}

fn matches(symbol: &Symbol, wanted: &[char]) -> bool {
    let text = format!("{}{}", symbol.detail, symbol.name).to_lowercase();
    let mut letters = text.chars();
    wanted.iter().all(|wanted| letters.any(|letter| letter == *wanted))
}
