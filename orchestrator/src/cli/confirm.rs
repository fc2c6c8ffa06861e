//! The question before what can't be taken back.

use clap::Args;

use super::{Failure, Global, prompt, text::clean};

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
    pub(super) fn ask(&self, global: &Global, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !prompt::somebody() {
            return Err(Failure::usage(
                format!("nobody is there to be asked: {question}"),
                "--yes says yes, once you are sure",
            ));
        }
        if prompt::confirm(global, &clean(question), false)? {
            return Ok(());
        }
        Err(Failure::Failed { message: "nothing was done".to_owned(), help: None })
    }
}
