//! Each answer of `ide` as the protocol's struct: one function a request.

use flyc::{
    diag::{Diagnostic, Edit},
    text::{TextRange, TextSize},
};
use tower_lsp_server::ls_types::{self as lsp};

use super::{
    convert::{self, Lines, uri_of},
    session::View,
};
use crate::ide::{self, CompletionKind, FoldKind, RenameError, Symbol, SymbolKind};

impl View {
    /// Runs with the text of the file that is asked about and its lines.
    fn with<T>(&self, answer: impl FnOnce(&Lines<'_>) -> T) -> Option<T> {
        let text = self.compiler.text(&self.path)?;
        Some(answer(&Lines::new(&text, self.encoding)))
    }

    fn at(&self, position: lsp::Position) -> TextSize {
        self.with(|lines| lines.offset(position)).unwrap_or_default()
    }

    fn locations(&self, spans: &[flyc::diag::Span]) -> Vec<lsp::Location> {
        let place = |span| convert::location(&self.compiler, &self.root, self.encoding, span);
        spans.iter().filter_map(place).collect()
    }

    fn edits(&self, path: &str, edits: &[Edit]) -> Vec<lsp::TextEdit> {
        let text = self.compiler.text(path).unwrap_or_default();
        let lines = Lines::new(&text, self.encoding);
        edits.iter().map(|edit| lines.edit(edit)).collect()
    }
}

fn markdown(value: String) -> lsp::MarkupContent {
    lsp::MarkupContent { kind: lsp::MarkupKind::Markdown, value }
}

pub(super) fn hover(view: &View, position: lsp::Position) -> Option<lsp::Hover> {
    let found = ide::hover(&view.compiler, &view.path, view.at(position))?;
    Some(lsp::Hover {
        contents: lsp::HoverContents::Markup(markdown(found.text)),
        range: view.with(|lines| lines.range(found.range)),
    })
}

pub(super) fn completion(view: &View, position: lsp::Position, snippets: bool) -> Vec<lsp::CompletionItem> {
    let found = ide::complete(&view.compiler, &view.path, view.at(position));
    let text = view.compiler.text(&view.path).unwrap_or_default();
    let lines = Lines::new(&text, view.encoding);
    let item = |(at, found): (usize, ide::Completion)| {
        let new_text = if snippets { found.snippet.clone() } else { found.plain() };
        lsp::CompletionItem {
            kind: Some(match found.kind {
                CompletionKind::Attribute => lsp::CompletionItemKind::PROPERTY,
                CompletionKind::Block => lsp::CompletionItemKind::MODULE,
                CompletionKind::Value => lsp::CompletionItemKind::VALUE,
                CompletionKind::Variant => lsp::CompletionItemKind::ENUM_MEMBER,
                CompletionKind::Function => lsp::CompletionItemKind::FUNCTION,
                CompletionKind::Reference => lsp::CompletionItemKind::VARIABLE,
                CompletionKind::Entity => lsp::CompletionItemKind::CLASS,
                CompletionKind::Field => lsp::CompletionItemKind::FIELD,
                CompletionKind::Punctuation => lsp::CompletionItemKind::OPERATOR,
            }),
            detail: Some(found.detail).filter(|detail| !detail.is_empty()),
            documentation: (!found.doc.is_empty())
                .then(|| lsp::Documentation::MarkupContent(markdown(found.doc))),
            // Editors sort by text; ours is the order of the list.
            sort_text: Some(format!("{at:04}")),
            filter_text: found.filter.filter(|filter| !filter.is_empty()),
            insert_text_format: Some(if snippets {
                lsp::InsertTextFormat::SNIPPET
            } else {
                lsp::InsertTextFormat::PLAIN_TEXT
            }),
            insert_text_mode: Some(lsp::InsertTextMode::AS_IS),
            text_edit: Some(lsp::CompletionTextEdit::Edit(lsp::TextEdit::new(
                lines.range(found.range),
                new_text,
            ))),
            ..lsp::CompletionItem::new_simple(found.label, String::new())
        }
    };
    found.into_iter().enumerate().map(item).collect()
}

pub(super) fn signature(view: &View, position: lsp::Position) -> Option<lsp::SignatureHelp> {
    let found = ide::signature(&view.compiler, &view.path, view.at(position))?;
    // Labels are ASCII but for the arrow, which stands after the parameters.
    let offsets = |range: &std::ops::Range<usize>| {
        let unit = |at| u32::try_from(at).unwrap_or(u32::MAX);
        [unit(range.start), unit(range.end)]
    };
    let parameter = |range| lsp::ParameterInformation {
        label: lsp::ParameterLabel::LabelOffsets(offsets(range)),
        documentation: None,
    };
    let active = found.active.and_then(|active| u32::try_from(active).ok());
    Some(lsp::SignatureHelp {
        signatures: vec![lsp::SignatureInformation {
            documentation: Some(lsp::Documentation::MarkupContent(markdown(found.doc))),
            parameters: Some(found.parameters.iter().map(parameter).collect()),
            active_parameter: active,
            label: found.label,
        }],
        active_signature: Some(0),
        active_parameter: active,
    })
}

pub(super) fn definition(view: &View, position: lsp::Position) -> Vec<lsp::Location> {
    view.locations(&ide::definition(&view.compiler, &view.path, view.at(position)))
}

pub(super) fn references(view: &View, position: lsp::Position, definitions: bool) -> Vec<lsp::Location> {
    view.locations(&ide::references(&view.compiler, &view.path, view.at(position), definitions))
}

pub(super) fn highlights(view: &View, position: lsp::Position) -> Vec<lsp::DocumentHighlight> {
    let found = ide::highlights(&view.compiler, &view.path, view.at(position));
    let highlight = |lines: &Lines<'_>, (range, is_definition): (TextRange, bool)| lsp::DocumentHighlight {
        range: lines.range(range),
        kind: Some(if is_definition {
            lsp::DocumentHighlightKind::WRITE
        } else {
            lsp::DocumentHighlightKind::READ
        }),
    };
    view.with(|lines| found.into_iter().map(|one| highlight(lines, one)).collect()).unwrap_or_default()
}

pub(super) fn prepare_rename(view: &View, position: lsp::Position) -> Option<lsp::PrepareRenameResponse> {
    let (range, placeholder) = ide::prepare_rename(&view.compiler, &view.path, view.at(position))?;
    let range = view.with(|lines| lines.range(range))?;
    Some(lsp::PrepareRenameResponse::RangeWithPlaceholder { range, placeholder })
}

pub(super) fn rename(
    view: &View,
    position: lsp::Position,
    name: &str,
    moves_files: bool,
) -> Result<lsp::WorkspaceEdit, RenameError> {
    let rename = ide::rename(&view.compiler, &view.path, view.at(position), name)?;
    let mut operations = Vec::new();
    for file in &rename.files {
        let Some(uri) = uri_of(&view.root, &file.path) else { continue };
        let edits = view.edits(&file.path, &file.edits).into_iter().map(lsp::OneOf::Left).collect();
        let version = view.versions.get(&*file.path).copied();
        operations.push(lsp::DocumentChangeOperation::Edit(lsp::TextDocumentEdit {
            text_document: lsp::OptionalVersionedTextDocumentIdentifier { uri, version },
            edits,
        }));
    }
    // The texts first: they are named by where they still are.
    for (from, to) in rename.moves.iter().filter(|_| moves_files) {
        let (Some(old_uri), Some(new_uri)) = (uri_of(&view.root, from), uri_of(&view.root, to)) else {
            continue;
        };
        operations.push(lsp::DocumentChangeOperation::Op(lsp::ResourceOp::Rename(lsp::RenameFile {
            old_uri,
            new_uri,
            options: None,
            annotation_id: None,
        })));
    }
    Ok(lsp::WorkspaceEdit {
        document_changes: Some(lsp::DocumentChanges::Operations(operations)),
        ..lsp::WorkspaceEdit::default()
    })
}

const fn symbol_kind(kind: SymbolKind) -> lsp::SymbolKind {
    match kind {
        SymbolKind::Named => lsp::SymbolKind::CLASS,
        SymbolKind::Block => lsp::SymbolKind::MODULE,
        SymbolKind::Attribute => lsp::SymbolKind::PROPERTY,
    }
}

pub(super) fn symbols(view: &View) -> Vec<lsp::DocumentSymbol> {
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

pub(super) fn workspace_symbols(view: &View, query: &str) -> Vec<lsp::SymbolInformation> {
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

pub(super) fn folds(view: &View) -> Vec<lsp::FoldingRange> {
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

pub(super) fn selections(view: &View, positions: &[lsp::Position]) -> Vec<lsp::SelectionRange> {
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

/// The tokens in the protocol's form: each as the distance from the one before. One over several lines is told line by
/// line, which every editor can show.
pub(super) fn tokens(view: &View, within: Option<lsp::Range>) -> Vec<lsp::SemanticToken> {
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

/// The whole text in the one form of Fly, as the smallest edit; none when it has errors of form or is so already.
pub(super) fn formatting(view: &View) -> Option<Vec<lsp::TextEdit>> {
    let parse = view.compiler.parse(&view.path)?;
    if !parse.errors().is_empty() {
        return None;
    }
    let (before, after) = (parse.text(), flyc::format::format(parse));
    if **before == *after {
        return Some(Vec::new());
    }
    // What is alike at both ends stays.
    let head = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
    let head = (0..=head).rev().find(|at| before.is_char_boundary(*at) && after.is_char_boundary(*at))?;
    let room = before.len().min(after.len()) - head;
    let tail = before.bytes().rev().zip(after.bytes().rev()).take(room).take_while(|(a, b)| a == b).count();
    let boundary = |tail: &usize| {
        before.is_char_boundary(before.len() - tail) && after.is_char_boundary(after.len() - tail)
    };
    let tail = (0..=tail).rev().find(boundary)?;
    let size = |at: usize| TextSize::try_from(at).unwrap_or_default();
    let range = TextRange::new(size(head), size(before.len() - tail));
    let edit = Edit { range, text: after[head..after.len() - tail].to_owned() };
    view.with(|lines| vec![lines.edit(&edit)])
}

/// The fixes of what was found in a range.
pub(super) fn actions(view: &View, range: lsp::Range) -> Vec<lsp::CodeAction> {
    let found = view.compiler.check_file(&view.path);
    let text = view.compiler.text(&view.path).unwrap_or_default();
    let lines = Lines::new(&text, view.encoding);
    let asked = lines.text_range(range);
    let here = |found: &&Diagnostic| found.span.range.intersect(asked).is_some();
    let Some(uri) = uri_of(&view.root, &view.path) else { return Vec::new() };
    let action = |found: &Diagnostic| {
        let help = found.help.as_ref().filter(|help| !help.edits.is_empty())?;
        let edits = help.edits.iter().map(|edit| lsp::OneOf::Left(lines.edit(edit))).collect();
        let text_document = lsp::OptionalVersionedTextDocumentIdentifier {
            uri: uri.clone(),
            version: view.versions.get(&view.path).copied(),
        };
        Some(lsp::CodeAction {
            title: help.text.clone(),
            kind: Some(lsp::CodeActionKind::QUICKFIX),
            diagnostics: Some(super::publish::diagnostics(view, &view.path, std::slice::from_ref(found))),
            edit: Some(lsp::WorkspaceEdit {
                document_changes: Some(lsp::DocumentChanges::Edits(vec![lsp::TextDocumentEdit {
                    text_document,
                    edits,
                }])),
                ..lsp::WorkspaceEdit::default()
            }),
            is_preferred: Some(help.applicability == flyc::diag::Applicability::Safe),
            ..lsp::CodeAction::default()
        })
    };
    found.iter().filter(here).filter_map(action).collect()
}

/// What is wrong with the file, for an editor that asks.
pub(super) fn diagnostics(view: &View) -> Vec<lsp::Diagnostic> {
    let mut found = view.compiler.check_file(&view.path);
    found.extend(view.unreadable.iter().filter(|found| *found.span.file == *view.path).cloned());
    super::publish::diagnostics(view, &view.path, &found)
}
