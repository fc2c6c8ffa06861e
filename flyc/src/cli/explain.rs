//! `flyc explain`

use std::fmt::Write;

use clap::Args;

use super::{Failure, Global, Outcome, print};
use crate::compiler::{all_diagnostics, explain};

/// Explain a diagnostic: what it means, a wrong and a right example.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The id, as shown in brackets: error[type-mismatch]
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// List every id with one line each
    #[arg(long)]
    list: bool,
}

impl Explain {
    pub(super) fn run(&self, _: &Global) -> Result<Outcome, Failure> {
        let all = all_diagnostics();
        if self.id.is_none() && !self.list {
            return Err(Failure::usage(
                "which diagnostic?",
                "give the id in its brackets: `flyc explain type-mismatch`; `flyc explain --list` shows them all",
            ));
        }
        let Some(id) = self.id.as_deref().filter(|_| !self.list) else {
            let width = all.iter().map(|declaration| declaration.id.len()).max().unwrap_or(0);
            let mut list = String::new();
            for declaration in all {
                let _ = writeln!(
                    list,
                    "{:width$}  {:7}  {}",
                    declaration.id,
                    declaration.severity.as_str(),
                    declaration.summary
                );
            }
            return print(list.as_bytes());
        };
        match explain(id) {
            Ok(page) => print(format!("{}\n", page.trim_end()).as_bytes()),
            Err(unknown) => Err(Failure::usage(
                unknown.to_string(),
                match unknown.nearest {
                    Some(nearest) => format!("did you mean `flyc explain {nearest}`?"),
                    None => "`flyc explain --list` shows them all".to_owned(),
                },
            )),
        }
    }
}
