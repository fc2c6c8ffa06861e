//! `fly-lsp`: the language server of Fly, over standard input and output.

use std::process::ExitCode;

fn main() -> ExitCode {
    fly_lsp::server::serve()
}
