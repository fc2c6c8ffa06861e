//! Rust's standard library for WebAssembly, which Zed's extensions are built to.
//!
//! What never lives here: an extension.

use std::{path::PathBuf, process::Command};

use super::{on_path, or_skip, run, text};

/// What Zed builds extensions for.
pub const WASM: &str = "wasm32-wasip2";

/// Cargo, when it can build for [`WASM`].
pub fn cargo_for_wasm() -> Option<PathBuf> {
    or_skip("Rust for WebAssembly", find())
}

fn find() -> Result<PathBuf, String> {
    let cargo = option_env!("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let has_library = || {
        let asked = Command::new("rustc").args(["--print", "target-libdir", "--target", WASM]).output();
        let folder = asked.map_err(text)?;
        Ok::<_, String>(PathBuf::from(String::from_utf8_lossy(&folder.stdout).trim()).is_dir())
    };
    if !has_library()? {
        let rustup =
            on_path("rustup").ok_or("it is not installed, and there is no rustup to install it with")?;
        run(Command::new(rustup).args(["target", "add", WASM]))?;
    }
    Ok(cargo)
}
