//! The deploy key as SSH wants it: a file that nobody else may read, gone with the fetch.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::{machine, text};
use crate::ports::git::{GitError, Remote};

/// A private folder with the key and the known hosts. It is removed when this is dropped, and by the next fetch when this
/// process is ended before that.
#[derive(Debug)]
pub(super) struct KeyFolder {
    folder: PathBuf,
    has_key: bool,
}

impl KeyFolder {
    pub(super) fn new(folder: &Path, remote: &Remote) -> Result<Self, GitError> {
        let Some(known_hosts) = remote.known_hosts.as_deref().filter(|lines| !lines.trim().is_empty()) else {
            return Err(GitError::HostKey(
                "no key of it is known; tell the lines that `ssh-keyscan HOST` prints, once you have checked them".to_owned(),
            ));
        };
        let failed = |error: io::Error| machine("the folder of the deploy key", &error);
        DirBuilder::new().mode(0o700).create(folder).map_err(failed)?;
        let made = Self { folder: folder.to_owned(), has_key: remote.key.is_some() };
        made.write("known_hosts", known_hosts).map_err(failed)?;
        if let Some(key) = &remote.key {
            made.write("key", key.expose()).map_err(failed)?;
        }
        Ok(made)
    }

    fn write(&self, name: &str, lines: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file: File = options.write(true).create_new(true).mode(0o600).open(self.folder.join(name))?;
        file.write_all(lines.trim().as_bytes())?;
        // OpenSSH takes no key whose last line isn't ended.
        file.write_all(b"\n")
    }

    /// `GIT_SSH_COMMAND`: this key and these hosts, and nothing of the user's.
    pub(super) fn command(&self) -> Result<String, GitError> {
        // SSH has rules of its own for blanks, quotes, `%` and `$` in the paths of its options: it is given none of them.
        let folder = flyc::lower::shell_word(&text(&self.folder)?)
            .ok_or_else(|| GitError::Wrong("the path of the data folder can't be given to SSH".to_owned()))?;
        let identity = if self.has_key { "-i key" } else { "-o IdentityFile=none" };
        let command = format!(
            "cd {folder} && exec ssh -F /dev/null -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15 \
             -o StrictHostKeyChecking=yes -o UserKnownHostsFile=known_hosts -o GlobalKnownHostsFile=/dev/null \
             -o UpdateHostKeys=no -o IdentitiesOnly=yes -o IdentityAgent=none -o PasswordAuthentication=no \
             -o KbdInteractiveAuthentication=no -o ForwardAgent=no -o ControlPath=none -o ControlMaster=no \
             -o LogLevel=ERROR {identity}"
        );
        Ok(command)
    }
}

impl Drop for KeyFolder {
    fn drop(&mut self) {
        // The next fetch removes what this can't.
        drop(fs::remove_dir_all(&self.folder));
    }
}
