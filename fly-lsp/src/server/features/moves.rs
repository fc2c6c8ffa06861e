//! What a moved file or folder is called in the texts of its Nest. Never here: what an answer says, which is `ide`'s.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use flyc::diag::Edit;
use tower_lsp_server::ls_types as lsp;

use crate::{
    ide,
    server::{
        convert::{path_of, uri_of},
        session::View,
    },
};

/// The edits that a Nest needs before files are moved, none when nothing is called by their names; and why others can't
/// have the names that their files get.
pub(in crate::server) fn renamed(
    view: &View,
    files: &[lsp::FileRename],
) -> (Vec<lsp::TextDocumentEdit>, Vec<String>) {
    let inside = |uri: &str| {
        let path = path_of(&uri.parse().ok()?)?;
        let path = path.strip_prefix(&view.root).ok()?;
        let parts: Option<Vec<&str>> = Path::new(path).iter().map(|part| part.to_str()).collect();
        Some(parts?.join("/"))
    };
    let mut refused = Vec::new();
    let mut all: BTreeMap<Arc<str>, Vec<Edit>> = BTreeMap::new();
    for file in files {
        let (Some(from), Some(to)) = (inside(&file.old_uri), inside(&file.new_uri)) else { continue };
        match ide::moved(&view.compiler, &from, &to) {
            Ok(files) => {
                for file in files {
                    all.entry(file.path).or_default().extend(file.edits);
                }
            }
            Err(error) => refused.push(format!("Nothing in the Nest is renamed with `{from}`: {error}")),
        }
    }
    let edits = all
        .into_iter()
        .filter_map(|(path, mut edits)| {
            edits.sort_by_key(|edit| (edit.range.start(), edit.range.end()));
            edits.dedup();
            let open = view.open.get(&*path).and_then(|open| open.first());
            let uri = match open {
                Some((uri, _)) => uri.clone(),
                None => uri_of(&view.root, &path)?,
            };
            let text_document = lsp::OptionalVersionedTextDocumentIdentifier {
                uri,
                version: open.map(|(_, version)| *version),
            };
            let edits = view.edits(&path, &edits).into_iter().map(lsp::OneOf::Left).collect();
            Some(lsp::TextDocumentEdit { text_document, edits })
        })
        .collect();
    (edits, refused)
}
