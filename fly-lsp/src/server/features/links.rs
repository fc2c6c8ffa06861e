//! Document links as the protocol has them. Never here: what an answer says, which is `ide`'s.

use tower_lsp_server::ls_types::{self as lsp};

use crate::{
    ide::{self, Link, LinkTarget},
    server::{convert::uri_of, session::View},
};

pub(in crate::server) fn links(view: &View) -> Vec<lsp::DocumentLink> {
    let found = ide::links(&view.compiler, &view.path);
    let link = |range: lsp::Range, link: Link| {
        let target = match link.target {
            LinkTarget::File(path) => uri_of(&view.root, &path)?,
            LinkTarget::Page(address) => address.parse().ok()?,
        };
        Some(lsp::DocumentLink { range, target: Some(target), tooltip: None, data: None })
    };
    view.with(|lines| found.into_iter().filter_map(|one| link(lines.range(one.range), one)).collect())
        .unwrap_or_default()
}
