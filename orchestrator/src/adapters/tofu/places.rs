//! Where everything of `OpenTofu`'s stands on this machine.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::ports::tofu::Bundle;

/// The folders, all of them absolute.
#[derive(Debug, Clone)]
pub(super) struct Places {
    root: PathBuf,
}

impl Places {
    pub(super) fn new(data: &Path) -> Self {
        Self { root: data.join("tofu") }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The bundles of all owners.
    pub(super) fn bundles(&self) -> PathBuf {
        self.root.join("bundles")
    }

    /// A bundle's own folder.
    pub(super) fn bundle(&self, bundle: &Bundle) -> PathBuf {
        self.bundles().join(escaped(&bundle.owner)).join(escaped(&bundle.digest))
    }

    /// The folder in which an owner's files have the places they have in a build.
    pub(super) fn workspace(&self, owner: &str) -> PathBuf {
        self.root.join("workspaces").join(escaped(owner))
    }

    /// The folder of an owner's state.
    pub(super) fn states(&self, owner: &str) -> PathBuf {
        self.root.join("states").join(escaped(owner))
    }

    /// An owner's state.
    pub(super) fn state(&self, owner: &str) -> PathBuf {
        self.states(owner).join("terraform.tfstate")
    }

    /// Providers, one copy for everybody.
    pub(super) fn plugins(&self) -> PathBuf {
        self.root.join("plugins")
    }

    /// The folders of runners.
    pub(super) fn runners(&self) -> PathBuf {
        self.root.join("runners")
    }
}

/// The folder of an owner in a build: `eggs/NAME`, `jobs/NAME`.
pub(super) fn folder_of(owner: &str) -> String {
    if owner.starts_with("jobs/") { owner.to_owned() } else { format!("eggs/{owner}") }
}

/// A name as the name of one folder: another name is another folder, and none leads elsewhere.
pub(super) fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => out.push(char::from(byte)),
            b'.' if at > 0 => out.push('.'),
            _ => out.extend(["%", &format!("{byte:02x}")]),
        }
    }
    out
}

/// Makes a folder, with those above it, that nobody else looks into.
pub(super) fn private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Removes a folder that may not be there.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes a file that may not be there.
pub(super) fn remove_file(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Writes a file that only its owner reads; whoever reads it sees the old text or the new.
pub(super) fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    let mut new = file.as_os_str().to_owned();
    new.push(".new");
    fs::write(&new, text)?;
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
    fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folders_of_their_own() {
        assert_eq!(escaped("my-app"), "my-app");
        assert_eq!(escaped("full.Egg_2"), "full.Egg_2");
        assert_eq!(escaped("jobs/rotate"), "jobs%2frotate");
        assert_eq!(escaped(".."), "%2e.");
        assert_eq!(escaped("%2e."), "%252e.");
        assert_eq!(folder_of("web"), "eggs/web");
        assert_eq!(folder_of("jobs/rotate"), "jobs/rotate");
    }
}
