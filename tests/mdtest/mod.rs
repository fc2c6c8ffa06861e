//! Markdown tests: reading them, and matching what a section asks for with what was found. What never lives here: the
//! compiler; findings come in as plain data.

#![allow(dead_code, reason = "one test target runs the tests, the other tests this module")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "only tests use this module")]

mod matching;
mod parsing;
#[cfg(test)]
#[allow(unused_imports, reason = "the target with a harness of its own has no unit tests")]
mod tests;

pub(crate) use matching::{compare, replace_output};
pub(crate) use parsing::parse;

/// The path of a file whose block has no name.
pub(crate) const DEFAULT_PATH: &str = "Eggs/test/config.fly";

/// The words a comment can ask with.
pub(crate) const SEVERITIES: [&str; 3] = ["error", "warning", "info"];

/// One section with at least one `fly` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    /// The headings above it, from the first level on, joined by ` > `.
    pub(crate) name: String,
    /// The line of its heading, from 1.
    pub(crate) line: usize,
    /// Its files, which make one Nest.
    pub(crate) files: Vec<File>,
    /// The texts of the Nest's other files, by path.
    pub(crate) assets: Vec<(String, String)>,
    /// The rendering it expects.
    pub(crate) output: Option<Output>,
}

/// One `fly` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// The path within the Nest.
    pub(crate) path: String,
    /// The text.
    pub(crate) text: String,
    /// The markdown line of the text's first line.
    pub(crate) line: usize,
    /// What its comments ask for.
    pub(crate) asked: Vec<Asked>,
}

/// One `output` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// Its text; every line ends with a line break.
    pub(crate) text: String,
    /// The markdown lines of the text, from 1, the last excluded.
    pub(crate) lines: std::ops::Range<usize>,
}

/// A diagnostic that a comment asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The line of the file the diagnostic must start on, from 1.
    pub(crate) line: usize,
    /// The line of the file the comment stands on, from 1.
    pub(crate) written: usize,
    /// `error`, `warning` or `info`.
    pub(crate) severity: String,
    /// The diagnostic's id.
    pub(crate) id: String,
    /// A part of its message; may be empty.
    pub(crate) part: String,
}

/// A diagnostic that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The file's path within the Nest.
    pub(crate) path: String,
    /// The line it starts on, from 1.
    pub(crate) line: usize,
    /// `error`, `warning` or `info`.
    pub(crate) severity: String,
    /// Its id.
    pub(crate) id: String,
    /// Its headline.
    pub(crate) message: String,
}
