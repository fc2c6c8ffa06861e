//! `gosling`, the program.

use std::process::ExitCode;

use orchestrator::{app, cli};

fn main() -> ExitCode {
    cli::run(app::serve)
}
