//! The key of an installation: 32 random bytes in a file. Every use has a key of its own that is derived from it.
#![allow(clippy::disallowed_methods, reason = "the key is in a file")]

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::file::SEALED;
use crate::seal::Seal;

/// The key's file in the folder.
const KEY: &str = "key";

/// Why there is no key, or it doesn't fit.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file can't be read or written.
    #[error("{}: {reason}", .file.display())]
    Io {
        /// Which.
        file: PathBuf,
        /// What went wrong.
        reason: io::Error,
    },
    /// The file that was named is not there.
    #[error("there is no key file {}; `head -c32 /dev/urandom | base64` makes a key", .0.display())]
    NoKey(PathBuf),
    /// There are secrets, and their key is gone. No other one is made.
    #[error(
        "{} is there, and its key is not: bring back the key file {}; nothing was changed",
        .sealed.display(), .key.display()
    )]
    Lost {
        /// What can't be opened.
        sealed: PathBuf,
        /// Where the key was.
        key: PathBuf,
    },
    /// The file holds something else.
    #[error("{} is no key: it must hold 32 bytes in base64; nothing was changed", .0.display())]
    NoneSuch(PathBuf),
    /// The secrets were sealed with another key.
    #[error("{} was sealed with another key than the one that is given; nothing was changed", .0.display())]
    Other(PathBuf),
    /// The secrets were changed by somebody else.
    #[error("{} is damaged: {reason}; bring it back from a backup; nothing was changed", .file.display())]
    Damaged {
        /// Which.
        file: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl KeyError {
    pub(super) fn io(file: &Path, reason: io::Error) -> Self {
        Self::Io { file: file.to_owned(), reason }
    }
}

/// The key.
pub struct Keys(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// Reads the key; makes one in the folder when no other file is named and nothing is sealed yet.
    ///
    /// # Errors
    ///
    /// When it can't be read or made.
    pub fn open(data: &Path, key_file: Option<&Path>) -> Result<Self, KeyError> {
        if let Some(file) = key_file {
            return Self::read(file)?.ok_or_else(|| KeyError::NoKey(file.to_owned()));
        }
        let file = data.join(KEY);
        make_folder(data).map_err(|reason| KeyError::io(data, reason))?;
        // Two that start at the same time must not make two keys.
        let _lock = lock(data).map_err(|reason| KeyError::io(data, reason))?;
        if let Some(keys) = Self::read(&file)? {
            return Ok(keys);
        }
        let sealed = data.join(SEALED);
        if sealed.exists() {
            return Err(KeyError::Lost { sealed, key: file });
        }
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key).map_err(|error| KeyError::io(&file, io::Error::other(error)))?;
        let text = Zeroizing::new(format!("{}\n", STANDARD.encode(*key)));
        replace(data, KEY, text.as_bytes()).map_err(|reason| KeyError::io(&file, reason))?;
        Ok(Self(key))
    }

    fn read(file: &Path) -> Result<Option<Self>, KeyError> {
        let text = match std::fs::read(file) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(KeyError::io(file, error)),
        };
        let none_such = || KeyError::NoneSuch(file.to_owned());
        let bytes = Zeroizing::new(STANDARD.decode(text.trim_ascii()).map_err(|_| none_such())?);
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return Err(none_such());
        }
        key.copy_from_slice(&bytes);
        Ok(Some(Self(key)))
    }

    /// The seal of the database's sensitive columns.
    pub fn seal(&self) -> Seal {
        Seal::new(&self.derived(None, "gosling: columns of the database"))
    }

    /// The seal of one state of the file of secrets.
    pub(super) fn file(&self, salt: &[u8]) -> Seal {
        Seal::new(&self.derived(Some(salt), "gosling: file of secrets"))
    }

    /// Tells the key from others, and nothing of it.
    pub(super) fn mark(&self, salt: &[u8]) -> [u8; 8] {
        let derived = self.derived(Some(salt), "gosling: mark of the key");
        let mut mark = [0; 8];
        mark.copy_from_slice(&derived[..8]);
        mark
    }

    fn derived(&self, salt: Option<&[u8]>, what_for: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        // It fails only for keys that are longer than 8160 bytes.
        let _ = Hkdf::<Sha256>::new(salt, &*self.0).expand(what_for.as_bytes(), &mut *key);
        key
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Keeps every other process out, and every other thread, for as long as the file lives.
pub(super) fn lock(folder: &Path) -> io::Result<File> {
    let file = private().create(true).truncate(false).open(folder.join("secrets.lock"))?;
    file.lock()?;
    Ok(file)
}

/// Options of files that are for this user alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Puts a file in the place of what is there: whenever it ends, the old one is there or the new one, whole. The folder is
/// locked.
pub(super) fn replace(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let (new, place) = (folder.join(format!("{name}.new")), folder.join(name));
    // What a process left that was killed may have other rights.
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private().create_new(true).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&new, &place)?;
    // The name is on the disk once its folder is.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}
