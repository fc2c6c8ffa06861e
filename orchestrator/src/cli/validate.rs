//! `gosling validate`: `flyc check`, for those who have `gosling` alone. It needs no server.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use flyc::render::OutputFormat;

use super::{Color, Failure, Global, output::Output};

#[derive(Debug, Args)]
#[command(after_help = "Example: gosling validate ~/nest\n\n\
    It is `flyc check` of the same version: the same findings, forms and exit codes (0 nothing wrong, 1 something found, \
    2 wrong use).")]
pub(super) struct Validate {
    /// Folders of Nests, or files in one [default: the Nest around this folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How to show what is found [default: full; with --output json, json]
    #[arg(long, value_enum, value_name = "FORMAT")]
    output_format: Option<OutputFormat>,
}

impl Validate {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let format = match (self.output_format, global.output()) {
            (Some(format), _) => Some(format),
            (None, Output::Table) => None,
            (None, Output::Json) => Some(OutputFormat::Json),
            (None, Output::Yaml) => {
                return Err(Failure::usage(
                    "findings are not shown as YAML",
                    "use --output json, or one of --output-format",
                ));
            }
        };
        let mut arguments: Vec<OsString> = vec!["flyc".into(), "check".into()];
        let colour = match global.color {
            Color::Auto => "auto",
            Color::Always => "always",
            Color::Never => "never",
        };
        arguments.extend(["--color".into(), colour.into()]);
        if let Some(format) = format.and_then(|format| format.to_possible_value()) {
            arguments.extend(["--output-format".into(), format.get_name().into()]);
        }
        arguments.push("--".into());
        arguments.extend(self.paths.into_iter().map(Into::into));
        Ok(flyc::cli::run_from(arguments))
    }
}
