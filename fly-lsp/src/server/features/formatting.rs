//! Formatting as edits. Never here: what an answer says, which is `ide`'s.

use flyc::{
    diag::Edit,
    text::{TextRange, TextSize},
};
use tower_lsp_server::ls_types::{self as lsp};

use crate::server::session::View;

/// The whole text in the one form of Fly, as the smallest edit; none when it has errors of form or is so already.
pub(in crate::server) fn formatting(view: &View) -> Option<Vec<lsp::TextEdit>> {
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
