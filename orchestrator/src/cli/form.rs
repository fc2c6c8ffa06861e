//! The forms of an answer: for people, and for programs.

use std::{io, process::ExitCode};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{Failure, Global, print};

/// Which form is wanted.
#[derive(Debug, Args)]
pub(super) struct Form {
    /// The form of the answer
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Output {
    /// For people
    #[default]
    #[value(alias = "text")]
    Table,
    /// For programs
    Json,
    /// For programs, and people who read all of it
    Yaml,
}

impl Form {
    /// Whether a person reads it.
    pub(super) fn is_for_people(&self) -> bool {
        self.output == Output::Table
    }

    /// Prints an answer. `table` is told whether to use colour.
    pub(super) fn show(
        &self,
        global: &Global,
        value: &impl Serialize,
        table: impl FnOnce(bool) -> String,
    ) -> Result<ExitCode, Failure> {
        let failed = |message: String| Failure::Failed { message, help: None };
        let text = match self.output {
            Output::Table => table(global.colour(&io::stdout())),
            Output::Json => {
                serde_json::to_string_pretty(value).map_err(|error| failed(error.to_string()))? + "\n"
            }
            Output::Yaml => {
                // By way of JSON, so that both forms have the same names and numbers.
                let value = serde_json::to_value(value).map_err(|error| failed(error.to_string()))?;
                serde_saphyr::to_string(&value).map_err(|error| failed(error.to_string()))?
            }
        };
        print(text.as_bytes())
    }
}
