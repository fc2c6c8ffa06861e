//! `gosling`, the program.

use std::process::ExitCode;

use orchestrator::{cli, logging::Logging, settings::Settings};

fn main() -> ExitCode {
    cli::run(serve)
}

/// What `gosling serve` does.
#[allow(clippy::unused_async, reason = "the service is not built into this program yet")]
async fn serve(_: Settings, _: Logging) -> Result<(), &'static str> {
    Err("this build has no service")
}
