//! `flyc schema`

use clap::{Args, ValueEnum};

use super::{Failure, Outcome, print};

/// Print the schema of every block: attributes, types, limits, defaults and documentation.
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// In which form
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Form {
    /// A page to read
    #[default]
    Markdown,
    /// A JSON Schema (2020-12) of the typed configuration that `flyc build` writes
    JsonSchema,
}

impl Schema {
    pub(super) fn run(&self) -> Result<Outcome, Failure> {
        match self.format {
            Form::Markdown => print(fly_std::reference::markdown().as_bytes()),
            Form::JsonSchema => {
                let schema = fly_std::reference::json_schema();
                print(format!("{schema:#}\n").as_bytes())
            }
        }
    }
}
