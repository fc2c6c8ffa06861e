//! A real git repository with a Nest in it, as its authors have it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A repository with a working tree, on the branch `main`.
pub(crate) struct Repository(pub(crate) PathBuf);

impl Repository {
    pub(crate) fn new(folder: &Path) -> Self {
        let made = Self(folder.join("nest"));
        fs::create_dir_all(&made.0).unwrap();
        made.git(&["init", "--quiet", "--initial-branch=main"]);
        made
    }

    /// Runs git in it, with nothing of the user's.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgSign=false"])
            .args(arguments)
            .current_dir(&self.0)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.0.join(path)).unwrap();
    }

    /// Commits everything, and says the commit.
    pub(crate) fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=x"]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn egg(&self, name: &str, project: u64, more: &str) {
        self.write(&format!("Eggs/{name}/config.fly"), &egg(name, project, more));
    }
}

/// An egg on this machine.
pub(crate) fn egg(name: &str, project: u64, more: &str) -> String {
    format!(
        "egg \"{name}\" {{\n  type = \"vm\"\n\n  cloud {{\n    provider = \"local\"\n  }}\n\n  runner {{\n    tags = [\"{name}\"]\n  }}\n\n  \
         gitlab {{\n    server     = \"gitlab.example.com\"\n    project_id = {project}\n  }}\n{more}}}\n"
    )
}
