//! Texts of a Nest as they would be, and the edits that lead there. Never here: whether they should be so.

use std::{collections::BTreeMap, sync::Arc};

use flyc::{
    compiler::Compiler,
    diag::Edit,
    format,
    syntax::parse,
    text::{TextRange, TextSize},
};
use similar::{Algorithm, capture_diff_slices};

use crate::ide::{formatting::smallest, names::FileEdit};

/// Texts as they would be, by path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Draft {
    pub(super) texts: BTreeMap<Arc<str>, String>,
}

impl Draft {
    /// A file with edits that don't overlap, in any order; none when one fits nowhere.
    pub(super) fn of(compiler: &Compiler, path: &str, edits: &[Edit]) -> Option<Self> {
        Self::default().with(compiler, path, edits)
    }

    /// The same with edits in another file, or further ones in one that is in it already.
    pub(super) fn with(mut self, compiler: &Compiler, path: &str, edits: &[Edit]) -> Option<Self> {
        let text = match self.texts.get(path) {
            Some(text) => text.clone(),
            None => compiler.text(path)?.to_string(),
        };
        self.texts.insert(Arc::from(path), edited(&text, edits)?);
        Some(self)
    }

    /// Sets every file that was in the one form of Fly before into it again.
    pub(super) fn tidy(&mut self, compiler: &Compiler) {
        for (path, text) in &mut self.texts {
            let was_tidy =
                compiler.parse(path).is_some_and(|before| *format::format(before) == **before.text());
            if was_tidy {
                *text = format::format(&parse(Arc::from(text.as_str())));
            }
        }
    }

    /// The edits that lead from the texts of a Nest to these, line by line.
    pub(super) fn edits(&self, compiler: &Compiler) -> Vec<FileEdit> {
        let edits = |(path, after): (&Arc<str>, &String)| {
            let before = compiler.text(path)?;
            let edits = by_line(&before, after);
            (!edits.is_empty()).then(|| FileEdit { path: Arc::clone(path), edits })
        };
        self.texts.iter().filter_map(edits).collect()
    }
}

/// A text with edits that don't overlap.
fn edited(text: &str, edits: &[Edit]) -> Option<String> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.range.start(), edit.range.end()));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in sorted {
        let (start, end) = (usize::from(edit.range.start()), usize::from(edit.range.end()));
        out.push_str(text.get(at..start)?);
        text.get(start..end)?;
        out.push_str(&edit.text);
        at = end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

/// The edits between two texts, each within the lines that differ.
fn by_line(before: &str, after: &str) -> Vec<Edit> {
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let length = |lines: &[&str]| lines.iter().map(|line| line.len()).sum::<usize>();
    let ops = capture_diff_slices(Algorithm::Patience, &old, &new);
    ops.iter()
        .filter(|op| op.tag() != similar::DiffTag::Equal)
        .map(|op| {
            let (old_lines, new_lines) = (op.old_range(), op.new_range());
            let at = length(&old[..old_lines.start]);
            smallest(&old[old_lines].concat(), &new[new_lines].concat(), at)
        })
        .collect()
}

/// An edit.
pub(super) fn replace(range: TextRange, text: impl Into<String>) -> Edit {
    Edit { range, text: text.into() }
}

/// An edit that adds.
pub(super) fn insert(at: TextSize, text: impl Into<String>) -> Edit {
    replace(TextRange::empty(at), text)
}
