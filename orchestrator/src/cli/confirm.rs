//! The question before what can't be taken back.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;

use super::Failure;

/// Whether to ask.
#[derive(Debug, Clone, Args)]
pub(super) struct Confirm {
    /// Don't ask; scripts need it
    #[arg(long, short = 'y')]
    yes: bool,
}

impl Confirm {
    /// Whether it has to be asked.
    pub(super) const fn asks(&self) -> bool {
        !self.yes
    }

    /// Asks on the terminal, and goes on with a yes only. Nobody there to ask is wrong use.
    pub(super) fn ask(&self, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(Failure::usage(
                format!("{question} Nobody is there to say so"),
                "--yes says it, once you are sure",
            ));
        }
        let io = |error| Failure::Io { what: "the terminal".to_owned(), error };
        let mut stderr = io::stderr().lock();
        write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush()).map_err(io)?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map_err(io)?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::Failed { message: "nothing was done".to_owned(), help: None }),
        }
    }
}
