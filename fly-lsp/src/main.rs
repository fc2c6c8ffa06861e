//! `fly-lsp`: the language server of Fly, over standard input and output.
#![allow(clippy::print_stderr, reason = "the program talks to whoever started it by hand")]

use std::{
    io::{IsTerminal, stdin},
    process::ExitCode,
};

use clap::Parser;

/// The language server of Fly: an editor starts it and speaks to it over standard input and output.
#[derive(Debug, Parser)]
#[command(
    name = "fly-lsp",
    version,
    after_help = "There is nothing to set here: settings come from the editor, under `fly`."
)]
struct Arguments {
    /// Speak over standard input and output, as it does anyway; editors say so
    #[arg(long)]
    stdio: bool,
    /// The editor's process, as some editors tell it; the protocol tells it as well
    #[arg(long = "clientProcessId", value_name = "PID", hide = true)]
    client: Option<u32>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !arguments.stdio && stdin().is_terminal() {
        eprintln!("fly-lsp waits for an editor to speak to it. Ctrl-C ends it; `fly-lsp --help` says more.");
    }
    fly_lsp::server::serve()
}
