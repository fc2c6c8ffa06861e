//! The `junit` format: a file is a suite, a finding is a case. What never lives here: results of `flyc test`.

use std::{collections::HashMap, fmt::Write as _, io};

use crate::diag::{Diagnostic, Severity};

use super::{
    Report,
    mask::{mask, one_line},
    place::Places,
};

/// Writes the report; a clean Nest is one case that passed.
///
/// Errors are failures; warnings and infos pass, with their text as the case's output.
pub(super) fn write(report: &Report<'_>, places: &Places<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    if report.diagnostics.is_empty() {
        writeln!(out, "<testsuites name=\"flyc\" tests=\"1\" failures=\"0\" errors=\"0\">")?;
        writeln!(out, "  <testsuite name=\"flyc\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\">")?;
        writeln!(out, "    <testcase name=\"no findings\" classname=\"flyc\"/>")?;
        writeln!(out, "  </testsuite>")?;
        return writeln!(out, "</testsuites>");
    }
    let suites = by_file(report.diagnostics);
    let total = report.diagnostics.len();
    let failures = failures(report.diagnostics.iter());
    writeln!(out, "<testsuites name=\"flyc\" tests=\"{total}\" failures=\"{failures}\" errors=\"0\">")?;
    for (file, diagnostics) in suites {
        let failures = self::failures(diagnostics.iter().copied());
        writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">",
            escape(file),
            diagnostics.len()
        )?;
        let mut names: HashMap<String, usize> = HashMap::new();
        for diagnostic in diagnostics {
            write_case(file, diagnostic, &mut names, places, out)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

/// The findings of each file, files in the order they come in.
fn by_file(diagnostics: &[Diagnostic]) -> Vec<(&str, Vec<&Diagnostic>)> {
    let mut suites: Vec<(&str, Vec<&Diagnostic>)> = Vec::new();
    let mut index: HashMap<&str, usize> = HashMap::new();
    for diagnostic in diagnostics {
        let file = &*diagnostic.span.file;
        let at = *index.entry(file).or_insert_with(|| {
            suites.push((file, Vec::new()));
            suites.len() - 1
        });
        suites[at].1.push(diagnostic);
    }
    suites
}

/// How many of them fail.
fn failures<'a>(diagnostics: impl Iterator<Item = &'a Diagnostic>) -> usize {
    diagnostics.filter(|diagnostic| diagnostic.severity() == Severity::Error).count()
}

/// Writes one case; a name that was there before gets a number.
fn write_case(
    file: &str,
    diagnostic: &Diagnostic,
    names: &mut HashMap<String, usize>,
    places: &Places<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let start = places.place(&diagnostic.span).start;
    let message = one_line(&diagnostic.message);
    let mut name = format!("{}: {message}", diagnostic.kind.id);
    let count = names.entry(name.clone()).or_default();
    *count += 1;
    if *count > 1 {
        // Writing to a String can't fail.
        let _ = write!(name, " ({count})");
    }
    let mut text = format!(
        "{file}:{}:{}: {}[{}] {message}\n",
        start.line,
        start.column,
        diagnostic.severity().as_str(),
        diagnostic.kind.id
    );
    for note in &diagnostic.notes {
        let _ = writeln!(text, "note: {}", mask(note));
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(text, "help: {}", mask(&help.text));
    }
    let _ = write!(text, "{}", diagnostic.kind.url());
    writeln!(
        out,
        "    <testcase name=\"{}\" classname=\"{1}\" file=\"{1}\" line=\"{2}\">",
        escape(&name),
        escape(file),
        start.line
    )?;
    if diagnostic.severity() == Severity::Error {
        writeln!(
            out,
            "      <failure type=\"{}\" message=\"{}\">{}</failure>",
            escape(diagnostic.kind.id),
            escape(&message),
            escape(&text)
        )?;
    } else {
        writeln!(out, "      <system-out>{}</system-out>", escape(&text))?;
    }
    writeln!(out, "    </testcase>")
}

/// Escapes a text for XML; characters that XML 1.0 forbids are spelled out.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                out.extend(c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    out
}
