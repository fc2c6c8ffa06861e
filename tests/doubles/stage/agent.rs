//! The gitlab-runner of an installation.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, absolute},
};

use super::Stage;

impl Stage {
    /// Its runners find this gitlab-runner from now on.
    ///
    /// # Panics
    ///
    /// When the folder can't be written.
    pub fn use_agent(&self, program: &Path) {
        let link = self.folder().join("bin/gitlab-runner");
        // There may be none yet.
        let _ = fs::remove_file(&link);
        let program = absolute(program).expect("there is a current folder");
        symlink(program, link).expect("a link can be made");
    }
}
