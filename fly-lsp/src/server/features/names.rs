//! What follows a name: definition, references, highlights, rename; and edits in the form that older editors know. Never here: what an answer says, which is `ide`'s.

use std::collections::HashMap;

use flyc::text::TextRange;
use tower_lsp_server::ls_types::{self as lsp};

use crate::{
    ide::{self, RenameError},
    server::{
        convert::{Lines, uri_of},
        session::View,
    },
};

pub(in crate::server) fn definition(view: &View, position: lsp::Position) -> Vec<lsp::Location> {
    view.locations(&ide::definition(&view.compiler, &view.path, view.at(position)))
}

pub(in crate::server) fn type_definition(view: &View, position: lsp::Position) -> Vec<lsp::Location> {
    view.locations(&ide::type_definition(&view.compiler, &view.path, view.at(position)))
}

pub(in crate::server) fn references(
    view: &View,
    position: lsp::Position,
    definitions: bool,
) -> Vec<lsp::Location> {
    view.locations(&ide::references(&view.compiler, &view.path, view.at(position), definitions))
}

pub(in crate::server) fn highlights(view: &View, position: lsp::Position) -> Vec<lsp::DocumentHighlight> {
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

pub(in crate::server) fn prepare_rename(
    view: &View,
    position: lsp::Position,
) -> Result<Option<lsp::PrepareRenameResponse>, RenameError> {
    let (range, placeholder) = match ide::prepare_rename(&view.compiler, &view.path, view.at(position)) {
        Ok(found) => found,
        // Editors say so themselves.
        Err(RenameError::Nothing) => return Ok(None),
        Err(error) => return Err(error),
    };
    let range = view.with(|lines| lines.range(range));
    Ok(range.map(|range| lsp::PrepareRenameResponse::RangeWithPlaceholder { range, placeholder }))
}

pub(in crate::server) fn rename(
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

/// The same edits for an editor that knows no versions of documents; files it can't move.
pub(in crate::server) fn without_versions(edit: lsp::WorkspaceEdit) -> lsp::WorkspaceEdit {
    let documents: Vec<lsp::TextDocumentEdit> = match edit.document_changes {
        None => return edit,
        Some(lsp::DocumentChanges::Edits(documents)) => documents,
        Some(lsp::DocumentChanges::Operations(operations)) => operations
            .into_iter()
            .filter_map(|operation| match operation {
                lsp::DocumentChangeOperation::Edit(document) => Some(document),
                lsp::DocumentChangeOperation::Op(_) => None,
            })
            .collect(),
    };
    let mut changes: HashMap<lsp::Uri, Vec<lsp::TextEdit>> = HashMap::new();
    for document in documents {
        let edits = document.edits.into_iter().map(|edit| match edit {
            lsp::OneOf::Left(edit) => edit,
            lsp::OneOf::Right(annotated) => annotated.text_edit,
        });
        changes.entry(document.text_document.uri).or_default().extend(edits);
    }
    lsp::WorkspaceEdit { changes: Some(changes), ..lsp::WorkspaceEdit::default() }
}
