//! Passwords, tokens and keys: where they are kept, who may see them, and that nobody else does.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[path = "secrets/before.rs"]
mod before;
#[path = "doubles/clock.rs"]
mod clock;
#[path = "secrets/file.rs"]
mod file;
#[path = "secrets/lines.rs"]
mod lines;

use fly_std::formats::secret_uri::SecretUri;
use orchestrator::ports::secrets::parse;

fn uri(text: &str) -> SecretUri {
    parse(text).unwrap()
}
