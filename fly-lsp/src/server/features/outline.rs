//! The shape of a text: symbols, folds, selections. Never here: what an answer says, which is `ide`'s.

use tower_lsp_server::ls_types::{self as lsp};

use crate::{
    ide::{self, FoldKind, Symbol, SymbolKind},
    server::{
        convert::{self, Lines},
        session::View,
    },
};

const fn symbol_kind(kind: SymbolKind) -> lsp::SymbolKind {
    match kind {
        SymbolKind::Named => lsp::SymbolKind::CLASS,
        SymbolKind::Block => lsp::SymbolKind::MODULE,
        SymbolKind::Attribute => lsp::SymbolKind::PROPERTY,
    }
}

pub(in crate::server) fn symbols(view: &View) -> Vec<lsp::DocumentSymbol> {
    fn convert(lines: &Lines<'_>, symbol: Symbol) -> lsp::DocumentSymbol {
        #[allow(deprecated, reason = "the struct has no other way to be made")]
        lsp::DocumentSymbol {
            name: symbol.name,
            detail: Some(symbol.detail).filter(|detail| !detail.is_empty()),
            kind: symbol_kind(symbol.kind),
            tags: None,
            deprecated: None,
            range: lines.range(symbol.range),
            selection_range: lines.range(symbol.selection),
            children: Some(symbol.children.into_iter().map(|child| convert(lines, child)).collect()),
        }
    }
    let found = ide::document_symbols(&view.compiler, &view.path);
    view.with(|lines| found.into_iter().map(|symbol| convert(lines, symbol)).collect()).unwrap_or_default()
}

/// The symbols of a document one after another, each with the name of what it is in.
pub(in crate::server) fn flat(
    uri: &lsp::Uri,
    symbols: Vec<lsp::DocumentSymbol>,
) -> Vec<lsp::SymbolInformation> {
    fn add(
        uri: &lsp::Uri,
        within: Option<&str>,
        symbols: Vec<lsp::DocumentSymbol>,
        found: &mut Vec<lsp::SymbolInformation>,
    ) {
        for symbol in symbols {
            #[allow(deprecated, reason = "the struct has no other way to be made")]
            found.push(lsp::SymbolInformation {
                name: symbol.name.clone(),
                kind: symbol.kind,
                tags: None,
                deprecated: None,
                location: lsp::Location::new(uri.clone(), symbol.range),
                container_name: within.map(str::to_owned),
            });
            add(uri, Some(&symbol.name), symbol.children.unwrap_or_default(), found);
        }
    }
    let mut found = Vec::new();
    add(uri, None, symbols, &mut found);
    found
}

pub(in crate::server) fn workspace_symbols(view: &View, query: &str) -> Vec<lsp::SymbolInformation> {
    let found = ide::workspace_symbols(&view.compiler, query);
    let symbol = |(symbol, span): (Symbol, flyc::diag::Span)| {
        #[allow(deprecated, reason = "the struct has no other way to be made")]
        Some(lsp::SymbolInformation {
            name: symbol.name,
            kind: symbol_kind(symbol.kind),
            tags: None,
            deprecated: None,
            location: convert::location(&view.compiler, &view.root, view.encoding, &span)?,
            container_name: Some(symbol.detail),
        })
    };
    found.into_iter().filter_map(symbol).collect()
}

pub(in crate::server) fn folds(view: &View) -> Vec<lsp::FoldingRange> {
    let fold = |lines: &Lines<'_>, fold: ide::Fold| {
        let range = lines.range(fold.range);
        lsp::FoldingRange {
            start_line: range.start.line,
            start_character: Some(range.start.character),
            end_line: range.end.line,
            end_character: Some(range.end.character),
            kind: match fold.kind {
                FoldKind::Region => None,
                FoldKind::Comment => Some(lsp::FoldingRangeKind::Comment),
            },
            collapsed_text: None,
        }
    };
    let found = ide::folds(&view.compiler, &view.path);
    view.with(|lines| found.into_iter().map(|one| fold(lines, one)).collect()).unwrap_or_default()
}

pub(in crate::server) fn selections(view: &View, positions: &[lsp::Position]) -> Vec<lsp::SelectionRange> {
    let chain = |lines: &Lines<'_>, position: &lsp::Position| {
        let ranges = ide::selections(&view.compiler, &view.path, lines.offset(*position));
        let outward = ranges.into_iter().rev();
        let whole = outward.fold(None, |parent, range| {
            Some(Box::new(lsp::SelectionRange { range: lines.range(range), parent }))
        });
        whole.map_or_else(
            || lsp::SelectionRange { range: lsp::Range::new(*position, *position), parent: None },
            |whole| *whole,
        )
    };
    view.with(|lines| positions.iter().map(|position| chain(lines, position)).collect()).unwrap_or_default()
}
