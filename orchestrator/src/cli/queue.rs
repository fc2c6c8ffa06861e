//! `gosling queue`: the messages that were given up, and another chance for one.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{
    Failure, Global,
    api::Access,
    one_thread,
    text::{Paint, Table, clean, headline},
};
use crate::wire::{Accepted, DeadMessage};

#[derive(Debug, Args)]
#[command(arg_required_else_help = true, after_help = "Example: gosling queue list")]
pub(super) struct Queue {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the messages that were given up
    #[command(after_help = "Example: gosling queue list --output json")]
    List {
        #[command(flatten)]
        access: Access,
    },
    /// Try a message again, as if it were new
    #[command(after_help = "Example: gosling queue replay 0199e7f2-6f0c-7cc1-a0c5-1b2f3d4e5f60")]
    Replay {
        #[command(flatten)]
        access: Access,
        /// Its id, as `gosling queue list` shows it
        id: String,
    },
}

impl Queue {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let runtime = one_thread()?;
        match self.what {
            What::List { access } => {
                let dead: Vec<DeadMessage> =
                    runtime.block_on(async { access.open()?.list(&["queue", "dead"]).await })?;
                global.show(&dead, |colour| render(&dead, colour))
            }
            What::Replay { access, id } => {
                let accepted: Accepted = runtime
                    .block_on(async { access.open()?.post(&["queue", "dead", &id, "replay"]).await })
                    .map_err(|failure| failure.or_look("`gosling queue list` shows them"))?;
                global.show(&accepted, |_| format!("{} is tried again\n", clean(&id)))
            }
        }
    }
}

/// The messages for people.
pub(super) fn render(dead: &[DeadMessage], colour: bool) -> String {
    if dead.is_empty() {
        return "Nothing was given up.\n".to_owned();
    }
    let mut table = Table::new(&["ID", "WHAT", "ON", "TRIES", "REASON"]);
    for message in dead {
        table.row([
            (message.id.clone(), Paint::Plain),
            (message.kind.clone(), Paint::Plain),
            (message.subject.join(" "), Paint::Plain),
            (message.attempts.to_string(), Paint::Plain),
            (headline(&message.reason).to_owned(), Paint::Bad),
        ]);
    }
    table.render(colour)
}
