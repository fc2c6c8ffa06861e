//! Where reports go: standard output in one format, and files in others.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal, Write},
    path::PathBuf,
    str::FromStr,
};

use clap::{Args, ValueEnum};

use super::{Failure, Global, Outcome, target::shown};
use crate::{
    diag::{Diagnostic, Severity},
    render::{OutputFormat, Report, Sources, Style, render, render_full},
};

/// How findings are reported.
#[derive(Debug, Args)]
pub(super) struct Reporting {
    /// How to show what is found
    #[arg(long, value_enum, default_value = "full", value_name = "FORMAT")]
    pub(super) output_format: OutputFormat,
    /// Also write a report to a file; may be given several times
    #[arg(long, value_name = "FORMAT=PATH")]
    pub(super) output: Vec<ToFile>,
    /// Exit with 1 for warnings too
    #[arg(long)]
    pub(super) error_on_warning: bool,
}

/// A report in a format, to a file.
#[derive(Debug, Clone)]
pub(super) struct ToFile {
    format: OutputFormat,
    path: PathBuf,
}

impl FromStr for ToFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text.split_once('=').ok_or("write FORMAT=PATH, such as gitlab=report.json")?;
        let format = OutputFormat::from_str(format, false)?;
        if path.is_empty() {
            return Err("the path is empty; write FORMAT=PATH, such as gitlab=report.json".to_owned());
        }
        Ok(Self { format, path: path.into() })
    }
}

impl Reporting {
    /// Writes the findings wherever they are wanted.
    pub(super) fn report(
        &self,
        global: &Global,
        diagnostics: &[Diagnostic],
        sources: &dyn Sources,
    ) -> Result<Outcome, Failure> {
        self.report_to(io::stdout().lock(), global, diagnostics, sources)
    }

    /// The same with another stream in place of standard output, which is needed for something else.
    pub(super) fn report_to(
        &self,
        stream: impl Write + IsTerminal,
        global: &Global,
        diagnostics: &[Diagnostic],
        sources: &dyn Sources,
    ) -> Result<Outcome, Failure> {
        let report = Report { diagnostics, sources };
        for file in &self.output {
            let failed = |error| Failure::io(format!("`{}` can't be written", shown(&file.path)), error);
            let mut out = BufWriter::new(File::create(&file.path).map_err(failed)?);
            render(file.format, &report, false, &mut out).and_then(|()| out.flush()).map_err(failed)?;
        }
        let colour = global.colour(&stream);
        let unicode = stream.is_terminal() || colour;
        let mut out = BufWriter::new(stream);
        match self.output_format {
            OutputFormat::Full => render_full(&report, Style { colour, unicode }, &mut out),
            format => render(format, &report, colour, &mut out),
        }
        .and_then(|()| out.flush())
        .or_else(|error| match error.kind() {
            // Whoever closed the pipe has read enough; what was found stays found.
            io::ErrorKind::BrokenPipe => Ok(()),
            _ => Err(Failure::io("standard output", error)),
        })?;
        // What is still in the buffer has nowhere to go.
        let _ = out.into_parts();
        let worst = diagnostics.iter().map(Diagnostic::severity).max();
        let limit = if self.error_on_warning { Severity::Warning } else { Severity::Error };
        Ok(if worst >= Some(limit) { Outcome::Findings } else { Outcome::Clean })
    }

    /// Whether a person reads standard output.
    pub(super) fn for_people(&self) -> bool {
        matches!(self.output_format, OutputFormat::Full | OutputFormat::Concise)
    }
}

/// `2 errors, 1 warning`, or `nothing wrong`.
pub(super) fn counts(diagnostics: &[Diagnostic]) -> String {
    let of = |severity| diagnostics.iter().filter(|found| found.severity() == severity).count();
    let parts: Vec<String> =
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "note")]
            .into_iter()
            .filter_map(|(severity, word)| match of(severity) {
                0 => None,
                1 => Some(format!("1 {word}")),
                count => Some(format!("{count} {word}s")),
            })
            .collect();
    if parts.is_empty() { "nothing wrong".to_owned() } else { parts.join(", ") }
}
