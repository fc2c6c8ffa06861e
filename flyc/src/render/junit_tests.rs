//! Results of `flyc test` as JUnit XML: a file is a suite, a test is a case. What never lives here: findings of a check.

use std::io;

use crate::diag::{Diagnostic, Span};

use super::{Sources, advised, junit::escape, mask::one_line, place::Places};

/// A test and what came of it.
#[derive(Debug, Clone, Copy)]
pub struct TestCase<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where it stands.
    pub span: &'a Span,
    /// What did not come out as expected.
    pub failures: &'a [Diagnostic],
}

/// Writes results as JUnit XML, suites in the order of their first test.
pub fn render_tests(
    cases: &[TestCase<'_>],
    sources: &dyn Sources,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let places = Places::new(sources);
    let failed = |cases: &[TestCase<'_>]| cases.iter().filter(|case| !case.failures.is_empty()).count();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"flyc test\" tests=\"{}\" failures=\"{}\" errors=\"0\">",
        cases.len(),
        failed(cases)
    )?;
    for suite in cases.chunk_by(|a, b| a.span.file == b.span.file) {
        let Some(file) = suite.first().map(|case| escape(&case.span.file)) else { continue };
        writeln!(
            out,
            "  <testsuite name=\"{file}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\">",
            suite.len(),
            failed(suite)
        )?;
        for case in suite {
            let line = places.place(case.span).start.line;
            let name = escape(&one_line(case.name));
            write!(
                out,
                "    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{line}\""
            )?;
            if case.failures.is_empty() {
                writeln!(out, "/>")?;
                continue;
            }
            writeln!(out, ">")?;
            for failure in case.failures {
                let start = places.place(&failure.span).start;
                let text =
                    format!("{}:{}:{}: {}", failure.span.file, start.line, start.column, advised(failure));
                writeln!(
                    out,
                    "      <failure type=\"{}\" message=\"{}\">{}</failure>",
                    escape(failure.kind.id),
                    escape(&one_line(&failure.message)),
                    escape(&text)
                )?;
            }
            writeln!(out, "    </testcase>")?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}
