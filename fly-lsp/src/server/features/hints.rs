//! Inlay hints as the protocol has them. Never here: what an answer says, which is `ide`'s.

use serde::{Deserialize, Serialize};
use tower_lsp_server::ls_types::{self as lsp, Uri};

use super::{markdown, now};
use crate::{
    ide::{self, Hint, HintOptions},
    server::{convert::uri_of, session::View, settings::InlayHints},
};

/// What a hint whose tooltip is told later carries along.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::server) struct Later {
    pub(in crate::server) uri: Uri,
    version: Option<i32>,
}

/// The hints of a range; their tooltips as well, unless the editor asks for them one by one.
pub(in crate::server) fn hints(view: &View, range: lsp::Range, tooltips_later: bool) -> Vec<lsp::InlayHint> {
    let uri = uri_of(&view.root, &view.path);
    let version = view.versions.get(&view.path).copied();
    let data = uri.and_then(|uri| serde_json::to_value(Later { uri, version }).ok());
    let hint = |position: lsp::Position, hint: Hint| lsp::InlayHint {
        position,
        label: lsp::InlayHintLabel::String(hint.label),
        kind: None,
        text_edits: None,
        tooltip: (!tooltips_later).then(|| lsp::InlayHintTooltip::MarkupContent(markdown(hint.tooltip))),
        padding_left: Some(true),
        padding_right: None,
        data: data.clone().filter(|_| tooltips_later),
    };
    view.with(|lines| {
        let range = lines.text_range(range);
        let found = ide::hints(&view.compiler, &view.path, range, now(), wanted(view));
        found.into_iter().map(|one| hint(lines.position(one.at), one)).collect()
    })
    .unwrap_or_default()
}

fn wanted(view: &View) -> HintOptions {
    let InlayHints { units, runs, inherited } = view.settings.inlay_hints;
    HintOptions { units, runs, inherited }
}

/// What a hint carries along, unless it says everything already.
pub(in crate::server) fn later(hint: &lsp::InlayHint) -> Option<Later> {
    serde_json::from_value(hint.data.clone()?).ok()
}

/// The tooltip of a hint; nothing when the text is another by now.
pub(in crate::server) fn tooltip(
    view: &View,
    hint: &lsp::InlayHint,
    later: &Later,
) -> Option<lsp::InlayHintTooltip> {
    if view.versions.get(&view.path).copied() != later.version {
        return None;
    }
    let lsp::InlayHintLabel::String(label) = &hint.label else { return None };
    let at = flyc::text::TextRange::empty(view.at(hint.position));
    let found = ide::hints(&view.compiler, &view.path, at, now(), wanted(view));
    let found = found.into_iter().find(|found| found.label == *label)?;
    Some(lsp::InlayHintTooltip::MarkupContent(markdown(found.tooltip)))
}
