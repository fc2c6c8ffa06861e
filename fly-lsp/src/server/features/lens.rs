//! Code lenses as the protocol has them. Never here: what an answer says, which is `ide`'s.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower_lsp_server::ls_types::{self as lsp, Uri};

use super::{commands, now};
use crate::{
    ide::{self, Lens, LensKind},
    server::{convert::uri_of, session::View},
};

/// The command that shows places: the URI, the position, and the locations, as editors' own commands for it have them.
pub(in crate::server) const REFERENCES: &str = "fly.references";

/// What a lens that is not counted yet carries along.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::server) struct Later {
    pub(in crate::server) uri: Uri,
    version: Option<i32>,
    kind: String,
}

/// The kinds that are told later, and what they are called on the way.
const LATER: [(LensKind, &str); 3] =
    [(LensKind::Conditions, "conditions"), (LensKind::Users, "users"), (LensKind::NextRun, "next-run")];

/// The lenses of a file for an editor that has these commands.
pub(in crate::server) fn lenses(view: &View, has: commands::Handled) -> Vec<lsp::CodeLens> {
    let uri = uri_of(&view.root, &view.path).filter(|_| view.settings.code_lens);
    let Some(uri) = uri else { return Vec::new() };
    let found = ide::lenses(&view.compiler, &view.path, now());
    let version = view.versions.get(&view.path).copied();
    let lens = |lens: &Lens, range: lsp::Range| {
        let own = |command: &str| {
            let text = ide::lens_text(&view.compiler, &view.path, lens, now())?;
            let arguments = Some(vec![json!(uri.as_str())]);
            Some(lsp::Command { title: text.title, command: command.to_owned(), arguments })
        };
        let (command, data) = match lens.kind {
            LensKind::Simulate => (Some(own(commands::SIMULATE)?), None),
            LensKind::Generated => (Some(own(commands::GENERATED)?), None),
            LensKind::Conditions | LensKind::Users if !has.references => return None,
            LensKind::Conditions | LensKind::Users | LensKind::NextRun => {
                let kind = LATER.iter().find(|(kind, _)| *kind == lens.kind)?.1.to_owned();
                (None, serde_json::to_value(Later { uri: uri.clone(), version, kind }).ok())
            }
        };
        Some(lsp::CodeLens { range, command, data })
    };
    view.with(|lines| found.iter().filter_map(|one| lens(one, lines.range(one.range))).collect())
        .unwrap_or_default()
}

/// What a lens carries along, unless it says everything already.
pub(in crate::server) fn later(lens: &lsp::CodeLens) -> Option<Later> {
    serde_json::from_value(lens.data.clone()?).ok()
}

/// What a lens says; nothing when the text is another by now.
pub(in crate::server) fn command(view: &View, range: lsp::Range, later: &Later) -> Option<lsp::Command> {
    if view.versions.get(&view.path).copied() != later.version {
        return None;
    }
    let kind = LATER.iter().find(|(_, name)| *name == later.kind)?.0;
    let lens = Lens { range: view.with(|lines| lines.text_range(range))?, kind };
    let text = ide::lens_text(&view.compiler, &view.path, &lens, now())?;
    if kind == LensKind::NextRun {
        // Nothing to click on: it only says something.
        return Some(lsp::Command { title: text.title, command: String::new(), arguments: None });
    }
    let arguments: Vec<Value> =
        vec![json!(later.uri.as_str()), json!(range.start), json!(view.locations(&text.places))];
    Some(lsp::Command { title: text.title, command: REFERENCES.to_owned(), arguments: Some(arguments) })
}
