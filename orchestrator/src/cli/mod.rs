//! The `gosling` program: arguments and variables in, exit code out. One file a subcommand; none of the service's logic.
#![allow(clippy::disallowed_methods, reason = "the program may touch the outside world")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the program talks to its user")]

mod add;
mod agent;
mod api;
mod confirm;
mod desk;
mod export;
mod failure;
mod get;
mod init;
mod link;
mod list;
mod logs;
mod man;
mod operate;
mod output;
mod pause;
mod place;
mod plan;
mod power;
mod profile;
mod progress;
mod prompt;
mod queue;
mod reference;
mod rollback;
mod rotate;
mod runner;
mod runners;
mod screen;
mod secret;
mod serve;
mod status;
mod text;
mod token;
mod usage;
mod validate;
mod veil;
mod why;

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use failure::Failure;
use output::Output;
pub use reference::{program, reference};

use crate::{
    logging::{Format, Logging, mask_values},
    settings::Settings,
};

/// Runs compiled Nests: a GitLab webhook comes in, and the right runner is made, watched and destroyed.
#[derive(Debug, Parser)]
#[command(
    name = "gosling",
    version,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong use, 3 not found, 4 unreachable, 5 refused, 130 interrupted.\n\
                  Example: gosling serve --nest git@gitlab.example.com:infra/nest.git"
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command knows.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// The form of the answer: table unless this says otherwise
    #[arg(long, value_enum, global = true, value_name = "FORM", env = "GOSLING_OUTPUT")]
    output: Option<Output>,
    /// The installation that is meant: a profile in ~/.config/gosling/config.toml [default: the file's `default`]
    #[arg(long, global = true, value_name = "NAME", env = "GOSLING_PROFILE")]
    profile: Option<String>,
    /// When to use colour; NO_COLOR is respected
    #[arg(long, value_enum, default_value_t, global = true, value_name = "WHEN")]
    color: Color,
    /// The form of the log
    #[arg(
        long,
        value_enum,
        default_value_t,
        global = true,
        value_name = "FORMAT",
        env = "GOSLING_LOG_FORMAT"
    )]
    log_format: LogFormat,
    /// Log more; twice for everything
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
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

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum LogFormat {
    /// For people
    #[default]
    Human,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Begin a Nest: its files, its deploy keys, and what comes next
    Init(Box<init::Init>),
    /// Add an egg, a bucket or a job to the Nest
    Add(add::Add),
    /// Run MotherGoose: webhooks, planning and deployment
    Serve(Box<serve::Serve>),
    /// Show what runs, what waits and what happened last
    Status(status::Status),
    /// List eggs, runners, plans or jobs
    List(list::List),
    /// Show one egg, runner or plan, or one field of it
    Get(get::Get),
    /// Tell why something is as it is
    Why(why::Why),
    /// Tell what the next deployment would do, and do nothing
    Plan(plan::Plan),
    /// Check a Nest, without a server
    Validate(validate::Validate),
    /// Show what was done, by whom and why
    Logs(logs::Logs),
    /// Look after the messages that were given up
    Queue(queue::Queue),
    Link(link::Link),
    Unlink(link::Unlink),
    /// Take an egg back to what an earlier plan had
    Rollback(rollback::Rollback),
    /// Change the tokens by which runners register in GitLab
    RotateTokens(rotate::RotateTokens),
    /// Stop making runners of eggs
    Pause(pause::Pause),
    /// Let eggs that were stopped go on
    Resume(pause::Resume),
    /// Make a token of the API
    Token(token::Token),
    /// Keep the secrets that the Nest's URIs lead to
    Secret(secret::Secret),
    /// Write the database out, to move it to another machine or backend
    Export(export::Export),
    /// Take what `gosling export` wrote
    Import(export::Import),
    /// Look after the fleet; or, on a machine of it, run a GitLab runner
    Runner(runner::Runner),
    /// Start or stop a runner that OpenTofu can't
    Power(power::Power),
    /// Print the manual page, or write that of every command
    Man(man::Man),
    /// Print completions for a shell
    #[command(
        after_help = "Example: gosling completions bash > ~/.local/share/bash-completion/completions/gosling"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    #[command(hide = true)]
    Agent(agent::Agent),
}

/// Runs `gosling` with the arguments of the process. `serve` is what `gosling serve` does with its settings; it starts the log
/// as well, for it knows what is to be masked.
pub fn run<F, D, E>(serve: F) -> ExitCode
where
    F: FnOnce(Settings, Logging) -> D,
    D: Future<Output = Result<(), E>>,
    E: Display,
{
    // Programs that link several need one to be chosen; this is the only one that is linked.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match dispatch(usage::parse(), serve) {
        Ok(code) => code,
        // Whoever closed the pipe has read enough.
        Err(Failure::Io { error, .. }) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Interrupted) => {
            if io::stderr().is_terminal() {
                eprintln!();
            }
            Failure::Interrupted.code()
        }
        Err(failure) => {
            let mut stderr = io::stderr().lock();
            let _ = writeln!(stderr, "error: {}", mask_values(&failure.to_string()));
            if let Some(help) = failure.help() {
                let _ = writeln!(stderr, "help: {}", mask_values(help));
            }
            failure.code()
        }
    }
}

fn dispatch<F, D, E>(cli: Cli, serve: F) -> Result<ExitCode, Failure>
where
    F: FnOnce(Settings, Logging) -> D,
    D: Future<Output = Result<(), E>>,
    E: Display,
{
    match cli.command {
        Command::Init(command) => command.run(&cli.global),
        Command::Add(command) => command.run(&cli.global),
        Command::Serve(command) => command.run(&cli.global, serve),
        Command::Status(command) => command.run(&cli.global),
        Command::List(command) => command.run(&cli.global),
        Command::Get(command) => command.run(&cli.global),
        Command::Why(command) => command.run(&cli.global),
        Command::Plan(command) => command.run(&cli.global),
        Command::Validate(command) => command.run(&cli.global),
        Command::Logs(command) => command.run(&cli.global),
        Command::Queue(command) => command.run(&cli.global),
        Command::Link(command) => command.run(&cli.global),
        Command::Unlink(command) => command.run(&cli.global),
        Command::Rollback(command) => command.run(&cli.global),
        Command::RotateTokens(command) => command.run(&cli.global),
        Command::Pause(command) => command.run(&cli.global),
        Command::Resume(command) => command.run(&cli.global),
        Command::Token(command) => command.run(&cli.global),
        Command::Secret(command) => command.run(&cli.global),
        Command::Export(command) => command.run(&cli.global),
        Command::Import(command) => command.run(&cli.global),
        Command::Runner(command) => command.run(&cli.global),
        Command::Power(command) => command.run(),
        Command::Man(command) => command.run(veil::program()),
        Command::Agent(command) => Err(command.run()),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "gosling", &mut script);
            print_plain(&script)
        }
    }
}

/// Prints to standard output, without what is known to be secret.
fn print(text: &[u8]) -> Result<ExitCode, Failure> {
    match std::str::from_utf8(text) {
        Ok(text) => print_plain(mask_values(text).as_bytes()),
        Err(_) => print_plain(text),
    }
}

/// Prints to standard output as it is.
fn print_plain(text: &[u8]) -> Result<ExitCode, Failure> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text)
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::Io { what: "standard output".to_owned(), error })?;
    Ok(ExitCode::SUCCESS)
}

/// A runtime that stays on this thread.
fn one_thread() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Io { what: "the program can't begin".to_owned(), error })
}

/// Work that ends well when it is cut short: Ctrl-C drops it, and the program ends with 130. Other work needs no such care: it
/// ends by the signal itself, which a shell shows as 130 too, and which ends a shell's loop as well.
async fn interruptible<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        biased;
        done = work => done,
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
    }
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

    /// The log begins.
    fn start_log(&self) -> Result<(), Failure> {
        self.logging()
            .start()
            .map_err(|error| Failure::usage(error.to_string(), "GOSLING_LOG says what is logged"))
    }

    /// How the log is written.
    fn logging(&self) -> Logging {
        Logging {
            format: match self.log_format {
                LogFormat::Human => Format::Human,
                LogFormat::Json => Format::Json,
            },
            verbose: self.verbose,
            filter: std::env::var("GOSLING_LOG").ok(),
            colour: self.colour(&io::stderr()),
        }
    }
}
