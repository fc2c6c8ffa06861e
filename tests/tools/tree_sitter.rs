//! The program of tree-sitter. What never lives here: which version, and how it is had; the script of the grammar's
//! folder says so, for `npm test` as well.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{cache, lock, on_path, or_skip, text};

/// tree-sitter's program, in the version that the grammar is made with.
#[derive(Debug, Clone)]
pub struct TreeSitter(PathBuf);

impl TreeSitter {
    /// A call of it.
    pub fn command(&self) -> Command {
        Command::new(&self.0)
    }
}

/// The program of tree-sitter.
pub fn tree_sitter() -> Option<TreeSitter> {
    or_skip("tree-sitter", find())
}

fn find() -> Result<TreeSitter, String> {
    let node = on_path("node")
        .ok_or("there is no Node.js on PATH to run editors/tree-sitter-fly/scripts/program.js")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../editors/tree-sitter-fly/scripts/program.js");
    let _lock = lock(&cache()?.join("tree-sitter.lock"))?;
    let output = Command::new(node).arg(script).output().map_err(text)?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    Ok(TreeSitter(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())))
}
