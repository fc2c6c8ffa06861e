//! The tokens of the API in the data folder: fingerprints, for nobody can read a token out of them. `gosling token` writes the
//! file; the service looks at it again and again.
#![allow(clippy::disallowed_methods, reason = "the tokens are in a file")]

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    ports::secrets::unread,
    settings::{ApiToken, Scope},
};

/// The file in the data folder.
pub const FILE: &str = "tokens.json";

/// Why the tokens are not known.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// The file can't be read or written.
    #[error("{}: {reason}", .file.display())]
    Io {
        /// Which.
        file: PathBuf,
        /// What went wrong.
        reason: io::Error,
    },
    /// It holds something else.
    #[error("{}: {reason}", .file.display())]
    Wrong {
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// A token as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Whose it is.
    pub name: String,
    /// The SHA-256 of the token, in hexadecimal.
    pub sha256: String,
    /// What it may do.
    pub scopes: Vec<String>,
}

/// What stands in the file; nothing when there is none.
///
/// # Errors
///
/// When it can't be read.
pub fn entries(data: &Path) -> Result<Vec<Entry>, TokensError> {
    let file = data.join(FILE);
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(reason) => return Err(TokensError::Io { file, reason }),
    };
    serde_json::from_str(&text).map_err(|error| TokensError::Wrong { file, reason: unread(&error) })
}

/// The tokens that this folder's service takes.
///
/// # Errors
///
/// When the file can't be read.
pub fn known(data: &Path) -> Result<Vec<ApiToken>, TokensError> {
    let known = |entry: Entry| {
        let scopes: Result<BTreeSet<Scope>, String> = entry.scopes.iter().map(|text| scope(text)).collect();
        scopes.map(|scopes| ApiToken { name: entry.name, sha256: entry.sha256, scopes })
    };
    let known: Result<_, String> = entries(data)?.into_iter().map(known).collect();
    known.map_err(|reason| TokensError::Wrong { file: data.join(FILE), reason })
}

/// Writes the file; whoever reads it sees the old one or the new.
///
/// # Errors
///
/// When it can't be written.
pub fn write(data: &Path, entries: &[Entry]) -> Result<(), TokensError> {
    let file = data.join(FILE);
    let new = data.join(format!("{FILE}.new"));
    let attempt = || -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(data)?;
        let mut open = File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        serde_json::to_writer_pretty(&mut open, entries)?;
        open.write_all(b"\n")?;
        open.sync_all()?;
        fs::rename(&new, &file)
    };
    attempt().map_err(|reason| TokensError::Io { file, reason })
}

/// The scope of this name.
///
/// # Errors
///
/// When there is none.
pub fn scope(text: &str) -> Result<Scope, String> {
    let known = Scope::ALL.into_iter().find(|scope| scope.name() == text);
    known.ok_or_else(|| "the scopes are read, operate and trigger".to_owned())
}
