//! Rendering: diagnostics as text for people and as the formats that CI systems read.
//!
//! One file a format. What never lives here: finding, sorting or filtering diagnostics, and anything that reads files
//! or the environment; texts come through [`Sources`].

mod concise;
mod fingerprint;
mod full;
mod github;
mod gitlab;
mod json;
mod junit;
mod junit_tests;
mod mask;
mod place;
mod sarif;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, hash::BuildHasher, io};

use crate::{diag::Diagnostic, text::Source};

pub use full::Style;
pub use junit_tests::{TestCase, render_tests};
pub use mask::{is_unprintable, mask, one_line};

use place::Places;

/// The shapes diagnostics are printed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub enum OutputFormat {
    /// The text itself with what is wrong below it, for people.
    Full,
    /// One line a finding: `file:line:col: error[id] message`.
    Concise,
    /// One JSON array.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// GitLab Code Quality.
    Gitlab,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML.
    Junit,
    /// GitHub workflow commands.
    Github,
}

/// Where the texts of the files come from.
pub trait Sources {
    /// The file at a path relative to the Nest's root; nothing when it can't be read.
    fn source(&self, path: &str) -> Option<Source>;
}

impl<S: BuildHasher> Sources for HashMap<String, Source, S> {
    fn source(&self, path: &str) -> Option<Source> {
        self.get(path).cloned()
    }
}

/// What is rendered.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// The findings, in the order they are printed in.
    pub diagnostics: &'a [Diagnostic],
    /// The texts they speak of.
    pub sources: &'a dyn Sources,
}

/// Writes a report in a format.
///
/// Without `colour` there is no escape sequence in the output, and `full` draws with ASCII only.
pub fn render(
    format: OutputFormat,
    report: &Report<'_>,
    colour: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let places = Places::new(report.sources);
    match format {
        OutputFormat::Full => full::write(report, &places, Style { colour, unicode: colour }, out),
        OutputFormat::Concise => concise::write(report, &places, colour, out),
        OutputFormat::Json => json::write(report, &places, out),
        OutputFormat::Jsonl => json::write_lines(report, &places, out),
        OutputFormat::Gitlab => gitlab::write(report, &places, out),
        OutputFormat::Sarif => sarif::write(report, &places, out),
        OutputFormat::Junit => junit::write(report, &places, out),
        OutputFormat::Github => github::write(report, &places, out),
    }
}

/// Writes a report in the `full` format with colour and character set chosen apart from each other.
pub fn render_full(report: &Report<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    full::write(report, &Places::new(report.sources), style, out)
}

/// The message with its notes and its help, a line each, for formats that have no place of their own for them.
fn advised(diagnostic: &Diagnostic) -> String {
    let mut text = mask(&diagnostic.message).into_owned();
    for note in &diagnostic.notes {
        text.push_str("\nnote: ");
        text.push_str(&mask(note));
    }
    if let Some(help) = &diagnostic.help {
        text.push_str("\nhelp: ");
        text.push_str(&mask(&help.text));
    }
    text
}
