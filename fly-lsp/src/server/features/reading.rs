//! Hover and signature help as the protocol has them. Never here: what an answer says, which is `ide`'s.

use tower_lsp_server::ls_types::{self as lsp};

use super::markdown;
use crate::{ide, server::session::View};

pub(in crate::server) fn hover(view: &View, position: lsp::Position) -> Option<lsp::Hover> {
    let found = ide::hover(&view.compiler, &view.path, view.at(position), super::now())?;
    Some(lsp::Hover {
        contents: lsp::HoverContents::Markup(markdown(found.text)),
        range: view.with(|lines| lines.range(found.range)),
    })
}

pub(in crate::server) fn signature(view: &View, position: lsp::Position) -> Option<lsp::SignatureHelp> {
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
