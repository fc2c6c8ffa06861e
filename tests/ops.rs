//! The operator's commands that change a running fleet, against a whole installation.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests drive real programs and files"
)]

#[path = "ops/fleet.rs"]
mod fleet;
#[path = "ops/rotation.rs"]
mod rotation;
#[path = "ops/secrets.rs"]
mod secrets;
#[allow(dead_code, reason = "shared with another test program, which answers questions")]
#[path = "nest_commands/terminal.rs"]
mod terminal;
#[path = "ops/tokens.rs"]
mod tokens;
#[path = "ops/watching.rs"]
mod watching;

/// Where the terminal looks for what would change what is done.
mod world {
    pub(crate) const VARIABLES: &[&str] =
        &["GOSLING_API", "GOSLING_PROFILE", "GOSLING_OUTPUT", "GOSLING_LOG"];
}

use std::process::Output;

use polar_gosling_tests::doubles::stage::{EGG, Stage};

/// One whose runners stay for as long as nobody takes them away.
fn stage() -> Option<Stage> {
    let mut stage = Stage::new(&[("Eggs/demo/config.fly", EGG)])?;
    stage.serve(&[]);
    stage.status_shows("the egg", |status| {
        status["status"]["eggs"].as_array()?.iter().any(|egg| egg["name"] == "demo").then_some(())
    });
    Some(stage)
}

/// What a command that was refused said, with its exit code.
fn refused(output: &Output) -> (Option<i32>, String) {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}
