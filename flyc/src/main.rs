//! `flyc`, the Fly compiler for authors, CI and pre-commit.

fn main() -> std::process::ExitCode {
    flyc::cli::run()
}
