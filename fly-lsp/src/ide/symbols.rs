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

/// The named blocks and locals of the whole Nest whose name holds the letters asked for, in this order; `keyword name` matches too.
pub fn workspace_symbols(compiler: &Compiler, query: &str) -> Vec<(Symbol, Span)> {
    let wanted: Vec<char> = query.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let mut found = Vec::new();
    for path in compiler.paths() {
        let Some(parse) = compiler.parse(path) else { continue };
        let mut named = Vec::new();
        for symbol in parse.blocks().filter_map(block_symbol) {
            if symbol.name == "locals" && symbol.kind == SymbolKind::Block {
                let locals = symbol.children.into_iter().filter(|child| child.kind == SymbolKind::Attribute);
                named.extend(locals.map(|local| Symbol { detail: "local".to_owned(), ..local }));
            } else {
                flatten(symbol, None, &mut named);
            }
        }
        for symbol in named.into_iter().filter(|symbol| matches(symbol, &wanted)) {
            let span = Span::new(Arc::clone(path), symbol.selection);
            found.push((symbol, span));
        }
    }
    found
}

/// The named blocks of a symbol, itself the first; each says in which named block it is.
fn flatten(mut symbol: Symbol, within: Option<&str>, found: &mut Vec<Symbol>) {
    let children = std::mem::take(&mut symbol.children);
    let own = (symbol.kind == SymbolKind::Named).then(|| symbol.name.clone());
    if own.is_some() {
        if let Some(within) = within {
            symbol.detail = format!("{} of {within}", symbol.detail);
        }
        found.push(symbol);
    }
    for child in children {
        flatten(child, own.as_deref().or(within), found);
    }
}

fn matches(symbol: &Symbol, wanted: &[char]) -> bool {
    let text = format!("{}{}", symbol.detail, symbol.name).to_lowercase();
    let mut letters = text.chars();
    wanted.iter().all(|wanted| letters.any(|letter| letter == *wanted))
}
