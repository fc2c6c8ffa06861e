//! `flyc lsp`: finds the language server and becomes it, so that an editor needs to know one program only.

use std::{ffi::OsString, io, path::PathBuf, process::Command};

use clap::Args;

use super::{Failure, Outcome};

/// Run the language server, fly-lsp, over standard input and output.
#[derive(Debug, Args)]
pub(super) struct Lsp {
    /// Arguments for fly-lsp
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Lsp {
    pub(super) fn run(&self) -> Result<Outcome, Failure> {
        // The one beside this program is of the same release; else the one of the PATH.
        let program = beside().unwrap_or_else(|| PathBuf::from(NAME));
        let mut command = Command::new(program);
        command.args(&self.arguments);
        run(command).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::usage(
                format!("there is no `{NAME}` beside flyc or on the PATH"),
                "install it: `cargo install --locked --path fly-lsp`",
            ),
            _ => Failure::io(format!("can't start {NAME}"), error),
        })
    }
}

const NAME: &str = "fly-lsp";

fn beside() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let server = own.with_file_name(format!("{NAME}{}", std::env::consts::EXE_SUFFIX));
    server.is_file().then_some(server)
}

/// The server takes the place of this process: signals and the end of its input reach it directly.
#[cfg(unix)]
fn run(mut command: Command) -> io::Result<Outcome> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

#[cfg(not(unix))]
fn run(mut command: Command) -> io::Result<Outcome> {
    let status = command.status()?;
    Ok(Outcome::Ended(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
