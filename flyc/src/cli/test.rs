//! `flyc test`

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufWriter, IsTerminal, Write},
    path::PathBuf,
    str::FromStr,
};

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value;

use super::{
    Failure, Global, Outcome, outlet,
    target::{Target, no_nest, shown},
};
use crate::{
    compiler::Compiler,
    diag::{Diagnostic, Severity},
    host,
    proof::TestResult,
    render::{OutputFormat, Report, Sources, Style, TestCase, render, render_full, render_tests},
};

/// Run the `test` blocks of a Nest: what becomes of a job, and what was expected.
///
/// Tests stand in `nest.fly` and in files named `*.test.fly`. They ask the same rule that the orchestrator follows.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// The folder of the Nest [default: the Nest around this folder]
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// Run only the tests whose name holds this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// How to show the results
    #[arg(long, value_enum, default_value = "full", value_name = "FORMAT")]
    output_format: Format,
    /// Also write the results to a file; may be given several times
    #[arg(long, value_name = "FORMAT=PATH")]
    output: Vec<ToFile>,
    #[command(flatten)]
    vars: super::vars::Vars,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One line a test, and the text of what failed, for people
    Full,
    /// One JSON object
    Json,
    /// JUnit XML
    Junit,
}

/// Results in a format, to a file.
#[derive(Debug, Clone)]
struct ToFile {
    format: Format,
    path: PathBuf,
}

impl FromStr for ToFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "write FORMAT=PATH, such as junit=report.xml";
        let (format, path) = text.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or(wanted)?;
        let format = Format::from_str(format, false).map_err(|_| "the formats are full, json and junit")?;
        Ok(Self { format, path: path.into() })
    }
}

/// What a run came to.
struct Results<'a> {
    compiler: &'a Compiler,
    /// What is wrong with the Nest, when that kept the tests from running.
    errors: Vec<Diagnostic>,
    tests: Vec<TestResult>,
    filtered: usize,
}

#[derive(Serialize)]
struct Json<'a> {
    tests: Vec<JsonTest<'a>>,
    passed: usize,
    failed: usize,
    filtered: usize,
    /// What is wrong with the Nest; then no test was run.
    diagnostics: Value,
}

#[derive(Serialize)]
struct JsonTest<'a> {
    name: &'a str,
    file: &'a str,
    line: u32,
    outcome: &'static str,
    /// The egg that takes the job.
    egg: Option<&'a str>,
    failures: Value,
}

impl Test {
    pub(super) fn run(&self, global: &Global) -> Result<Outcome, Failure> {
        let given = self.path.clone().unwrap_or_else(|| PathBuf::from("."));
        let Some(root) = Target::root_of(&given)? else {
            let told = no_nest(&given);
            let help = told.help.map(|help| help.text).unwrap_or_default();
            return Err(Failure::usage(told.message, help));
        };
        let mut loaded = host::load(&root);
        self.vars.apply([&mut loaded.compiler])?;
        let compiler = &loaded.compiler;
        let mut errors = compiler.check();
        errors.extend(loaded.diagnostics.iter().cloned());
        errors.retain(|found| found.severity() == Severity::Error);
        let mut results = Results { compiler, errors, tests: Vec::new(), filtered: 0 };
        if results.errors.is_empty() {
            let wanted = |name: &str| self.filter.as_deref().is_none_or(|text| name.contains(text));
            let all = compiler.run_tests(&|_| true);
            let count = all.len();
            results.tests = all.into_iter().filter(|test| wanted(&test.name)).collect();
            results.filtered = count - results.tests.len();
        }
        for file in &self.output {
            let failed = |error| Failure::io(format!("`{}` can't be written", shown(&file.path)), error);
            let mut out = BufWriter::new(File::create(&file.path).map_err(failed)?);
            let style = Style { colour: false, unicode: false };
            results.write(file.format, style, &mut out).and_then(|()| out.flush()).map_err(failed)?;
        }
        let stdout = io::stdout();
        let colour = global.colour(&stdout);
        let style = Style { colour, unicode: stdout.is_terminal() || colour };
        let mut text = Vec::new();
        results
            .write(self.output_format, style, &mut text)
            .map_err(|error| Failure::io("standard output", error))?;
        match super::print(&text) {
            // Whoever closed the pipe has read enough; what failed stays failed.
            Err(Failure::Io { error, .. }) if error.kind() == io::ErrorKind::BrokenPipe => {}
            other => {
                other?;
            }
        }
        if self.output_format == Format::Full {
            let _ = writeln!(io::stderr().lock(), "{}", results.summary());
        }
        let outcome = if results.is_clean() { Outcome::Clean } else { Outcome::Findings };
        drop(results);
        // Taking a large Nest apart takes time that nobody gains from.
        std::mem::forget(loaded);
        Ok(outcome)
    }
}

impl Results<'_> {
    fn is_clean(&self) -> bool {
        self.errors.is_empty() && self.failed() == 0
    }

    fn failed(&self) -> usize {
        self.tests.iter().filter(|test| !test.failures.is_empty()).count()
    }

    fn summary(&self) -> String {
        if !self.errors.is_empty() {
            return format!("\nno test was run: {}", outlet::counts(&self.errors));
        }
        let mut text = match (self.tests.len(), self.filtered) {
            (0, 0) => {
                return "this Nest has no tests: they are `test` blocks in `nest.fly` or in a `*.test.fly`"
                    .to_owned();
            }
            (0, _) => "no test has such a name".to_owned(),
            (1, _) => "ran 1 test".to_owned(),
            (count, _) => format!("ran {count} tests"),
        };
        let failed = self.failed();
        if !self.tests.is_empty() {
            let _ = write!(text, ": {} passed, {failed} failed", self.tests.len() - failed);
        }
        if self.filtered > 0 {
            let _ = write!(text, " ({} left out by the filter)", self.filtered);
        }
        text
    }

    fn write(&self, format: Format, style: Style, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Full => self.write_full(style, out),
            Format::Json => self.write_json(out),
            Format::Junit if self.errors.is_empty() => {
                let cases = self.tests.iter().map(|TestResult { name, span, failures, .. }| TestCase {
                    name,
                    span,
                    failures,
                });
                render_tests(&cases.collect::<Vec<_>>(), self.compiler, out)
            }
            Format::Junit => {
                let report = Report { diagnostics: &self.errors, sources: self.compiler };
                render(OutputFormat::Junit, &report, false, out)
            }
        }
    }

    fn write_full(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let paint = |code: &str, text: &str| {
            if style.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
        };
        for test in &self.tests {
            let line = self.line(test);
            let outcome = if test.failures.is_empty() { paint("32", "ok") } else { paint("1;31", "FAILED") };
            writeln!(out, "test {} ({}:{line}) ... {outcome}", test.name, test.span.file)?;
        }
        let failures: Vec<Diagnostic> =
            self.errors.iter().chain(self.tests.iter().flat_map(|test| &test.failures)).cloned().collect();
        if failures.is_empty() {
            return Ok(());
        }
        if !self.tests.is_empty() {
            writeln!(out)?;
        }
        render_full(&Report { diagnostics: &failures, sources: self.compiler }, style, out)?;
        if self.errors.is_empty() { writeln!(out) } else { Ok(()) }
    }

    fn line(&self, test: &TestResult) -> u32 {
        let source = self.compiler.source(&test.span.file);
        source.map_or(1, |source| source.position(test.span.range.start()).line)
    }

    fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut tests = Vec::with_capacity(self.tests.len());
        for test in &self.tests {
            tests.push(JsonTest {
                name: &test.name,
                file: &test.span.file,
                line: self.line(test),
                outcome: if test.failures.is_empty() { "passed" } else { "failed" },
                egg: test.egg.as_deref(),
                failures: self.told(&test.failures)?,
            });
        }
        let failed = self.failed();
        let json = Json {
            tests,
            passed: self.tests.len() - failed,
            failed,
            filtered: self.filtered,
            diagnostics: self.told(&self.errors)?,
        };
        serde_json::to_writer_pretty(&mut *out, &json)?;
        writeln!(out)
    }

    /// Diagnostics as `flyc check --output-format json` has them.
    fn told(&self, diagnostics: &[Diagnostic]) -> io::Result<Value> {
        let mut text = Vec::new();
        let report = Report { diagnostics, sources: self.compiler };
        render(OutputFormat::Json, &report, false, &mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }
}
