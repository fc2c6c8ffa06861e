//! The forms of an answer: a table for people, JSON and YAML for programs.

use std::{io, process::ExitCode};

use clap::ValueEnum;
use serde::Serialize;

use super::{Failure, Global, print};

/// The forms of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Output {
    /// For people
    #[default]
    #[value(alias = "text")]
    Table,
    /// For programs
    Json,
    /// For programs, and people who read all of it
    Yaml,
}

impl Global {
    /// The form that was asked for, or the one for people.
    pub(super) fn output(&self) -> Output {
        self.output.unwrap_or_default()
    }

    /// Prints an answer in the form that was asked for. `table` is told whether to use colour.
    pub(super) fn show(
        &self,
        value: &impl Serialize,
        table: impl FnOnce(bool) -> String,
    ) -> Result<ExitCode, Failure> {
        print(self.form(value, table)?.as_bytes())
    }

    /// An answer in the form that was asked for, not printed yet.
    pub(super) fn form(
        &self,
        value: &impl Serialize,
        table: impl FnOnce(bool) -> String,
    ) -> Result<String, Failure> {
        match self.output() {
            Output::Table => Ok(table(self.colour(&io::stdout()))),
            Output::Json => json(value, true),
            Output::Yaml => yaml(value),
        }
    }
}

/// JSON, over several lines or in one.
pub(super) fn json(value: &impl Serialize, pretty: bool) -> Result<String, Failure> {
    let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    text.map(|text| text + "\n").map_err(|error| Failure::Failed { message: error.to_string(), help: None })
}

/// YAML, a document of its own.
pub(super) fn yaml(value: &impl Serialize) -> Result<String, Failure> {
    // By way of JSON, so that both forms have the same names and numbers.
    let failed = |message: String| Failure::Failed { message, help: None };
    let value = serde_json::to_value(value).map_err(|error| failed(error.to_string()))?;
    serde_saphyr::to_string(&value).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A commit may look like a number, and a name like something else.
    #[test]
    fn a_text_stays_a_text_in_yaml() {
        for text in
            ["12345678", "1234567e12", "0777", "0x1f", "true", "null", "~", "yes", "", " a", "- a", "a: b"]
        {
            let yaml = yaml(&json!({ "a": text })).unwrap_or_default();
            let value = yaml.trim_end().strip_prefix("a: ").unwrap_or_default();
            assert!(value.starts_with(['"', '\'']), "{text}: {yaml}");
        }
    }
}
