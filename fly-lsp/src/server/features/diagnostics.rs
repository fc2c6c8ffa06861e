//! Diagnostics for an editor that asks. Never here: what an answer says, which is `ide`'s.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use tower_lsp_server::ls_types::{self as lsp, Uri};

use crate::server::{
    convert::uri_of,
    publish::{self, by_file},
    session::View,
};

/// How many files a part of an answer tells of.
const PART: usize = 256;

/// What is wrong with the file that is asked about.
pub(in crate::server) fn diagnostics(view: &View) -> Vec<lsp::Diagnostic> {
    let mut found = view.compiler.check_file(&view.path);
    found.extend(view.unreadable.iter().filter(|found| *found.span.file == *view.path).cloned());
    found.retain(|found| view.counts(found));
    publish::diagnostics(view, &view.path, &found)
}

/// What is called the same when it is the same.
fn id(items: &[lsp::Diagnostic]) -> String {
    let mut digest = DefaultHasher::new();
    // What can't be written is never the same.
    serde_json::to_string(items).unwrap_or_default().hash(&mut digest);
    format!("{:016x}", digest.finish())
}

/// What is wrong with the file that is asked about, or that it is what the editor has.
pub(in crate::server) fn report(view: &View, known: Option<&str>) -> lsp::DocumentDiagnosticReport {
    let items = diagnostics(view);
    let result_id = id(&items);
    if known == Some(&result_id) {
        return lsp::RelatedUnchangedDocumentDiagnosticReport {
            related_documents: None,
            unchanged_document_diagnostic_report: lsp::UnchangedDocumentDiagnosticReport { result_id },
        }
        .into();
    }
    empty_or(Some(result_id), items)
}

/// A report of a document.
pub(in crate::server) fn empty_or(
    result_id: Option<String>,
    items: Vec<lsp::Diagnostic>,
) -> lsp::DocumentDiagnosticReport {
    lsp::RelatedFullDocumentDiagnosticReport {
        related_documents: None,
        full_document_diagnostic_report: lsp::FullDocumentDiagnosticReport { result_id, items },
    }
    .into()
}

/// What is wrong with the files of the Nest; of the others see [`right`].
pub(in crate::server) fn workspace(
    view: &View,
    known: &HashMap<Uri, String>,
) -> Vec<lsp::WorkspaceDocumentDiagnosticReport> {
    let mut all = by_file(&view.compiler.check());
    for (path, found) in by_file(&view.unreadable) {
        all.entry(path).or_default().extend(found);
    }
    if !view.settings.diagnostics.workspace {
        all.retain(|path, _| view.open.contains_key(&**path));
    }
    let own = |path: &str| -> Vec<(Uri, Option<i64>)> {
        match view.open.get(path) {
            Some(open) => {
                open.iter().map(|(uri, version)| (uri.clone(), Some(i64::from(*version)))).collect()
            }
            None => uri_of(&view.root, path).map(|uri| (uri, None)).into_iter().collect(),
        }
    };
    let report = |(uri, version): (Uri, Option<i64>), items: &[lsp::Diagnostic]| {
        let result_id = id(items);
        if known.get(&uri).is_some_and(|known| *known == result_id) {
            let report = lsp::UnchangedDocumentDiagnosticReport { result_id };
            lsp::WorkspaceDocumentDiagnosticReport::Unchanged(
                lsp::WorkspaceUnchangedDocumentDiagnosticReport {
                    uri,
                    version,
                    unchanged_document_diagnostic_report: report,
                },
            )
        } else {
            full(uri, version, Some(result_id), items.to_vec())
        }
    };
    let mut reports = Vec::new();
    for (path, mut found) in all {
        found.retain(|found| view.counts(found));
        let items = publish::diagnostics(view, &path, &found);
        reports.extend(own(&path).into_iter().map(|uri| report(uri, &items)));
    }
    reports
}

fn full(
    uri: Uri,
    version: Option<i64>,
    result_id: Option<String>,
    items: Vec<lsp::Diagnostic>,
) -> lsp::WorkspaceDocumentDiagnosticReport {
    lsp::WorkspaceDocumentDiagnosticReport::Full(lsp::WorkspaceFullDocumentDiagnosticReport {
        uri,
        version,
        full_document_diagnostic_report: lsp::FullDocumentDiagnosticReport { result_id, items },
    })
}

/// What is to be told of the files that the editor knows something of, and of which nothing is wrong by now.
pub(in crate::server) fn right(
    known: &HashMap<Uri, String>,
    reports: &[lsp::WorkspaceDocumentDiagnosticReport],
) -> Vec<lsp::WorkspaceDocumentDiagnosticReport> {
    let told: HashSet<&Uri> = reports
        .iter()
        .map(|report| match report {
            lsp::WorkspaceDocumentDiagnosticReport::Full(report) => &report.uri,
            lsp::WorkspaceDocumentDiagnosticReport::Unchanged(report) => &report.uri,
        })
        .collect();
    let nothing = id(&[]);
    let right = known.iter().filter(|(uri, id)| !told.contains(uri) && **id != nothing);
    right.map(|(uri, _)| full(uri.clone(), None, Some(nothing.clone()), Vec::new())).collect()
}

/// The parts that a long answer is given in.
pub(in crate::server) fn parts(
    reports: &[lsp::WorkspaceDocumentDiagnosticReport],
) -> Vec<lsp::WorkspaceDiagnosticReportPartialResult> {
    let parts = reports.chunks(PART);
    parts.map(|part| lsp::WorkspaceDiagnosticReportPartialResult { items: part.to_vec() }).collect()
}
