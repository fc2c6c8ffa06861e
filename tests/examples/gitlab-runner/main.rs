//! `gitlab-runner`: a stand-in for the real one, which tests can't have. It speaks the same command line and the same API
//! as far as `gosling runner` and the tests need it, with the shell executor alone.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program that runs jobs"
)]

mod agent;
mod api;
mod config;
mod job;
mod log;
mod metrics;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use api::Api;
use config::Config;
use log::{
    Level::{Error, Fatal, Info},
    log,
};

/// The version it says it has: the real one's that it was written after.
const VERSION: &str = "17.8.0";

/// A stand-in for GitLab Runner.
#[derive(Debug, Parser)]
#[command(name = "gitlab-runner", disable_version_flag = true)]
struct Arguments {
    /// Print the version.
    #[arg(long, short = 'v')]
    version: bool,
    /// What its log is written in: runner or json.
    #[arg(long, env = "LOG_FORMAT")]
    log_format: Option<String>,
    /// How loud a line is to be to stand in its log.
    #[arg(long, short = 'l', env = "LOG_LEVEL")]
    log_level: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the runners of the config file.
    Run {
        #[command(flatten)]
        config: ConfigFile,
        /// Where jobs have their folders.
        #[arg(long, short = 'd')]
        working_directory: Option<PathBuf>,
        /// Taken and not heeded.
        #[arg(long, short = 'n')]
        service: Option<String>,
        /// Where metrics are served.
        #[arg(long, env = "LISTEN_ADDRESS")]
        listen_address: Option<String>,
    },
    /// Ask whether the runners of the config file are known.
    Verify {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Take this machine away from the runners of the config file.
    Unregister {
        #[command(flatten)]
        config: ConfigFile,
        /// Every runner of the file.
        #[arg(long)]
        all_runners: bool,
        /// The runner with this name.
        #[arg(long, short = 'n')]
        name: Option<String>,
    },
}

#[derive(Debug, Args)]
struct ConfigFile {
    /// The config file.
    #[arg(long, short = 'c', env = "CONFIG_FILE", default_value = "/etc/gitlab-runner/config.toml")]
    config: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.version {
        println!("Version:      {VERSION}");
        println!("Git revision: stand-in");
        println!("OS/Arch:      {}/{}", std::env::consts::OS, std::env::consts::ARCH);
        return ExitCode::SUCCESS;
    }
    if let Err(error) = log::begin(arguments.log_format.as_deref(), arguments.log_level.as_deref()) {
        eprintln!("FATAL: {error}");
        return ExitCode::FAILURE;
    }
    log(Info, "Runtime platform", &[("version", VERSION.into())]);
    let done = match arguments.command {
        None => Err("no command; `gitlab-runner --help` lists them".to_owned()),
        Some(Command::Run { config, working_directory, service: _, listen_address }) => {
            let folder = working_directory.or_else(|| std::env::current_dir().ok()).unwrap_or_default();
            agent::run(config.config, folder, listen_address).await
        }
        Some(Command::Verify { config }) => verify(&config.config).await,
        Some(Command::Unregister { config, all_runners, name }) => {
            unregister(&config.config, all_runners, name.as_deref()).await
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log(Fatal, &error, &[]);
            ExitCode::FAILURE
        }
    }
}

async fn verify(file: &std::path::Path) -> Result<(), String> {
    let config = Config::read(file)?;
    let api = Api::new(&config::system_id(file)?)?;
    let mut bad = 0;
    for runner in &config.runners {
        if api.verify(runner).await {
            log(Info, "Verifying runner... is valid", &[("runner", runner.short().into())]);
        } else {
            bad += 1;
            log(Error, "Verifying runner... is removed", &[("runner", runner.short().into())]);
        }
    }
    if bad == 0 { Ok(()) } else { Err("Failed to verify runners".to_owned()) }
}

async fn unregister(file: &std::path::Path, all: bool, name: Option<&str>) -> Result<(), String> {
    let config = Config::read(file)?;
    let api = Api::new(&config::system_id(file)?)?;
    let mut left = Ok(());
    for runner in config.runners.iter().filter(|runner| all || name == Some(&*runner.name)) {
        if api.unregister(runner).await {
            log(
                Info,
                "Unregistering runner manager from GitLab succeeded",
                &[("runner", runner.short().into())],
            );
        } else {
            log(
                Error,
                "Unregistering runner manager from GitLab failed",
                &[("runner", runner.short().into())],
            );
            left = Err("Failed to unregister runners".to_owned());
        }
    }
    left
}
