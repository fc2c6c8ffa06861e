//! The `flyc` program: arguments in, exit code out. One file a subcommand; no logic of the language.
#![allow(clippy::disallowed_methods, reason = "the program may touch the outside world")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the program talks to its user")]

mod build;
mod check;
mod ci;
mod diff;
mod explain;
mod fix;
mod fmt;
mod lsp;
mod man;
mod outlet;
mod plan;
mod schema;
mod simulate;
mod target;
mod test;
mod translate;
mod vars;
mod watch;

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

/// The Fly compiler: checks a Nest of `.fly` files and builds OpenTofu modules and cloud-init from it.
#[derive(Debug, Parser)]
#[command(
    name = "flyc",
    version,
    after_help = "Exit codes: 0 nothing wrong, 1 something found, 2 wrong use or an internal error.\n\
                  Every diagnostic has a page: flyc explain ID"
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command knows.
#[derive(Debug, Args)]
struct Global {
    /// When to use colour; NO_COLOR is respected
    #[arg(long, value_enum, default_value_t, global = true, value_name = "WHEN")]
    color: Color,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Color {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a Nest, or some of its files
    Check(check::Check),
    /// Build OpenTofu modules and cloud-init from a Nest
    Build(build::Build),
    /// Tell which eggs and runners a change of the Nest touches
    Plan(plan::Plan),
    /// Show OpenTofu's errors at the .fly lines that caused them
    Translate(translate::Translate),
    /// Format .fly files
    Fmt(fmt::Fmt),
    /// Run the tests of a Nest
    Test(test::Test),
    /// Show what a GitLab event would deploy
    Simulate(simulate::Simulate),
    /// Explain a diagnostic
    Explain(explain::Explain),
    /// Print the language's schema
    Schema(schema::Schema),
    /// Run the language server
    Lsp(lsp::Lsp),
    /// Print the manual page
    Man(man::Man),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Why a command could not do its work; the kind fixes the exit code.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The command was used in a way that makes no sense.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// The outside world did not play along.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        error: io::Error,
    },
}

impl Failure {
    fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), help: help.into() }
    }

    fn io(what: impl Into<String>, error: io::Error) -> Self {
        Self::Io { what: what.into(), error }
    }
}

/// Whether a command found something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Clean,
    Findings,
    /// Another program ran in its stead and ended so.
    #[cfg_attr(unix, allow(dead_code, reason = "there the program takes this one's place"))]
    Ended(u8),
}

/// Runs `flyc` with the arguments of the process.
pub fn run() -> ExitCode {
    conclude(Cli::parse())
}

/// Runs `flyc` with these arguments, the name of the program first, within a program that has its own.
pub fn run_from(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    conclude(Cli::parse_from(arguments))
}

fn conclude(cli: Cli) -> ExitCode {
    let result = std::panic::catch_unwind(|| dispatch(cli));
    match result {
        Ok(Ok(Outcome::Clean)) => ExitCode::SUCCESS,
        Ok(Ok(Outcome::Findings)) => ExitCode::from(1),
        Ok(Ok(Outcome::Ended(code))) => ExitCode::from(code),
        // Whoever closed the pipe has read enough.
        Ok(Err(Failure::Io { error, .. })) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            let mut stderr = io::stderr().lock();
            let _ = writeln!(stderr, "error: {failure}");
            if let Failure::Usage { help, .. } = &failure {
                let _ = writeln!(stderr, "help: {help}");
            }
            ExitCode::from(2)
        }
        Err(_) => {
            let _ = writeln!(
                io::stderr().lock(),
                "error: flyc stumbled over itself; this is a mistake of flyc, not of your Nest\n\
                 help: please report it with the lines above and, if you can, the file it happened on"
            );
            ExitCode::from(2)
        }
    }
}

fn dispatch(cli: Cli) -> Result<Outcome, Failure> {
    match cli.command {
        Command::Check(command) => command.run(&cli.global),
        Command::Build(command) => command.run(&cli.global),
        Command::Plan(command) => command.run(&cli.global),
        Command::Translate(command) => command.run(&cli.global),
        Command::Fmt(command) => command.run(&cli.global),
        Command::Test(command) => command.run(&cli.global),
        Command::Simulate(command) => command.run(&cli.global),
        Command::Explain(command) => command.run(&cli.global),
        Command::Schema(command) => command.run(),
        Command::Man(command) => command.run(Cli::command()),
        Command::Lsp(command) => command.run(),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "flyc", &mut script);
            print(&script)
        }
    }
}

/// Prints to standard output.
fn print(text: &[u8]) -> Result<Outcome, Failure> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text)
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::io("standard output", error))?;
    Ok(Outcome::Clean)
}

impl Global {
    /// Whether to use colour on a stream.
    fn colour(&self, stream: &impl IsTerminal) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                stream.is_terminal() && !refused && !dumb
            }
        }
    }
}
