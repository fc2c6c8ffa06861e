//! `gosling validate`: `flyc check`, for those who have `gosling` alone. It needs no server.

use std::{
    env,
    ffi::OsString,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

use clap::{Args, ValueEnum};
use flyc::render::OutputFormat;

use super::{
    Color, Failure, Global,
    output::{Output, yaml},
    print,
};

#[derive(Debug, Args)]
#[command(after_help = "Example: gosling validate ~/nest\n\n\
    It is `flyc check` of the same version: the same findings, forms and exit codes (0 nothing wrong, 1 something found, \
    2 wrong use).")]
pub(super) struct Validate {
    /// Folders of Nests, or files in one [default: the Nest around this folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How to show what is found; it goes before --output [default: full]
    #[arg(long, value_enum, value_name = "FORMAT")]
    output_format: Option<OutputFormat>,
}

impl Validate {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let format = match (self.output_format, global.output()) {
            (Some(format), _) => Some(format),
            (None, Output::Table) => None,
            (None, Output::Json) => Some(OutputFormat::Json),
            (None, Output::Yaml) => return self.in_yaml(),
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

    /// The same as YAML, from the JSON of a run of its own: `flyc` knows no YAML.
    fn in_yaml(&self) -> Result<ExitCode, Failure> {
        let io = |error| Failure::Io { what: "gosling can't be started once more".to_owned(), error };
        let mut command = Command::new(env::current_exe().map_err(io)?);
        command.args(["validate", "--output", "json", "--"]).args(&self.paths);
        let run = command.stdin(Stdio::inherit()).stderr(Stdio::inherit()).output().map_err(io)?;
        let code = u8::try_from(run.status.code().unwrap_or(1)).unwrap_or(1);
        // What is no list of findings was told as an error.
        if let Ok(found) = serde_json::from_slice::<serde_json::Value>(&run.stdout) {
            print(yaml(&found)?.as_bytes())?;
        }
        Ok(ExitCode::from(code))
    }
}
