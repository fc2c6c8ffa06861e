//! Code actions. Never here: what an answer says, which is `ide`'s.

use serde_json::{Value, json};
use tower_lsp_server::ls_types::{self as lsp, Uri};

use crate::{
    ide::{self, Action, ActionKind, Deferred, Edits, FileEdit},
    server::{convert::uri_of, publish, session::View},
};

/// What can be done in a range, of the kinds that are wanted. What takes long is put off when the editor can ask again.
pub(in crate::server) fn actions(
    view: &View,
    range: lsp::Range,
    context: &lsp::CodeActionContext,
    resolves: bool,
) -> Vec<lsp::CodeAction> {
    let Some(asked) = view.with(|lines| lines.text_range(range)) else { return Vec::new() };
    let wanted = |kind: ActionKind| match &context.only {
        Some(only) => only.iter().any(|only| kind.is_within(only.as_str())),
        None => true,
    };
    let found = ide::actions(&view.compiler, &view.path, asked, &wanted);
    found.into_iter().filter_map(|found| action(view, context, resolves, found)).collect()
}

fn action(
    view: &View,
    context: &lsp::CodeActionContext,
    resolves: bool,
    found: Action,
) -> Option<lsp::CodeAction> {
    let diagnostics = publish::diagnostics(view, &view.path, &found.findings);
    // Somebody who shows some of the diagnostics asks about those.
    let is_shown = |one: &lsp::Diagnostic| {
        context.diagnostics.iter().any(|shown| shown.range == one.range && shown.code == one.code)
    };
    if found.kind == ActionKind::Fix && !context.diagnostics.is_empty() && !diagnostics.iter().any(is_shown) {
        return None;
    }
    let (edit, data) = match found.edits {
        Edits::Ready(edits) => (Some(edit(view, &edits)), None),
        Edits::Deferred(deferred) if resolves => (None, Some(data(view, &deferred)?)),
        Edits::Deferred(deferred) if deferred.is_everywhere() => return None,
        Edits::Deferred(deferred) => {
            (Some(edit(view, &ide::carry_out(&view.compiler, &view.path, &deferred))), None)
        }
    };
    Some(lsp::CodeAction {
        title: found.title,
        kind: Some(lsp::CodeActionKind::new(found.kind.name())),
        diagnostics: (!diagnostics.is_empty()).then_some(diagnostics),
        is_preferred: found.is_preferred.then_some(true),
        edit,
        data,
        ..lsp::CodeAction::default()
    })
}

/// The edits of an action that was put off.
pub(in crate::server) fn resolved(view: &View, deferred: &Deferred) -> lsp::WorkspaceEdit {
    edit(view, &ide::carry_out(&view.compiler, &view.path, deferred))
}

/// What an editor keeps of an action that is put off.
fn data(view: &View, deferred: &Deferred) -> Option<Value> {
    let uri = uri_of(&view.root, &view.path)?;
    let (what, id) = match deferred {
        Deferred::File => ("file", ""),
        Deferred::KindInFile(id) => ("kindInFile", id.as_str()),
        Deferred::KindInNest(id) => ("kindInNest", id.as_str()),
        Deferred::UnknownInFile => ("unknownInFile", ""),
        Deferred::UnknownInNest => ("unknownInNest", ""),
    };
    Some(json!({ "uri": uri, "what": what, "id": id }))
}

/// What was put off, and about which file.
pub(in crate::server) fn deferred(action: &lsp::CodeAction) -> Option<(Uri, Deferred)> {
    let data = action.data.as_ref()?;
    let id = || Some(data["id"].as_str()?.to_owned());
    let deferred = match data["what"].as_str()? {
        "file" => Deferred::File,
        "kindInFile" => Deferred::KindInFile(id()?),
        "kindInNest" => Deferred::KindInNest(id()?),
        "unknownInFile" => Deferred::UnknownInFile,
        "unknownInNest" => Deferred::UnknownInNest,
        _ => return None,
    };
    Some((data["uri"].as_str()?.parse().ok()?, deferred))
}

/// The edits of several files, each with the version it is about when it is open.
fn edit(view: &View, files: &[FileEdit]) -> lsp::WorkspaceEdit {
    let documents = files.iter().filter_map(|file| {
        let edits = view.edits(&file.path, &file.edits).into_iter().map(lsp::OneOf::Left).collect();
        let version = view.versions.get(&*file.path).copied();
        let uri = uri_of(&view.root, &file.path)?;
        let text_document = lsp::OptionalVersionedTextDocumentIdentifier { uri, version };
        Some(lsp::TextDocumentEdit { text_document, edits })
    });
    lsp::WorkspaceEdit {
        document_changes: Some(lsp::DocumentChanges::Edits(documents.collect())),
        ..lsp::WorkspaceEdit::default()
    }
}
