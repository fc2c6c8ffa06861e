//! Fixing everything at once: what is sure in a file, and all findings of one kind in a file or in the Nest. Never here:
//! what is fixed in which way, which the findings say.

use std::sync::Arc;

use flyc::{
    compiler::Compiler,
    diag::{Applicability, Diagnostic},
};

use super::{
    Action, ActionKind, Edits,
    draft::Draft,
    proof::{small, with_surroundings},
    site::Asked,
};
use crate::ide::names::FileEdit;

/// What is worked out when somebody wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deferred {
    /// Everything that is sure in a file.
    File,
    /// All findings of one kind in a file.
    KindInFile(String),
    /// All findings of one kind in the Nest.
    KindInNest(String),
}

fn is_sure(finding: &Diagnostic, least: Applicability) -> bool {
    let help = finding.help.as_ref().filter(|help| !help.edits.is_empty());
    help.is_some_and(|help| help.applicability >= least)
}

/// What can be asked for in a file.
pub(super) fn actions(asked: &Asked<'_>, found: &mut Vec<Action>) {
    let action = |title: String, kind, deferred| Action {
        kind,
        title,
        findings: Vec::new(),
        is_preferred: false,
        edits: Edits::Deferred(deferred),
    };
    if asked.all.iter().any(|finding| is_sure(finding, Applicability::Safe)) {
        let title = "Fix everything that is sure in this file".to_owned();
        found.push(action(title, ActionKind::FixAll, Deferred::File));
    }
    let mut ids: Vec<&'static str> = found
        .iter()
        .filter(|action| action.kind == ActionKind::Fix)
        .flat_map(|action| &action.findings)
        .filter(|finding| is_sure(finding, Applicability::Suggested))
        .map(|finding| finding.kind.id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let fixable = |id: &'static str| {
        move |finding: &&Diagnostic| finding.kind.id == id && is_sure(finding, Applicability::Suggested)
    };
    for id in ids {
        let here = asked.all.iter().filter(fixable(id)).count();
        if here > 1 {
            let title = format!("Fix every `{id}` in this file");
            found.push(action(title, ActionKind::FixEvery, Deferred::KindInFile(id.to_owned())));
        }
        let is_fixable = fixable(id);
        if asked.compiler.finds(|finding| *finding.span.file != *asked.path && is_fixable(&finding)) {
            let title = format!("Fix every `{id}` in the Nest");
            found.push(action(title, ActionKind::FixEvery, Deferred::KindInNest(id.to_owned())));
        }
    }
}

/// The edits of something that was put off.
pub fn carry_out(compiler: &Compiler, path: &str, deferred: &Deferred) -> Vec<FileEdit> {
    let is_everywhere = matches!(deferred, Deferred::KindInNest(_));
    let mut nest = if is_everywhere {
        let texts = compiler.paths().filter_map(|path| Some((Arc::clone(path), compiler.text(path)?)));
        with_surroundings(compiler, Compiler::new(texts))
    } else {
        small(compiler, path, std::iter::empty())
    };
    let (least, id) = match deferred {
        Deferred::File => (Applicability::Safe, None),
        Deferred::KindInFile(id) | Deferred::KindInNest(id) => (Applicability::Suggested, Some(id.as_str())),
    };
    let wanted = |finding: &Diagnostic| {
        (is_everywhere || &*finding.span.file == path) && id.is_none_or(|id| finding.kind.id == id)
    };
    let fixed = nest.fix(least, &wanted);
    let mut draft = Draft::default();
    for file in fixed.files {
        draft.texts.insert(file.path, file.after.to_string());
    }
    draft.tidy(compiler);
    draft.edits(compiler)
}
