//! Source maps: from the marks that templates leave to addresses in the finished text.
//!
//! A template writes `{{ at("resources.cpu") }}` at the end of a line whose block or attribute a `.fly` attribute
//! caused. [`strip`] takes the marks out of the rendered text and gives every block and attribute its origin: its own
//! mark's, else that of the block around it. The marks are private-use characters, which escaping never lets through
//! from a value, so no value can forge one.
//!
//! Never here: how a text is taken apart, which is `outline`'s.

use minijinja::Value;

use super::outline::{self, Part};
use crate::artifact::{Mapping, Origins};

const OPEN: char = '\u{E000}';
const CLOSE: char = '\u{E001}';

/// The mark of a configuration path, for templates.
pub(super) fn at(path: &str) -> Value {
    // The name of an author's block may be in it; nothing of that may end the mark or its line.
    let path = path.replace(|c: char| c.is_control() || matches!(c, OPEN | CLOSE), "");
    Value::from_safe_string(format!("{OPEN}{path}{CLOSE}"))
}

/// The text without its marks, and what its blocks and attributes come from. Files of other kinds than HCL and YAML
/// have neither.
pub(super) fn strip(file: &str, text: &str, origins: &Origins) -> (String, Vec<Mapping>) {
    let parts_of: fn(&str) -> Vec<Part> = match file.rsplit_once('.') {
        Some((_, "tf")) => outline::hcl,
        Some((_, "yaml")) => outline::cloud_config,
        _ => return (text.to_owned(), Vec::new()),
    };
    let (plain, marks) = without_marks(text);
    let parts = parts_of(&plain);
    let mut paths: Vec<&str> = Vec::with_capacity(parts.len());
    let mut mappings: Vec<Mapping> = Vec::with_capacity(parts.len());
    let mut marks = marks.into_iter().peekable();
    for part in parts {
        // Both are in the order of their lines; a mark on a line where nothing begins is nobody's.
        while marks.next_if(|(line, _)| *line < part.first).is_some() {}
        let own = marks.peek().filter(|(line, _)| *line == part.first).map(|(_, path)| *path);
        let around = part.parent.and_then(|parent| paths.get(parent)).copied();
        let path = own.or(around).unwrap_or_default();
        let origin = origins.get(path);
        let (end_line, end_column) = origins.end(path);
        mappings.push(Mapping {
            address: part.address,
            generated_line: part.first,
            generated_end: part.last,
            file: origin.file.clone(),
            line: origin.line,
            column: origin.column,
            end_line,
            end_column,
        });
        paths.push(path);
    }
    (plain, mappings)
}

/// The text without its marks.
pub(super) fn plain(text: &str) -> String {
    without_marks(text).0
}

/// The text without its marks, and the last mark of each line that has one, with the number of the line, from 1.
fn without_marks(text: &str) -> (String, Vec<(u32, &str)>) {
    let mut plain = String::with_capacity(text.len());
    let mut marks: Vec<(u32, &str)> = Vec::new();
    let mut line: u32 = 1;
    let mut rest = text;
    while let Some((before, (mark, after))) =
        rest.split_once(OPEN).and_then(|(before, marked)| Some((before, marked.split_once(CLOSE)?)))
    {
        // The space that sets a mark apart from its line goes with it.
        let kept = before.strip_suffix(' ').unwrap_or(before);
        plain.push_str(kept);
        let breaks = before.bytes().filter(|byte| *byte == b'\n').count();
        line = line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        match marks.last_mut() {
            Some((at, path)) if *at == line => *path = mark,
            _ => marks.push((line, mark)),
        }
        rest = after;
    }
    plain.push_str(rest);
    (plain, marks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::Origin;

    #[test]
    fn marks_vanish_and_give_their_block_and_what_is_in_it_an_origin() {
        let origin = |line| Origin { file: "f.fly".into(), line, column: 3 };
        let mut origins = Origins::new(origin(1)).ending((1, 9));
        origins.insert("resources", origin(10));
        origins.insert_stretch("resources.cpu", origin(11), (12, 5));
        let text = format!(
            "# a\nmodule \"runner\" {{{}\n  for_each = var.runners\n  cores = 2{}\n  labels = {{\n    a = \"}}\"\n  }}\n}}\n\nresource \"a\" \"b\" {{\n  c = [\n    1,\n  ]\n  nested {{\n    d = 1\n  }}\n}}\n",
            at("resources"),
            at("resources.cpu"),
        );
        let (plain, mappings) = strip("resources.tf", &text, &origins);
        assert!(!plain.contains([OPEN, CLOSE]));
        let seen: Vec<_> = mappings.iter().map(|m| (m.address.as_str(), m.generated_line, m.line)).collect();
        assert_eq!(
            seen,
            [
                ("module.runner", 2, 10),
                ("module.runner.for_each", 3, 10),
                ("module.runner.cores", 4, 11),
                ("module.runner.labels", 5, 10),
                ("a.b", 10, 1),
                ("a.b.c", 11, 1),
                ("a.b.nested", 14, 1),
                ("a.b.nested.d", 15, 1),
            ]
        );
        let ends: Vec<_> = mappings.iter().map(|m| (m.generated_end, m.end_line, m.end_column)).collect();
        assert_eq!(
            ends,
            [(8, 10, 3), (3, 10, 3), (4, 12, 5), (7, 10, 3), (17, 1, 9), (13, 1, 9), (16, 1, 9), (15, 1, 9)]
        );
    }
}
